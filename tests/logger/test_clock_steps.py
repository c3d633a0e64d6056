"""Somebody sets the host's clock while several buses are recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fake_table import LP64

import canal_fast as cf

HOUR = 3_600_000_000_000
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or not LP64, reason="NOT RUN: needs LD_PRELOAD"),
    pytest.mark.unsanitized,  # whose runtime wants to be preloaded first
    pytest.mark.slow,
]

SCRIPT = """
import json, struct, sys, time
from canal_fast.logger import Logger
steps, clock_file, output, follow, window_s = json.loads(sys.argv[1])
sources = [f"virtual:b{i};500000;rate=2000;seed={i};fifo=65536" for i in range(3)]
with Logger(sources, output, window_s=window_s, rotate_s=0.4, clock_step=follow) as logger:
    for number, total in enumerate([0, *steps]):
        with open(clock_file, "r+b") as file:
            file.write(struct.pack("q", total))
        end = time.monotonic() + window_s + 1
        while time.monotonic() < end or min(row.clock_steps for row in logger.ledgers.values()) < number:
            logger.step()
    logger.stop()
    logger.run()
ledgers = logger.ledgers.values()
print(json.dumps({"late": list(logger.late.values()), "stood_still_ns": [row.longest_drain_gap_ns for row in ledgers],
    "files": logger.recorder.files, "delivered": [row.delivered for row in ledgers],
    "steps": [row.clock_steps for row in ledgers]}))
"""
WINDOW_S = 1.0
LOOKS_NS = 5_000_000  # two readers' looks at both clocks, before a step and behind it, of at most 1 ms each


@pytest.mark.parametrize("follow", ["mark", "follow"])
def test_frames_stay_in_order_and_files_apart(follow: str, tmp_path: Path) -> None:
    preload, clock_file, folder = tmp_path / "step_clock.so", tmp_path / "clock", tmp_path / "files"
    source = Path(__file__).parents[1] / "c" / "step_clock.c"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", str(source), "-o", str(preload)], check=True)
    clock_file.write_bytes(bytes(8))
    folder.mkdir()
    arguments = json.dumps([[-HOUR, 2 * HOUR], str(clock_file), str(folder / "{time}-{n}.pcapng"), follow, WINDOW_S])
    environment = {**os.environ, "LD_PRELOAD": str(preload), "FAKE_CLOCK_FILE": str(clock_file)}
    command = [sys.executable, "-P", "-c", SCRIPT, arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    for late, stood_still_ns in zip(said["late"], said["stood_still_ns"], strict=True):
        assert late == 0 or stood_still_ns > WINDOW_S * 1e9  # a reader that starved for the window, and no other
    assert said["steps"] == [2, 2, 2]
    paths = sorted(folder.iterdir(), key=lambda path: path.name.rpartition("-")[2])
    assert len(paths) == said["files"] > 4
    frames = np.concatenate([cf.read_log(path, strict=True) for path in paths])
    assert np.bincount(frames["channel"]).tolist() == said["delivered"]
    unstepped = frames["timestamp_ns"].copy()
    for channel in range(3):
        at = np.flatnonzero(frames["channel"] == channel)
        numbers = np.ascontiguousarray(frames["data"][at, :4]).view("<u4")[:, 0]
        assert (np.diff(numbers.astype(np.int64)) == 1).all()
        times = frames["timestamp_ns"][at]
        hours = np.rint(np.diff(times, prepend=times[:1]) / HOUR).astype(np.int64)
        assert hours[hours != 0].tolist() == ([] if follow == "mark" else [-1, 3])
        unstepped[at] -= HOUR * np.cumsum(hours)
    latest = np.maximum.accumulate(unstepped)
    if follow == "mark":
        assert (unstepped < latest).sum() == sum(said["late"])
    else:
        assert (unstepped < latest - LOOKS_NS).sum() <= sum(said["late"])
