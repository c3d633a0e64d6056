"""The line of `canal-fast repair`."""

from __future__ import annotations

import argparse

from canal_fast.cli.options import add_force


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "repair",
        help="cut off what a kill or a power cut left at a recording's end",
        description="Find the last whole block, line or container of a pcapng, candump or BLF recording, and cut off "
        "what stands behind it; BLF's header gets its sizes. Says what it would do unless told where to.",
        epilog="Exit code 3: something is to be repaired, and was not; 0: nothing is, or it was done.",
    )
    parser.add_argument("file", help="pcapng, candump text or BLF; the first two also as .gz or .zst")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("-o", "--output", metavar="FILE", help="write a repaired copy")
    where.add_argument("--in-place", action="store_true", help="repair the recording itself")
    add_force(parser)
    parser.add_argument("--json", action="store_true", help="what was found as JSON")
