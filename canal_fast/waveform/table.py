"""Tables of text: oscilloscopes' CSV files, sigrok's, and Saleae's with a row for each change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from canal_fast.errors import LogFormatError

from .channels import DIFFERENTIAL, LEAST_VOLTS, Threshold, choose_channel, likely_resolution, volts_blocks
from .layout import UNKNOWN, Layout, cells, layout, number
from .wave import PICOSECONDS, Edges, Source, held_on

_ROWS = 1 << 17
_HIGH, _LOW = re.compile(r"can[ _-]?h", re.I), re.compile(r"can[ _-]?l", re.I)
Floats = npt.NDArray[np.float64]


def _blocks(table: Layout, columns: list[int]) -> Iterator[Floats]:
    """Rows as arrays: the time in seconds first, then the columns asked for."""
    line, done = table.skip, 0
    first_date: np.datetime64 | None = None
    wanted = columns if table.dates or table.time is None else [table.time, *columns]
    with open(table.path, encoding=table.encoding, errors="replace") as file:
        for _ in islice(file, table.skip):
            pass
        while lines := list(islice(file, _ROWS)):
            if table.dates:
                stamps, rest = _dated(lines, table, columns, line)
                first_date = stamps[0] if first_date is None else first_date
                yield np.column_stack([(stamps - first_date).astype(np.int64) * 1e-9, rest])
            elif table.time is None:
                rest = _loaded(lines, table, wanted, line)
                yield np.column_stack([(done + np.arange(len(rest))) * (table.step or 0.0), rest])
                done += len(rest)
            else:
                block = _loaded(lines, table, wanted, line)
                block[:, 0] *= table.step or table.scales[table.time]
                yield block
            line += len(lines)


def _loaded(lines: list[str], table: Layout, columns: list[int], line: int) -> Floats:
    """Columns of rows of which the first is line `line`, counted from 0."""
    if not (table.decimal_comma and table.delimiter == ","):
        text = [row.replace(",", ".") for row in lines] if table.decimal_comma else lines
        try:
            return np.loadtxt(text, np.float64, delimiter=table.delimiter, ndmin=2, usecols=columns, quotechar='"')
        except (ValueError, IndexError):  # a cell that is no plain number
            pass
    rows = []
    for place, row in enumerate(cells(lines, table.delimiter, table.decimal_comma)):
        if not any(row):
            continue
        if place == len(lines) - 1 and not lines[-1].endswith("\n") and not all(row[c : c + 1] > [""] for c in columns):
            break  # the file is cut inside its last row
        rows.append([_value(row, column, table, line + place + 1) for column in columns])
    return np.array(rows, np.float64).reshape(-1, len(columns))


def _value(row: list[str], column: int, table: Layout, line: int) -> float:
    cell = row[column] if column < len(row) else None
    value = None if cell is None else float("nan") if cell in UNKNOWN and column != table.time else number(cell)
    if value is None:
        words = f"{len(row)} cells, wanted is column {column + 1}" if cell is None else f"{cell!r} is no number"
        raise LogFormatError(f"line {line}: {words}", path=table.path, line_number=line)
    return value


def _dated(lines: list[str], table: Layout, columns: list[int], line: int) -> tuple[npt.NDArray[np.datetime64], Floats]:
    parts = [text.split(table.delimiter, 1) for text in lines if text.strip()]
    dates = [re.sub(r"Z|[+-]\d\d:\d\d$", "", part[0].strip('" ')) for part in parts]
    rest = _loaded([part[-1] for part in parts], table, [i - 1 for i in columns], line)
    try:
        return np.array(dates[: len(rest)], "M8[ns]"), rest
    except ValueError as error:
        raise LogFormatError(f"{error}, after line {line}", path=table.path, line_number=line + 1) from None


def _moving(table: Layout, names: list[str]) -> list[str]:
    """Columns whose value is not the same all the time."""
    low, high = np.full(len(names), np.inf), np.full(len(names), -np.inf)
    for block in _blocks(table, table.values):
        low, high = np.fmin(low, np.fmin.reduce(block[:, 1:])), np.fmax(high, np.fmax.reduce(block[:, 1:]))
    swing = (high - low) * [table.scales[i] for i in table.values]
    return [name for name, moves in zip(names, swing >= LEAST_VOLTS, strict=True) if moves]


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
        name = choose_channel(names, channel, path, moving=lambda: _moving(table, names))
        columns = [table.values[names.index(name)]]
    blocks = _scaled(_blocks(table, columns), table, columns)
    first = next(blocks, None)
    if first is None:
        raise LogFormatError("no rows", path=path)
    if not difference and np.isin(first[~np.isnan(first[:, 1]), 1], (0.0, 1.0)).all() and threshold is None:
        return _logic(first, blocks, bool(invert), path)
    return _voltages(first, blocks, threshold, invert, path)


def _scaled(blocks: Iterator[Floats], table: Layout, columns: list[int]) -> Iterator[Floats]:
    """Seconds, and one value: the column, or the difference of two."""
    for block in blocks:
        value = block[:, 1] * table.scales[columns[0]]
        if len(columns) > 1:
            value = value - block[:, 2] * table.scales[columns[1]]
        yield np.column_stack([block[:, 0], value])


def _ticks(seconds: Floats) -> Edges:
    return np.rint(seconds * PICOSECONDS).astype(np.int64)


def _logic(first: Floats, rest: Iterator[Floats], invert: bool, path: str) -> Source:
    """Rows of 0 and 1, at every sample or at changes only; what is unknown is recessive."""
    notes = {"unknown": 0}
    steps = np.diff(first[:, 0])

    def known(block: Floats) -> Floats:
        unknown = np.isnan(block[:, 1])
        notes["unknown"] += int(unknown.sum())
        block[unknown, 1] = not invert
        return block

    def blocks() -> Iterator[tuple[Edges, int]]:
        before = level
        for block in chain([first], map(known, rest)):
            if np.any(np.diff(block[:, 0]) < 0):
                raise LogFormatError("times run backwards", path=path)
            changed = np.diff(block[:, 1], prepend=before) != 0
            before = block[-1, 1]
            yield _ticks(block[changed, 0]), int(_ticks(block[-1:, 0])[0])

    level = known(first)[0, 1]
    begin = int(_ticks(first[:1, 0])[0])
    resolution = likely_resolution(_ticks(first[:, 0]), PICOSECONDS)
    sampled = np.ptp(steps) < 0.1 * steps.mean() if len(steps) else True
    recessive = int(level) ^ invert
    edges = blocks() if sampled else held_on(blocks(), recessive, PICOSECONDS)
    return Source(recessive, PICOSECONDS, resolution, begin, edges, notes)


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
