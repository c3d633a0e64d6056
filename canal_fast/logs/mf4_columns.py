"""Columns of MDF bus events, as the C reader takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray, FrameFlag, chosen, copy_records, joined

from . import _logs
from .stream import FD_IN_CLASSICAL

__all__ = ["GROUPS", "Block", "Merged", "merged"]

GROUPS = ("CAN_DataFrame", "CAN_RemoteFrame", "CAN_ErrorFrame", "CAN_OverloadFrame")  # in the order of CF_COLUMNS_DATA


@dataclass
class Block:
    """Records of one group, and how many of them were read."""

    columns: list[npt.NDArray[Any] | None]
    seconds: npt.NDArray[np.float64]
    event: int
    at: int = 0

    @classmethod
    def of(cls, group: str, samples: npt.NDArray[np.void], seconds: npt.NDArray[np.float64]) -> Block:
        """The members of a group's structure, of which files leave out some."""
        members = samples.dtype.names or ()
        columns = [
            _plain(np.asarray(samples[f"{group}.{name}"]), name) if f"{group}.{name}" in members else None
            for name in _logs.COLUMN_NAMES
        ]
        return cls(columns, np.ascontiguousarray(seconds, np.float64), GROUPS.index(group))

    def read(self, reader: _logs.ColumnReader, epoch_ns: int, frames: FrameArray, first: int) -> tuple[int, int]:
        """Fill frames[first:]: (status, number made)."""
        if self.done:
            return 0, 0
        status, self.at, made = reader.read(self.columns, self.seconds, self.event, epoch_ns, self.at, frames, first)
        return status, made

    @property
    def done(self) -> bool:
        return self.at >= len(self.seconds)

    def frames(self, reader: _logs.ColumnReader, epoch_ns: int) -> FrameArray:
        """All of them."""
        frames: FrameArray = np.empty(len(self.seconds), FD_FRAME_DTYPE)
        return frames[: self.read(reader, epoch_ns, frames, 0)[1]]


def _plain(column: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Unsigned numbers in the machine's order; data bytes with two dimensions."""
    if name == "DataBytes":
        return (
            column if column.ndim == 2 and column.dtype == np.uint8 else column.reshape(len(column), -1).view(np.uint8)
        )
    if column.dtype.kind in "ub" and column.dtype.isnative:
        return column
    return np.asarray(np.maximum(column, 0), np.uint32)


@dataclass
class Merged:
    """Frames of several groups in order, and how many of them were read."""

    rows: FrameArray
    at: int = 0

    def read(self, reader: _logs.ColumnReader, epoch_ns: int, frames: FrameArray, first: int) -> tuple[int, int]:
        """As `Block.read`; the reader has counted them already."""
        part = self.rows[self.at : self.at + len(frames) - first]
        status = 0
        if frames.dtype == FRAME_DTYPE:
            flexible = np.flatnonzero(part["flags"] & FrameFlag.FD)
            if len(flexible):
                part, status = part[: flexible[0]], FD_IN_CLASSICAL
        copy_records(part, frames[first : first + len(part)])
        self.at += len(part)
        return status, len(part)

    @property
    def done(self) -> bool:
        return self.at >= len(self.rows)


def merged(sources: list[Iterator[FrameArray]]) -> Iterator[Merged]:
    """Frames of all sources by time; each source's keep their order, also where its times decrease."""
    heads = [_keyed(next(source, None)) for source in sources]
    while any(head is not None for head in heads):
        limit = min(int(head[1][-1]) for head in heads if head is not None)
        parts, keys = [], []
        for index, head in enumerate(heads):
            if head is None:
                continue
            frames, key = head
            count = int(np.searchsorted(key, limit, "right"))
            parts.append(frames[:count])
            keys.append(key[:count])
            rest = (frames[count:], key[count:])
            heads[index] = rest if count < len(frames) else _keyed(next(sources[index], None), int(key[-1]))
        yield Merged(chosen(joined(parts), np.argsort(np.concatenate(keys), kind="stable")))


def _keyed(
    frames: FrameArray | None, before: int = np.iinfo(np.int64).min
) -> tuple[FrameArray, npt.NDArray[np.int64]] | None:
    """Frames with what they are merged by: their time, or that of an earlier one of the source which is later."""
    if frames is None:
        return None
    return frames, np.maximum(np.maximum.accumulate(frames["timestamp_ns"]), before)
