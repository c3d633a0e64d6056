"""Time as a process that runs beside a call has it: what a machine does not run does not count.

A limit judged by it is as sharp as one by the clock where the machine is idle, and holds where it is not.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType

TURN_S = 0.01


class Beside:
    """A thread that sleeps a turn and counts it, while the context lasts. A turn that took longer is one turn, too:
    neither stopping the process nor a busy machine makes the count grow."""

    def __init__(self) -> None:
        self.ticks = 0
        self.latest_s = 0.0  # the longest that a turn took beyond its time
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        before = time.monotonic()
        while not self._done.wait(TURN_S):
            self.ticks += 1
            now = time.monotonic()
            self.latest_s = max(self.latest_s, now - before - TURN_S)
            before = now

    @property
    def seconds(self) -> float:
        return self.ticks * TURN_S

    def __enter__(self) -> Beside:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()


def process_state(process: int) -> str:
    """The letter in /proc: R running, T stopped, Z ended; "" when it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
