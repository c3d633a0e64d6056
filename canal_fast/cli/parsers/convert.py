"""The line of `canal-fast convert`."""

from __future__ import annotations

import argparse
import datetime as dt
from fractions import Fraction
from typing import TYPE_CHECKING

from canal_fast.cli.options import add_filter, add_force, fraction

if TYPE_CHECKING:
    from canal_fast.logs.converting import Time


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "convert",
        help="write recordings in another format",
        description="Recordings into another format, with an account of every frame.",
    )
    add_arguments(parser, many=True)


def add_arguments(parser: argparse.ArgumentParser, many: bool) -> None:
    """What `convert`, `cut` and `merge` have."""
    help = "a recording in any format that `canal-fast formats` lists; - is standard input"
    parser.add_argument("source", nargs="+" if many else 1, metavar="SOURCE", help=help)
    parser.add_argument(
        "target", metavar="TARGET", help="the file to write, or a folder for one file from each source; - with --to"
    )
    parser.add_argument(
        "--to", metavar="FORMAT", help="the target's format, whatever its suffix; parquet: a folder of it"
    )
    parser.add_argument("--from", dest="source_format", metavar="FORMAT", help="the sources' format")
    moment = "seconds after the first frame, or a date and time such as 2024-05-01T12:30:15.25"
    parser.add_argument("--start", type=instant, metavar="T", help=f"leave out what is earlier: {moment}")
    parser.add_argument("--stop", type=instant, metavar="T", help="leave out this and what is later")
    add_filter(parser)
    parser.add_argument(
        "--channels", type=channels, metavar="LIST", help="numbers (from 0) or interface names to keep: 0,can2"
    )
    parser.add_argument(
        "--offset",
        action="append",
        type=offset,
        metavar="SOURCE=S",
        help="seconds that are added to the times of a source (may be repeated)",
    )
    parser.add_argument("--tz", default="UTC", metavar="ZONE", help="zone of starts without one: UTC, local, ...")
    parser.add_argument("--errors", choices=["strict", "skip"], default="strict", help="skip: step over damage")
    parser.add_argument("--strict", action="store_true", help="end at the first frame that would lose something")
    parser.add_argument("--nanoseconds", action="store_true", help="nine decimals in candump text and ASC")
    parser.add_argument("--json", action="store_true", help="the account as a JSON object on standard output")
    add_force(parser)


def instant(text: str) -> Time:
    """Seconds, or a date and time."""
    try:
        return fraction(text)
    except argparse.ArgumentTypeError:
        pass
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        what = "neither a number of seconds nor a date and time such as 2024-05-01T12:30:15"
        raise argparse.ArgumentTypeError(f"{text!r} is {what}") from None


def channels(text: str) -> list[int | str]:
    """Numbers or names, with commas between them."""
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise argparse.ArgumentTypeError(f"{text!r} is no list such as 0,can2")
    return [int(word) if word.isdecimal() else word for word in words]


def offset(text: str) -> tuple[str, Fraction]:
    """FILE=SECONDS."""
    name, separator, value = text.rpartition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not FILE=SECONDS")
    return name, fraction(value)
