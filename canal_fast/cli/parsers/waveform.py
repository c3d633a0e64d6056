"""The line of `canal-fast waveform`."""

from __future__ import annotations

import argparse
from typing import Any

from canal_fast.cli.options import add_force, number, percent, picture, whole


def add_parser(subparsers: Any) -> None:
    """Add `waveform` to the command line."""
    parser = subparsers.add_parser(
        "waveform",
        help="frames out of a capture of a logic analyser or oscilloscope",
        description="Reads sessions of sigrok and DSView, Saleae binary, VCD and tables (CSV), and prints a row for "
        "each frame, error flag, overload flag and stuck line: the sender's clock error, and the least time between an "
        "edge and a sample. Bit rates that are not given are detected.",
    )
    parser.add_argument("capture", help="file")
    parser.add_argument("--channel", help="name or number (from 0 on) of the line")
    parser.add_argument("--bitrate", type=number, help="nominal, bit/s")
    parser.add_argument("--data-bitrate", type=number, help="bit/s of CAN FD's data phase")
    parser.add_argument("--sample-point", type=percent, help="nominal, percent of a bit")
    parser.add_argument("--data-sample-point", type=percent, help="percent of a bit")
    parser.add_argument("--threshold", type=threshold, metavar="V[,V]", help="volts; two are recessive, dominant")
    parser.add_argument("--invert", action="store_true", default=None, help="dominant is high")
    parser.add_argument("--sample-rate", type=whole, help="samples/s, for files that do not say")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the valid frames as a recording, e.g. .pcapng")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--draw", type=whole, metavar="N", help="draw row N, with its bits, instead of the table")
    parser.add_argument(
        "--plot", type=picture, metavar="PNG", help="with --draw: also as a picture; else an eye diagram (matplotlib)"
    )
    add_force(parser)


def threshold(text: str) -> float | tuple[float, float]:
    values = [number(part) for part in text.split(",")]
    if len(values) > 2:
        raise argparse.ArgumentTypeError(f"{text!r}: one or two voltages, as in 2.5 or 2.0,3.0")
    return values[0] if len(values) == 1 else (values[0], values[1])
