"""What a monitor shows, without the screen: `Monitor` gathers it, a `Snapshot` is it at one moment."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from canal_fast.analysis.traffic import Traffic
from canal_fast.frames import FrameFlag

from .feeds import Bus, Feed
from .signal_texts import SignalTexts

__all__ = ["BusRow", "Monitor", "Snapshot", "identifier"]

Rows = npt.NDArray[np.void]
MEASURE_S = 1.0  # rates and loads are means of such a time
SOON_S = 0.2  # or, at first, of no less than this
_NONE = {"frames": 0, "bits": 0, "data_bits": 0}


@dataclass(frozen=True)
class BusRow:
    """One bus: `bus`, its counts as `Traffic.channels` has them, frames/s and load; None where they are not known."""

    bus: Bus
    counts: Mapping[str, int]
    frames_per_s: float | None
    load: float | None


@dataclass(frozen=True)
class Snapshot:
    """Everything at one moment.

    Attributes
    ----------
    rows, keys : arrays
        As `Traffic` has them.
    labels : sequence of str
        Of each row: identifier, name of its message and bus, in lower case, for filters.
    names : sequence of str
        Of each row: its message in the database, or "".
    buses : list of BusRow
    seconds : float
        Since the beginning, or since it was cleared; of a recording, between its first and last time stamp.
    notes : list of str
    ended : bool
        No more frames come.
    """

    rows: Rows
    keys: npt.NDArray[np.uint64]
    labels: Sequence[str]
    names: Sequence[str]
    buses: list[BusRow]
    seconds: float
    notes: list[str]
    ended: bool

    def kept(self) -> Snapshot:
        """The same, and later frames do not change it."""
        return replace(self, rows=self.rows.copy(), keys=self.keys.copy())


def identifier(arbitration_id: int, flags: int) -> str:
    """Three hexadecimal digits, or eight of 29 bits."""
    return f"{arbitration_id:0{8 if flags & FrameFlag.EXTENDED_ID else 3}X}"


class _Meter:
    """Frames/s and share of the bus: of the last whole second, or so far."""

    def __init__(self, now: float, counts: Mapping[str, int]) -> None:
        self._then, self._before = now, dict(counts)
        self._last: tuple[float, float, float] | None = None

    def measure(self, now: float, counts: Mapping[str, int]) -> tuple[float, float, float] | None:
        """frames/s, bits/s, data bits/s."""
        passed = now - self._then
        if passed >= MEASURE_S or (self._last is None and passed >= SOON_S):
            rates = _per_second(passed, counts, self._before)
            if passed < MEASURE_S:
                return rates
            self._then, self._before, self._last = now, dict(counts), rates
        return self._last


def _per_second(passed: float, counts: Mapping[str, int], before: Mapping[str, int]) -> tuple[float, float, float]:
    frames, bits, data = ((counts[name] - before[name]) / passed for name in _NONE)
    return frames, bits, data


class Monitor:
    """Takes what a feed has, whenever `poll` is called.

    Parameters
    ----------
    feed : Feed
    texts : SignalTexts, optional
        The database, for names.
    """

    def __init__(self, feed: Feed, texts: SignalTexts | None = None) -> None:
        self.feed, self.texts = feed, texts
        self._traffic = Traffic()
        self.clear()

    def clear(self) -> None:
        """Begin anew; what the ledgers counted stays."""
        self._traffic.clear()
        self._labels: list[str] = []
        self._names: list[str] = []
        self._meters: dict[int, _Meter] = {}
        self._begin, self._began = time.monotonic(), self.feed.clock() or 0.0

    def poll(self) -> None:
        """Count what came."""
        for frames in self.feed.take():
            self._traffic.add(frames)

    def look_away(self) -> None:
        """What changes from now on is marked at the next look."""
        self._traffic.look_away()

    def snapshot(self) -> Snapshot:
        """All, as of now; `kept` before the next `poll`, or it changes."""
        rows = self._traffic.rows
        self._name(rows)
        records = self._traffic.channels["records"]
        seen = {int(number) for number in np.flatnonzero(records)}
        buses = [self._bus(number, seen) for number in sorted(self.feed.buses.keys() | seen)]
        notes = list(self.feed.notes)
        unlisted = int(self._traffic.channels["unlisted"].sum())
        if unlisted:
            notes.append(f"{unlisted} frames of further identifiers have no row: there are {len(rows)}")
        clock = self.feed.clock()
        seconds = time.monotonic() - self._begin
        if clock is None:
            there = self._traffic.channels[records > 0]
            seconds = (there["latest_ns"].max() - there["first_ns"].min()) / 1e9 if len(there) else 0.0
        return Snapshot(
            rows, self._traffic.keys, self._labels, self._names, buses, seconds, notes, self.feed.ended
        )  # fmt: skip

    def _bus(self, number: int, seen: set[int]) -> BusRow:
        bus = self.feed.buses.get(number) or Bus(number, f"can{number}")
        row = self._traffic.channels[number]
        counts = {name: int(row[name]) for name in row.dtype.names or ()}
        clock = self.feed.clock()
        if clock is None:
            span = (counts["latest_ns"] - counts["first_ns"]) / 1e9
            rates = _per_second(span, counts, _NONE) if number in seen and span > 0 else None
        elif self.feed.ended:
            rates = None
        else:
            rates = self._meters.setdefault(number, _Meter(self._began, _NONE)).measure(clock, counts)
        if rates is None:
            return BusRow(bus, counts, None, None)
        frames, bits, data = rates
        load = None
        if bus.bitrate is not None and (not data or bus.data_bitrate is not None):
            load = bits / bus.bitrate + (data / bus.data_bitrate if bus.data_bitrate else 0)
        return BusRow(bus, counts, frames, load)

    def _name(self, rows: Rows) -> None:
        """Labels of the identifiers that are new."""
        for row in rows[len(self._labels) :]:
            number, flags, channel = int(row["arbitration_id"]), int(row["flags"]), int(row["channel"])
            name = self.texts.name(number, flags) if self.texts is not None else ""
            bus = self.feed.buses.get(channel)
            label = (identifier(number, flags), name, bus.name if bus is not None else "")
            self._labels.append(" ".join(label).lower())
            self._names.append(name)
