"""The line of `canal-fast service`."""

from __future__ import annotations

import argparse

from canal_fast.cli.options import seconds

EXIT_CODES = (
    "Exit codes: 0 ended as it was asked to, and no loss was counted; 1 it could not begin, or a driver, the disk or "
    "another part failed for good; 2 wrong usage; 3 frames were lost, or left out by the format; 130 Ctrl-C before it "
    "had begun. SIGINT, SIGTERM and (without --reopen) SIGHUP end it as --duration does."
)


def add_service(parser: argparse.ArgumentParser) -> None:
    """Options of a logger that nobody watches."""
    group = parser.add_argument_group("as a service")
    group.add_argument(
        "--fsync", type=seconds, nargs="?", const=True, default=False, metavar="S",
        help="wait for the disk at most every S seconds; without S after every write",
    )  # fmt: skip
    group.add_argument(
        "--on-full", choices=("stop", "oldest"), default="stop",
        help="disk full: end, or (with --keep or --keep-bytes) delete the oldest file (default: stop)",
    )  # fmt: skip
    group.add_argument(
        "--reopen", action="store_true", help="SIGHUP: go on in the next file, which {n} or {time} names"
    )
    group.add_argument("--stats-json", metavar="FILE", help="replace FILE with the figures of now, each second")
