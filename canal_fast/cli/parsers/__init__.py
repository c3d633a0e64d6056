"""What the line of each command may hold: each module has `add_parser(subparsers)`.

Nothing here needs numpy, so that --help, wrong usage and completion are quick.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence

from .examples import EXAMPLES
from .mistakes import Parser, unknown

__all__ = ["COMMANDS", "command_line", "parsed"]

COMMANDS = (  # as --help shows them
    "log", "monitor", "dump", "stat", "report", "convert", "cut", "merge", "repair", "decode", "formats", "play",
    "waveform", "simulate", "timing", "response", "filters", "doctor", "list",
)  # fmt: skip


class _Formatter(argparse.HelpFormatter):
    """Empty lines part paragraphs; one with indented lines stays as it is."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        return "\n\n".join(part if "\n  " in part else fill(part, width, indent) for part in text.split("\n\n"))


def command_line() -> argparse.ArgumentParser:
    """The parser of `canal-fast`, with all its commands."""
    parser = Parser(prog="canal-fast", description="CAN buses at full rate.")
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument(
        "--verbose", action="store_true", dest="details", help="with --version: also what a report of an error needs"
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"{__name__}.{name}").add_parser(subparsers)
        below = subparsers.choices[name]
        lines = [f"  canal-fast {line}" for _, line in EXAMPLES[name]]
        below.epilog = "\n\n".join(filter(None, [below.epilog, "\n".join(["examples:", *lines])]))
        below.formatter_class = _Formatter
        below.set_defaults(refuse=below.error, options=tuple(below._option_string_actions))
    return parser


def parsed(parser: argparse.ArgumentParser, line: Sequence[str] | None) -> argparse.Namespace:
    """What the line says; ends the program with wrong usage, told by the command that it is of."""
    args, left = parser.parse_known_args(line)
    if left and args.command:
        args.refuse(unknown(left, args, args.options))
    if left:
        parser.error(unknown(left, args, parser._option_string_actions))
    if args.command is None and not args.version:
        parser.error("COMMAND is missing; --help lists them")
    if args.details and not args.version:
        parser.error("--verbose goes with --version; `canal-fast log` has one of its own, behind the command")
    return args
