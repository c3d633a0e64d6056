"""Decoded tables as text, cell by cell, by Python's own str, repr and csv."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

NOT_DATA = 0x0002 | 0x0004 | 0x0080  # REMOTE, STATUS, ERROR_FRAME


def lines(tables: Mapping[str, Any], frames: Any, own: Iterable[str], others: bool) -> Iterator[str]:
    """The frames' own lines with their signals behind them."""
    behind = texts(tables)
    for row, line in enumerate(own):
        if row in behind:
            yield f"{line} :: {behind[row]}\n"
        elif others:
            yield f"{line}{unknown(frames[row])}\n"


def unknown(frame: Any) -> str:
    if int(frame["flags"]) & NOT_DATA:
        return ""
    identifier = int(frame["arbitration_id"])
    return f" :: Unknown frame id {identifier} (0x{identifier:x})"


def texts(tables: Mapping[str, Any]) -> dict[int, str]:
    """Frame number -> Message(signal: value unit, ...)."""
    found = {}
    for name, table in tables.items():
        columns = [cells(table, column) for column in table.columns]
        for place, row in enumerate(table.source_row.tolist()):
            found[row] = f"{name}({', '.join(c[place] for c in columns if c[place])})"
    return found


def cells(table: Any, name: str) -> list[str]:
    """`name: value unit` of each row, empty where it has none."""
    unit = table.units.get(name)
    after = f" {unit}" if unit else ""
    return [f"{name}: {v}{after}" if h else "" for v, h in zip(values(table, name), held(table, name), strict=True)]


def values(table: Any, name: str) -> list[Any]:
    numbers = table.columns[name].tolist()
    return [table.texts[name][n] for n in numbers] if name in table.texts else numbers


def held(table: Any, name: str) -> list[bool]:
    valid = table.partial.get(name)
    return [True] * len(table) if valid is None else valid.tolist()


def csv_text(table: Any, long: bool) -> str:
    """A row for each frame, or with `long` for each value."""
    file = io.StringIO(newline="")
    out = csv.writer(file)
    columns = [
        [v if h else None for v, h in zip(values(table, name), held(table, name), strict=True)]
        for name in table.columns
    ]
    for time, *row in zip(table.timestamp_ns.tolist(), *columns, strict=True):
        if not long:
            out.writerow([time, *("" if value is None else value for value in row)])
            continue
        for name, value in zip(table.columns, row, strict=True):
            if value is not None:
                out.writerow([time, table.message.name, name, value, table.units.get(name) or ""])
    return file.getvalue()
