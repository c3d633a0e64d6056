"""Frames of several channels in one order by time, as far as they come within a window."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray, chosen
from canal_fast.frames import joined as joined_frames

__all__ = ["Keys", "Ordering", "joined"]

Keys = npt.NDArray[np.int64]
"""Times that frames are ordered by, in ns: their time stamps, without steps of the host's clock."""


def joined(arrays: list[FrameArray]) -> FrameArray:
    """One array of all; the only one as it is."""
    return arrays[0] if len(arrays) == 1 else joined_frames(arrays)


class Ordering:
    """Holds frames back until no earlier ones of other channels are to be expected.

    In rounds: every channel is asked once, then what is due is taken. The greatest time of a round is due when another
    round has begun a window later: since every channel was asked once more by then, however long the process stood
    still in between, an earlier frame that comes after it was in its driver for longer than the window. Such a frame is
    late: it is given at once, behind later ones.

    Parameters
    ----------
    channels : int
    window_s : float
    monotonic : callable
        Seconds since whenever.

    Attributes
    ----------
    late : list of int
        Late frames of each channel.
    newest : tuple of (int, float), or None
        The greatest time so far, and when it was given.
    """

    def __init__(self, channels: int, window_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.late = [0] * channels
        self.newest: tuple[int, float] | None = None
        self._window_s, self._monotonic = window_s, monotonic
        self._frames: list[FrameArray] = []
        self._keys: list[Keys] = []
        self._began = monotonic()
        self._marks: deque[tuple[float, int]] = deque()
        self._due: int | None = None
        self._given: int | None = None
        self._backlog: int | None = None
        self._ready: tuple[FrameArray, Keys] = joined([]), np.empty(0, np.int64)

    def __len__(self) -> int:
        """Frames that are held."""
        return self.ready + sum(map(len, self._keys))

    @property
    def ready(self) -> int:
        """Frames among them that were due, and more than the last `take` was to give: the next ones give them."""
        return len(self._ready[1])

    def begin(self) -> None:
        """A round begins."""
        self._began, self._backlog = self._monotonic(), None

    def give(self, frames: FrameArray, keys: Keys, more: bool = False) -> None:
        """What a channel had, in its own order; `more`: not all of it."""
        if not len(frames):
            return
        self._frames.append(frames)
        self._keys.append(np.maximum.accumulate(keys))
        last = int(self._keys[-1][-1])
        if self.newest is None or last > self.newest[0]:
            self.newest = last, self._monotonic()
        if more:
            self._backlog = last if self._backlog is None else min(self._backlog, last)

    def take(self, final: bool = False, most: int | None = None) -> tuple[FrameArray, Keys]:
        """End the round: the frames that are due, ordered, and their times. `final`: all. `most`: not more at once."""
        frames, keys = self._ready if self.ready else self._take_due(final)
        self._ready = (frames[:0], keys[:0]) if most is None else (frames[most:], keys[most:])
        return frames[:most], keys[:most]

    def _take_due(self, final: bool) -> tuple[FrameArray, Keys]:
        while self._marks and self._marks[0][0] <= self._began - self._window_s:
            self._due = self._marks.popleft()[1]
        last = self._marks[-1][1] if self._marks else self._due
        if self.newest is not None and (last is None or last < self.newest[0]):
            self._marks.append((self._monotonic(), self.newest[0]))
        if not self._frames:
            return joined([]), np.empty(0, np.int64)
        frames, keys = joined(self._frames), np.concatenate(self._keys)
        order = np.argsort(keys, kind="stable")
        frames, keys = chosen(frames, order), keys[order]
        due = self._due
        if self._backlog is not None and due is not None:
            due = min(due, self._backlog)
        count = len(keys) if final else 0 if due is None else int(np.searchsorted(keys, due, "right"))
        self._frames, self._keys = ([frames[count:]], [keys[count:]]) if count < len(keys) else ([], [])
        if count:
            if self._given is not None and keys[0] < self._given:
                late = frames["channel"][: int(np.searchsorted(keys[:count], self._given))]
                for channel, number in enumerate(np.bincount(late, minlength=len(self.late))):
                    self.late[channel] += int(number)
            self._given = max(int(keys[count - 1]), self._given if self._given is not None else int(keys[count - 1]))
        return frames[:count], keys[:count]
