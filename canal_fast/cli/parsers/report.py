"""The line of `canal-fast report`."""

from __future__ import annotations

import argparse

from canal_fast.cli.options import add_database, add_force, add_reading, data_rate, rate, seconds


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `report` to the command line."""
    parser = subparsers.add_parser(
        "report",
        help="a recording as one HTML page",
        description="One page that needs no other file and no network: what the recording holds and lost, load over "
        "time, identifiers with their periods, error frames and bus states, the clock; with --dbc the signals.",
    )
    add_reading(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the page; - is standard output")
    add_database(parser, required=False)
    parser.add_argument("--bitrate", type=rate, help="nominal, bit/s (default: what the recording says of each bus)")
    parser.add_argument(
        "--data-bitrate", type=data_rate, help="bit/s of CAN FD's data phase; needed for frames with a bit rate switch"
    )
    parser.add_argument(
        "--window", type=seconds, default=1.0, metavar="S", help="for loads over time (default: %(default)s)"
    )
    add_force(parser)
