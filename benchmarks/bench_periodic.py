"""Cyclic sending of 100 identifiers at 1 to 100 ms, beside python-can's `send_periodic` over the same library.

A channel of its own on the virtual bus receives; the bus's time stamps tell when each frame was on it.
`measure()` is for check.py; run as a program it prints the jitter of both.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import peers
import pytest

import canal_fast as cf
from canal_fast.drivers.library import VIRTUAL

PERIODS_MS = range(1, 101)
SECONDS = 6.0
START_NS = 500_000_000  # left out: threads are starting
ROUNDS = 3
names = itertools.count()


def ours(config: str) -> Callable[[], Any]:
    channel = cf.Channel.virtual(config)
    for ms in PERIODS_MS:
        channel.send_periodic(cf.make_frames(ms), ms / 1000)
    return channel.close


def python_can(config: str) -> Callable[[], Any]:
    import can

    bus = peers.python_can_bus(VIRTUAL, config)
    for ms in PERIODS_MS:
        bus.send_periodic(can.Message(arbitration_id=ms, is_extended_id=False), ms / 1000)
    return lambda: (bus.stop_all_periodic_tasks(), bus.shutdown())


def watch(start: Callable[[str], Callable[[], Any]], seconds: float = SECONDS) -> tuple[float, float]:
    """(99th percentile of |interval - period| in us, worst relative error of a mean period)."""
    config = f"periodic{next(names)};1000000;fifo=65536"  # so that the receiver is late without loss
    with cf.Channel.virtual(config, clock="device") as receiver:
        end = start(config)
        time.sleep(seconds)
        end()
        time.sleep(0.1)
        receiver.stop()
        frames = receiver.receive(1 << 20, timeout=0)
    began = frames["timestamp_ns"][0]
    frames = frames[frames["timestamp_ns"] > began + START_NS]
    jitter, errors = [], []
    for ms in PERIODS_MS:
        intervals = np.diff(frames["timestamp_ns"][frames["arbitration_id"] == ms])
        jitter.append(np.abs(intervals - ms * 1_000_000) / 1000)
        errors.append(abs(intervals.mean() / (ms * 1_000_000) - 1))
    return float(np.percentile(np.concatenate(jitter), 99)), float(max(errors))


def measure() -> dict[str, float | str]:
    try:
        import can  # noqa: F401
    except ImportError:
        print("python-can: NOT RUN, it is not installed")
        rounds = [watch(ours) for _ in range(ROUNDS)]
    else:
        pairs = [(watch(ours), watch(python_can)) for _ in range(ROUNDS)]
        rounds = [mine for mine, _ in pairs]
        theirs = [other for _, other in pairs]
        print(f"python-can: p99 jitter {[round(row[0]) for row in theirs]} us, "
              f"worst mean period off by {[f'{row[1]:.2%}' for row in theirs]}")  # fmt: skip
    print(f"canal_fast: p99 jitter {[round(row[0]) for row in rounds]} us, "
          f"worst mean period off by {[f'{row[1]:.3%}' for row in rounds]}")  # fmt: skip
    return {"periodic-mean": statistics.median(row[1] for row in rounds) / 0.001}


def test_starting_and_stopping_a_task(benchmark: Any) -> None:
    pytest.importorskip("pytest_benchmark")
    with cf.Channel.virtual(f"periodic{next(names)}") as channel:
        frames = cf.make_frames(1)
        benchmark(lambda: channel.send_periodic(frames, 60).stop())


if __name__ == "__main__":
    print(measure())
