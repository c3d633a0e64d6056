"""`canal-fast cut`: a part of a recording, in the same format or another."""

from __future__ import annotations

import argparse

from canal_fast.cli import convert


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("cut", help="write a part of a recording", description=__doc__)
    convert.add_arguments(parser, many=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Convert what is wanted of the source."""
    if not any(getattr(args, name) for name in ("filter", "channels")) and args.start is None and args.stop is None:
        raise ValueError("cut needs --start, --stop, --filter or --channels")
    return convert.run(args)
