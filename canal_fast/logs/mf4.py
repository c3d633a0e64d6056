"""MDF 4 bus logging, through asammdf: whole columns of a group at a time."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from canal_fast.errors import CanalFastError, FrameError, LogFormatError
from canal_fast.frames import FRAME_DTYPE, FrameArray, FrameFlag

from .formats import LogFormat
from .interfaces import LogInterface
from .mf4_blocks import Cut, check_blocks
from .mf4_columns import GROUPS, frames_of
from .sources import Source
from .stream import END, FD_IN_CLASSICAL
from .zones import epoch_of, wall_clock

__all__ = ["Mf4"]

_BLOCK = 1 << 18  # records that are taken out of a group at a time
_MISSING = 8  # records at the end of a cut file whose data may be missing
_LOCAL_TIME = 1  # flag of the header: its start is a wall clock without a zone


class _Source:
    """Source in the shape of a file object, after the bytes that were looked at."""

    def __init__(self, head: bytes, source: Source) -> None:
        self._head, self._source = head, source

    def read(self, size: int) -> bytes:
        part, self._head = self._head[:size], self._head[size:]
        return part or self._source.read(size)


class Mf4:
    """One MDF file being read; `LogFile` holds it."""

    def __init__(self, source: Source, row: LogFormat, head: bytes, zone: dt.tzinfo | None, skip: bool) -> None:
        try:
            from asammdf import MDF
        except ImportError:
            raise CanalFastError(
                f"{source.name}: reading MDF 4 needs a package: pip install 'canal_fast[{row.extra}]'"
            ) from None
        self.truncated = False
        self.lost_bytes = 0
        self.skipped_by_kind: dict[str, int] = {}
        self._name = source.name
        self._failure: Exception | None = None
        self._counts: npt.NDArray[np.int64] = np.zeros(256, np.int64)
        self._file = _spool(head, source) if source.path is None else open(source.path, "rb")  # noqa: SIM115
        try:
            check_blocks(self._file)
        except Cut as error:
            if not error.readable:
                self._file.close()
                raise self._damage(error) from error
            self.truncated = True
            self._failure = None if skip else self._damage(error)  # after the frames before it
        self._file.seek(0)
        try:
            self._mdf: Any = MDF(cast(Any, source.path or self._file))
            start_ns = int(self._mdf.header.abs_time)
            local = cast(Any, self._mdf.header).time_flags & _LOCAL_TIME
        except Exception as error:  # asammdf raises whatever its parsing stumbles over
            self._file.close()
            raise self._damage(error) from error
        self._epoch_ns, self.note = epoch_of(start_ns, zone) if local else (start_ns, None)
        self.start: dt.datetime | None = wall_clock(start_ns) if local else wall_clock(start_ns).replace(tzinfo=dt.UTC)
        self._batches = self._merged()
        self._rest: FrameArray = np.empty(0, FRAME_DTYPE)

    def read(self, frames: FrameArray) -> tuple[int, int]:
        """As `Stream.read`."""
        made = 0
        while made < len(frames):
            if not len(self._rest):
                try:
                    batch = next(self._batches, None)
                except Exception as error:
                    self._failure = self._failure or (None if self.truncated else self._damage(error))
                    return made, END
                if batch is None:
                    return made, END
                self._rest = batch
            part = self._rest[: len(frames) - made]
            if frames.dtype == FRAME_DTYPE and part.dtype != FRAME_DTYPE:
                flexible = np.flatnonzero(part["flags"] & FrameFlag.FD)
                part = part[: flexible[0]] if len(flexible) else part
                if not len(part):
                    return made, FD_IN_CLASSICAL
            _copy(part, frames[made : made + len(part)])
            self._counts += np.bincount(part["channel"], minlength=256)
            made += len(part)
            self._rest = self._rest[len(part) :]
        return made, 0

    def interfaces(self) -> list[LogInterface]:
        return [
            LogInterface("", int(channel), None, int(self._counts[channel]), None)
            for channel in np.flatnonzero(self._counts)
        ]

    @property
    def skipped(self) -> int:
        return sum(self.skipped_by_kind.values())

    def failure(self) -> Exception | None:
        return self._failure

    def error(self, status: int) -> Exception:
        if status == FD_IN_CLASSICAL:
            return FrameError(
                f"{self._name}: an FD frame does not fit a classical (24-byte) record; read it with fd=True"
            )
        return LogFormatError(f"{self._name}: the file is cut short", path=self._name)

    def close(self) -> None:
        self._mdf.close()
        self._file.close()

    def _damage(self, error: Exception) -> Exception:
        if isinstance(error, (LogFormatError, MemoryError)):
            return error
        what = str(error) or type(error).__name__
        return LogFormatError(f"{self._name}: the MDF file is damaged or cut short: {what}", path=self._name)

    def _merged(self) -> Iterator[FrameArray]:
        """The frames of all groups; several are merged by time, each keeping its order."""
        groups = [(name, group) for name in GROUPS for group, _ in self._mdf.channels_db.get(name, ())]
        if len(groups) == 1:
            yield from self._blocks(*groups[0])
            return
        sources = [self._blocks(*row) for row in groups]
        heads: list[tuple[FrameArray, npt.NDArray[np.int64]] | None] = [_keyed(next(s, None)) for s in sources]
        while any(head is not None for head in heads):
            limit = min(int(head[1][-1]) for head in heads if head is not None)
            parts, keys = [], []
            for index, head in enumerate(heads):
                if head is None:
                    continue
                count = int(np.searchsorted(head[1], limit, "right"))
                parts.append(head[0][:count])
                keys.append(head[1][:count])
                if count == len(head[0]):
                    heads[index] = _keyed(next(sources[index], None), int(head[1][-1]))
                else:
                    heads[index] = (head[0][count:], head[1][count:])
            dtype = max((part.dtype for part in parts), key=lambda d: d.itemsize)
            merged: FrameArray = np.empty(sum(map(len, parts)), dtype)
            at = 0
            for part in parts:
                _copy(part, merged[at : at + len(part)])
                at += len(part)
            yield merged[np.argsort(np.concatenate(keys), kind="stable")]

    def _blocks(self, name: str, group: int) -> Iterator[FrameArray]:
        total = int(self._mdf.groups[group].channel_group.cycles_nr)
        for first in range(0, total, _BLOCK):
            count = min(_BLOCK, total - first)
            signal, error = self._block(name, group, first, count)
            frames = frames_of(name, signal.samples, signal.timestamps, self._epoch_ns, self._count)
            if len(frames):
                yield frames
            if error is not None:
                raise error
            if len(signal.samples) != count:
                found = first + len(signal.samples)
                what = f"group {group} ({name}) holds {found} of the {total} records that it states"
                raise LogFormatError(f"{self._name}: {what}", path=self._name)

    def _block(self, name: str, group: int, first: int, count: int) -> tuple[Any, Exception | None]:
        """So many records; fewer, with the error, where the bytes that the last ones refer to are missing."""
        reason: Exception | None = None
        for missing in range(min(_MISSING, count)):
            try:
                signal = self._mdf.get(
                    name,
                    group=group,
                    raw=True,
                    ignore_invalidation_bits=True,
                    record_offset=first,
                    record_count=count - missing,
                )
            except Exception as error:
                reason = reason or error
            else:
                return signal, reason
        raise reason or LogFormatError(f"{self._name}: group {group} is empty", path=self._name)

    def _count(self, kind: str, number: int) -> None:
        if number:
            self.skipped_by_kind[kind] = self.skipped_by_kind.get(kind, 0) + number


def _spool(head: bytes, source: Source) -> BinaryIO:
    """asammdf seeks: what cannot goes into a file that has no name."""
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
    shutil.copyfileobj(cast(BinaryIO, _Source(head, source)), file)
    return file


def _keyed(
    frames: FrameArray | None, before: int = np.iinfo(np.int64).min
) -> tuple[FrameArray, npt.NDArray[np.int64]] | None:
    """Frames with what they are merged by: their time, or that of an earlier one of the group which is later."""
    if frames is None:
        return None
    return frames, np.maximum(np.maximum.accumulate(frames["timestamp_ns"]), before)


def _copy(part: FrameArray, rows: FrameArray) -> None:
    if part.dtype == rows.dtype:
        rows[:] = part
        return
    for name in ("timestamp_ns", "arbitration_id", "flags", "channel", "dlc"):
        rows[name] = part[name]
    width = min(part["data"].shape[1], rows["data"].shape[1])
    rows["data"][:, :width] = part["data"][:, :width]
    rows["data"][:, width:] = 0
