"""How a table of samples is written: encoding, delimiter, what the lines before the first row say of its columns."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise, zip_longest
from math import ceil, log10
from typing import Any

from canal_fast.errors import LogFormatError

from .wave import PICOSECONDS

_HEAD_LINES = 200
_LABELS = "label", "labels", "tracename"  # Tektronix, Yokogawa
_PREFIX = {"p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3}
_PERIOD = {"": 1.0, "k": 1e-3, "m": 1e-6, "g": 1e-9}
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
_TIME = re.compile(r"time|second|zeit|^s$|x-axis|[(\[][munpµμ]?s[)\]]$|^t(?:[\s_/(\[]|$)", re.I)
_UNIT = re.compile(
    r"(?:^|[\s_/(\[])(|micro|p(?:ico)?|n(?:ano)?|[uµμ]|m(?:illi)?)(v(?:olts?)?|s(?:ec(?:onds?)?)?)[)\]]?$", re.I
)
_ONLY_UNIT = re.compile(r"[(\[]?(?:[muµμ]?v(?:olts?)?|a|value)[)\]]?", re.I)
_INTERVAL = re.compile(  # Rigol, Keysight, Yokogawa, Owon, GW Instek, Hantek, Tektronix, LabVIEW
    r"(?:tInc|XInc|HResolution|Time interval|Sampling Period|#CLOCK|Sample Interval|Delta_X)[\"\s:=,;]+"
    r"(?:Analog:)?(\d*\.?\d+(?:e[+-]?\d+)?) ?([munpµμ]?)",
    re.I,
)
_RATE = re.compile(r"^[;#].*sample ?rate: ?(\d*\.?\d+(?:e[+-]?\d+)?) ?([kmg]?)Hz", re.I | re.M)
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
    times: list[int]
    """Columns of times, of which the last before a column of values is meant; none: rows follow each other in steps of
    `step`."""
    values: list[int]
    step: float | None
    """Seconds between rows where no column has times, or it counts rows."""
    dates: bool

    def time_of(self, column: int) -> int | None:
        """The column with the times of a column of values."""
        return next((i for i in reversed(self.times) if i < column), self.times[0]) if self.times else None


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


def layout(path: str, sample_rate: int | None) -> Layout:
    """Find the delimiter, the first row of numbers, and what the lines before it say of columns."""
    encoding = _encoding(path)
    with open(path, encoding=encoding, errors="replace") as file:
        lines = list(islice(file, _HEAD_LINES))
    text = "".join(lines)
    told = 1 / sample_rate if sample_rate else None
    step = told or _interval(text)
    for delimiter, comma in _DELIMITERS:
        try:
            rows = list(cells(lines, delimiter, comma))
        except csv.Error:  # a cell of a hundred thousand letters, say
            break
        good = [_is_row(row, 1 if step else 2) for row in rows]
        starts = [i for i in range(len(rows)) if all(good[i : i + 3])]
        if starts:
            end = next((i for i in range(starts[0], len(rows)) if not good[i]), len(rows))
            head, body = rows[: starts[0]], rows[starts[0] : end]
            full = [i for i in range(len(body[0])) if all(i < len(r) and r[i] for r in body)]
            if full:
                columns = _columns(head, body, full, step, told, text)
                return Layout(path, encoding, starts[0], delimiter, comma, **columns)
    words = "no rows of at least two numbers among the first lines: no table of samples"
    if any(_is_row(row, 1) for row in cells(lines, ",", False)):
        words += "; of one without times, sample_rate= tells them"
    raise LogFormatError(words, path=path)


def _is_row(row: list[str], least: int) -> bool:
    """Numbers, and perhaps a date before them; cells may be empty."""
    dated = bool(row) and is_date(row[0])
    found = sum(number(cell) is not None for cell in row) + dated
    return found >= least and all(number(c) is not None or c in UNKNOWN for c in row[int(dated) :])


def _interval(text: str) -> float | None:
    """Seconds between two rows, of tables that need no column of times."""
    if found := _INTERVAL.search(text):
        return _step(float(found[1]) * _PREFIX.get(found[2].lower(), 1.0))
    found = _RATE.search(text) if text.startswith("; CSV") else None
    return _step(_PERIOD[found[2].lower()] / float(found[1])) if found and float(found[1]) else None


def _step(seconds: float | None) -> float | None:
    """Seconds between samples, if they can be that."""
    return seconds if seconds and PICOSECONDS**-1 <= seconds <= 1 else None


def _columns(
    head: list[list[str]], body: list[list[str]], full: list[int], interval: float | None, told: float | None, text: str
) -> dict[str, Any]:
    """What `Layout` says of columns."""
    dates = is_date(body[0][0])
    named = [r for r in head if len(r) > max(full) and any(r) and not r[0].startswith(";")]
    names, units = _heading(named, full, len(body[0]))
    steps = {} if dates else {i: _steps([number(r[i]) or 0.0 for r in body]) for i in full}
    rising = [i for i in steps if min(steps[i], default=1.0) > 0]
    meant = [i for i in rising if _TIME.search(names[i])]
    counters = [i for i in rising if i not in meant and all(step == 1 for step in steps[i])]
    times = [0] if dates else meant or [i for i in rising if i not in counters][:1]
    aside = [*times, *counters]
    step = _increment(named)
    if told or (interval and not times):
        times, step = [], interval
    elif interval and "libsigrok " in text:
        passed = int(1000.0 ** ceil(round(-log10(interval), 9) / 3) * interval + 1e-6)  # in sigrok's column of times
        even = all(passed <= a_row <= passed + 1 for a_row in steps.get(times[0], ()))
        times, step = ([], interval) if even else (times, interval / passed)  # rows for changes only
    elif not times:
        times = [*rising, *full][:1]
    scales = [1.0] * len(body[0])
    for row in units:
        for i in full:
            unit = _UNIT.search(row[i])
            if unit and (unit[2][0].lower() == "s") == (i in times):
                scales[i] = _PREFIX.get(("u" if unit[1].lower() == "micro" else unit[1][:1]).lower(), 1.0)
    values = [i for i in full if i not in [*times, *aside]] or [i for i in full if i not in times]
    found = _CHANNELS.search(text)
    if found and len(listed := found[1].split(", ")) == len(values):  # sigrok calls each column "logic"
        names = [listed[values.index(i)] if i in values else name for i, name in enumerate(names)]
    return {"names": names, "scales": scales, "times": times, "values": values, "step": step, "dates": dates}


def _heading(head: list[list[str]], full: list[int], width: int) -> tuple[list[str], list[list[str]]]:
    """Names of columns, and rows with units: what stands above the samples, and labels farther up."""
    names, units = [""] * width, []
    for row in reversed(head):
        bare = [row[i] for i in full]
        worded = any(map(_TIME.search, bare)) or (bare[-1] and number(bare[-1]) is None)
        if not worded or any("=" in cell for cell in bare) or _INTERVAL.search(",".join(row)):
            break
        names = row
        units.append(row)
        if not all(map(_ONLY_UNIT.fullmatch, bare[1:] or bare)):
            break
    for row in head:
        if row[0].lower() in _LABELS:
            names = [*names[:1], *(label or name for name, label in zip_longest(names[1:], row[1:]))]
    return [
        f"{name} (column {i})" if name and names.count(name) > 1 else name or f"column {i}"
        for i, name in enumerate([*names, *[""] * width])
    ], units


def _steps(values: list[float]) -> list[float]:
    return [b - a for a, b in pairwise(values)]


def _increment(head: list[list[str]]) -> float | None:
    """Rigol: columns Start and Increment hold numbers in the second line only."""
    for names, numbers in pairwise(head):
        lower = [n.lower() for n in names]
        if "increment" in lower[: len(numbers)]:
            return _step(number(numbers[lower.index("increment")]))
    return None
