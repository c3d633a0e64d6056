"""A waveform: the times at which one line changes its level."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.errors import LogFormatError

from . import _waveform

Edges = npt.NDArray[np.int64]
PICOSECONDS = 10**12
_ROOM = 1 << 12
_LEAST = 64  # what the kernels need at a time
_FRAME_END_BITS, _SLOWEST = 11, 5_000  # ACK delimiter to intermission; bit/s that the search begins with
_SAMPLES = 8  # an edge, at least, mostly
_MOST_SECONDS = 9_000_000  # picoseconds in 64 bits: 104 days


def _joined(parts: list[Edges]) -> Edges:
    """One array of several, without a copy where there is only one."""
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.int64), *parts])


@dataclass(frozen=True, eq=False)
class Source:
    """A waveform in pieces, for captures larger than memory."""

    level: int
    ticks_per_second: int
    resolution: float
    begin: int
    blocks: Iterator[tuple[Edges, int]]
    """Edges in ticks, and the tick up to which the line is known."""
    notes: dict[str, int] = field(default_factory=dict)
    guesses: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Wave:
    """One line's edges.

    Attributes
    ----------
    edges : array of i8, shape (n,)
        Times of the level's changes, in ticks, rising. A tick is a sample, or a picosecond where the file has times.
    level : int
        Before the first edge: 0 dominant, 1 recessive.
    ticks_per_second : int
    begin, end : int
        Ticks between which the line is known.
    resolution : float
        Ticks between two samples; 0 where edges are exact.
    notes : dict of str to int
        What was found besides: `unknown` (VCD's x and z, Saleae's X, taken as recessive), `not_numbers` (voltages).
    guesses : list of str
        What nobody told and the file does not say, in words: which channel, which levels, which of them is recessive.

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames(0x123), 500_000)
    >>> wave.level, wave.edges_ns[:3].tolist()
    (1, [40000, 46000, 48000])
    >>> part = wave.between(0, 100_000)
    >>> part.duration_s
    0.0001
    """

    edges: Edges
    level: int
    ticks_per_second: int
    begin: int
    end: int
    resolution: float = 1.0
    notes: dict[str, int] = field(default_factory=dict)
    guesses: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.level not in (0, 1):
            raise ValueError(f"level = {self.level}, allowed 0 (dominant) and 1 (recessive)")
        if self.ticks_per_second < 1:
            raise ValueError(f"ticks_per_second = {self.ticks_per_second}, must be above 0")
        if self.resolution < 0:
            raise ValueError(f"resolution = {self.resolution}, must be 0 or more ticks")
        if len(self.edges):
            if self.edges[0] < self.begin or self.edges[-1] > self.end:
                raise ValueError(
                    f"edges from {self.edges[0]} to {self.edges[-1]} leave begin..end = {self.begin}..{self.end}"
                )
            rising = self.edges[1:] >= self.edges[:-1]
            if not rising.all():
                raise ValueError(f"edges[{np.argmin(rising) + 1}] lies before the edge before it: times must rise")

    @property
    def edges_ns(self) -> npt.NDArray[np.int64]:
        """Times of the edges in ns, rounded."""
        return ticks_to_ns(self.edges, self.ticks_per_second)

    @property
    def duration_s(self) -> float:
        return (self.end - self.begin) / self.ticks_per_second

    def inverted(self) -> Wave:
        """The same with levels exchanged, for probes that show dominant as high."""
        return Wave(
            self.edges, 1 - self.level, self.ticks_per_second, self.begin, self.end, self.resolution, self.notes
        )

    def between(self, start_ns: float, stop_ns: float) -> Wave:
        """The part between two times.

        Examples
        --------
        >>> wave = cf.waveform.synthesise(cf.make_frames([0x123, 0x124]), 500_000)
        >>> len(cf.waveform.decode(wave.between(0, 136_000), 500_000))
        1
        """
        low, high = (round(t * self.ticks_per_second / 1e9) for t in (start_ns, stop_ns))
        low, high = max(low, self.begin), min(high, self.end)
        first, last = np.searchsorted(self.edges, [low, high], side="right")
        level = (self.level + int(first)) % 2
        return Wave(self.edges[first:last], level, self.ticks_per_second, low, max(low, high), self.resolution)

    def source(self) -> Source:
        """The whole in one piece."""
        blocks = iter([(self.edges, self.end)])
        return Source(self.level, self.ticks_per_second, self.resolution, self.begin, blocks, self.notes, self.guesses)


def collect(source: Source) -> Wave:
    """A source's pieces as one waveform."""
    parts, end = [], source.begin
    for some, upto in source.blocks:
        parts.append(some)
        end = upto
    kept = source.resolution, source.notes, source.guesses
    return Wave(_joined(parts), source.level, source.ticks_per_second, source.begin, end, *kept)


def held_on(blocks: Iterator[tuple[Edges, int]], level: int, ticks_per_second: int) -> Iterator[tuple[Edges, int]]:
    """Blocks of a file that tells changes only: a line that the last one left recessive stays so, long enough for the
    end of a frame.
    """
    last, end = None, 0
    for edges, end in blocks:
        level ^= len(edges) & 1
        last = edges[-1] if len(edges) else last
        yield edges, end
    if last == end and level == 1:
        yield np.empty(0, np.int64), end + ticks_per_second * _FRAME_END_BITS // _SLOWEST


def check_seconds(seconds: npt.NDArray[np.floating], path: str) -> None:
    """Refuse times that are none, or more than picoseconds in 64 bits hold."""
    bad = ~(np.abs(seconds) <= _MOST_SECONDS)
    if bad.any():
        raise LogFormatError(
            f"a time of {seconds[bad][0]:g} s, allowed {-_MOST_SECONDS:,}..{_MOST_SECONDS:,} s", path=path
        )


def seconds_to_ticks(seconds: npt.NDArray[np.floating]) -> Edges:
    """Picoseconds of times that are checked."""
    ticks: Edges = np.rint(seconds * PICOSECONDS).astype(np.int64)
    return ticks


def ticks_to_ns(ticks: Edges, ticks_per_second: int) -> npt.NDArray[np.int64]:
    """Whole nanoseconds, rounded, without loss for large numbers."""
    seconds, rest = np.divmod(ticks, ticks_per_second)
    return seconds * 10**9 + np.rint(rest * (1e9 / ticks_per_second)).astype(np.int64)


class EdgeFinder:
    """Samples in pieces to edges."""

    def __init__(self, level: int) -> None:
        self.place = np.array([0, level, 0], np.int64)

    def _all(self, count: int, call: Callable[[int, Edges], tuple[int, int]]) -> Edges:
        """All edges of `count` samples; `call` finds those from a sample on in the room it is given."""
        parts, done, at = [], 0, 0
        room = np.empty(max(_ROOM, count // _SAMPLES), np.int64)  # memory that is not written to costs nothing
        while done < count:
            if len(room) - at < _LEAST:
                parts.append(room[:at])
                room, at = np.empty_like(room), 0
            found, used = call(done, room[at:])
            at += found
            done += used
        return _joined([*parts, room[:at]])

    def packed(self, samples: npt.NDArray[np.uint8], count: int) -> Edges:
        return self._logic(samples, count, 0, 0)

    def units(self, samples: npt.NDArray[np.uint8], size: int, bit: int) -> Edges:
        return self._logic(samples, len(samples) // size, size, bit)

    def _logic(self, samples: npt.NDArray[np.uint8], count: int, size: int, bit: int) -> Edges:
        return self._all(
            count,
            lambda done, room: _waveform.edges_logic(samples, done, count - done, size, bit, self.place, room),
        )

    def volts(self, samples: npt.NDArray[Any], low: float, high: float) -> Edges:
        return self._all(
            len(samples), lambda done, room: _waveform.edges_volts(samples, done, low, high, self.place, room)
        )
