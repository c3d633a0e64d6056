"""What is on the buses now: the last frame of each identifier, its periods, what changed; and counts by channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.errors import FrameError
from canal_fast.frames import FD_FRAME_DTYPE, FrameArray, FrameFlag, chosen, contiguous

from . import _analysis
from .counts import STEP
from .statistics import lengths
from .table import IdTable, grown

__all__ = ["Traffic", "frames_of", "jitter_ns"]

MOST_IDS = 1 << 16
"""Identifiers that have a row; random 29-bit ones would fill any memory."""
CHANNELS = 256
_NO_FRAME = int(FrameFlag.STATUS | FrameFlag.ERROR_FRAME)


class Traffic:
    """Rows by identifier and counts by channel, kept up to date frame by frame.

    Parameters
    ----------
    most_ids : int
        Identifiers that get a row, a power of two and 256 at least; frames of others count as `unlisted`.

    Attributes
    ----------
    channels : structured array, shape (256,)
        Of each channel: frames, error_frames, status_messages, gaps and clock_steps (records with these marks),
        unlisted, bits and data_bits (with intermission, at the nominal and the data rate), records, first_ns,
        latest_ns.
    """

    def __init__(self, most_ids: int = MOST_IDS) -> None:
        self._most = most_ids
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._table = IdTable()
        self._rows: Any = np.zeros(self._table.room, _analysis.TRAFFIC_ID_DTYPE)
        self.channels: npt.NDArray[np.void] = np.zeros(CHANNELS, _analysis.TRAFFIC_CHANNEL_DTYPE)

    @property
    def rows(self) -> npt.NDArray[np.void]:
        """One row an identifier, in the order in which they first occurred: count, period_ns (the last; 0 of the
        first frame), mean_ns and square_ns2 of the periods, changed (bit n: byte n was another than in the frame
        before, since `look_away`), and the fields of the last frame. A view, which the next `add` changes."""
        return self._rows[: self._table.ids.count]  # type: ignore[no-any-return]

    @property
    def keys(self) -> npt.NDArray[np.uint64]:
        """Of the rows; sorted they are by channel, 11-bit identifiers before 29-bit ones, then by number."""
        return self._table.keys

    def add(self, frames: FrameArray) -> None:
        """Take frames, STATUS and ERROR_FRAME records among them.

        Parameters
        ----------
        frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
            In the order recorded. Records that no controller could send count without their bits.

        Raises
        ------
        TypeError, ValueError
            No array of frames.
        """
        frames = contiguous(frames)
        for at in range(0, len(frames), STEP):
            self._add(frames[at : at + STEP])

    def _add(self, frames: FrameArray) -> None:
        bits, data = _lengths(frames)
        done = 0
        while True:
            done += _analysis.watch(
                self._table.ids,
                frames[done:],
                None if bits is None else bits[done:],
                None if data is None else data[done:],
                self._rows,
                self.channels,
                self._table.room >= self._most,
            )
            if done == len(frames):
                return
            self._table.grow()
            self._rows = grown(self._rows, self._table.room)

    def look_away(self) -> None:
        """What changes from now on is what `changed` marks."""
        self.rows["changed"] = 0


def _lengths(frames: FrameArray) -> tuple[Any, Any]:
    """Bits of each record at either rate; 0 where it is no frame; None, None where some record cannot be."""
    off_wire = (frames["flags"] & _NO_FRAME) != 0
    mixed = bool(off_wire.any())
    try:
        _, bits, data = lengths(chosen(frames, ~off_wire) if mixed else frames)
    except FrameError:
        return None, None
    if not mixed:
        return bits, data
    return _spread(bits, ~off_wire), None if data is None else _spread(data, ~off_wire)


def _spread(part: npt.NDArray[np.int32], places: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    whole = np.zeros(len(places), np.int32)
    whole[places] = part
    return whole


def jitter_ns(rows: npt.NDArray[np.void]) -> npt.NDArray[np.float64]:
    """Standard deviation of the periods (of the population); NaN where there is none."""
    periods = rows["count"] - 1
    squares = np.where(periods > 0, rows["square_ns2"], np.nan)
    return np.asarray(np.sqrt(squares / np.maximum(periods, 1)), np.float64)


def frames_of(rows: npt.NDArray[np.void]) -> FrameArray:
    """The last frames of rows, as records of FD_FRAME_DTYPE."""
    frames: FrameArray = np.zeros(len(rows), FD_FRAME_DTYPE)
    for name in FD_FRAME_DTYPE.names or ():
        frames[name] = rows[name]
    return frames
