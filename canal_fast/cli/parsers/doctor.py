"""The line of `canal-fast doctor`."""

from __future__ import annotations

from typing import Any

from canal_fast.cli.options import seconds, whole


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "doctor",
        help="examine a driver library",
        description="Examine a CANAL driver library in a process of its own: opens the device, listens, sends no "
        "frames. A driver of a serial adapter writes its start-up commands into whatever file --config names; one that "
        "is no serial port is refused without --force. Whether it works is in the first three lines. "
        "Exit code 1 when there is a fault.",
    )
    parser.add_argument("library", help="path or file name of the library, or: virtual")
    parser.add_argument("--config", default="", metavar="STR", help="the driver's configuration string")
    parser.add_argument("--flags", type=whole, default=0, metavar="N", help="the driver's open flags")
    parser.add_argument("--profile", default="auto", metavar="P", help="name of a profile (default: chosen)")
    parser.add_argument(
        "--bridge", choices=("auto", "always", "never"), default="auto", help="examine through a host process"
    )
    parser.add_argument("--force", action="store_true", help="let the driver write into what is no serial port")
    parser.add_argument("--json", action="store_true", help="everything, for programs")
    parser.add_argument("--timeout", type=seconds, default=3.0, metavar="S", help="how long one call may take (3)")
    parser.add_argument("--seconds", type=seconds, default=1.0, metavar="S", help="how long to listen (1)")
