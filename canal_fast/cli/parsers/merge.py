"""The line of `canal-fast merge`."""

from __future__ import annotations

import argparse

from canal_fast.cli.parsers import convert


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "merge",
        help="write several recordings as one",
        description="Several recordings into one, by time; each keeps its order, and no time is changed.",
    )
    convert.add_arguments(parser, many=True)
