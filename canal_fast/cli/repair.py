"""`canal-fast repair`: the end of a recording that a kill or a power cut has left."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from canal_fast.cli.options import keep_existing
from canal_fast.logs import Repair, repair


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
