"""`canal-fast report`: a recording as one HTML page."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from canal_fast.cli.frames_read import FramesRead
from canal_fast.cli.options import keep_existing
from canal_fast.report import write_report

OTHER = {".pdf", ".png", ".svg", ".csv", ".json", ".txt", ".md", ".docx", ".xlsx", ".xml"}  # what it is not


def run(args: argparse.Namespace) -> int:
    """Read, write the page; code 1 where nothing but other things than frames was in the recording."""
    keep_existing(args, args.output, read=(args.dbc,))
    stem, suffix = os.path.splitext(args.output)
    if suffix.lower() in OTHER:
        raise ValueError(f"-o {args.output}: the page is HTML: {stem}.html, which a browser prints as PDF")
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
