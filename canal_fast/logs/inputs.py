"""Recordings that are read together: their times, their channels, and one order for all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from types import TracebackType

import numpy as np

from canal_fast.errors import LogFormatError
from canal_fast.frames import FrameArray
from canal_fast.merging import merged_by_time

from .account import Account
from .interfaces import plain_name
from .reading import LogFile
from .source import LogSource
from .zones import Zone

__all__ = ["Channels", "Input", "merged"]

_BATCH, _BATCH_OF_MANY = 65_536, 16_384
_MOST_CHANNELS, _MOST_SOURCES = 256, 256


class Input:
    """One source: its frames with `shift` ns added to their times."""

    def __init__(self, source: LogSource, format: str | None, tz: Zone | dt.tzinfo, errors: str, shift: int) -> None:
        self.log = LogFile(source, format=format, tz=tz, errors=errors)
        self._shift = shift

    def batches(self, size: int) -> Iterator[FrameArray]:
        for frames in self.log.batches(size):
            if self._shift:
                self._move(frames)
            yield frames

    def _move(self, frames: FrameArray) -> None:
        times = frames["timestamp_ns"]
        low, high = int(times.min()) + self._shift, int(times.max()) + self._shift
        if low < -(2**63) or high >= 2**63:
            raise ValueError(f"{self.log.path}: an offset of {self._shift} ns leaves the range of time stamps")
        times += self._shift

    def account(self) -> Account:
        """What it holds beside frames."""
        return Account(
            skipped=self.log.skipped_by_kind, lost_bytes=self.log.lost_bytes, truncated=int(self.log.truncated)
        )

    def __enter__(self) -> Input:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.log.close()


class Channels:
    """Which channel of the target each interface of the sources has, by its name."""

    def __init__(self, inputs: list[Input]) -> None:
        self._alone = len(inputs) == 1
        self._tables = [np.arange(_MOST_CHANNELS, dtype=np.uint8) for _ in inputs]
        self._known = [0 for _ in inputs]
        self._named: dict[tuple[str, int], tuple[int, int | None, str]] = {}  # name, which of that name in its file
        self._taken: set[int] = set()
        self._news: list[tuple[int, str, int | None, bool]] = []
        self._inputs = inputs

    def news(self) -> list[tuple[int, str, int | None, bool]]:
        """(channel, name, bit rate, whether the name stood in a file) of interfaces met since the last call."""
        news, self._news = self._news, []
        return news

    def statistics(self) -> dict[int, dict[str, int | None]]:
        """Channel -> counters of its interfaces, added up; None where one of them does not know it."""
        sums: dict[int, dict[str, int | None]] = {}
        for source, table in zip(self._inputs, self._tables, strict=True):
            for row in source.log.interfaces:
                if row.statistics is None:
                    continue
                channel = int(table[row.channel])
                before = sums.get(channel)
                sums[channel] = {
                    name: value if before is None else _plus(before[name], value)
                    for name, value in row.statistics.items()
                }
        return sums

    def place(self, index: int, frames: FrameArray) -> FrameArray:
        """The frames of a source in their channels."""
        interfaces = self._inputs[index].log.interfaces
        if len(interfaces) > self._known[index]:
            self._learn(index)
        if not self._alone:
            frames["channel"] = self._tables[index][frames["channel"]]
        return frames

    def _learn(self, index: int) -> None:
        log, table, seen = self._inputs[index].log, self._tables[index], dict[str, int]()
        for number, row in enumerate(log.interfaces):
            name = plain_name(row.name, row.channel)
            nth = seen[name] = seen.get(name, -1) + 1
            if number < self._known[index]:
                continue
            if self._alone:
                self._news.append((row.channel, name, row.bitrate, bool(row.name)))
                continue
            table[row.channel] = self._shared(log.path, name, nth, row.channel, row.bitrate, bool(row.name))
        self._known[index] = len(log.interfaces)

    def _shared(self, path: str, name: str, nth: int, wanted: int, bitrate: int | None, own: bool) -> int:
        known = self._named.get((name, nth))
        if known is not None:
            channel, rate, where = known
            if rate and bitrate and rate != bitrate:
                raise LogFormatError(
                    f"{path}: interface {name} has {bitrate} bit/s, and {rate} in {where}: they are not the same bus",
                    path=path,
                )
            return channel
        channel = wanted if wanted not in self._taken else next(n for n in range(257) if n not in self._taken)
        if channel >= _MOST_CHANNELS:
            raise LogFormatError(f"{path}: with interface {name} there are more than 256 channels", path=path)
        self._taken.add(channel)
        self._named[name, nth] = channel, bitrate, path
        self._news.append((channel, name, bitrate, own))
        return channel


def _plus(a: int | None, b: int | None) -> int | None:
    return None if a is None or b is None else a + b


def merged(inputs: list[Input], channels: Channels) -> Iterator[FrameArray]:
    """Frames of all sources by time, in arrays that last until the next one."""
    if len(inputs) > _MOST_SOURCES:
        raise ValueError(f"{len(inputs)} sources, allowed 1..{_MOST_SOURCES}")
    size = _BATCH if len(inputs) == 1 else _BATCH_OF_MANY

    def placed(index: int, source: Input) -> Iterator[FrameArray]:
        for frames in source.batches(size):
            yield channels.place(index, frames)

    yield from merged_by_time([placed(index, source) for index, source in enumerate(inputs)], size)
