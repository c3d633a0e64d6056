"""One pass over a recording: everything that the page says, as plain values for JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from canal_fast._version import __version__
from canal_fast.analysis.recordings import USUAL, batches_with_buses, describe, summary_of, too_full
from canal_fast.analysis.statistics import Statistics
from canal_fast.dataframes import is_dated
from canal_fast.errors import SignalError
from canal_fast.logs import LogFile
from canal_fast.logs.contents import contents
from canal_fast.plot.folding import fold
from canal_fast.signals import Database, Plan

from .flagged import Flagged
from .signals import Signals

__all__ = ["MOST_IDS", "POINTS", "gather", "plan_of"]

MOST_IDS = 3_000  # rows of the table; of more, those with most frames
POINTS = 1_000  # of a line over time
MOST_SIGNALS = 2_000
_OF_RATES = ("load", "peak_load", "peak_at_s")
Facts = dict[str, Any]


def plan_of(database: Database, patterns: Sequence[str] | None, j1939: bool | None) -> tuple[Plan | None, list[str]]:
    """What can be decoded of the database, and in words what of `patterns` cannot."""
    troubles = [str(problem) for problem in database.problems]
    known = []
    for pattern in patterns or ():
        try:
            database.plan(signals=[pattern])
            known.append(pattern)
        except SignalError as error:
            troubles.append(str(error))
    if patterns and not known:
        return None, troubles
    try:
        return database.plan(signals=known or None, j1939=j1939), troubles
    except SignalError as error:
        return None, [*troubles, str(error)]


def gather(
    log: LogFile,
    *,
    plan: Plan | None = None,
    database: str | None = None,
    troubles: Sequence[str] = (),
    bitrate: float | None = None,
    data_bitrate: float | None = None,
    window_s: float = 1.0,
    progress: Callable[[int], object] | None = None,
) -> Facts:
    """Read the recording, and return what it holds.

    Returns
    -------
    dict
        version; file: as `canal_fast.logs.contents.contents`; summary: as `Statistics.summary` without ids, and what
        `canal-fast stat` adds; ids: columns, rows and left_out; load: a line over time for each bus; errors;
        clock; signals, or None without a database. Rates, loads and shares of buses whose rate nobody says are None.
    """
    statistics = Statistics(USUAL if bitrate is None else bitrate, data_bitrate, window_s)
    flagged = Flagged(statistics.window_ns)
    signals = None if plan is None else Signals(plan)
    count = 0
    with batches_with_buses(log) as batches:
        for batch, buses in batches:
            describe(statistics, buses, bitrate is None)
            statistics.add(batch)
            flagged.add(batch)
            if signals is not None and plan is not None:
                signals.add(plan.decode(batch))
            count += len(batch)
            if progress is not None:
                progress(count)
        describe(statistics, log.interfaces, bitrate is None)
    summary = summary_of(statistics, log, bitrate is not None)
    unknown = {bus["channel"] for bus in summary["channels"] if bus["bitrate_from"] == "assumed"}
    span = flagged.first or 0, flagged.last or 0
    return {
        "version": __version__,
        "file": contents(log, count),
        "ids": _ids(summary.pop("ids"), unknown),
        "summary": _known(summary, unknown),
        "load": _load(statistics, summary, unknown, span),
        "errors": _errors(flagged, statistics.names, span),
        "clock": _clock(flagged, span),
        "signals": None if database is None else _signals(signals, database, troubles, span),
    }


def _known(summary: Facts, unknown: set[int]) -> Facts:
    """Without what a rate that nobody said would make of it."""
    for bus in summary["channels"]:
        bus["too_full"] = bus["channel"] not in unknown and too_full(bus)
        if bus["channel"] in unknown:
            bus |= dict.fromkeys(("bitrate", *_OF_RATES), None) | {"bitrate_from": None}
    return summary


def _ids(rows: list[Facts], unknown: set[int]) -> Facts:
    for row in rows:
        if row["channel"] in unknown:
            row["share"] = None
    left_out: list[Facts] = []
    if len(rows) > MOST_IDS:
        ordered = sorted(range(len(rows)), key=lambda number: -rows[number]["count"])
        left_out = [rows[number] for number in ordered[MOST_IDS:]]
        rows = [rows[number] for number in sorted(ordered[:MOST_IDS])]
    columns = list(rows[0]) if rows else []
    return {
        "columns": columns,
        "rows": [list(row.values()) for row in rows],
        "left_out": len(left_out),
        "left_out_frames": sum(row["count"] for row in left_out),
    }


def _line(windows: Mapping[int, float | None], span: tuple[int, int], window_ns: int, points: int) -> Facts:
    """Windows folded: times in s since the recording's first record."""
    folded = fold(windows, points, span[0] // window_ns, span[1] // window_ns)
    return {
        "start_s": (folded.first * window_ns - span[0]) / 1e9,
        "step_s": folded.each * window_ns / 1e9,
        "windows_in_one": folded.each,
        "windows": folded.windows,
        "mean": [_short(value) for value in folded.mean.tolist()],
        "peak": [_short(value) for value in folded.most.tolist()],
    }


def _points(buses: int) -> int:
    """Points of each line: of few buses 1000, of 256 not so many that the page becomes large."""
    return max(60, min(POINTS, 8 * POINTS // max(buses, 1)))


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def _load(statistics: Statistics, summary: Facts, unknown: set[int], span: tuple[int, int]) -> list[Facts]:
    """The load of each bus over time; of those whose rates are not known, frames a second."""
    lines = []
    in_all = {bus["channel"]: bus["load"] for bus in summary["channels"]}
    windows: dict[int, float | None]
    frames, points = statistics.frames_over_time(), _points(len(statistics.frames_over_time()))
    for channel, loads in statistics.load_over_time().items():
        known = channel not in unknown and None not in loads.values()
        seconds = statistics.window_ns / 1e9
        if known:
            windows = {w: statistics.covered_load(w, load, in_all[channel]) for w, load in loads.items()}
        else:
            windows = {window: count / seconds for window, count in frames[channel].items()}
        line = _line(windows, span, statistics.window_ns, points)
        name = statistics.names.get(channel, f"can{channel}")
        lines.append({"channel": channel, "name": name, "quantity": "load" if known else "frames_per_s", **line})
    return lines


def _errors(flagged: Flagged, names: Mapping[int, str], span: tuple[int, int]) -> Facts:
    def of(channel: int) -> Facts:
        return {"channel": channel, "name": names.get(channel, f"can{channel}")}

    lines, points = [], _points(len(flagged.error_frames))
    for channel, total in sorted(flagged.error_frames.items()):
        windows: dict[int, float | None] = {w: float(n) for (c, w), n in flagged.windows.items() if c == channel}
        lines.append({**of(channel), "error_frames": total, **_line(windows, span, flagged.window_ns, points)})
    classes = [
        {**of(channel), "class": name, "count": row[0], "first_ns": row[1], "last_ns": row[2]}
        for (channel, name), row in sorted(flagged.classes.items())
    ]
    return {
        "error_frames": sum(flagged.error_frames.values()),
        "status_messages": sum(flagged.status_messages.values()),
        "lines": lines,
        "classes": classes,
        "states": [{**of(row["channel"]), **row} for row in flagged.states],
        "states_total": flagged.totals["states"],
    }


def _clock(flagged: Flagged, span: tuple[int, int]) -> Facts:
    known = flagged.first is not None
    return {
        "first_ns": span[0] if known else None,
        "last_ns": span[1] if known else None,
        "dated": bool(known and is_dated_ns(span[0])),
        "backwards": flagged.backwards,
        "back_most_ns": flagged.back_most_ns,
        "silence_ns": flagged.silence[0] if flagged.silence else None,
        "silence_at_ns": flagged.silence[1] if flagged.silence else None,
        "steps": flagged.steps,
        "steps_total": flagged.totals["steps"],
        "gaps": flagged.gaps,
        "gaps_total": flagged.totals["gaps"],
    }


def is_dated_ns(timestamp_ns: int) -> bool:
    """Is it a time since 1970, and not since a start that nobody knows?"""
    return bool(is_dated(np.array([timestamp_ns], np.int64))[0])


def _signals(signals: Signals | None, database: str, troubles: Sequence[str], span: tuple[int, int]) -> Facts:
    messages = [] if signals is None else signals.messages(span)
    absent = 0 if signals is None else len(signals.plan.messages) - len(messages)
    kept, shown = 0, 0
    for message in messages:
        shown += len(message["signals"])
        kept += shown <= MOST_SIGNALS
    return {
        "database": database,
        "troubles": list(troubles),
        "counts": None if signals is None else vars(signals.counts),
        "messages": messages[:kept],
        "messages_left_out": len(messages) - kept,
        "messages_absent": absent,
    }


def plain(value: Any) -> Any:
    """The same without what JSON has no words for: NaN and infinities become None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value
