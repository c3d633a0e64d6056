"""The pytest plugin: loads as stated, the same each time, and the example of a user's own pipeline."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import testing, wire

pytest_plugins = ["canal_fast.testing"]
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("load", [1.0, 0.37])
@pytest.mark.parametrize("fd", [False, True])
def test_the_load_is_as_stated(can_frames: Callable[..., cf.FrameArray], load: float, fd: bool) -> None:
    frames = can_frames(4000, load, fd=fd, channels=2, ids=7)
    assert len(frames) == 4000
    assert (np.diff(frames["timestamp_ns"]) >= 0).all()
    cf.check_frames(frames)
    assert (frames == can_frames(4000, load, fd=fd, channels=2, ids=7)).all()
    for channel in (0, 1):
        mine = frames[frames["channel"] == channel]
        busy = wire.frame_duration_ns(mine, 500_000, 2_000_000)
        span = int(mine["timestamp_ns"][-1] - mine["timestamp_ns"][0])
        assert busy[1:].sum() / span == pytest.approx(load, rel=1e-6)
        assert (np.diff(mine["timestamp_ns"]) * load >= busy[1:] - 1).all()
    assert len(np.unique(frames["arbitration_id"])) == 7
    assert bool((frames["flags"] & cf.FrameFlag.FD).any()) == fd


def test_recording_and_bus(can_recording: Callable[..., Path], can_bus: Callable[..., cf.Channel]) -> None:
    paths = [can_recording(500), can_recording(500, suffix=".log")]
    assert len({*paths}) == 2
    assert (cf.read_log(paths[0]) == testing.load_frames(500)).all()
    channel = can_bus(bitrate=1_000_000)
    assert len(channel.receive(min_frames=200, timeout=5.0)) >= 200
    assert len(can_bus(load=0.0).receive(timeout=0.05)) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"load": 0}, "load = 0, allowed above 0"),
        ({"ids": 0}, r"ids = 0, allowed 1\.\.2048"),
        ({"channels": 300}, "300"),
    ],
)
def test_what_cannot_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        testing.load_frames(5, **options)
    assert len(testing.load_frames(0)) == 0


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.slow
@pytest.mark.unsanitized
def test_the_example_fails_where_it_became_slower(tmp_path: Path) -> None:
    pytest.importorskip("pytest_benchmark", reason="NOT RUN: pytest-benchmark is not installed")
    text = (EXAMPLES / "benchmark" / "test_pipeline.py").read_text()
    (tmp_path / "test_pipeline.py").write_text(text)
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-k", "memory or bus"]
    first = run(*command, "--benchmark-save=good", cwd=tmp_path)
    assert first.returncode == 0, first.stdout
    slow = "    import time\n    time.sleep(0.5)\n    return analysis.periods(frames)\n"
    slower = text.replace("benchmark(analysis.periods, frames)", "benchmark(slowed, frames)")
    (tmp_path / "test_pipeline.py").write_text(slower + "\n\ndef slowed(frames):\n" + slow)
    second = run(*command, "--benchmark-compare", "--benchmark-compare-fail=median:100%", cwd=tmp_path)
    assert second.returncode != 0
    assert "Performance has regressed" in second.stdout + second.stderr
