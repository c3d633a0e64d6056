"""The line of `canal-fast response`."""

from __future__ import annotations

import argparse

from canal_fast.cli.options import add_force, data_rate, number, picture, rate, seconds, whole


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "response",
        help="worst-case response times and bus load of a database's messages",
        description="Worst-case response time of each message (Davis, Burns, Bril, Lukkien 2007), what is left to its "
        "deadline (the cycle time), and the bus load; beside a recording, what in it contradicts them.",
        epilog="exit code 1: a deadline is missed, or the recording contradicts",
    )
    parser.add_argument("--dbc", metavar="PATH", help="database: DBC, KCD, SYM or ARXML; without it --log teaches")
    parser.add_argument("--encoding", help="of the database (default: UTF-8 where it decodes, else cp1252)")
    parser.add_argument("--bitrate", type=rate, required=True, help="nominal, bit/s")
    parser.add_argument("--data-bitrate", type=data_rate, help="bit/s of CAN FD's data phase")
    parser.add_argument("--log", metavar="FILE", help="recording of the same bus, to compare with")
    parser.add_argument("--channel", type=whole, metavar="N", help="of the recording (default: the only one)")
    parser.add_argument("--tolerance", type=number, metavar="US", help="of its time stamps (default: 2 bits)")
    for name, words in (
        ("--cycle", "cycle time"),
        ("--jitter", "queueing jitter (default: 0)"),
        ("--deadline", "deadline (default: the cycle time)"),
    ):
        parser.add_argument(
            name,
            action="append",
            default=[],
            type=named_time,
            metavar="NAME=MS",
            help=f"of a message: {words}; NAME may have * ? [] (may be repeated)",
        )
    parser.add_argument("--default-cycle", type=number, metavar="MS", help="of messages that have no cycle time")
    parser.add_argument(
        "--leave-out", action="append", default=[], metavar="NAME", help="messages not on the bus (may be repeated)"
    )
    parser.add_argument(
        "--fifo", action="append", default=[], metavar="NODE", help="this sender has a FIFO queue (may be repeated)"
    )
    parser.add_argument("--error-interval", type=seconds, metavar="S", help="least time between faults on the bus")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--plot", type=picture, metavar="PNG", help="draw the worst moment and the load (matplotlib)")
    parser.add_argument("--message", metavar="NAME", help="whose worst moment (default: the least left to a deadline)")
    add_force(parser)


def named_time(text: str) -> tuple[str, float]:
    """NAME=MS."""
    name, separator, value = text.rpartition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=MS, as in Engine=10")
    return name, number(value)
