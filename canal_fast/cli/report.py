"""`canal-fast report`: a recording as one HTML page."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from canal_fast.cli.frames_read import FramesRead
from canal_fast.cli.options import add_force, add_reading, data_rate, keep_existing, rate, seconds
from canal_fast.report import write_report


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `report` to the command line."""
    parser = subparsers.add_parser(
        "report",
        help="a recording as one HTML page",
        description="One page that needs no other file and no network: what the recording holds and lost, load over "
        "time, identifiers with their periods, error frames and bus states, the clock; with --dbc the signals.",
    )
    add_reading(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the page; - is standard output")
    parser.add_argument("--dbc", metavar="PATH", help="database: DBC, KCD, SYM or ARXML")
    parser.add_argument("--encoding", help="of the database (default: UTF-8 where it decodes, else cp1252)")
    parser.add_argument(
        "--signal",
        action="append",
        metavar="PATTERN",
        help="only these: SIGNAL or MESSAGE.SIGNAL, with * ? [] (may be repeated)",
    )
    parser.add_argument("--j1939", action="store_true", help="match all extended identifiers by parameter group")
    parser.add_argument("--bitrate", type=rate, help="nominal, bit/s (default: what the recording says of each bus)")
    parser.add_argument(
        "--data-bitrate", type=data_rate, help="bit/s of CAN FD's data phase; needed for frames with a bit rate switch"
    )
    parser.add_argument(
        "--window", type=seconds, default=1.0, metavar="S", help="for loads over time (default: %(default)s)"
    )
    add_force(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, write the page; code 1 where nothing but other things than frames was in the recording."""
    keep_existing(args, args.output)
    if args.signal and not args.dbc:
        raise ValueError("--signal chooses from a database: give it with --dbc")
    progress = FramesRead("report")
    try:
        found = write_report(
            args.file,
            args.output,
            dbc=args.dbc,
            encoding=args.encoding,
            signals=args.signal,
            j1939=True if args.j1939 else None,
            bitrate=args.bitrate,
            data_bitrate=args.data_bitrate,
            window_s=args.window,
            format=args.format,
            tz=args.tz,
            errors=args.errors,
            force=args.force,
            progress=progress,
        )
    finally:
        progress.end()
    for line in words(found):
        print(f"canal-fast report: {line}", file=sys.stderr)
    file = found["file"]
    return int(bool(file["skipped"]) and not file["frames"])


def words(found: dict[str, Any]) -> list[str]:
    """What of the recording or the database is not on the page."""
    file, signals = found["file"], found["signals"]
    rows = [f"{file['path']}: {number} x {kind} skipped" for kind, number in file["skipped_by_kind"].items()]
    if file["lost_bytes"]:
        rows.append(f"{file['path']}: {file['lost_bytes']} damaged bytes passed over")
    if file["truncated"]:
        rows.append(f"{file['path']}: it is truncated: it ends inside a block or line")
    if signals is not None:
        rows += signals["troubles"]
        if not signals["messages"]:
            rows.append(f"{file['path']}: holds no message of {signals['database']}")
    return rows
