"""Tables of text: oscilloscopes' CSV files, sigrok's, and Saleae's with a row for each change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from canal_fast.errors import LogFormatError

from .channels import LEAST_VOLTS, Threshold, choose_channel, likely_resolution, volts_blocks
from .layout import UNKNOWN, Layout, cells, layout, number
from .wave import PICOSECONDS, Edges, Source, check_seconds, held_on, seconds_to_ticks

_ROWS = 1 << 17
_HIGH, _LOW = re.compile(r"can[ _-]?h", re.I), re.compile(r"can[ _-]?l", re.I)
Floats = npt.NDArray[np.float64]


def _blocks(table: Layout, columns: list[int]) -> Iterator[Floats]:
    """Rows as arrays: the time in seconds first, then the columns asked for."""
    line, done = table.skip, 0
    first_date: np.datetime64 | None = None
    time = table.time_of(columns[0])
    wanted = columns if time is None else [time, *columns]
    with open(table.path, encoding=table.encoding, errors="replace") as file:
        for _ in islice(file, table.skip):
            pass
        while lines := list(islice(file, _ROWS)):
            if table.dates:
                stamps, rest = _dated(lines, table, columns, line)
                first_date = stamps[0] if first_date is None else first_date
                yield np.column_stack([(stamps - first_date).astype(np.int64) * 1e-9, rest])
            elif time is None:
                rest = _loaded(lines, table, wanted, line)
                yield np.column_stack([(done + np.arange(len(rest))) * (table.step or 0.0), rest])
                done += len(rest)
            else:
                block = _loaded(lines, table, wanted, line)
                block[:, 0] *= table.step or table.scales[time]
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
        if not any(row) or (table.times and not any(any(row[c : c + 1]) for c in columns)):
            continue  # nothing, or other columns that have more rows
        if place == len(lines) - 1 and not lines[-1].endswith("\n") and not all(row[c : c + 1] > [""] for c in columns):
            break  # the file is cut inside its last row
        rows.append([_value(row, column, table, line + place + 1) for column in columns])
    return np.array(rows, np.float64).reshape(-1, len(columns))


def _value(row: list[str], column: int, table: Layout, line: int) -> float:
    cell = row[column] if column < len(row) else None
    value = None if cell is None else float("nan") if cell in UNKNOWN and column not in table.times else number(cell)
    if value is None:
        words = f"{len(row)} cells, wanted is column {column + 1}" if cell is None else f"{cell!r} is no number"
        raise LogFormatError(f"line {line}: {words}", path=table.path, line_number=line)
    return value


def _dated(lines: list[str], table: Layout, columns: list[int], line: int) -> tuple[npt.NDArray[np.datetime64], Floats]:
    parts = [text.split(table.delimiter, 1) for text in lines if text.strip()]
    dates = [re.sub(r"Z|[+-]\d\d:?\d\d$", "", part[0].strip('" ')) for part in parts]
    rest = _loaded([part[-1] for part in parts], replace(table, times=[]), [i - 1 for i in columns], line)
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


def open_table(
    path: str, channel: str | int | None, threshold: Threshold, invert: bool | None, sample_rate: int | None
) -> Source:
    """One line of a table: a logic channel, a voltage, or CAN_H minus CAN_L."""
    table = layout(path, sample_rate)
    names = [table.names[i] for i in table.values]
    high = [i for i, name in zip(table.values, names, strict=True) if _HIGH.search(name)]
    low = [i for i, name in zip(table.values, names, strict=True) if _LOW.search(name)]
    guesses: list[str] = []
    both = channel is None and len(high) == 1 and len(low) == 1
    difference = both and not all(_is_logic(block[:, 1:]) for block in islice(_blocks(table, [*high, *low]), 1))
    if difference:
        columns = [high[0], low[0]]
        guesses.append(f"{table.names[high[0]]!r} minus {table.names[low[0]]!r}")
    else:
        name = choose_channel(names, channel, path, guesses, moving=lambda: _moving(table, names))
        columns = [table.values[names.index(name)]]
    blocks = _scaled(_blocks(table, columns), table, columns)
    first = next(blocks, None)
    if first is None:
        raise LogFormatError("no rows", path=path)
    if not difference and _is_logic(first[:, 1:]) and threshold is None:
        return _logic(first, blocks, bool(invert), path, guesses)
    step, volts = _even(first, blocks, path)
    begin = int(seconds_to_ticks(first[:1, 0])[0])
    return volts_blocks(volts, PICOSECONDS, threshold, invert, begin, step * PICOSECONDS, guesses, difference)


def _is_logic(values: Floats) -> bool:
    return bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())


def _scaled(blocks: Iterator[Floats], table: Layout, columns: list[int]) -> Iterator[Floats]:
    """Seconds, and one value: the column, or the difference of two."""
    for block in blocks:
        check_seconds(block[:, 0], table.path)
        value = block[:, 1] * table.scales[columns[0]]
        if len(columns) > 1:
            value = value - block[:, 2] * table.scales[columns[1]]
        yield np.column_stack([block[:, 0], value])


def _logic(first: Floats, rest: Iterator[Floats], invert: bool, path: str, guesses: list[str]) -> Source:
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
            yield seconds_to_ticks(block[changed, 0]), int(seconds_to_ticks(block[-1:, 0])[0])

    level = known(first)[0, 1]
    begin = int(seconds_to_ticks(first[:1, 0])[0])
    resolution = likely_resolution(seconds_to_ticks(first[:, 0]), PICOSECONDS)
    sampled = np.ptp(steps) < 0.1 * steps.mean() if len(steps) else True
    recessive = int(level) ^ invert
    edges = blocks() if sampled else held_on(blocks(), recessive, PICOSECONDS)
    return Source(recessive, PICOSECONDS, resolution, begin, edges, notes, guesses)


def _even(first: Floats, rest: Iterator[Floats], path: str) -> tuple[float, Iterator[Floats]]:
    """Seconds between samples, and their voltages. Those of the first rows count, since times are often printed with
    few digits.
    """
    step = (first[-1, 0] - first[0, 0]) / max(len(first) - 1, 1)
    if not step > 0:
        raise LogFormatError("times do not rise", path=path)

    def check(block: Floats, done: int) -> Floats:
        off = np.abs(block[:, 0] - first[0, 0] - step * np.arange(done, done + len(block)))
        if np.any(off > max(2, 0.001 * (done + len(block))) * step):
            gap = np.argmax(np.abs(np.diff(block[:, 0], prepend=block[0, 0] - step) - step))
            raise LogFormatError(
                "rows are not at equal distances in time: samples are missing, steps vary, or captures are joined; the "
                f"largest step ends at {block[gap, 0]:.9g} s (cut there, or resample)",
                path=path,
            )
        return np.ascontiguousarray(block[:, 1])

    def volts() -> Iterator[Floats]:
        done = len(first)
        for block in rest:
            yield check(block, done)
            done += len(block)

    return step, chain([check(first, 0)], volts())
