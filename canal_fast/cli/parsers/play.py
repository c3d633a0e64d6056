"""The line of `canal-fast play`."""

from __future__ import annotations

import argparse

from canal_fast.cli.options import add_filter, number, source, span, whole
from canal_fast.cli.parsers.convert import instant


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "play",
        help="send recordings onto buses",
        description="Send recordings onto CAN buses, each frame at its time, and tell how late they were. Ctrl-C stops "
        "at once. Exit code 1: not all could be sent; 130: stopped.",
    )
    parser.add_argument("file", nargs="+", metavar="FILE", help="recordings, merged by time; - is standard input")
    parser.add_argument(
        "--source", action="append", required=True, type=source, metavar="KIND:CONFIG",
        help="where to: virtual:NAME, socketcan:INTERFACE, usb2can:SERIAL or library=PATH;CONFIG; then ,name=N "
        ",bitrate=N ,fd ,profile=P ,flags=N (may be repeated)",
    )  # fmt: skip
    parser.add_argument(
        "--map", action="append", type=pair, metavar="NAME=SOURCE",
        help="interface of the recordings (or FILE:NAME, or a channel's number) to the name of a source; others are "
        "left out (may be repeated; default: equal names, or else in order)",
    )  # fmt: skip
    parser.add_argument("--speed", type=number, default=1.0, metavar="N", help="times faster; 0: as fast as accepted")
    parser.add_argument("--gap-max", type=span, metavar="S", help="shorten longer times without a frame to S seconds")
    parser.add_argument("--loops", type=whole, default=1, metavar="N", help="how often; 0: until stopped")
    parser.add_argument(
        "--align", choices=("start", "clock"), default="start",
        help="several files begin together, or keep their distance in absolute time (default: start)",
    )  # fmt: skip
    add_filter(parser)
    moment = "seconds after the first frame, or a date and time such as 2024-05-01T12:30:15"
    parser.add_argument("--start", type=instant, metavar="T", help=f"begin there: {moment}")
    parser.add_argument("--stop", type=instant, metavar="T", help="end before that")
    parser.add_argument("--no-tx", action="store_true", help="leave out what the recorder had sent itself")
    parser.add_argument("--skip", action="store_true", help="leave out and count what the bus cannot carry")
    parser.add_argument("--json", action="store_true", help="the result as a JSON object on standard output")


def pair(text: str) -> tuple[str, str]:
    """NAME=SOURCE."""
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=SOURCE, as in can0=bus0")
    return name, value
