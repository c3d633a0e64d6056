"""Frames as lines of JSON, as `canal-fast dump --json` prints them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray

from . import _json_lines

__all__ = ["format_json_lines"]

_BUFFER_BYTES = 1 << 20


def format_json_lines(frames: FrameArray, names: Mapping[int, str]) -> Iterator[memoryview]:
    """Frames as JSON objects, a line each, in parts that hold until the next is asked for.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    names : mapping
        Channel number -> interface name; can<number> otherwise.
    """
    about, places = _channels(names)
    longest = int(np.diff(places.astype(np.int64)).max())
    most = (_json_lines.LINE_MAX + longest) * max(len(frames), 1)
    out = np.empty(min(most, _BUFFER_BYTES + _json_lines.LINE_MAX + longest), np.uint8)
    first = 0
    while first < len(frames):
        count, used = _json_lines.json_lines(frames, first, about, places, out)
        first += count
        yield out.data[:used]


def _channels(names: Mapping[int, str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
    """The members that tell each channel, one behind the other, and where they begin and end."""
    rows = [
        f'"interface": {json.dumps(names.get(number, f"can{number}"))}, "channel": {number}'.encode()
        for number in range(256)
    ]
    places = np.zeros(257, np.uint32)
    np.cumsum([len(row) for row in rows], out=places[1:])
    return np.frombuffer(b"".join(rows), np.uint8), places
