"""`canal-fast dump`: a recording as candump text on standard output."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator

import numpy as np

from canal_fast.cli.left_out import exit_code, id_order, tell
from canal_fast.cli.matching import matching
from canal_fast.cli.options import reading
from canal_fast.frames import FrameArray, FrameFlag, chosen
from canal_fast.logs import LogFile, format_candump
from canal_fast.logs.contents import contents
from canal_fast.logs.json_lines import format_json_lines

BATCH = 65_536


def run(args: argparse.Namespace) -> int:
    """Print the frames, or with --info what they are."""
    with reading(args) as log:
        total = 0
        for frames in _wanted(log, args):
            total += len(frames)
            if args.info:
                continue
            names = log.names
            if args.json:
                sys.stdout.buffer.writelines(format_json_lines(frames, names))
            else:
                sys.stdout.buffer.write(format_candump(frames, names, nanoseconds=args.nanoseconds))
            sys.stdout.flush()
        if args.info:
            print(json.dumps(contents(log, total)) if args.json else "\n".join(_info(log, total)))
        else:
            tell(log, "dump")
        return exit_code(log)


def _wanted(log: LogFile, args: argparse.Namespace) -> Iterator[FrameArray]:
    left = args.frames
    for frames in log.batches(BATCH if left is None or args.filter else min(left, BATCH)):
        if args.filter:
            flags = frames["flags"]
            others = flags & np.uint16(FrameFlag.STATUS | FrameFlag.ERROR_FRAME) != 0
            extended = flags & np.uint16(FrameFlag.EXTENDED_ID) != 0
            frames = chosen(frames, others | matching(args.filter, frames["arbitration_id"], extended))
        if left is not None:
            frames = frames[:left]
            left -= len(frames)
        yield frames
        if left == 0:
            return


def _info(log: LogFile, count: int) -> Iterator[str]:
    yield f"{log.path}: {log.format}, {count} frames, {log.skipped} packets of other kinds skipped"
    for kind, number in log.skipped_by_kind.items():
        yield f"  {kind}: {number}"
    yield f"truncated: {'yes, it ends inside a block or line' if log.truncated else 'no'}"
    if log.lost_bytes:
        yield f"damaged bytes passed over: {log.lost_bytes}"
    if log.start is not None:
        yield f"start: {log.start}{f' ({log.zone_note})' if log.zone_note else ''}"
    for row in log.interfaces:
        rate = f", {row.bitrate} bit/s" if row.bitrate else ""
        order = f", {id_order(row)}" if row.id_order else ""
        yield f"{row.name or log.names[row.channel]} (channel {row.channel}{rate}{order}): {row.frames} frames"
        for name, value in (row.statistics or {}).items():
            yield f"  {name} = {'not known' if value is None else value}"
