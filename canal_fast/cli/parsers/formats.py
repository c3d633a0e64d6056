"""The line of `canal-fast formats`."""

from __future__ import annotations

import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "formats", help="list the formats of recordings", description="The formats of recordings, and what each keeps."
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
