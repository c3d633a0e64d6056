"""Reading a folder of Parquet files with frames, as `to_parquet` writes it: one recording, in the order of time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from canal_fast.dataframes import from_arrow
from canal_fast.errors import FrameError, LogFormatError
from canal_fast.extras import imported
from canal_fast.frames import FRAME_DTYPE, FrameArray, FrameFlag, chosen, copy_records, joined

from .interfaces import LogInterface
from .parquet import MARKS
from .stream import END, FD_IN_CLASSICAL

__all__ = ["ParquetFolder"]

_ROWS = 1 << 14  # of a file at a time


class ParquetFolder:
    """One folder being read; `LogFile` holds it."""

    def __init__(self, name: str) -> None:
        folder = Path(name)
        self._name = name
        self.start: dt.datetime | None = None
        self.note: str | None = None
        self.truncated = any(folder.glob(f"{MARKS}/*.part"))
        self._interfaces: dict[str, tuple[int, int | None]] = {}
        self._counts = np.zeros(256, np.int64)
        self._rows = 0
        dates: dict[str, list[tuple[int, Path]]] = {}
        paths = [
            path
            for path in sorted(folder.rglob("*.parquet"))
            if not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
        ]
        if not paths:
            raise LogFormatError(f"{name}: is a directory without Parquet files", path=name)
        self._parquet = imported("pyarrow.parquet", f"{name}: reading Parquet", "canal_fast[arrow]")
        self._arrow = imported("pyarrow", f"{name}: reading Parquet", "canal_fast[arrow]")
        for path in paths:
            dates.setdefault(_date(path), []).append((self._channel(path), path))
        # "undated" first, then by date
        self._dates = [sorted(dates[date]) for date in sorted(dates, key=lambda date: (date != "undated", date))]
        self._batches = self._all()
        self._pending: FrameArray = np.empty(0, FRAME_DTYPE)
        self._failure: Exception | None = None

    def read(self, frames: FrameArray) -> tuple[int, int]:
        """As `Stream.read`."""
        made = 0
        while made < len(frames):
            if not len(self._pending):
                try:
                    batch = next(self._batches, None)
                except Exception as error:
                    self._failure = LogFormatError(f"{self._name}: {error}", path=self._name)
                    return made, END
                if batch is None:
                    return made, END
                self._pending = batch
            part = self._pending[: len(frames) - made]
            flexible = np.flatnonzero((part["flags"] & FrameFlag.FD != 0) & (frames.dtype == FRAME_DTYPE))
            if len(flexible):
                part = part[: flexible[0]]
            copy_records(part, frames[made : made + len(part)])
            made += len(part)
            self._counts += np.bincount(part["channel"], minlength=256)
            self._pending = self._pending[len(part) :]
            if len(flexible):
                return made, FD_IN_CLASSICAL
        return made, 0

    def interfaces(self) -> list[LogInterface]:
        return [
            LogInterface(name, number, rate, int(self._counts[number]), None)
            for name, (number, rate) in sorted(self._interfaces.items(), key=lambda row: row[1][0])
        ]

    @property
    def skipped(self) -> int:
        return 0

    @property
    def skipped_by_kind(self) -> dict[str, int]:
        return {}

    @property
    def lost_bytes(self) -> int:
        return 0

    def failure(self) -> Exception | None:
        return self._failure

    def share(self) -> float:
        """As `Stream.share`."""
        return min(int(self._counts.sum()) / max(self._rows, 1), 1.0)

    def error(self, status: int) -> Exception:
        if status == FD_IN_CLASSICAL:
            return FrameError(f"{self._name}: an FD frame does not fit a classical (24-byte) record")
        return LogFormatError(f"{self._name}: a part of it is missing: writing it was interrupted", path=self._name)

    def close(self) -> None:
        self._batches.close()

    def _channel(self, path: Path) -> int:
        """The number of a file's channel: that of its name."""
        try:
            footer = self._parquet.read_metadata(path)
            about = footer.metadata or {}
        except (self._arrow.ArrowInvalid, OSError) as error:
            raise LogFormatError(f"{path}: {error}", path=path) from None
        kind = about.get(b"canal_fast.kind", b"").decode()
        if kind != "frames":
            what = "holds signals, which decode wrote, not frames" if kind == "signals" else "no frames of canal_fast"
            raise LogFormatError(f"{path}: {what}", path=path)
        self._rows += footer.num_rows
        name = about[b"canal_fast.name"].decode()
        if name not in self._interfaces:
            taken = {number for number, _ in self._interfaces.values()}
            wanted = int(about[b"canal_fast.channel"])
            free = [number for number in (wanted, *range(256)) if number not in taken]
            if not free:
                raise LogFormatError(f"{path}: more than 256 channels", path=path)
            rate = about.get(b"canal_fast.bitrate")
            self._interfaces[name] = free[0], None if rate is None else int(rate)
        return self._interfaces[name][0]

    def _all(self) -> Generator[FrameArray, None, None]:
        for files in self._dates:
            yield from _merged([self._file(channel, path) for channel, path in files])

    def _file(self, channel: int, path: Path) -> Iterator[FrameArray]:
        with self._parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS):
                numbers = self._arrow.array(np.full(batch.num_rows, channel, np.uint8))
                yield from_arrow(self._arrow.Table.from_batches([batch]).append_column("channel", numbers))


def _date(path: Path) -> str:
    return next((part[5:] for part in path.parts if part.startswith("date=")), "undated")


class _Head:
    """What is there of one stream, each frame with the latest time stamp until then."""

    def __init__(self, stream: Iterator[FrameArray]) -> None:
        self._stream = stream
        self.ended = False
        self._latest = np.iinfo(np.int64).min
        self.frames: Any = np.empty(0, FRAME_DTYPE)
        self.keys: Any = np.empty(0, np.int64)

    def fill(self) -> None:
        while not len(self.frames) and not self.ended:
            batch = next(self._stream, None)
            if batch is None:
                self.ended = True
            else:
                self.frames = batch
                self.keys = np.maximum(np.maximum.accumulate(batch["timestamp_ns"]), self._latest)
                self._latest = self.keys[-1]

    def take(self, until: int) -> tuple[Any, Any]:
        count = int(np.searchsorted(self.keys, until, side="right"))
        taken = self.frames[:count], self.keys[:count]
        self.frames, self.keys = self.frames[count:], self.keys[count:]
        return taken


def _merged(streams: list[Iterator[FrameArray]]) -> Iterator[FrameArray]:
    """All frames by time, the streams' own orders kept, in memory for a batch of each."""
    heads = [_Head(stream) for stream in streams]
    while True:
        for head in heads:
            head.fill()
        heads = [head for head in heads if len(head.frames)]
        if not heads:
            return
        until = min(head.keys[-1] for head in heads)  # nothing earlier comes from any of them
        parts = [head.take(until) for head in heads]
        order = np.argsort(np.concatenate([keys for _, keys in parts]), kind="stable")
        yield chosen(joined([frames for frames, _ in parts]), order)
