"""`canal-fast repair`: the end of a recording that a kill or a power cut has left."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from canal_fast.cli.options import add_force, keep_existing
from canal_fast.logs import Repair, repair


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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Repair, or say what there is to repair."""
    for name in (args.file, args.output):
        if name == "-":
            raise ValueError("- cannot be repaired: a file is needed, since its end is looked for first")
    keep_existing(args, args.output)
    done = args.in_place or args.output is not None
    found = repair(args.file, args.output, in_place=args.in_place, exclusive=not args.force)
    if args.json:
        print(json.dumps(asdict(found) | {"whole": found.whole, "done": done}))
    else:
        print(*_words(found, args.output, done), sep="\n", file=sys.stdout)
    return 0 if done or found.whole else 3


def _words(found: Repair, output: str | None, done: bool) -> list[str]:
    lines = [f"{found.path}: {found.format}, {found.frames} frames in {found.size} bytes"]
    if found.reason is not None:
        reason = found.reason.removeprefix(f"{found.path}: ")
        cut = f"{found.size - found.kept} bytes behind byte {found.kept} {'were' if done else 'are to be'} cut off"
        lines += [reason, f"{cut}, {found.tail} written anew" if found.tail else cut]
    if found.header:
        lines.append(f"the header does not state these sizes, and {'was' if done else 'is to be'} written anew")
    if found.whole:
        lines.append("it is whole: nothing is to be repaired")
    elif not done:
        lines.append("nothing was written: -o FILE writes a repaired copy, --in-place repairs it here")
    if output is not None:
        lines.append(f"next: canal-fast stat {output}")
    return lines
