"""How a table of samples is written: encoding, delimiter, what the lines before the first row say of its columns."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

from canal_fast.errors import LogFormatError

_HEAD_LINES = 200
_PREFIX = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9, "ps": 1e-12, "v": 1.0, "mv": 1e-3}
_HERTZ = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
_DELIMITERS = (
    (",", False),
    (";", True),
    (";", False),
    ("\t", True),
    ("\t", False),
    (",", True),
    (None, False),
    (None, True),
)
_TIME = re.compile(r"time|second|zeit|^s$|x-axis", re.I)
_INTERVAL = re.compile(r"tInc\s*=\s*([\d.e+-]+)", re.I)
_RATE = re.compile(r"^[;#].*sample ?rate: ?([\d.e+]+) ?([kmg]?)Hz", re.I | re.M)
_CHANNELS = re.compile(r"^; Channels \(.*?\): (.*)$", re.M)
BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_INFINITE = {"∞": float("inf"), "-∞": float("-inf")}  # PicoScope: clipped voltages
UNKNOWN = "", "X"
"""Cells that hold a place: nothing, and what Saleae writes in gaps."""


@dataclass(frozen=True)
class Layout:
    """How a table is written."""

    path: str
    encoding: str
    skip: int
    """Lines before the first row of numbers."""
    delimiter: str | None
    """None: white space."""
    decimal_comma: bool
    names: list[str]
    scales: list[float]
    time: int | None
    """Column of times; None: rows follow each other in steps of `step`."""
    values: list[int]
    step: float | None
    """Seconds between rows where no column has times, or it counts rows."""
    dates: bool


def number(text: str) -> float | None:
    """The number in a cell; None where there is none."""
    try:
        return float(text)
    except ValueError:
        return _INFINITE.get(text)


def is_date(text: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:", text) is not None


def cells(lines: list[str], delimiter: str | None, comma: bool) -> Iterator[list[str]]:
    """Rows of bare cells; a decimal comma becomes a point."""
    for line in lines:
        found = next(csv.reader([line.strip("\r\n ")], delimiter=delimiter), []) if delimiter else line.split()
        bare = [cell.strip().strip('"') for cell in found]
        yield [cell.replace(",", ".") for cell in bare] if comma else bare


def _encoding(path: str) -> str:
    with open(path, "rb") as file:
        head = file.read(1 << 14)
    if head[:2] in BOMS:
        return BOMS[head[:2]]
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "latin-1"  # as Windows programs write the letter of microseconds
    return "utf-8-sig"


def layout(path: str) -> Layout:
    """Find the delimiter, the first row of numbers, and what the lines before it say of columns."""
    encoding = _encoding(path)
    with open(path, encoding=encoding, errors="replace") as file:
        lines = list(islice(file, _HEAD_LINES))
    head = "".join(lines)
    step = _interval(head)
    for delimiter, comma in _DELIMITERS:
        try:
            rows = list(cells(lines, delimiter, comma))
        except csv.Error:  # a cell of a hundred thousand letters, say
            break
        good = [_is_row(row, 1 if step else 2) for row in rows]
        starts = [i for i in range(len(rows)) if all(good[i : i + 3])]
        if starts:
            end = next((i for i in range(starts[0], len(rows)) if not good[i]), len(rows))
            return _columns(path, encoding, rows[:end], starts[0], delimiter, comma, step, _CHANNELS.search(head))
    raise LogFormatError("no rows of at least two numbers among the first lines: no table of samples", path=path)


def _is_row(row: list[str], least: int) -> bool:
    """Numbers, and perhaps a date before them; cells may be empty."""
    dated = bool(row) and is_date(row[0])
    found = sum(number(cell) is not None for cell in row) + dated
    return found >= least and all(number(c) is not None or c in UNKNOWN for c in row[int(dated) :])


def _interval(head: str) -> float | None:
    """Seconds between two rows, of tables that need no column of times: Rigol's tInc, sigrok's sample rate."""
    if found := _INTERVAL.search(head):
        return number(found[1])
    if head.startswith("; CSV") and (found := _RATE.search(head)):
        return 1 / (float(found[1]) * _HERTZ[found[2].lower()])
    return None


def _columns(
    path: str,
    encoding: str,
    rows: list[list[str]],
    skip: int,
    delimiter: str | None,
    comma: bool,
    interval: float | None,
    channels: re.Match[str] | None,
) -> Layout:
    body = rows[skip:]
    full = [i for i in range(len(body[0])) if all(i < len(r) and r[i] for r in body)]
    dates = is_date(body[0][0])
    rising = [i for i in full if not dates and _rises([number(r[i]) or 0.0 for r in body])]
    head = [r for r in rows[:skip] if len(r) > max(full) and any(r) and not r[0].startswith(";")]
    named = [r for r in head if number(r[full[-1]]) is None and r[full[-1]]]
    names = named[0] if named else [f"column {i}" for i in range(len(body[0]))]
    meant = [i for i in rising if _TIME.search(names[i])]
    counted = interval is not None and (channels is not None or not meant)
    time = next(iter(meant), None) if counted else 0 if dates else [*meant, *rising, *full][0]
    scales = [1.0] * len(body[0])
    for row in named:
        for i in full:
            unit = re.search(r"[(\[]?\s*([a-zµμ]{1,2})\s*[)\]]?$", row[i], re.I)
            if unit and (row is not named[0] or re.search(r"[(\[]", row[i])):
                scales[i] = _PREFIX.get(unit[1].lower(), 1.0)
    counters = [i for i in rising if i != time and _rises([number(r[i]) or 0.0 for r in body], 1.0)]
    values = [i for i in full if i != time and i not in counters] or [i for i in full if i != time]
    if channels and len(listed := channels[1].split(", ")) == len(values):  # sigrok calls each column "logic"
        names = [listed[values.index(i)] if i in values else name for i, name in enumerate(names)]
    step = interval if counted else _step(head)
    return Layout(path, encoding, skip, delimiter, comma, names, scales, None if counted else time, values, step, dates)


def _rises(values: list[float], step: float | None = None) -> bool:
    return all(b > a if step is None else b - a == step for a, b in pairwise(values))


def _step(head: list[list[str]]) -> float | None:
    """Rigol: columns Start and Increment hold numbers in the second line only."""
    for names, numbers in pairwise(head):
        lower = [n.lower() for n in names]
        if "increment" in lower:
            return number(numbers[lower.index("increment")])
    return None
