"""Tables of text: oscilloscopes' CSV files, and Saleae's with a row for each change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
import numpy.typing as npt

from canal_fast.errors import LogFormatError

from .channels import DIFFERENTIAL, Threshold, choose_channel, likely_resolution, volts_blocks
from .wave import PICOSECONDS, Edges, Source

_HEAD_LINES = 200
_ROWS = 1 << 17
_PREFIX = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9, "ps": 1e-12, "v": 1.0, "mv": 1e-3}
_HIGH, _LOW = re.compile(r"can[ _-]?h", re.I), re.compile(r"can[ _-]?l", re.I)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """How a table is written."""

    path: str
    skip: int
    """Lines before the first row of numbers."""
    delimiter: str
    decimal_comma: bool
    names: list[str]
    scales: list[float]
    time: int
    values: list[int]
    step: float | None
    """Seconds between rows where the first column counts them; None: it has times."""
    dates: bool


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is_date(text: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:", text) is not None


def _rows(lines: list[str], delimiter: str, comma: bool) -> list[list[str]]:
    found = [[cell.strip().strip('"') for cell in line.strip().split(delimiter)] for line in lines]
    return [[cell.replace(",", ".") for cell in row] if comma else row for row in found]


def layout(path: str) -> Layout:
    """Find the delimiter, the first row of numbers, and what the lines before it say of columns."""
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        lines = list(islice(file, _HEAD_LINES))
    for delimiter, comma in ((",", False), (";", True), (";", False), ("\t", True), ("\t", False)):
        rows = _rows(lines, delimiter, comma)
        good = [
            len(r) > 1 and (_is_date(r[0]) or sum(_number(c) is not None for c in r) >= 2) and r[-1] is not None
            and all(_number(c) is not None or not c or (i == 0 and _is_date(c)) for i, c in enumerate(r))
            for r in rows
        ]  # fmt: skip
        starts = [i for i in range(len(rows)) if all(good[i : i + 3])]
        if starts:
            end = next((i for i in range(starts[0], len(rows)) if not good[i]), len(rows))
            return _columns(path, rows[:end], starts[0], delimiter, comma)
    raise LogFormatError("no rows of at least two numbers among the first lines: no table of samples", path=path)


def _columns(path: str, rows: list[list[str]], skip: int, delimiter: str, comma: bool) -> Layout:
    body = rows[skip:]
    full = [i for i in range(len(body[0])) if all(i < len(r) and r[i] for r in body)]
    dates = _is_date(body[0][0])
    rising = [i for i in full if not dates and _rises([float(r[i]) for r in body])]
    time = 0 if dates else rising[0] if rising else full[0]
    head = [r for r in rows[:skip] if len(r) > max(full) and any(r)]
    named = [r for r in head if _number(r[full[-1]]) is None and r[full[-1]]]
    names = named[0] if named else [f"column {i}" for i in range(len(body[0]))]
    scales = [1.0] * len(body[0])
    for row in named:
        for i in full:
            unit = re.search(r"[(\[]?\s*([a-zµμ]{1,2})\s*[)\]]?$", row[i], re.I)
            if unit and (row is not named[0] or re.search(r"[(\[]", row[i])):
                scales[i] = _PREFIX.get(unit[1].lower(), 1.0)
    values = [i for i in full if i != time]
    return Layout(path, skip, delimiter, comma, names, scales, time, values, _step(head), dates)


def _rises(values: list[float]) -> bool:
    return all(b > a for a, b in pairwise(values))


def _step(head: list[list[str]]) -> float | None:
    """Rigol: columns Start and Increment hold numbers in the second line only."""
    for names, numbers in pairwise(head):
        lower = [n.lower() for n in names]
        if "increment" in lower:
            return _number(numbers[lower.index("increment")])
    return None


def _blocks(table: Layout, columns: list[int]) -> Iterator[Floats]:
    """Rows as arrays: the time in seconds first, then the columns asked for."""
    line = table.skip
    first_date: np.datetime64 | None = None
    with open(table.path, encoding="utf-8-sig", errors="replace") as file:
        for _ in islice(file, table.skip):
            pass
        while lines := list(islice(file, _ROWS)):
            try:
                if table.dates:
                    stamps, rest = _dated(lines, table, columns)
                    first_date = stamps[0] if first_date is None else first_date
                    yield np.column_stack([(stamps - first_date).astype(np.int64) * 1e-9, rest])
                else:
                    yield _loaded(lines, table, [table.time, *columns])
            except (ValueError, IndexError) as error:
                raise LogFormatError(
                    f"{error}, counted from line {line + 1} on", path=table.path, line_number=line + 1
                ) from None
            line += len(lines)


def _loaded(lines: list[str], table: Layout, columns: list[int]) -> Floats:
    if table.decimal_comma:
        lines = [text.replace(",", ".") for text in lines]
    return np.loadtxt(lines, np.float64, delimiter=table.delimiter, ndmin=2, usecols=columns)


def _dated(lines: list[str], table: Layout, columns: list[int]) -> tuple[npt.NDArray[np.datetime64], Floats]:
    cells = [text.split(table.delimiter, 1) for text in lines if text.strip()]
    stamps = np.array([re.sub(r"Z|[+-]\d\d:\d\d$", "", c[0].strip('" ')) for c in cells], "M8[ns]")
    return stamps, _loaded([c[1] for c in cells], table, [i - 1 for i in columns])


def open_table(path: str, channel: str | int | None, threshold: Threshold, invert: bool | None) -> Source:
    """One line of a table: a logic channel, a voltage, or CAN_H minus CAN_L."""
    table = layout(path)
    names = [table.names[i] if i < len(table.names) and table.names[i] else f"column {i}" for i in table.values]
    high = [i for i, name in zip(table.values, names, strict=True) if _HIGH.search(name)]
    low = [i for i, name in zip(table.values, names, strict=True) if _LOW.search(name)]
    difference = channel is None and len(high) == 1 and len(low) == 1
    if difference:
        columns = [high[0], low[0]]
        threshold = DIFFERENTIAL if threshold is None else threshold
        invert = True if invert is None else invert
    else:
        columns = [table.values[names.index(choose_channel(names, channel, path))]]
    blocks = _scaled(_blocks(table, columns), table, columns)
    first = next(blocks, None)
    if first is None:
        raise LogFormatError("no rows", path=path)
    if not difference and np.isin(first[:, 1], (0.0, 1.0)).all() and threshold is None:
        return _logic(first, blocks, bool(invert), path)
    return _voltages(first, blocks, threshold, invert, path)


def _scaled(blocks: Iterator[Floats], table: Layout, columns: list[int]) -> Iterator[Floats]:
    """Seconds, and one value: the column, or the difference of two."""
    for block in blocks:
        time = block[:, 0] * (table.step or table.scales[table.time])
        value = block[:, 1] * table.scales[columns[0]]
        if len(columns) > 1:
            value = value - block[:, 2] * table.scales[columns[1]]
        yield np.column_stack([time, value])


def _ticks(seconds: Floats) -> Edges:
    return np.rint(seconds * PICOSECONDS).astype(np.int64)


def _logic(first: Floats, rest: Iterator[Floats], invert: bool, path: str) -> Source:
    """Rows of 0 and 1, at every sample or at changes only."""

    def blocks() -> Iterator[tuple[Edges, int]]:
        block: Floats | None = first
        before = float(first[0, 1])
        while block is not None:
            if np.any(np.diff(block[:, 0]) < 0):
                raise LogFormatError("times run backwards", path=path)
            changed = np.diff(block[:, 1], prepend=before) != 0
            before = float(block[-1, 1])
            yield _ticks(block[changed, 0]), int(_ticks(block[-1:, 0])[0])
            block = next(rest, None)

    begin = int(_ticks(first[:1, 0])[0])
    resolution = likely_resolution(_ticks(first[:, 0]), PICOSECONDS)
    return Source(int(first[0, 1]) ^ invert, PICOSECONDS, resolution, begin, blocks())


def _voltages(first: Floats, rest: Iterator[Floats], threshold: Threshold, invert: bool | None, path: str) -> Source:
    """Samples at equal distances; that of the first rows counts, since times are often printed with few digits."""
    count = len(first)
    step = (first[-1, 0] - first[0, 0]) / max(count - 1, 1)
    if not step > 0:
        raise LogFormatError("times do not rise", path=path)
    if np.any(np.abs(first[:, 0] - first[0, 0] - step * np.arange(count)) > max(2 * step, 0.001 * step * count)):
        raise LogFormatError("rows are not at equal distances in time", path=path)

    def volts() -> Iterator[Floats]:
        yield np.ascontiguousarray(first[:, 1])
        for block in rest:
            yield np.ascontiguousarray(block[:, 1])

    begin = int(_ticks(first[:1, 0])[0])
    return volts_blocks(volts(), PICOSECONDS, threshold, invert, begin, step * PICOSECONDS)
