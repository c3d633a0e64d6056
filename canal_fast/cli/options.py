"""Arguments that several commands have, with one wording for each mistake; numpy is needed only beyond their text."""

from __future__ import annotations

import argparse
import errno
import os
import re
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from canal_fast.errors import CanalFastError

if TYPE_CHECKING:
    from canal_fast.live.sources import Source
    from canal_fast.logs import LogFile

__all__ = [
    "add_database", "add_filter", "add_force", "add_reading", "bus_rate", "can_filter", "count", "data_rate",
    "fraction", "keep_existing", "number", "percent", "picture", "rate", "reading", "refuse_terminal", "seconds",
    "sentence", "source", "span", "whole",
]  # fmt: skip


def add_force(parser: argparse.ArgumentParser) -> None:
    """--force, for commands that write files; they call `keep_existing` first."""
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def refuse_terminal(output: str, format: str | None, instead: str) -> None:
    """For commands told by `output` to write on standard output: what is no text is for pipes, not for a terminal."""
    from canal_fast.logs.format_rows import by_name

    if by_name(format or "pcapng").item != "line" and sys.stdout.isatty():
        what = f"{output} writes {format or 'pcapng'}, which is no text"
        raise ValueError(f"{what}: pipe it, as in `| wireshark -k -i -`, or {instead}")


def add_reading(parser: argparse.ArgumentParser, nargs: str | None = None) -> None:
    """The recording and how it is read, for commands that read one; they open it by `reading`."""
    parser.add_argument(
        "file", nargs=nargs, help="a recording in any format that `canal-fast formats` lists; - is standard input"
    )
    parser.add_argument("--format", metavar="NAME", help="its format, whatever its content looks like")
    parser.add_argument(
        "--tz", default="UTC", metavar="ZONE", help="zone of starts without one: UTC, local, Europe/Berlin"
    )
    parser.add_argument(
        "--errors", choices=["strict", "skip"], default="strict", help="skip: step over what is damaged"
    )


def add_database(parser: argparse.ArgumentParser, required: bool) -> None:
    """The database and what of it is asked for, for commands that decode signals."""
    parser.add_argument("--dbc", required=required, metavar="PATH", help="database: DBC, KCD, SYM or ARXML")
    parser.add_argument("--encoding", help="of the database (default: UTF-8 where it decodes, else cp1252)")
    parser.add_argument(
        "--signal",
        action="append",
        metavar="PATTERN",
        help="only these: SIGNAL or MESSAGE.SIGNAL, with * ? [] (may be repeated)",
    )
    parser.add_argument("--j1939", action="store_true", help="match all extended identifiers by parameter group")


def reading(args: argparse.Namespace) -> LogFile:
    """The recording of `add_reading`, open."""
    from canal_fast.logs import open_log

    return open_log(args.file, format=args.format, tz=args.tz, errors=args.errors)


def keep_existing(args: argparse.Namespace, *paths: str | None, read: tuple[str | None, ...] = ()) -> None:
    """Raise FileNotFoundError where a folder is missing, FileExistsError where a file would be replaced unasked, or is
    one that the command reads."""
    from canal_fast.logs.files import refuse_existing

    for path in paths:
        if path in (None, "-"):
            continue
        for other in read:
            if other and os.path.isfile(path) and os.path.exists(other) and os.path.samefile(path, other):
                raise FileExistsError(errno.EEXIST, "the file is what is read, and is not replaced", path)
        folder = os.path.dirname(path)
        if folder and "{" not in path and not os.path.isdir(folder):
            raise FileNotFoundError(errno.ENOENT, "no such folder", folder)
        if not args.force:
            refuse_existing(path)


def picture(text: str) -> str:
    """Name of a picture; .png, as matplotlib adds it, where it has no suffix."""
    suffix = os.path.splitext(text)[1]
    if suffix and suffix[1:].lower() not in _PICTURES:
        raise argparse.ArgumentTypeError(f"{text!r} is the name of no picture, as plot.png, plot.svg or plot.pdf are")
    return text if suffix else f"{text}.png"


_PICTURES = [
    "avif",
    "eps",
    "gif",
    "jpeg",
    "jpg",
    "pdf",
    "pgf",
    "png",
    "ps",
    "raw",
    "rgba",
    "svg",
    "svgz",
    "tif",
    "tiff",
    "webp",
]  # matplotlib's


def can_filter(text: str) -> dict[str, Any]:
    """ID:MASK in hexadecimal, as candump takes it: bit 31 of MASK compares the frame format, which in ID bit 31, or
    having eight digits, makes extended."""
    can_id, separator, mask = text.partition(":")
    try:
        row = {"can_id": int(can_id, 16), "can_mask": int(mask, 16)}
    except ValueError:
        separator = ""
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is not ID:MASK in hexadecimal, as in 100:700")
    marked, compared = _FORMAT <= row["can_id"] <= _FORMAT | _WHOLE, bool(row["can_mask"] & _FORMAT)
    row["can_id"] -= _FORMAT * marked
    for name, value, limit in (("ID", row["can_id"], _WHOLE), ("MASK", row["can_mask"], 0xFFFFFFFF)):
        if not 0 <= value <= limit:
            raise argparse.ArgumentTypeError(f"{name} of {text!r} is {value:X}, allowed 0..{limit:X} (hexadecimal)")
    if marked and not compared:
        most = f"{row['can_mask'] | _FORMAT:X}"
        raise argparse.ArgumentTypeError(
            f"ID of {text!r} has bit 31 (extended), which MASK does not compare: {most} does"
        )
    extended = marked or len(can_id) == 8 if compared else None
    return {"can_id": row["can_id"], "can_mask": row["can_mask"] & _WHOLE, "extended": extended}


_FORMAT, _WHOLE = 0x80000000, 0x1FFFFFFF


def add_filter(parser: argparse.ArgumentParser, what: str = "these frames only") -> None:
    """--filter, for commands that choose frames; rows of `filters` as the library takes them, or None."""
    parser.add_argument(
        "--filter",
        action="append",
        type=can_filter,
        metavar="ID:MASK",
        help=f"{what}: whose identifier equals ID where MASK has ones, both hexadecimal; bit 31 of MASK compares the "
        "format, as in 100:800007FF (base) or 00000100:9FFFFFFF (extended); any of several must match",
    )


def whole(text: str) -> int:
    """A whole number, also as 0x10."""
    try:
        return int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number{_without_unit(text, True)}") from None


_UNITS = {  # how many of an option's own unit; of letters that mean two things the case decides
    "": 1, "k": 1e3, "kbit": 1e3, "kbit/s": 1e3, "kbps": 1e3, "kb": 1e3, "khz": 1e3, "M": 1e6, "m": 1, "mhz": 1e6,
    "mbit": 1e6, "mbit/s": 1e6, "mbps": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "%": 1, "hz": 1, "v": 1, "ppm": 1,
}  # fmt: skip
_TIMES = {"us": 1e-6, "ms": 1e-3, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def _without_unit(text: str, whole: bool = False, times: bool = False) -> str:
    """`: did you mean 500000?` of 500k; numbers have no units behind them."""
    match = re.fullmatch(r"\s*(\d+(?:[.,]\d+)?(?:[eE]\d+)?)\s*(\D*?)\s*", text)
    units = _TIMES if times else _UNITS
    factor = units.get(match[2], units.get(match[2].lower())) if match else None
    if match is None or factor is None:
        return ""
    value = float(match[1].replace(",", ".")) * factor
    return f": did you mean {value:.12g}?" if value.is_integer() or not whole else ""


def count(text: str) -> int:
    """A whole number above 0."""
    value = whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def number(text: str, times: bool = False) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number{_without_unit(text, times=times)}") from None


def seconds(text: str) -> float:
    """A time above 0."""
    value = number(text, times=True)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} s is not above 0")
    return value


def span(text: str) -> float:
    """A time in seconds."""
    return number(text, times=True)


def percent(text: str) -> float:
    """Percent of a bit."""
    value = number(text)
    if 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is in percent of a bit: did you mean {value * 100:g}?")
    return value


def fraction(text: str) -> Fraction:
    """A number, exactly: 87.5, 1e6 or 250000/3."""
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        hint = _without_unit(text) or ", such as 500000, 87.5 or 250000/3"
        raise argparse.ArgumentTypeError(f"{text!r} is not a number{hint}") from None


def rate(text: str, most: int = 1_000_000) -> float:
    """A nominal bit rate of CAN in bit/s."""
    value = number(text)
    if not 1000 <= value <= most:
        hint = f": did you mean {value * 1000:g}?" if 1000 <= value * 1000 <= most else ""
        raise argparse.ArgumentTypeError(f"{text} bit/s, allowed 1000..{most}{hint}")
    return value


def bus_rate(text: str) -> tuple[str, float]:
    """N or BUS=N; the bus is "" where none is named."""
    bus, _, value = text.rpartition("=")
    return bus, rate(value)


def data_rate(text: str) -> float:
    """A bit rate of CAN FD's data phase in bit/s."""
    return rate(text, 20_000_000)


def source(text: str) -> Source:
    """See `parse_source`."""
    from canal_fast.live.sources import parse_source

    try:
        return parse_source(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def sentence(error: Exception) -> str:
    """The system's errors without their number: `FILE: no such file or directory`."""
    if isinstance(error, OSError) and not isinstance(error, CanalFastError) and error.strerror:
        words = error.strerror[:1].lower() + error.strerror[1:]
        return f"{error.filename}: {words}" if error.filename else words
    if isinstance(error, UnicodeEncodeError):  # an argument's bytes that Python could not read
        encoding = sys.getfilesystemencoding()
        return f"{error.object!a} is no text in the locale's encoding, {encoding}: try LANG=C.UTF-8"
    return str(error)
