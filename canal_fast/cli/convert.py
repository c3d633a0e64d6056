"""`canal-fast convert`: recordings into another format, with an account of every frame."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from fractions import Fraction

from canal_fast.cli.frames_read import FramesRead
from canal_fast.cli.options import add_force, can_filter, fraction, refuse_terminal
from canal_fast.logs import Account, ParquetAccount, convert, to_parquet
from canal_fast.logs.converting import Time

SENTENCES = {
    "nanoseconds": "their times to the nanosecond",
    "raw_dlc": "a dlc above 8",
    "fd_flags": "that they are FD, their bit rate switch or error state",
    "direction": "that they were sent",
    "gap": "that frames were lost before them",
    "clock_step": "that the clock was set before them",
    "error_detail": "details of an error",
    "channel": "their channel",
    "name": "the name of their interface",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("convert", help="write recordings in another format", description=__doc__)
    add_arguments(parser, many=True)


def add_arguments(parser: argparse.ArgumentParser, many: bool) -> None:
    """What `convert`, `cut` and `merge` have."""
    help = "a recording in any format that `canal-fast formats` lists; - is standard input"
    parser.add_argument("source", nargs="+" if many else 1, metavar="SOURCE", help=help)
    parser.add_argument(
        "target", metavar="TARGET", help="the file to write, or a folder for one file from each source; - with --to"
    )
    parser.add_argument(
        "--to", metavar="FORMAT", help="the target's format, whatever its suffix; parquet: a folder of it"
    )
    parser.add_argument("--from", dest="source_format", metavar="FORMAT", help="the sources' format")
    moment = "seconds after the first frame, or a date and time such as 2024-05-01T12:30:15.25"
    parser.add_argument("--start", type=instant, metavar="T", help=f"leave out what is earlier: {moment}")
    parser.add_argument("--stop", type=instant, metavar="T", help="leave out this and what is later")
    parser.add_argument(
        "--filter",
        action="append",
        type=can_filter,
        metavar="ID:MASK",
        help="hexadecimal; keep frames whose identifier equals ID where MASK has ones (may be repeated: any of them)",
    )
    parser.add_argument(
        "--channels", type=channels, metavar="LIST", help="numbers (from 0) or interface names to keep: 0,can2"
    )
    parser.add_argument(
        "--offset",
        action="append",
        type=offset,
        metavar="SOURCE=S",
        help="seconds that are added to the times of a source (may be repeated)",
    )
    parser.add_argument("--tz", default="UTC", metavar="ZONE", help="zone of starts without one: UTC, local, ...")
    parser.add_argument("--errors", choices=["strict", "skip"], default="strict", help="skip: step over damage")
    parser.add_argument("--strict", action="store_true", help="end at the first frame that would lose something")
    parser.add_argument("--nanoseconds", action="store_true", help="nine decimals in candump text and ASC")
    parser.add_argument("--json", action="store_true", help="the account as a JSON object on standard output")
    add_force(parser)
    parser.set_defaults(run=run)


def instant(text: str) -> Time:
    """Seconds, or a date and time."""
    try:
        return fraction(text)
    except argparse.ArgumentTypeError:
        pass
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        what = "neither a number of seconds nor a date and time such as 2024-05-01T12:30:15"
        raise argparse.ArgumentTypeError(f"{text!r} is {what}") from None


def channels(text: str) -> list[int | str]:
    """Numbers or names, with commas between them."""
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise argparse.ArgumentTypeError(f"{text!r} is no list such as 0,can2")
    return [int(word) if word.isdecimal() else word for word in words]


def offset(text: str) -> tuple[str, Fraction]:
    """FILE=SECONDS."""
    name, separator, value = text.rpartition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not FILE=SECONDS")
    return name, fraction(value)


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
    rows += [f"{count} frames lost {SENTENCES[reason]}" for reason, count in account.reduced.items()]
    rows += [f"{count} x {kind} skipped in the sources" for kind, count in account.skipped.items()]
    if account.lost_bytes:
        rows.append(f"{account.lost_bytes} damaged bytes passed over")
    if account.truncated:
        rows.append(f"{account.truncated} of the sources is truncated: it ends inside a block or line")
    return rows
