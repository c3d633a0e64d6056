"""Signals of a recording, gathered batch by batch: count, least, mean, greatest, last value, and a line over time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.signals import DecodeCounts, Plan, Signal, Table, Tables

__all__ = ["BINS", "Series", "Signals"]

BINS = 120  # of a line over time
_FIRST_STEP_NS = 1_000_000
Array = npt.NDArray[Any]


class Series:
    """Least and greatest of a signal over time, in bins of equal length: twice as long whenever they do not suffice."""

    def __init__(self) -> None:
        self.start: int | None = None
        self.step_ns = _FIRST_STEP_NS
        self.least = np.full(BINS, np.inf)
        self.most = np.full(BINS, -np.inf)

    def add(self, times: Array, values: Array) -> None:
        """Finite values at times in ns, at least one; in any order."""
        low, high = int(times.min()), int(times.max())
        self.start = low if self.start is None else self.start
        while low < self.start or high >= self.start + BINS * self.step_ns:
            self._double(to_the_left=low < self.start)
        places = ((times.astype(np.float64) - self.start) / self.step_ns).astype(np.int64).clip(0, BINS - 1)
        begins = np.flatnonzero(np.diff(places, prepend=-1))
        np.minimum.at(self.least, places[begins], np.minimum.reduceat(values, begins))
        np.maximum.at(self.most, places[begins], np.maximum.reduceat(values, begins))

    def _double(self, to_the_left: bool) -> None:
        half, empty = BINS // 2, np.full(BINS // 2, np.inf)
        least, most = self.least.reshape(half, 2).min(1), self.most.reshape(half, 2).max(1)
        if to_the_left and self.start is not None:
            self.start -= BINS * self.step_ns  # the old first bin is now the first of the second half
            self.least, self.most = np.concatenate([empty, least]), np.concatenate([-empty, most])
        else:
            self.least, self.most = np.concatenate([least, empty]), np.concatenate([most, -empty])
        self.step_ns *= 2

    def points(self) -> list[tuple[int, float, float]]:
        """(time of its begin in ns, least, greatest) of each bin that has values."""
        start = self.start or 0
        rows = np.flatnonzero(self.least <= self.most)
        return [(start + int(i) * self.step_ns, float(self.least[i]), float(self.most[i])) for i in rows]


class _One:
    """A signal."""

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self.count = self.not_numbers = 0
        self.sum = 0.0
        self.least, self.most = math.inf, -math.inf
        self.last: float | int | None = None
        self.series = Series()

    def add(self, times: Array, values: Array) -> None:
        if not len(values):
            return
        self.last = values[-1].item()
        if values.dtype.kind == "f":
            finite = np.isfinite(values)
            if not finite.all():
                self.not_numbers += int(np.count_nonzero(~finite))
                times, values = times[finite], values[finite]
                if not len(values):
                    return
        self.count += len(values)
        self.sum += float(values.sum(dtype=np.float64))
        self.least, self.most = min(self.least, values.min().item()), max(self.most, values.max().item())
        self.series.add(times, values.astype(np.float64, copy=False))

    def summary(self, span: tuple[int, int]) -> dict[str, Any]:
        """Plain values; `line` has time since `span` began in s, least and greatest."""
        known = self.count > 0
        return {
            "name": self.signal.name,
            "unit": self.signal.unit,
            "values": self.count,
            "not_numbers": self.not_numbers,
            "min": self.least if known else None,
            "mean": self.sum / self.count if known else None,
            "max": self.most if known else None,
            "last": self.last if self.last is None or math.isfinite(self.last) else None,
            "last_text": self._text(),
            "line": [((at - span[0]) / 1e9, low, high) for at, low, high in self.series.points()],
        }

    def _text(self) -> str | None:
        """The last value's text in the value table."""
        scale, offset = self.signal.scale, self.signal.offset
        found = (text for raw, text in self.signal.choices if raw * scale + offset == self.last)
        return next(found, None)


class Signals:
    """All signals of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.counts = DecodeCounts()
        self.rows: dict[str, int] = {}
        self._signals: dict[str, dict[str, _One]] = {}

    def add(self, tables: Tables) -> None:
        """Count one more batch, decoded."""
        self.counts += tables.counts
        for name, table in tables.items():
            self._table(name, table)

    def _table(self, name: str, table: Table) -> None:
        self.rows[name] = self.rows.get(name, 0) + len(table)
        known = self._signals.setdefault(name, {signal.name: _One(signal) for signal in table.message.signals})
        for signal, one in known.items():
            times, values, valid = table.timestamp_ns, table.columns[signal], table.partial.get(signal)
            if valid is not None:
                times, values = times[valid], values[valid]
            one.add(times, values)

    def messages(self, span: tuple[int, int]) -> list[dict[str, Any]]:
        """Those that occurred, in the plan's order: name, arbitration_id, extended, pgn, frames, signals."""
        return [
            {
                "name": message.name,
                "arbitration_id": message.arbitration_id,
                "extended": message.is_extended,
                "pgn": message.pgn if message.by_pgn else None,
                "frames": self.rows[message.name],
                "signals": [one.summary(span) for one in self._signals[message.name].values()],
            }
            for message in self.plan.messages
            if message.name in self.rows
        ]
