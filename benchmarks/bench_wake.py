"""From a frame's coming to Python's return from `receive`, beside python-can's usb2can and a bare condition variable.

One frame each 70, 4, 1.5 and 0.4 ms, jittered; the driver writes the time of each into its payload. Run as a program it
prints every spacing; the row is that of 4 ms, which is diagnostics and ISO-TP.
"""

from __future__ import annotations

import ctypes
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import peers
import pytest

import canal_fast as cf

SPACINGS_MS = {70.0: 20, 4.0: 250, 1.5: 400, 0.4: 1000}  # and frames of each
ROUNDS = 5
Late = np.ndarray[Any, np.dtype[np.int64]]


class Driver:
    def __init__(self, folder: Path) -> None:
        self.path = peers.compile_c("wake_driver", folder)
        self.library = ctypes.CDLL(str(self.path))
        self.library.WakeStart.argtypes = [ctypes.c_int64, ctypes.c_uint]
        self.library.WakeBare.argtypes = [ctypes.c_uint, ctypes.c_void_p]
        self.library.CanalOpen(b"", 0)

    def watch(self, spacing_ms: float, take: Callable[[], int]) -> Late:
        """How late each frame is taken, ns; `take` gives the time at which one came."""
        count = SPACINGS_MS[spacing_ms]
        late = np.empty(count, np.int64)
        self.library.WakeStart(round(spacing_ms * 1e6), count)
        for at in range(count):
            came = take()
            late[at] = time.monotonic_ns() - came
        self.library.WakeJoin()
        return late

    def bare(self, spacing_ms: float) -> Late:
        count = SPACINGS_MS[spacing_ms]
        late = np.empty(count, np.int64)
        self.library.WakeStart(round(spacing_ms * 1e6), count)
        self.library.WakeBare(count, late.ctypes.data)
        self.library.WakeJoin()
        return late

    def ours(self, spacing_ms: float) -> Late:
        with cf.Channel(self.path) as channel:
            return self.watch(spacing_ms, lambda: int(channel.receive(1, timeout=10)["data"].view(np.int64)[0, 0]))

    def python_can(self, spacing_ms: float) -> Late:
        bus = peers.python_can_bus(self.path, "")
        try:
            return self.watch(spacing_ms, lambda: int.from_bytes(bus.recv(10).data, "little"))
        finally:
            bus.shutdown()


def rounds(driver: Driver, spacing_ms: float) -> dict[str, Late]:
    """What each side gives in all rounds, in which they take turns."""
    sides = {"bare": driver.bare, "ours": driver.ours, "python-can": driver.python_can}
    seen: dict[str, list[Late]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            seen[name].append(side(spacing_ms))
    for name, parts in seen.items():
        p50, p99 = np.percentile(np.concatenate(parts), (50, 99)) / 1000
        print(f"   a frame each {spacing_ms:g} ms, {name}: p50 {p50:.0f} us, p99 {p99:.0f} us")
    return {name: np.concatenate(parts) for name, parts in seen.items()}


def measure() -> dict[str, float | str]:
    try:
        import can  # noqa: F401
    except ImportError:
        return {"wake-4ms": "NOT RUN: python-can is not installed"}
    with tempfile.TemporaryDirectory() as folder:
        late = rounds(Driver(Path(folder)), 4.0)
    return {"wake-4ms": float(np.median(late["ours"]) / np.median(late["python-can"]))}


def test_wake(tmp_path: Path, benchmark: Any) -> None:
    pytest.importorskip("pytest_benchmark")
    driver = Driver(tmp_path)
    benchmark.pedantic(lambda: driver.ours(0.4), rounds=1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        for spacing in SPACINGS_MS:
            rounds(Driver(Path(name)), spacing)
