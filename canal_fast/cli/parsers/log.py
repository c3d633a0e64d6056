"""The line of `canal-fast log`."""

from __future__ import annotations

import argparse

from canal_fast.cli.options import (
    add_filter,
    add_force,
    count,
    rate,
    seconds,
    source,
    span,
    whole,
)
from canal_fast.cli.parsers.service import EXIT_CODES, add_service


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "log",
        help="record channels",
        description="Record CAN channels to a file (its suffix tells the format), or print candump text without -o. "
        "Ends after --duration, --frames, the end of a replay, or Ctrl-C. Exit code 3: frames were lost.",
        epilog=EXIT_CODES,
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="its suffix tells the format; - is standard output, pcapng there as in FIFOs; candump text without -o; "
        "{time}, {n} (000001, 000002, ...) and {host} in the name are filled in",
    )
    parser.add_argument("--to", metavar="FORMAT", help="format of the file, as `canal-fast formats` names it")
    add_force(parser)
    parser.add_argument("--append", action="store_true", help="go on in a pcapng file that exists, in a new section")
    parser.add_argument("--nanoseconds", action="store_true", help="nine decimals in text, which few programs read")
    parser.add_argument(
        "--source", action="append", type=source, metavar="KIND:CONFIG",
        help="virtual:NAME, socketcan:INTERFACE, usb2can:SERIAL or library=PATH;CONFIG; then ,name=N ,bitrate=N ,fd "
        ",profile=P ,flags=N (may be repeated: all into one recording, in the order of their times)",
    )  # fmt: skip
    parser.add_argument(
        "--window", type=span, default=0.2, metavar="S",
        help="of several sources: frames are held back so long for earlier ones of the others (default: 0.2)",
    )  # fmt: skip
    parser.add_argument("--library", metavar="PATH", help="driver library: a path, a file name, or virtual")
    parser.add_argument("--config", default="", metavar="STR", help="the driver's configuration string")
    parser.add_argument("--flags", type=whole, default=0, metavar="N", help="the driver's open flags")
    parser.add_argument("--serial", metavar="S", help="serial number of a USB2CAN adapter, instead of --config")
    parser.add_argument("--bitrate", type=rate, metavar="N", help="bit/s; for --serial, if_speed and the bus load")
    parser.add_argument("--profile", default="auto", metavar="NAME", help="driver profile (default: by file name)")
    parser.add_argument(
        "--bridge", choices=("auto", "always", "never"), default="auto", help="driver in a host process (default: auto)"
    )
    parser.add_argument(
        "--reconnect",
        type=seconds,
        metavar="S",
        help="when a driver fails, or is not there, try to open it again every S seconds",
    )
    parser.add_argument(
        "--clock-step", choices=("mark", "follow"), default="mark",
        help="when the host's clock is set: keep the time of the start, or go with it (default: mark)",
    )  # fmt: skip
    parser.add_argument(
        "--fd",
        action=argparse.BooleanOptionalAction,
        help="receive CAN FD frames, too (default: where a SocketCAN interface or the virtual bus's fd= has them)",
    )
    parser.add_argument("--duration", type=seconds, metavar="S", help="stop after S seconds")
    parser.add_argument("--frames", type=count, metavar="N", help="stop after N frames")
    add_filter(parser)
    parser.add_argument("--clock", choices=("epoch", "device"), default="epoch", help="time stamps (default: epoch)")
    parser.add_argument(
        "--ring-frames", type=count, metavar="N",
        help="records that wait for writing, or are kept for --pre (default: 262144, with --trigger 1048576)",
    )  # fmt: skip
    _add_files(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="also print the ledger: where every frame went")
    parser.add_argument("--json", action="store_true", help="progress and ledger as JSON lines on stdout (needs -o)")
    add_service(parser)


def _add_files(parser: argparse.ArgumentParser) -> None:
    """Rotation and triggers; what they mean stands at `Logger`, `Rotation` and `parse_rule`."""
    parser.add_argument("--rotate-bytes", type=whole, metavar="N", help="begin a new file before one has more")
    parser.add_argument("--rotate-s", type=span, metavar="S", help="begin a new file after S seconds")
    parser.add_argument("--keep", type=whole, metavar="N", help="delete the oldest of more than N files of this name")
    parser.add_argument(
        "--keep-bytes", type=whole, metavar="N", help="delete the oldest when all have more than N bytes"
    )
    parser.add_argument(
        "--trigger", action="append", type=rule, metavar="RULE",
        help="record only events, each into a file: id=ID:MASK, payload=HEX:MASK (both hexadecimal), error, bus-off, "
        "signal (SIGUSR1), file=PATH (which is then deleted) begin one (may be repeated)",
    )  # fmt: skip
    parser.add_argument("--pre", type=span, metavar="S", help="seconds before the trigger that belong to an event")
    parser.add_argument("--post", type=span, metavar="S", help="seconds after the last trigger of an event")


def rule(text: str) -> str:
    """See `parse_rule`."""
    from canal_fast.logger.trigger import parse_rule

    try:
        parse_rule(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text
