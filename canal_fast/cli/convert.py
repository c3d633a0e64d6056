"""`canal-fast convert`: recordings into another format, with an account of every frame."""

from __future__ import annotations

import argparse
import os
import sys

from canal_fast.cli.frames_read import FramesRead
from canal_fast.cli.options import refuse_terminal
from canal_fast.logs import Account, ParquetAccount, convert, to_parquet

SENTENCES = {
    "nanoseconds": "their times to the nanosecond",
    "raw_dlc": "a dlc above 8",
    "fd_flags": "that they are FD, their bit rate switch or error state",
    "direction": "the mark that they were sent",
    "gap": "the mark that frames are missing before them",
    "clock_step": "the mark that the clock was set before them",
    "error_detail": "details of an error",
    "channel": "their channel",
    "name": "the name of their interface",
}


def run(args: argparse.Namespace) -> int:
    """Convert, and tell what was lost: code 3 where frames were left out."""
    if args.to == "parquet":
        return into_folder(args)
    if args.target == "-":
        refuse_terminal("-", args.to, "name a file")
    progress = FramesRead(args.command)
    try:
        account = convert(
            args.source,
            args.target,
            format=args.to,
            source_format=args.source_format,
            start=args.start,
            stop=args.stop,
            filters=args.filter,
            channels=args.channels,
            offsets=dict(args.offset or ()),
            tz=args.tz,
            errors=args.errors,
            strict=args.strict,
            force=args.force,
            nanoseconds=args.nanoseconds,
            progress=progress,
        )
    finally:
        progress.end()
    if args.json:
        print(account.as_json(), file=sys.stderr if args.target == "-" else sys.stdout)
    else:
        for line in lines(account):
            print(f"canal-fast {args.command}: {line}", file=sys.stderr)
        if args.command == "convert" and len(args.source) > 1 and not os.path.isdir(args.target):
            what = f"{len(args.source)} sources became one recording, {args.target}, merged by time"
            print(f"canal-fast convert: {what}; a folder that is there gets one from each", file=sys.stderr)
    return 3 if account.left_out else 0


def into_folder(args: argparse.Namespace) -> int:
    """Recordings into a folder of Parquet, one data set of all of them."""
    options = ("start", "stop", "filter", "channels", "offset", "strict", "json")
    if given := [name for name in options if getattr(args, name, None)]:
        raise ValueError(f"--to parquet takes whole recordings, without --{', --'.join(given)}")
    whole = {"format": args.source_format, "tz": args.tz, "errors": args.errors}
    account = sum((to_parquet(source, args.target, **whole) for source in args.source), ParquetAccount())
    print(
        f"canal-fast {args.command}: {account.frames} frames in {len(account.files)} files of {args.target}"
        + (f", {account.undated} without a date" if account.undated else "")
        + (f"; {account.skipped} items that are no frames" if account.skipped else ""),
        file=sys.stderr,
    )
    return 0


def lines(account: Account) -> list[str]:
    """The account for people."""
    parts = [f"{account.read} frames read", f"{account.written} written"]
    parts += [f"{account.filtered} filtered"] if account.filtered else []
    parts += [f"{account.cut} cut"] if account.cut else []
    parts += [f"{count} left out" for count in [sum(account.left_out.values())] if count]
    rows = [", ".join(parts)]
    rows += [f"left out: {count} x {kind.replace('_', ' ')}" for kind, count in account.left_out.items()]
    for reason, count in account.reduced.items():
        rows.append(f"{count} frame{'' if count == 1 else 's'} lost {SENTENCES[reason]}")
    rows += [f"{count} x {kind} skipped in the sources" for kind, count in account.skipped.items()]
    if account.read and account.read == account.cut + account.filtered:
        rows.append("no frame is left: --start and --stop are s after the first, or dates; --filter is hexadecimal")
    if account.lost_bytes:
        rows.append(f"{account.lost_bytes} damaged bytes passed over")
    if account.truncated:
        rows.append(f"{account.truncated} of the sources is truncated: it ends inside a block or line")
    return rows
