"""The line of `canal-fast stat`."""

from __future__ import annotations

from typing import Any

from canal_fast.cli.options import (
    add_filter,
    add_force,
    add_reading,
    bus_rate,
    count,
    data_rate,
    picture,
    seconds,
)
from canal_fast.cli.parsers.names import STAT_SORTS, USUAL_BITRATE


def add_parser(subparsers: Any) -> None:
    """Add `stat` to the command line."""
    parser = subparsers.add_parser(
        "stat",
        help="identifiers, periods and bus load of a recording",
        description="Per identifier: count, rate, period (least, mean, greatest, and jitter, its standard deviation), "
        "dlc and share of the bus; and the load of each bus in all and at its peak. Loads count exact stuffed "
        "lengths with intermission.",
    )
    add_reading(parser)
    parser.add_argument(
        "--bitrate",
        action="append",
        type=bus_rate,
        metavar="[BUS=]N",
        help="nominal, bit/s, of all buses or of the one of this name or number (may be repeated; default: what the "
        f"recording says of each bus, or {USUAL_BITRATE})",
    )
    parser.add_argument(
        "--data-bitrate", type=data_rate, help="bit/s of CAN FD's data phase; needed for frames with a bit rate switch"
    )
    parser.add_argument(
        "--window", type=seconds, default=1.0, metavar="S", help="for the peak load (default: %(default)s)"
    )
    parser.add_argument(
        "--sort", choices=STAT_SORTS, default="id", help="order of the identifiers (default: %(default)s)"
    )
    parser.add_argument("--top", type=count, metavar="N", help="the first N of them only")
    add_filter(parser, "rows of these frames only, but totals and loads of all")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--plot", type=picture, metavar="PNG", help="also draw the load over time and by identifier (needs matplotlib)"
    )
    add_force(parser)
