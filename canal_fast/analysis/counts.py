"""What the statistics' kernel counts in, and how parts of it add."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray

from . import _analysis
from .table import IdTable, grown, ids_of

__all__ = ["STEP", "Counts", "added"]

STEP = 1 << 16
"""Frames in one call: their lengths stay in the processor's cache."""
_NEVER = -(1 << 63)
Rows = npt.NDArray[np.void]
Window = tuple[int, int, int]
"""Frames, bits at the nominal rate, bits at the data rate."""


class Counts:
    """The kernel's memory: rows by identifier, their bins of periods, windows by channel."""

    def __init__(self, window_ns: int) -> None:
        self.table = IdTable()
        self.rows: Any = np.zeros(self.table.room, _analysis.ID_STATISTICS_DTYPE)
        self.bins: Any = np.zeros(self.table.room * _analysis.PERIOD_BINS, np.int64)
        self.latest = _NEVER
        self.window_ns = window_ns
        self.windows: dict[int, dict[int, Window]] = {}

    def add(self, frames: FrameArray, bits: Any, data_bits: Any) -> None:
        written = np.empty(1 if bits is None else len(frames), _analysis.WINDOW_STATISTICS_DTYPE)
        done = 0
        while done < len(frames):
            new, self.latest, count = _analysis.add(
                self.table.ids,
                frames[done:],
                None if bits is None else bits[done:],
                None if data_bits is None else data_bits[done:],
                self.rows,
                self.bins,
                self.latest,
                self.window_ns,
                written,
            )
            done += new
            for channel, *window in written[:count].tolist():
                self.add_window(channel, *window)
            if done < len(frames):
                self.grow()

    def add_window(self, channel: int, window: int, *counts: int) -> None:
        table = self.windows.setdefault(channel, {})
        before = table.get(window, (0, 0, 0))
        table[window] = before[0] + counts[0], before[1] + counts[1], before[2] + counts[2]

    def grow(self) -> None:
        self.table.grow()
        self.rows = grown(self.rows, self.table.room)
        self.bins = grown(self.bins, self.table.room * _analysis.PERIOD_BINS)

    def sorted(self) -> tuple[Rows, Rows, Any]:
        """Identifiers, rows and bins, in the order of the keys."""
        ranks = np.argsort(self.table.keys)
        bins = self.bins.reshape(-1, _analysis.PERIOD_BINS)[ranks]
        return ids_of(self.table.keys[ranks]), self.rows[ranks], bins

    def __getstate__(self) -> dict[str, Any]:
        count = len(self.table.keys)
        return {
            **vars(self),
            "rows": self.rows[:count].copy(),
            "bins": self.bins[: count * _analysis.PERIOD_BINS].copy(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.rows = grown(self.rows, self.table.room)
        self.bins = grown(self.bins, self.table.room * _analysis.PERIOD_BINS)


def added(one: Counts, other: Counts) -> Counts:
    """What the counts of the merged recordings are; `other` has the same windows."""
    found = Counts(one.window_ns)
    keys = np.union1d(one.table.keys, other.table.keys)
    found.table.__setstate__(keys)
    found.rows = np.zeros(found.table.room, found.rows.dtype)
    found.bins = np.zeros(found.table.room * _analysis.PERIOD_BINS, np.int64)
    bins = found.bins.reshape(-1, _analysis.PERIOD_BINS)
    parts = []
    for part in (one, other):
        rows, there = np.zeros(len(keys), found.rows.dtype), np.isin(keys, part.table.keys)
        places = np.searchsorted(keys, part.table.keys)
        rows[places] = part.rows[: len(places)]
        bins[places] += part.bins.reshape(-1, _analysis.PERIOD_BINS)[: len(places)]
        parts.append((rows, there))
    (a, in_a), (b, in_b) = parts
    _join(found.rows, bins, a, b, in_a, in_b)
    found.latest = max(one.latest, other.latest)
    for part in (one, other):
        for channel, windows in part.windows.items():
            for window, counts in windows.items():
                found.add_window(channel, window, *counts)
    return found


def _join(out: Rows, bins: Any, a: Rows, b: Rows, in_a: Any, in_b: Any) -> None:
    """Rows of two parts as those of their merge."""
    rows = out[: len(a)]
    rows[:] = np.where(in_a, a, b)
    both = np.flatnonzero(in_a & in_b)
    one, two = a[both], b[both]
    before, after = one["last_latest_ns"] <= two["first_latest_ns"], two["last_latest_ns"] < one["first_latest_ns"]
    first, second = np.where(after, two, one), np.where(after, one, two)
    joined = first.copy()
    joined["last_ns"], joined["last_latest_ns"] = second["last_ns"], second["last_latest_ns"]
    for name in ("count", "bits", "data_bits", "payload_bytes"):
        joined[name] = one[name] + two[name]
    joined["dlcs"] = one["dlcs"] | two["dlcs"]
    joined["least_ns"] = np.minimum(one["least_ns"], two["least_ns"])
    joined["most_ns"] = np.maximum(one["most_ns"], two["most_ns"])
    joined["square_low"] = one["square_low"] + two["square_low"]
    carry = joined["square_low"] < one["square_low"]
    joined["square_high"] = one["square_high"] + two["square_high"] + carry
    between = second["first_ns"] - first["last_ns"]
    some = bins[both]
    _analysis.add_periods(joined, some.reshape(-1), np.ascontiguousarray(between))
    apart = (before | after) & (one["overlapping"] == 0) & (two["overlapping"] == 0)
    joined["overlapping"] = ~apart
    rows[both], bins[both] = joined, some
