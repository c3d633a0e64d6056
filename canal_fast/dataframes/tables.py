"""Frames as tables of pandas and polars."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from canal_fast._arrow import split
from canal_fast.extras import imported
from canal_fast.frames import FrameArray

from .columns import BATCH_FRAMES, COLUMNS, OFFSET_LIMIT, TYPES, Array
from .export import to_arrow

__all__ = ["to_pandas", "to_polars"]


def to_pandas(frames: FrameArray, index: str | None = "time", *, interfaces: Any = None, epoch: bool = True) -> Any:
    """Frames as a pandas DataFrame (needs pandas).

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    index : "time" or None
        "time": the column timestamp becomes the index. None: rows are numbered.
    interfaces, epoch
        As for `to_arrow`; channel names become a category.

    Returns
    -------
    pandas.DataFrame
        `data` holds a bytes object a frame, the one column that costs memory for each row.

    Raises
    ------
    ImportError, TypeError, ValueError

    Examples
    --------
    >>> table = cf.to_pandas(cf.read_log("drive.blf"))
    >>> table["arbitration_id"].value_counts().to_dict()
    {256: 100, 512: 10}
    >>> table.index[0]
    Timestamp('2026-01-01 00:00:00+0000', tz='UTC')
    """
    if index not in ("time", None):
        raise ValueError(f"index = {index!r}, allowed 'time' and None")
    pandas = imported("pandas", "to_pandas")
    arrow = to_arrow(frames, interfaces=interfaces, epoch=epoch)
    frames = arrow.frames
    columns: dict[str, Any] = {name: frames[name].copy() for name in COLUMNS[1:5]}
    if arrow.names:
        highest = max(*arrow.names, int(frames["channel"].max(initial=0)))
        names = [arrow.names.get(number, f"can{number}") for number in range(highest + 1)]
        columns["channel"] = pandas.Categorical.from_codes(frames["channel"].astype(np.int16), names)
    columns["data"] = _payloads(frames)
    times = frames["timestamp_ns"].copy()
    stamps = pandas.DatetimeIndex(times.view("datetime64[ns]"), tz="UTC") if epoch else pandas.Index(times)
    if index is None:
        return pandas.DataFrame({"timestamp": stamps, **columns})
    return pandas.DataFrame(columns, index=stamps.rename("timestamp"))


def _payloads(frames: FrameArray) -> Array:
    found = np.empty(len(frames), object)
    for at in range(0, len(frames), BATCH_FRAMES):
        part = frames[at : at + BATCH_FRAMES]
        offsets = np.empty(len(part) + 1, np.int32)
        data = np.empty(len(part) * frames.dtype["data"].itemsize, np.uint8)
        split(part, OFFSET_LIMIT, (*(np.empty(len(part), kind) for kind in TYPES), offsets, data))
        text, ends = data.tobytes(), offsets.tolist()
        for row, (begin, end) in enumerate(itertools.pairwise(ends), at):
            found[row] = text[begin:end]
    return found


def to_polars(frames: FrameArray, *, interfaces: Any = None, epoch: bool = True) -> Any:
    """Frames as a polars DataFrame (needs polars, and nothing else).

    Parameters
    ----------
    frames, interfaces, epoch
        As for `to_arrow`.

    Returns
    -------
    polars.DataFrame
        The columns of `to_arrow`.

    Raises
    ------
    ImportError, TypeError, ValueError

    Examples
    --------
    >>> table = cf.to_polars(cf.read_log("drive.blf"))
    >>> table.shape, table["dlc"].max()
    ((110, 6), 8)
    """
    return imported("polars", "to_polars").DataFrame(to_arrow(frames, interfaces=interfaces, epoch=epoch))
