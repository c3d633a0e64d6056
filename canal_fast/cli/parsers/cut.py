"""The line of `canal-fast cut`."""

from __future__ import annotations

import argparse

from canal_fast.cli.parsers import convert


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "cut", help="write a part of a recording", description="A part of a recording, in the same format or another."
    )
    convert.add_arguments(parser, many=False)
