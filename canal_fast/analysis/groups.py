"""Arrays of frames by identifier: groups, periods, changes, and the latest of each at given times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray, contiguous

from . import _analysis
from .table import ID_DTYPE, IdTable, ids_of
from .times import Instants, nanoseconds

__all__ = ["Groups", "changes", "group_by_id", "latest", "resample"]

Indexes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """Frames by identifier, as `group_by_id` finds them. Iterating gives each identifier with its frames' indexes.

    Attributes
    ----------
    ids : array of ID_DTYPE (channel, extended, arbitration_id), shape (k,)
        Sorted by channel, 11-bit identifiers before 29-bit ones, then by number.
    offsets : array of i8, shape (k + 1,)
        Group i has the indexes order[offsets[i]:offsets[i + 1]].
    order : array of i8, shape (m,)
        Indexes of the frames, group by group, in the frames' order within each.
    left_out : int
        STATUS and ERROR_FRAME records, which have no identifier and are in no group: m + left_out = n.

    Examples
    --------
    >>> groups = cf.analysis.group_by_id(cf.read_log("drive.blf"))
    >>> for identifier, indexes in groups:
    ...     print(hex(identifier["arbitration_id"]), len(indexes))
    0x100 100
    0x200 10
    """

    ids: npt.NDArray[np.void]
    offsets: Indexes
    order: Indexes
    left_out: int

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[tuple[np.void, Indexes]]:
        for number, one in enumerate(self.ids):
            yield one, self.indexes(number)

    @property
    def counts(self) -> Indexes:
        """Frames in each group."""
        return np.diff(self.offsets)

    def indexes(self, number: int) -> Indexes:
        """Indexes of a group's frames."""
        return self.order[self.offsets[number] : self.offsets[number + 1]]


def group_by_id(frames: FrameArray) -> Groups:
    """The frames of each identifier of each channel, without sorting them.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)

    Returns
    -------
    Groups
        With `.ids`, `.offsets`, `.order`. Data, remote and FD frames of one identifier are one group.

    Raises
    ------
    TypeError, ValueError
        Another dtype, or more than one dimension.

    Examples
    --------
    >>> groups = cf.analysis.group_by_id(cf.make_frames([0x200, 0x100, 0x200]))
    >>> groups.ids["arbitration_id"].tolist(), groups.counts.tolist()
    ([256, 512], [1, 2])
    >>> groups.indexes(1).tolist()
    [0, 2]
    """
    frames = contiguous(frames)
    table = IdTable()
    numbers, counts = np.empty(len(frames), np.uint32), np.zeros(table.room, np.int64)
    done = 0
    while True:
        done += _analysis.number(table.ids, frames[done:], numbers[done:], counts)
        if done == len(frames):
            break
        table.grow()
        counts = np.concatenate([counts, np.zeros(table.room - len(counts), np.int64)])
    ranks = np.argsort(table.keys)
    offsets = np.zeros(len(ranks) + 1, np.int64)
    np.cumsum(counts[ranks], out=offsets[1:])
    starts = np.empty(len(ranks), np.int64)
    starts[ranks] = offsets[:-1]
    order = np.empty(offsets[-1], np.int64)
    _analysis.order(numbers, starts, order)
    return Groups(ids_of(table.keys[ranks]), offsets, order, len(frames) - len(order))


def changes(frames: FrameArray) -> npt.NDArray[np.bool_]:
    """Which frames carry another payload than the last one of their identifier on their channel.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)

    Returns
    -------
    array of bool, shape (n,)
        True where length or bytes differ, and for the first frame of each identifier. False for STATUS and
        ERROR_FRAME records. `frames[changes(frames)]` are the frames that say something new.

    Raises
    ------
    TypeError, ValueError
        Another dtype, or more than one dimension.

    Examples
    --------
    >>> frames = cf.make_frames([1, 1, 1], [b"a", b"a", b"b"])
    >>> cf.analysis.changes(frames).tolist()
    [True, False, True]
    """
    frames = contiguous(frames)
    table = IdTable()
    flags, last = np.empty(len(frames), np.uint8), np.zeros(table.room, np.int64)
    done = _analysis.changed(table.ids, frames, 0, last, flags)
    while done < len(frames):
        table.grow()
        last = np.concatenate([last, np.zeros(table.room - len(last), np.int64)])
        done = _analysis.changed(table.ids, frames, done, last, flags)
    return flags.view(np.bool_)


def latest(frames: FrameArray, times: Instants) -> tuple[npt.NDArray[np.void], Indexes]:
    """The last frame of each identifier at given times.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        In the order recorded. A frame that goes back in time counts from the moment of the one before it.
    times : array of datetime64, or of int (ns), shape (t,)

    Returns
    -------
    ids : array of ID_DTYPE (channel, extended, arbitration_id), shape (k,)
        Sorted as those of `group_by_id`.
    indexes : array of i8, shape (t, k)
        The frame that was the last at that time or before it; -1 where there was none yet.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> frames = cf.make_frames([0x100, 0x200, 0x100], timestamp_ns=[10, 20, 30])
    >>> ids, indexes = cf.analysis.latest(frames, np.array([15, 40]))
    >>> ids["arbitration_id"].tolist(), indexes.tolist()
    ([256, 512], [[0, -1], [2, 1]])
    """
    frames = contiguous(frames)
    at = nanoseconds("times", times)
    groups = group_by_id(frames)
    reached = np.maximum.accumulate(frames["timestamp_ns"])
    found = np.full((len(at), len(groups)), -1, np.int64)
    for number, (_, indexes) in enumerate(groups):
        place = np.searchsorted(reached[indexes], at, side="right") - 1
        there = place >= 0
        found[there, number] = indexes[place[there]]
    return groups.ids, found


def resample(frames: FrameArray, period_s: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.void], Indexes]:
    """The last frame of each identifier at regular times: the multiples of a period, from the first frame to the last.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    period_s : float
        1e-6 s and above.

    Returns
    -------
    times : array of i8, shape (t,)
        ns; whole multiples of the period, so that several recordings share their grid.
    ids, indexes
        As `latest` gives them.

    Raises
    ------
    TypeError, ValueError
        Also for more than 2**24 times.

    Examples
    --------
    >>> times, ids, indexes = cf.analysis.resample(cf.read_log("drive.blf"), 0.25)
    >>> indexes.tolist()  # of the last frame of 0x100 and of 0x200, at each time
    [[0, -1], [28, 23], [55, 45], [83, 78]]
    """
    frames = contiguous(frames)
    if not 1e-6 <= period_s < 9e9:
        raise ValueError(f"period_s = {period_s}, allowed 1e-6..9e9 s")
    step = round(period_s * 1e9)
    if not len(frames):
        return np.empty(0, np.int64), np.empty(0, ID_DTYPE), np.empty((0, 0), np.int64)
    first, last = int(frames["timestamp_ns"].min()), int(frames["timestamp_ns"].max())
    count = last // step - -(-first // step) + 1
    if count > 1 << 24:
        raise ValueError(f"period_s = {period_s} gives {count} times in these frames, allowed 2**24")
    times = (np.arange(count, dtype=np.int64) + -(-first // step)) * step
    return (times, *latest(frames, times))
