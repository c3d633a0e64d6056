"""Slow, obvious twins of canal_fast.analysis: lists and dicts. Frames are rows as `table_oracle.rows` gives them."""

from __future__ import annotations

import itertools
import math
from typing import Any

EXTENDED, STATUS, ERROR = 0x01, 0x04, 0x80
Row = dict[str, Any]
Id = tuple[int, bool, int]


def id_of(row: Row) -> Id | None:
    """(channel, extended, identifier); None for what is no frame."""
    if row["flags"] & (STATUS | ERROR):
        return None
    return row["channel"], bool(row["flags"] & EXTENDED), row["arbitration_id"]


def groups(rows: list[Row]) -> dict[Id, list[int]]:
    """Indexes of the frames of each identifier, the identifiers sorted."""
    found: dict[Id, list[int]] = {}
    for index, row in enumerate(rows):
        one = id_of(row)
        if one is not None:
            found.setdefault(one, []).append(index)
    return dict(sorted(found.items()))


def reached(rows: list[Row]) -> list[int]:
    """The latest time stamp up to each row."""
    found: list[int] = []
    for row in rows:
        found.append(max(row["timestamp"], found[-1] if found else row["timestamp"]))
    return found


def merge(sources: list[list[Row]]) -> list[Row]:
    """All rows by the latest time stamp of their source, then by source, then by place."""
    keyed = [
        (latest, number, place, row)
        for number, rows in enumerate(sources)
        for place, (row, latest) in enumerate(zip(rows, reached(rows), strict=True))
    ]
    return [row for *_, row in sorted(keyed, key=lambda entry: entry[:3])]


def changes(rows: list[Row]) -> list[bool]:
    last: dict[Id, bytes] = {}
    found = []
    for row in rows:
        one = id_of(row)
        found.append(one is not None and last.get(one) != row["data"])
        if one is not None:
            last[one] = row["data"]
    return found


def latest(rows: list[Row], times: list[int]) -> list[list[int]]:
    """Index of the last frame of each identifier at each time, -1 where there is none."""
    when, found = reached(rows), []
    for time in times:
        found.append(
            [max((i for i in indexes if when[i] <= time), default=-1) for indexes in groups(rows).values()],
        )
    return found


def periods(rows: list[Row]) -> dict[Id, dict[str, Any]]:
    found = {}
    for one, indexes in groups(rows).items():
        times = [rows[i]["timestamp"] for i in indexes]
        steps = [b - a for a, b in itertools.pairwise(times)]
        mean = sum(steps) / len(steps) if steps else math.nan
        found[one] = {
            "count": len(times),
            "first_ns": times[0],
            "last_ns": times[-1],
            "least_ns": min(steps, default=-1),
            "most_ns": max(steps, default=-1),
            "mean_ns": mean,
            "jitter_ns": math.sqrt(sum((s - mean) ** 2 for s in steps) / len(steps)) if steps else math.nan,
            "steps": steps,
        }
    return found


def windows(rows: list[Row], window_ns: int) -> dict[int, dict[int, list[int]]]:
    """Channel -> number of the window -> indexes of its frames."""
    found: dict[int, dict[int, list[int]]] = {}
    for index, row in enumerate(rows):
        if id_of(row) is not None:
            found.setdefault(row["channel"], {}).setdefault(row["timestamp"] // window_ns, []).append(index)
    return found


def traffic(rows: list[Row], most: int) -> tuple[dict[Id, dict[str, Any]], dict[int, dict[str, int]]]:
    """What is on the buses: of each identifier, in the order of the first frames, and of each channel; at most so many
    identifiers."""
    ids: dict[Id, dict[str, Any]] = {}
    channels: dict[int, dict[str, int]] = {}
    names = ("records", "frames", "error_frames", "status_messages", "gaps", "clock_steps", "unlisted")
    for row in rows:
        channel = channels.setdefault(row["channel"], dict.fromkeys(names, 0))
        channel["records"] += 1
        channel["gaps"] += bool(row["flags"] & 0x100)
        channel["clock_steps"] += bool(row["flags"] & 0x200)
        one = id_of(row)
        if one is None:
            channel["error_frames" if row["flags"] & ERROR else "status_messages"] += 1
            continue
        channel["frames"] += 1
        if one not in ids and len(ids) == most:
            channel["unlisted"] += 1
            continue
        here = ids.setdefault(one, {"frames": [], "changed": set()})
        if here["frames"]:
            before = here["frames"][-1]["data"]
            here["changed"] |= {n for n, byte in enumerate(row["data"]) if n >= len(before) or before[n] != byte}
        here["frames"].append(row)
    return ids, channels
