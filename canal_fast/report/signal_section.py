"""The section of signals."""

from __future__ import annotations

from typing import Any

from .charts import sparkline
from .tables import Column, boxed, table
from .text import bus_id, count, name, number, plural, safe

__all__ = ["signals"]

LINE_POINTS = 40_000  # of all lines together
COLUMNS = [
    Column("signal", True), Column("unit", True), Column("values"), Column("min"), Column("mean"), Column("max"),
    Column("last"), Column("last value means", True), Column("over time", True),
]  # fmt: skip


def signals(facts: dict[str, Any], end_s: float) -> str:
    """A table for each message of the database that occurred, or in words why there is none."""
    found = facts["signals"]
    if found is None:
        return ""
    parts = [f"<p>{text}</p>" for text in _words(found)]
    if found["troubles"]:
        items = "".join(f"<li>{safe(text)}</li>" for text in found["troubles"])
        parts.append(f'<ul class="plain">{items}</ul>')
    stride = -(-sum(len(one["line"]) for m in found["messages"] for one in m["signals"]) // LINE_POINTS) or 1
    for message in found["messages"]:
        rows = [_row(one, end_s, stride) for one in message["signals"]]
        frames = message["frames"]
        title = bus_id(message) if message["pgn"] is None else f"PGN {message['pgn']:X}"
        caption = f'<span class="mono">{title}</span>, {count(frames)} frame{plural(frames)}'
        parts.append(f"<h3>{name(message['name'])}</h3>{boxed(table(COLUMNS, rows, caption))}")
    return "".join(parts)


def _words(found: dict[str, Any]) -> list[str]:
    database, counts = name(found["database"]), found["counts"]
    if counts is None:
        return [f"Nothing can be decoded with {database}:"]
    rows = [
        f"Decoded with {database}: {count(counts['decoded'])} frames, {count(counts['short'])} too short, "
        f"{count(counts['unknown_id'])} of other messages, {count(counts['not_decodable'])} no data frames."
    ]
    if not found["messages"]:
        rows.append("No message of the database is in this recording.")
    elif found["messages_absent"]:
        rows.append(f"{count(found['messages_absent'])} messages of the database are not in this recording.")
    if found["messages_left_out"]:
        rows.append(
            f"{count(found['messages_left_out'])} more messages are left out of this page; choose with --signal."
        )
    return rows


def _row(one: dict[str, Any], end_s: float, stride: int) -> list[str]:
    text = one["last_text"]
    values = count(one["values"]) + (f" + {count(one['not_numbers'])} NaN" if one["not_numbers"] else "")
    points = one["line"][::stride]
    return [
        name(one["name"]), safe(one["unit"] or ""), values,
        *(number(one[key]) for key in ("min", "mean", "max", "last")), name(text) if text else "",
        sparkline(points, end_s, f"{safe(one['name'][:80])} over time") if points else "",
    ]  # fmt: skip
