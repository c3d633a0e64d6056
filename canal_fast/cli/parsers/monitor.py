"""The line of `canal-fast monitor`."""

from __future__ import annotations

import argparse

from canal_fast.cli.options import data_rate, rate, seconds, source
from canal_fast.cli.parsers.names import MONITOR_SORTS

ONCE_S = 1.0  # without a terminal


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "monitor",
        help="watch buses or a recording on the terminal",
        description="One row an identifier: count, mean period, jitter, the last payload with the bytes marked that "
        "changed; load, errors and losses of each bus. ? shows the keys. Without a terminal the table is printed once. "
        "Exit code 3: frames were lost.",
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="a recording in any format; - is standard input")
    parser.add_argument(
        "--source", action="append", type=source, metavar="KIND:CONFIG",
        help="a bus: virtual:NAME, socketcan:INTERFACE, usb2can:SERIAL or library=PATH;CONFIG; then ,name=N "
        ",bitrate=N ,fd ,profile=P ,flags=N (may be repeated)",
    )  # fmt: skip
    parser.add_argument("--dbc", action="append", metavar="PATH", help="database for names and signals (repeatable)")
    parser.add_argument("--j1939", action="store_true", help="match all extended identifiers by parameter group")
    parser.add_argument("--bitrate", type=rate, metavar="N", help="bit/s, of buses that do not say, for the load")
    parser.add_argument("--data-bitrate", type=data_rate, metavar="N", help="bit/s of CAN FD's data phase")
    parser.add_argument("--speed", type=seconds, metavar="N", help="play the recording N times as fast as recorded")
    parser.add_argument(
        "--reconnect", type=seconds, metavar="S", help="when a driver fails, try to open it again every S seconds"
    )
    parser.add_argument(
        "--interval", type=seconds, default=0.25, metavar="S", help="between two refreshes (default: %(default)s)"
    )
    parser.add_argument("--sort", choices=MONITOR_SORTS, default="id", help="order of the rows (default: %(default)s)")
    parser.add_argument(
        "--filter", default="", metavar="TEXT", help="part of an identifier in hexadecimal or of a name"
    )
    parser.add_argument(
        "--once", nargs="?", const=ONCE_S, type=seconds, metavar="S", help="print the table once, after S seconds (1)"
    )
    parser.add_argument("--json", action="store_true", help="the same as a JSON object")
