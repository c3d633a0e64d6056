"""The line of `canal-fast filters`."""

from __future__ import annotations

import argparse
from typing import Any

from canal_fast.cli.options import count
from canal_fast.cli.parsers.names import FILTER_ALIASES, FILTER_CONTROLLERS

Id = tuple[int, bool]
MOST = 65_536  # identifiers of a range


def add_parser(subparsers: Any) -> None:
    """Add `filters` to the command line."""
    parser = subparsers.add_parser(
        "filters",
        help="acceptance filters for the identifiers that a node wants",
        description="Filters (with registers, for SJA1000, bxCAN and MCP2515) that let the wanted "
        "identifiers through and as little else as possible: fewest frames of --traffic, or fewest identifiers.",
        epilog="controllers: " + ", ".join(f"{name} ({title})" for name, title in FILTER_CONTROLLERS.items()),
    )
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument(
        "--ids",
        type=identifiers,
        metavar="LIST",
        help="hexadecimal, as in 100,123,200-20F,18FEF100; above 7FF, or with x behind it, extended",
    )
    wanted.add_argument("--dbc", metavar="PATH", help="all messages of a database: DBC, KCD, SYM or ARXML")
    parser.add_argument(
        "--controller",
        required=True,
        choices=[*FILTER_CONTROLLERS, *FILTER_ALIASES],
        metavar="NAME",
        help="one of those below",
    )
    parser.add_argument(
        "--filters", type=count, metavar="N", help="filters, banks or elements to use (default: all that it has)"
    )
    parser.add_argument("--list-only", action="store_true", help="refuse designs that let anything else through")
    parser.add_argument("--traffic", metavar="FILE", help="a recording of the bus: its unwanted frames are what counts")
    parser.add_argument("--json", action="store_true", help="for programs")


def identifiers(text: str) -> list[Id]:
    """Numbers and ranges in hexadecimal."""
    found = []
    for word in filter(None, (part.strip() for part in text.replace(",", " ").split())):
        low, separator, high = word.partition("-")
        ends = [identifier(part, word) for part in ([low, high] if separator else [low])]
        (first, wide), (last, _) = ends[0], ends[-1]
        wide = wide or ends[-1][1]
        if not 0 <= last - first < MOST:
            raise argparse.ArgumentTypeError(
                f"{word!r} is a range of {last - first + 1} identifiers, allowed 1..{MOST} (low-high)"
            )
        found += [(number, wide) for number in range(first, last + 1)]
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} has no identifier")
    return found


def identifier(text: str, word: str) -> Id:
    digits = text[:-1] if text[-1:] in "xX" else text
    try:
        number = int(digits, 16)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{word!r} is not an identifier in hexadecimal, as in 123, 0x123, 100-10F or 18FEF100x"
        ) from None
    if not 0 <= number <= 0x1FFFFFFF:
        raise argparse.ArgumentTypeError(f"identifier {text} is {number:X}, allowed 0..1FFFFFFF (hexadecimal)")
    return number, digits != text or number > 0x7FF
