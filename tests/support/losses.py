"""What the loss tests share: stress for the interpreter, a watch on the host, and counting what is missing."""

from __future__ import annotations

import bisect
import contextlib
import ctypes
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from oracle import virtual_oracle as oracle

LONG = bool(os.environ.get("CANAL_FAST_LONG"))
SECONDS = 10.0 if LONG else 2.0
HOLD = 2.0  # seconds for which one C call keeps the GIL
STALL_NS = 25_000_000
BITRATE = 1_000_000
WATCHED_CPUS = 4


def sleep_with_gil(seconds: float) -> None:
    """One C call that sleeps and lets no other Python thread run meanwhile."""
    if sys.platform == "win32":
        ctypes.PyDLL("kernel32").Sleep(int(seconds * 1e3))
    else:
        ctypes.PyDLL(None).usleep(int(seconds * 1e6))


def busy(until: float) -> None:
    while time.monotonic() < until:
        pass


def hold(until: float) -> None:
    while time.monotonic() < until:
        sleep_with_gil(HOLD)


def collect(until: float) -> None:
    enabled = gc.isenabled()
    gc.disable()
    try:
        kept = [[[]] for _ in range(500_000)]  # a million objects that the collector walks
        while time.monotonic() < until:
            gc.collect()
        kept.clear()
    finally:
        if enabled:
            gc.enable()


STRESSES: dict[str, Callable[[float], None]] = {"busy": busy, "gil": hold, "gc": collect}


@contextlib.contextmanager
def stressed(stress: Callable[[float], None], seconds: float) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=stress, args=(time.monotonic() + seconds,))
    thread.start()
    yield thread
    thread.join()


# A process of its own, so that nobody's GIL is in its way: on each CPU a thread that sleeps 2 ms and
# notes how much later than asked for it ran again.
WATCH = """
import os, sys, threading, time
worst = []
def watch(cpu, ended):
    if cpu >= 0:
        os.sched_setaffinity(0, {cpu})
    longest, before = 0, time.monotonic_ns()
    while not ended.is_set():
        time.sleep(0.002)
        now = time.monotonic_ns()
        longest, before = max(longest, now - before), now
    worst.append(longest)
ended = threading.Event()
threads = [threading.Thread(target=watch, args=(int(cpu), ended)) for cpu in sys.argv[1:]]
for thread in threads:
    thread.start()
print("ready", flush=True)
sys.stdin.read()
ended.set()
for thread in threads:
    thread.join()
print(max(worst))
"""


class HostWatch:
    """The longest time for which the host did not run a thread that was ready, on any CPU used here.

    It knows nothing of the reader: the reader's own longest_drain_gap_ns would excuse the reader's own faults.
    """

    def __enter__(self) -> HostWatch:
        cpus = [-1]
        self._before: set[int] | None = None
        if hasattr(os, "sched_setaffinity"):  # threads started meanwhile stay on the CPUs that are watched
            self._before = os.sched_getaffinity(0)
            cpus = sorted(self._before)[:WATCHED_CPUS]
            os.sched_setaffinity(0, cpus)
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", WATCH, *map(str, cpus)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self.stall_ns = 0
        return self

    def __exit__(self, *_: object) -> None:
        out, _ = self._process.communicate()
        self.stall_ns = int(out)
        if self._before is not None:
            os.sched_setaffinity(0, self._before)


_ends: list[int] = []


def arrivals(elapsed_ns: int) -> int:
    """How many frames of load=1;dlc=0 are over `elapsed_ns` after the bus's beginning, by the oracle."""
    now = elapsed_ns * BITRATE // 1_000_000_000
    while not _ends or _ends[-1] <= now:
        frame = oracle.Frame(len(_ends), True, False, 0, b"")
        _ends.append((_ends[-1] + 3 if _ends else 0) + oracle.frame_bits(frame))
    return bisect.bisect_right(_ends, now)


def missing(sequence: npt.NDArray[np.int64]) -> int:
    """Numbers that are not there, from 0 to the last one."""
    assert (np.diff(sequence) > 0).all(), "out of order, or twice"
    return int(sequence[-1]) + 1 - len(sequence) if len(sequence) else 0
