"""Arrays for the frames that `Channel.receive` gives away."""

from __future__ import annotations

import numpy as np

from canal_fast.frames import FrameArray

__all__ = ["Room"]

_ONES = 64


class Room:
    """Makes them quickly. Those of one record are made some at a time, of one piece of memory: for a single frame that
    would be most of the work. Threads may share it."""

    def __init__(self, dtype: np.dtype[np.void]) -> None:
        self._dtype, self._bytes = dtype, dtype.itemsize
        self._ones: list[FrameArray] = []

    def make(self, count: int) -> FrameArray:
        """A writable array of `count` records."""
        if count == 1:
            try:
                return self._ones.pop()
            except IndexError:
                block = self.make(_ONES)
                self._ones += [block[i : i + 1] for i in range(1, _ONES)]
                return block[:1]
        # A bytearray: numpy.empty takes longer than all the rest to make a small array of records.
        return np.frombuffer(bytearray(count * self._bytes), self._dtype)
