"""The line of `canal-fast dump`."""

from __future__ import annotations

import argparse

from canal_fast.cli.options import add_reading, can_filter, count


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "dump",
        help="print a recording as candump text",
        description="A recording as candump text, JSON lines, or what it holds.",
    )
    add_reading(parser)
    parser.add_argument(
        "--filter",
        action="append",
        type=can_filter,
        metavar="ID:MASK",
        help="hexadecimal; keep frames whose identifier equals ID where MASK has ones (may be repeated: any of them)",
    )
    parser.add_argument("--frames", type=count, metavar="N", help="stop after N frames")
    parser.add_argument("--nanoseconds", action="store_true", help="nine decimals, which other programs misread")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--info", action="store_true", help="print what the recording holds instead of its frames")
