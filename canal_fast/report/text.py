"""Numbers, times and names as the page shows them. Names are of recordings and databases: anything may be in them."""

from __future__ import annotations

import datetime as dt

__all__ = [
    "bus_id",
    "bytes_of",
    "count",
    "duration",
    "milliseconds",
    "moment",
    "name",
    "number",
    "percent",
    "rate",
    "safe",
]

NONE = "\N{EN DASH}"
MOST = 80  # characters of a name


def safe(text: object) -> str:
    """Text for a page: control characters, halves of surrogate pairs and marks that turn the direction are shown."""
    from html import escape  # which brings all names of letters along

    letters = (letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(text))
    return escape("".join(letters), quote=True)


def name(text: object) -> str:
    """A name, cut where it is very long; isolated, so that its direction does not turn what is around it."""
    return f"<bdi>{safe(cut(str(text)))}</bdi>"


def bus_id(row: dict[str, object]) -> str:
    """An identifier, hexadecimal, in its number of digits."""
    return f"{row['arbitration_id']:0{8 if row['extended'] else 3}X}"


def count(value: int | None) -> str:
    """Digits in groups of three."""
    return NONE if value is None else f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.2f}"


def rate(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def milliseconds(seconds: float | None) -> str:
    return NONE if seconds is None else f"{seconds * 1e3:.3f}"


def number(value: float | None, digits: int = 6) -> str:
    """Up to so many digits that count; whole numbers wholly."""
    if value is None:
        return NONE
    if float(value).is_integer() and abs(value) < 1e15:
        return count(round(value))
    return f"{value:.{digits}g}"


def bytes_of(size: int) -> str:
    return f"{count(size)} byte{'' if size == 1 else 's'}"


def duration(seconds: float) -> str:
    """12.345 s, 4 min 2.1 s, 3 h 5 min, 2 d 4 h."""
    if seconds < 59.9995:
        return f"{seconds:.3f} s"
    tenths = round(seconds * 10)
    if tenths < 36_000:
        return f"{tenths // 600} min {tenths % 600 / 10:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min {rest} s"
    return f"{hours // 24} d {hours % 24} h {minutes} min"


def moment(timestamp_ns: int | None, dated: bool, digits: int = 6) -> str:
    """A date and time in UTC; seconds where time stamps count from a start that nobody knows."""
    if timestamp_ns is None:
        return NONE
    seconds, rest = divmod(timestamp_ns, 1_000_000_000)
    fraction = f"{rest:09d}"[:digits]
    try:
        when = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds) if dated else None
    except OverflowError:
        when = None
    return f"{when:%Y-%m-%d %H:%M:%S}.{fraction} UTC" if when else f"{timestamp_ns / 1e9:.{digits}f} s"


def plural(number: int) -> str:
    return "" if number == 1 else "s"


def cut(text: str) -> str:
    """Not yet safe; at most 80 characters of it."""
    return text if len(text) <= MOST else text[: MOST - 1] + "\N{HORIZONTAL ELLIPSIS}"


def alarm(value: int) -> str:
    """A number that ought to be 0."""
    return f'<span class="bad">{count(value)}</span>' if value else "0"


def of_all(shown: int, total: int) -> str:
    return f", the first {shown} of {count(total)}" if total > shown else ""
