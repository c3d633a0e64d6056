"""From a frame's coming to Python's return from `receive`, beside python-can's usb2can and a bare condition variable.

One frame each 70, 4, 1.5 and 0.4 ms, jittered; the driver writes the time of each into its payload. 4 ms is
diagnostics and ISO-TP. Frames less than 2 x coalesce_ms apart are coalesced, so the times of 1.5 and 0.4 ms stand
beside coalesce_ms. And how long `close` takes right after a frame, with our driver and with one whose waits nobody can
end. Run as a program it prints all sides.
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

SPACINGS_MS = {70.0: 12, 4.0: 250, 1.5: 400, 0.4: 1000}  # and frames of each
ROUNDS = 5
COALESCE_NS = 1e6  # the default
CLOSE_MS, SLICE_MS, CLOSES = 5, 50, 21
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


def close_ms(opened: Callable[[], cf.Channel], send: Callable[[], object]) -> float:
    """Median of what `close` takes when a frame has just come."""
    taken = []
    for _ in range(CLOSES):
        channel = opened()
        send()
        assert len(channel.receive(1, timeout=10)) == 1
        before = time.perf_counter_ns()
        channel.close()
        taken.append((time.perf_counter_ns() - before) / 1e6)
    return float(np.median(taken))


def close_rows(driver: Driver) -> dict[str, float]:
    with cf.Channel.virtual("bench_wake;1000000") as sender:
        ours = close_ms(
            lambda: cf.Channel.virtual("bench_wake;1000000"), lambda: sender.send(cf.make_frames([0x123], bytes(8)))
        )
    other = close_ms(
        lambda: cf.Channel(driver.path), lambda: (driver.library.WakeStart(1000, 1), driver.library.WakeJoin())
    )
    print(f"   close right after a frame: our driver {ours:.2f} ms, one with CanalBlockingReceive {other:.2f} ms")
    return {"close-ours": ours / CLOSE_MS, "close-other": other / SLICE_MS}


def measure() -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    try:
        import can  # noqa: F401
    except ImportError:
        return dict.fromkeys(ROWS, "NOT RUN: python-can is not installed")
    with tempfile.TemporaryDirectory() as folder:
        driver = Driver(Path(folder))
        for spacing in SPACINGS_MS:
            late = rounds(driver, spacing)
            for name, percent in (("", 50), ("-p99", 99)):
                ours, theirs = (float(np.percentile(late[side], percent)) for side in ("ours", "python-can"))
                found[f"wake-{spacing:g}ms{name}"] = ours / (theirs if spacing > 2 else COALESCE_NS)
        return found | close_rows(driver)


ROWS = [f"wake-{spacing:g}ms{name}" for spacing in SPACINGS_MS for name in ("", "-p99")] + ["close-ours", "close-other"]


def test_wake(tmp_path: Path, benchmark: Any) -> None:
    pytest.importorskip("pytest_benchmark")
    driver = Driver(tmp_path)
    benchmark.pedantic(lambda: driver.ours(0.4), rounds=1)


if __name__ == "__main__":
    print(measure())
