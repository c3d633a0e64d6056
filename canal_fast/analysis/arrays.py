"""Arrays of frames cut, joined and viewed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray, chosen, contiguous, copy_records

from . import _analysis
from .times import Instant, instant

__all__ = ["between", "concatenate", "merge", "payload_view"]


def between(frames: FrameArray, start: Instant | None = None, end: Instant | None = None) -> FrameArray:
    """Frames with start <= time stamp < end, in their order.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    start, end : int (ns), datetime64, or datetime with a zone, optional
        None: no bound.

    Returns
    -------
    array
        A view where the time stamps never go back, else a copy.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> frames = cf.read_log("drive.blf")
    >>> begin = frames["timestamp_ns"][0].view("datetime64[ns]")
    >>> len(cf.analysis.between(frames, begin, begin + np.timedelta64(500, "ms")))
    55
    """
    times = _checked(frames)["timestamp_ns"]
    low = None if start is None else instant("start", start)
    high = None if end is None else instant("end", end)
    if (times[1:] >= times[:-1]).all():
        first = 0 if low is None else int(np.searchsorted(times, low))
        last = len(times) if high is None else int(np.searchsorted(times, high))
        return frames[first : max(first, last)]
    wanted = np.ones(len(times), np.bool_)
    if low is not None:
        wanted &= times >= low
    if high is not None:
        wanted &= times < high
    return chosen(frames, wanted)


def concatenate(*arrays: FrameArray) -> FrameArray:
    """Arrays of frames one behind the other; classical ones become FD records where one of the others has those.

    Parameters
    ----------
    *arrays : arrays of FRAME_DTYPE or FD_FRAME_DTYPE

    Returns
    -------
    array of FD_FRAME_DTYPE where one of them has it, else of FRAME_DTYPE

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> frames = cf.analysis.concatenate(cf.make_frames([1, 2]), cf.make_frames([3], fd=True))
    >>> frames["arbitration_id"].tolist(), frames.dtype == cf.FD_FRAME_DTYPE
    ([1, 2, 3], True)
    """
    out = _room(arrays)
    at = 0
    for frames in arrays:
        part = out[at : at + len(frames)]
        copy_records(frames, part)
        at += len(frames)
    return out


def merge(*arrays: FrameArray) -> FrameArray:
    """Several recordings as one, in the order of time.

    Parameters
    ----------
    *arrays : arrays of FRAME_DTYPE or FD_FRAME_DTYPE
        Each in the order recorded. Its order never changes: a frame that goes back in time counts by the latest time
        stamp before it. Of equal times those of the earlier argument come first.

    Returns
    -------
    array of FD_FRAME_DTYPE where one of them has it, else of FRAME_DTYPE

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> left = cf.make_frames([1, 3], timestamp_ns=[10, 30])
    >>> right = cf.make_frames([2], timestamp_ns=[20], channel=1)
    >>> cf.analysis.merge(left, right)["arbitration_id"].tolist()
    [1, 2, 3]
    """
    out = _room(arrays)
    few = _analysis.MERGE_SOURCES
    if len(arrays) > few:  # neighbours first: the order stays the same
        return merge(*(merge(*arrays[at : at + few]) for at in range(0, len(arrays), few)))
    parts = [concatenate(frames, out[:0]) if frames.dtype != out.dtype else contiguous(frames) for frames in arrays]
    _analysis.merge(parts, out)
    return out


def payload_view(frames: FrameArray, dtype: npt.DTypeLike, offset: int = 0) -> npt.NDArray[Any]:
    """Payload bytes as numbers, without a copy.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    dtype : numpy dtype
        Of the number in each payload, with its byte order: "<u2", ">i4".
    offset : int
        Its first byte.

    Returns
    -------
    array of `dtype`, shape (n,)
        What is written to it is written to the frames. Bytes past a payload's end are 0.

    Raises
    ------
    TypeError, ValueError
        It does not lie within the record's 8 or 64 bytes.

    Examples
    --------
    >>> frames = cf.read_log("drive.blf")
    >>> engine = frames[frames["arbitration_id"] == 0x100]
    >>> (cf.analysis.payload_view(engine, "<u2")[:3] * 0.25).tolist()
    [800.0, 810.0, 820.0]
    """
    kind = np.dtype(dtype)
    data = _checked(frames)["data"]
    if kind.hasobject or kind.itemsize == 0:
        raise TypeError(f"dtype = {kind}, allowed are numbers and other types of a fixed size")
    if not 0 <= offset <= data.shape[1] - kind.itemsize:
        raise ValueError(f"offset = {offset} with {kind.itemsize} bytes, allowed 0..{data.shape[1] - kind.itemsize}")
    view: npt.NDArray[Any] = data[:, offset : offset + kind.itemsize].view(kind)
    return view[:, 0]


def _checked(frames: FrameArray) -> FrameArray:
    """Frames of any stride."""
    contiguous(frames[:0] if isinstance(frames, np.ndarray) and frames.ndim else frames)
    return frames


def _room(arrays: tuple[FrameArray, ...]) -> FrameArray:
    """Memory for all of them."""
    for frames in arrays:
        _checked(frames)
    wide = any(frames.dtype == FD_FRAME_DTYPE for frames in arrays)
    return np.empty(sum(map(len, arrays)), FD_FRAME_DTYPE if wide else FRAME_DTYPE)
