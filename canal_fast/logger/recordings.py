"""Recordings that are played together: read several times, selected, merged by time."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray, copied
from canal_fast.logs.converting import Time
from canal_fast.logs.reading import LogFile
from canal_fast.logs.source import LogSource
from canal_fast.merging import merged_by_time

from . import _play

__all__ = ["FIRST_NS", "LAST_NS", "Recording", "merged", "moment_ns"]

FIRST_NS, LAST_NS = -(2**63), 2**63 - 1
_BATCH = 16_384
_DATED_NS = 365 * 86_400 * 10**9  # earlier times have no date: they count from a start that nobody wrote down
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Recording:
    """One recording, which is read as often as wanted; what is no file of its own, such as a pipe, is kept in memory.

    Attributes
    ----------
    name : str
    names : dict
        Channel -> interface name, of those that have frames.
    records : dict
        Channel -> frames.
    first_ns : int
        Time of its first record; 0 where it has none.
    counts : list of int
        Records by kind, as `_play.kind_table` lists them, in one pass.
    """

    def __init__(self, source: LogSource) -> None:
        self._source = source
        self._kept: list[FrameArray] | None = None
        self.counts: list[int] = []
        self.spread = False  # its times differ
        self.first_refused: int | None = None
        nothing = np.empty(0, np.uint32)
        look = _play.Selection({}, nothing, FIRST_NS, LAST_NS, 0, True)
        kept = not isinstance(source, (str, os.PathLike)) or source == "-" or not os.path.isfile(source)
        batches: list[FrameArray] = []
        self.first_ns = 0
        with LogFile(source) as log:
            self.name = log.path
            begun = False
            for frames in log.batches(_BATCH):
                if not begun:
                    self.first_ns, begun = int(frames["timestamp_ns"][0]), True
                self.spread = self.spread or bool((frames["timestamp_ns"] != self.first_ns).any())
                if kept:
                    batches.append(copied(frames))
                look.select(frames)
            names = log.names
        self.records = look.books()[1]
        self.names = {channel: names.get(channel, f"can{channel}") for channel in self.records}
        if kept:
            self._kept = batches

    @property
    def dated(self) -> bool:
        return self.first_ns >= _DATED_NS

    def batches(self) -> Iterator[FrameArray]:
        """Its records, in arrays of their own."""
        if self._kept is not None:
            yield from (copied(frames) for frames in self._kept)
            return
        with LogFile(self._source) as log:
            yield from log.batches(_BATCH)

    def select(
        self,
        lanes: dict[int, tuple[int, int]],
        filters: npt.NDArray[np.uint32],
        bounds: tuple[int, int],
        shift_ns: int,
        tx: bool,
    ) -> None:
        """Decide what `played` gives, and count what it leaves out."""
        self._lanes, self._filters, self._bounds, self._shift, self._tx = lanes, filters, bounds, shift_ns, tx
        look = self._selection()
        for frames in self.batches():
            look.select(frames)
        self.counts, _, _, _, self.first_refused = look.books()

    def played(self) -> Iterator[FrameArray]:
        """What was selected: `channel` is the lane, times are shifted."""
        selection = self._selection()
        for frames in self.batches():
            count = selection.select(frames)
            if count:
                yield frames[:count]

    def _selection(self) -> _play.Selection:
        return _play.Selection(self._lanes, self._filters, *self._bounds, self._shift, self._tx)


def moment_ns(name: str, moment: Time | None, first_ns: int, default: int) -> int:
    """A bound in the recording's time: seconds after first_ns, or a date (UTC where it has no zone)."""
    if moment is None:
        return default
    if isinstance(moment, dt.datetime):
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)
        return (aware - _EPOCH) // dt.timedelta(microseconds=1) * 1000
    if not isinstance(moment, (int, float, Fraction)):
        raise TypeError(f"{name} must be a number of seconds or a datetime, not {type(moment).__name__}")
    if not 0 <= moment < 1e9:
        raise ValueError(f"{name} = {moment} s, allowed 0..1e9 s after the first frame, or a datetime")
    return min(first_ns + round(Fraction(moment) * 10**9), LAST_NS)


def merged(recordings: Sequence[Recording]) -> Iterator[FrameArray]:
    """What is played of all, by time, in arrays that last until the next one."""
    return merged_by_time([recording.played() for recording in recordings], _BATCH)
