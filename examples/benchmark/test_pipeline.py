"""A pipeline of your own under regression: how fast is it, and has it become slower? No hardware is needed.

pip install canal_fast pytest-benchmark
pytest examples/benchmark --benchmark-save=good                             # once, where it is fast enough
pytest examples/benchmark --benchmark-compare --benchmark-compare-fail=median:20%   # from then on: fails if slower
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import canal_fast as cf
from canal_fast import analysis

pytest_plugins = ["canal_fast.testing"]


def busiest(path: Path) -> int:
    """The pipeline: which identifier loads the bus most?"""
    statistics = analysis.Statistics()
    with cf.logs.open_log(path) as log:
        for frames in log.batches():
            statistics.add(frames)
    return int(max(statistics.summary()["ids"], key=lambda row: row["share"])["arbitration_id"])


def test_from_disk(benchmark: Any, can_recording: Callable[..., Path]) -> None:
    path = can_recording(200_000, load=0.6)
    assert benchmark(busiest, path) in range(0x800)


def test_in_memory(benchmark: Any, can_frames: Callable[..., cf.FrameArray]) -> None:
    frames = can_frames(200_000, load=0.9, channels=2)
    assert len(benchmark(analysis.periods, frames)) == 100


def test_from_a_full_bus(benchmark: Any, can_bus: Callable[..., cf.Channel]) -> None:
    channel = can_bus(load=1.0, bitrate=1_000_000)
    frames = benchmark.pedantic(channel.receive, kwargs={"min_frames": 1000, "timeout": 5.0}, rounds=3)
    assert len(frames) >= 1000
    channel.ledger().verify()
