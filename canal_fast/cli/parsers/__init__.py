"""What the line of each command may hold: each module has `add_parser(subparsers)`.

Nothing here needs numpy, so that --help, wrong usage and completion are quick.
"""

from __future__ import annotations

import argparse
import importlib

from .examples import EXAMPLES

__all__ = ["COMMANDS", "command_line"]

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
    parser = argparse.ArgumentParser(prog="canal-fast", description="CAN buses at full rate.")
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
    return parser
