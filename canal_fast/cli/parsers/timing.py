"""The line of `canal-fast timing`."""

from __future__ import annotations

import argparse
from fractions import Fraction

from canal_fast.cli.options import add_force, fraction, picture, whole
from canal_fast.cli.parsers.names import LOOP_DELAY_NS, TIMING_CONTROLLERS

SHOWN = 8  # rows of the table without --all


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "timing",
        help="bit timings for a rate and a controller",
        description="Every bit timing that a controller makes for a bit rate, best first.",
        epilog="controllers: " + ", ".join(f"{name} ({title})" for name, title in TIMING_CONTROLLERS.items()),
    )
    parser.add_argument("bitrate", type=fraction, help="bit/s; a fraction such as 250000/3 is taken exactly")
    parser.add_argument(
        "--limits",
        default="usb_8dev",
        metavar="NAME|LIMITS",
        help="controller (default: %(default)s), or limits such as 'tseg1=1..16, tseg2=1..8, sjw=4, brp=2..128 step 2'",
    )
    parser.add_argument("--f-clock", type=whole, metavar="HZ", help="clock of the CAN core (default: the usual one)")
    parser.add_argument(
        "--sample-point",
        type=fraction,
        metavar="PERCENT",
        help="to come close to (default: 87.5; above 500 kbit/s 80, above 800 kbit/s 75)",
    )
    parser.add_argument("--max-error", type=fraction, default=Fraction(0), metavar="PERCENT", help="of the bit rate")
    parser.add_argument("--bus-length", type=fraction, metavar="M", help="the propagation segment must hold this bus")
    parser.add_argument(
        "--loop-delay",
        type=fraction,
        default=Fraction(LOOP_DELAY_NS),
        metavar="NS",
        help="of one node, from TXD to RXD (default: %(default)s)",
    )
    parser.add_argument("--oscillator-ppm", type=fraction, metavar="PPM", help="tolerance to reach")
    parser.add_argument("--sjw", type=whole, metavar="QUANTA", help="jump width (default: the most that fits)")
    add_fd_arguments(parser)
    parser.add_argument("--linux", action="store_true", help="put first what the Linux kernel programs")
    parser.add_argument(
        "--all", action="store_true", help=f"list every solution (at most 10,000 pairs), not the best {SHOWN}"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable, all solutions, or the listed pairs")
    parser.add_argument("--plot", type=picture, metavar="FILE", help="picture of the listed bits (needs matplotlib)")
    add_force(parser)


def add_fd_arguments(parser: argparse.ArgumentParser) -> None:
    """What is of CAN FD alone."""
    parser.add_argument(
        "--data-bitrate", type=fraction, metavar="BIT/S", help="of CAN FD's data phase: lists pairs of timings"
    )
    parser.add_argument(
        "--data-sample-point", type=fraction, metavar="PERCENT", help="of the data phase, as --sample-point"
    )
    parser.add_argument(
        "--data-limits", metavar="LIMITS", help="of the data phase, as for --limits, where those name no controller"
    )
