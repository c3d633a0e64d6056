"""The columns that frames become in one batch of Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast._arrow import split
from canal_fast.arrow import TIMESTAMP_NS, Column, binary_column, column, dictionary_column, struct_column
from canal_fast.frames import FrameArray

__all__ = ["BATCH_FRAMES", "COLUMNS", "EMPTY", "OFFSET_LIMIT", "TYPES", "Array", "batch_of", "is_dated", "struct_of"]

Array = npt.NDArray[Any]
BATCH_FRAMES = 1 << 20
OFFSET_LIMIT = (1 << 31) - 1
"""Bytes of payload that the 32-bit offsets of one batch reach."""
COLUMNS = ("timestamp", "arbitration_id", "flags", "channel", "dlc", "data")
TYPES = ("i8", "u4", "u2", "u1", "u1")  # of all but data
EMPTY = (tuple(np.empty(0, kind) for kind in TYPES), np.zeros(1, np.int32), np.empty(0, np.uint8))
_DATED_NS = 10**17  # 1973: what is earlier counts from a start that nobody knows


def is_dated(timestamp_ns: Array) -> npt.NDArray[np.bool_]:
    """Which time stamps are dates. Those before 1973-03-03 (1e17 ns) count from a start that nobody knows.

    Parameters
    ----------
    timestamp_ns : array of i8, shape (n,)

    Returns
    -------
    array of bool, shape (n,)

    Examples
    --------
    >>> cf.dataframes.is_dated(np.array([0, 1_767_225_600_000_000_000])).tolist()
    [False, True]
    """
    return timestamp_ns >= _DATED_NS


def batch_of(
    frames: FrameArray, limit: int, names: Mapping[int, str], epoch: bool, metadata: Mapping[str, str]
) -> tuple[int, Column]:
    """The frames that one batch holds, and the batch."""
    rows = len(frames)
    numbers = tuple(np.empty(rows, kind) for kind in TYPES)
    offsets = np.empty(rows + 1, np.int32)
    data = np.empty(rows * frames.dtype["data"].itemsize, np.uint8)
    done, channel = split(frames, limit, (*numbers, offsets, data))
    if not done and rows:
        raise ValueError(f"frames[0] has more payload than the {limit} bytes that one batch may hold")
    columns = tuple(values[:done] for values in numbers)
    return done, struct_of(columns, offsets[: done + 1], data, names, epoch, metadata, channel)


def struct_of(
    numbers: tuple[Array, ...],
    offsets: Array,
    data: Array,
    names: Mapping[int, str],
    epoch: bool,
    metadata: Mapping[str, str],
    channel: int,
) -> Column:
    """One batch; `channel` is the highest there."""
    columns = [
        column(name, values, form=TIMESTAMP_NS if epoch and name == "timestamp" else None)
        for name, values in zip(COLUMNS, numbers, strict=False)
    ]
    if names:
        texts = [names.get(number, f"can{number}") for number in range(max(channel, *names) + 1)]
        columns[3] = dictionary_column("channel", numbers[3], texts)
    columns.append(binary_column("data", offsets, data))
    return struct_column(columns, len(offsets) - 1, metadata)
