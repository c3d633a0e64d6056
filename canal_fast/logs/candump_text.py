"""Frames as candump text: `format_candump`."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from canal_fast.frames import FrameArray, check_records

from . import _logs
from .format_rows import by_name
from .interfaces import channel_rows
from .recording_file import BUFFER_BYTES

__all__ = ["format_candump"]


def format_candump(frames: FrameArray, names: Mapping[int, str] | None = None, *, nanoseconds: bool = False) -> bytes:
    r"""Frames as candump text, one line each.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    names : mapping, optional
        Channel number -> interface name; can<number> otherwise.
    nanoseconds : bool
        False: times have six decimals, rounded down, as candump's own. True: nine, which other programs misread.

    Returns
    -------
    bytes
        Lines, each with its end.

    Raises
    ------
    FrameError
        As `Recorder.write`.

    Examples
    --------
    >>> frames = cf.make_frames(0x123, b"hello", timestamp_ns=1_500_000_000)
    >>> cf.logs.format_candump(frames, {0: "can0"})
    b'(0000000001.500000) can0 123#68656C6C6F\n'
    """
    check_records(frames)
    writer = _logs.LogWriter(by_name("candump").index, channel_rows(names), nanoseconds)
    buffer = np.empty(min(BUFFER_BYTES, writer.record_max * (len(frames) + 1)), np.uint8)
    parts = []
    first = 0
    while True:
        count, used = writer.encode(frames, first, buffer, len(buffer))
        parts.append(buffer[:used].tobytes())
        first += count
        if first >= len(frames):
            return b"".join(parts)
