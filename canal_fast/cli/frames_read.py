"""How many frames of a recording have been read, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

__all__ = ["FramesRead"]


class FramesRead:
    """Frames read so far, on a terminal: by tqdm where it is installed, otherwise a plain line each second."""

    def __init__(self, command: str) -> None:
        self._bar: Callable[[int], object] | None = None
        self._close: Callable[[], None] = lambda: None
        self._seen, self._last, self._shown = 0, time.monotonic(), False
        self._terminal = sys.stderr.isatty()
        if not self._terminal:
            return
        try:
            from tqdm import tqdm  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            return
        bar = tqdm(unit=" frames", unit_scale=True, desc=command, leave=False)
        self._bar, self._close = bar.update, bar.close

    def __call__(self, frames: int) -> None:
        if self._bar is not None:
            self._bar(frames - self._seen)
        elif self._terminal and time.monotonic() - self._last >= 1:
            print(f"\r{frames} frames", end="", file=sys.stderr, flush=True)
            self._last, self._shown = time.monotonic(), True
        self._seen = frames

    def end(self) -> None:
        self._close()
        if self._shown:
            print("\r" + " " * 30 + "\r", end="", file=sys.stderr, flush=True)
