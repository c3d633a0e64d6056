"""The one array that a whole recording is read into: memory that nothing was written to yet costs nothing."""

from __future__ import annotations

import numpy as np

from canal_fast.frames import FD_FRAME_DTYPE, FrameArray, copy_records

__all__ = ["FIRST", "enlarged", "wanted", "widened"]

FIRST = 4096  # frames from which the number of all is guessed
_MARGIN = 1 / 8
_PART = 65_536  # frames that are in memory twice while they move
_STEP = 1024  # times as large at once, at most: the first frames may stand closer together than the others


def enlarged(frames: FrameArray, share: float) -> FrameArray:
    """`frames`, which are full, in an array with room for more; the memory of `frames` is given back.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        Of its own memory, with no views of it in use.
    share : float
        How much of the recording they are, 0..1; 0 where that is not known.
    """
    count = len(frames)
    larger: FrameArray
    try:
        larger = np.empty(wanted(count, share), frames.dtype)
    except (MemoryError, ValueError):  # a guess may be wrong; ValueError: more than an address has bits for
        larger = np.empty(int(count * (1 + _MARGIN)) + 1, frames.dtype)
    for first in _backwards(count):  # resize() to more writes zeros to it, and may have both in memory at once
        copy_records(frames[first:], larger[first : len(frames)])
        frames.resize(first, refcheck=False)
    return larger


def wanted(count: int, share: float) -> int:
    """Room for all frames of a recording of which `count` are that share."""
    if share <= 0:
        return 2 * count
    return int(min(count / share, _STEP * count) * (1 + _MARGIN)) + FIRST


def widened(frames: FrameArray, made: int) -> FrameArray:
    """The first `made` of classical records as FD records, with as much room; the memory of `frames` is given back."""
    wide: FrameArray = np.empty(len(frames), FD_FRAME_DTYPE)
    for first in _backwards(made):
        last = min(first + _PART, made)
        copy_records(frames[first:last], wide[first:last])
        frames.resize(first, refcheck=False)
    return wide


def _backwards(count: int) -> range:
    """Where parts of so many frames begin, the last part first."""
    return range((count - 1) // _PART * _PART, -1, -_PART)
