"""The line of `canal-fast decode`."""

from __future__ import annotations

import argparse

from canal_fast.cli.options import add_database, add_force, add_reading, picture


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "decode",
        help="decode the signals of a recording with a database",
        description="Each frame as candump text with its signals behind it; or, with -o, a table: of one message a "
        "column for each signal, of several one row for each value (CSV), or an array for each signal (npz).",
    )
    add_reading(parser, "?")
    add_database(parser, required=True)
    parser.add_argument(
        "--j1939-nulls", action="store_true", help='no value where J1939 messages say "not available" or "error"'
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write .csv or .npz instead of text; with --to parquet a folder"
    )
    parser.add_argument(
        "--to",
        choices=["parquet"],
        help="into the folder -o, which may hold other recordings, a file for each date and message (needs pyarrow)",
    )
    parser.add_argument(
        "--plot", type=picture, metavar="PNG", help="draw the chosen signals over time (needs matplotlib)"
    )
    add_force(parser)
    parser.add_argument("--list", action="store_true", help="print what the database holds, and its problems")
