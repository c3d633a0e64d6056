"""Decoded tables as text: behind the lines of their frames, as `canal-fast decode` prints them, and as rows of CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray

from ._lines import UNKNOWN_MAX, Cells, Lines
from .tables import Table, Tables

__all__ = ["format_csv", "format_lines"]

_BUFFER_BYTES = 1 << 17
_NO_TABLE = 0xFFFF


def format_lines(tables: Tables, frames: FrameArray, lines: bytes, *, others: bool = True) -> Iterator[str]:
    """Lines of frames with `Message(signal: value unit, ...)` behind each.

    Parameters
    ----------
    tables : Tables
        What `Plan.decode` gave for `frames`.
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    lines : bytes
        UTF-8, n lines, each with its end and below 128 KiB, as `canal_fast.logs.format_candump` gives them.
    others : bool
        True: also frames that are in no table; behind data frames among them stands their identifier.

    Yields
    ------
    str
        Whole lines. Numbers are as Python's `repr` has them; a signal without a value is left out.
    """
    which = np.full(len(frames), _NO_TABLE, np.uint16)
    cells = []
    longest, total = 0, len(lines) + UNKNOWN_MAX * len(frames)
    for number, table in enumerate(tables.values()):
        which[table.source_row] = number
        cells.append(_cells(table, f" :: {table.message.name}(", _named, str))
        longest = max(longest, cells[-1].longest)
        total += cells[-1].longest * len(table)
    yield from _parts(Lines(frames, lines, which, cells, others).write, min(_BUFFER_BYTES + longest, total))


def _named(name: str, unit: str | None) -> tuple[str, str]:
    return f"{name}: ", f" {unit}" if unit else ""


def format_csv(table: Table, *, long: bool) -> Iterator[str]:
    r"""Rows of CSV as Python's `csv` writes them: a time in ns, then all signals, empty where there is no value.

    Parameters
    ----------
    table : Table
    long : bool
        True: a row for each value instead: time, message, signal, value, unit.

    Yields
    ------
    str
        Whole rows, which end with "\r\n".
    """
    message = _quoted(table.message.name)

    def around(name: str, unit: str | None) -> tuple[str, str]:
        return (f",{message},{_quoted(name)},", f",{_quoted(unit or '')}\r\n") if long else (",", "")

    cells = _cells(table, "", around, _quoted)
    room = min(_BUFFER_BYTES + cells.longest, cells.longest * len(table))
    yield from _parts(lambda out: cells.csv(long, out), room)


def _quoted(text: str) -> str:
    """A cell of CSV that is not the first."""
    row = io.StringIO(newline="")
    csv.writer(row).writerow(("", text))
    return row.getvalue()[1:-2]


def _cells(
    table: Table, before: str, around: Callable[[str, str | None], tuple[str, str]], word: Callable[[str], str]
) -> Cells:
    """The table's columns with what stands around each value."""
    units = table.units
    columns = []
    for name, values in table.columns.items():
        first, last = around(name, units.get(name))
        texts = [_bytes(word(text)) for text in table.texts[name]] if name in table.texts else None
        columns.append((values, table.partial.get(name), _bytes(first), _bytes(last), texts))
    return Cells(_bytes(before), table.timestamp_ns, columns)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _parts(write: Callable[[npt.NDArray[np.uint8]], int], room: int) -> Iterator[str]:
    out = np.empty(room, np.uint8)
    while used := write(out):
        yield str(out.data[:used], "utf-8", "surrogatepass")
