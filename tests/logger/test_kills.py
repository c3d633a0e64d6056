"""Loggers that are killed, and what a power cut leaves of their files: read back, and repaired."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from oracle import pcapng_oracle, repair_oracle

import canal_fast as cf
from canal_fast.logs import repair

KILLS = 100 if os.environ.get("CANAL_FAST_LONG") else 10
WINDOW_S, FSYNC_S = 0.2, 0.4
ROUND_S = 0.1  # what is written later than its turn, besides the window
NAMES = ("x.pcapng", "x.log", "x.blf", "x.pcapng.gz")
FLUSHED = ("x.pcapng", "x.log")

LOGGER = """
import os, stat, sys, time
import canal_fast as cf
real = os.fsync
def fsync(descriptor):
    size = os.fstat(descriptor)
    real(descriptor)
    if stat.S_ISREG(size.st_mode):
        print(size.st_size, flush=True)
os.fsync = fsync
sources = [f"virtual:kill{n};500000;load=0.5;seed={n + 1};dlc=8,name=can{n}" for n in range(2)]
with cf.logger.Logger(sources, sys.argv[1], window_s=float(sys.argv[2]), fsync=float(sys.argv[3])) as logger:
    logger.run()
"""


class Stalls:
    """How much longer than asked this machine made a thread sleep, at worst: what it may have done to a logger."""

    def __init__(self) -> None:
        self.worst_s = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._end.is_set():
            before = time.monotonic()
            time.sleep(0.01)
            self.worst_s = max(self.worst_s, time.monotonic() - before - 0.01)

    def __enter__(self) -> Stalls:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


@dataclass
class Killed:
    path: Path
    at_ns: int
    synced: int  # bytes that were on the disk for sure


def kill(path: Path, after_s: float) -> Killed:
    """A logger that was killed so long after it had written something."""
    command = [sys.executable, "-P", "-c", LOGGER, str(path), str(WINDOW_S), str(FSYNC_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=path.parent) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first, "the logger ended by itself"
        time.sleep(after_s)
        at_ns = time.time_ns()
        os.kill(process.pid, signal.SIGKILL)
        sizes = [first, *process.stdout.read().splitlines(keepends=True)]
    return Killed(path, at_ns, int(next(line for line in reversed(sizes) if line.endswith("\n"))))


def read(path: Path) -> cf.FrameArray:
    return np.concatenate([np.empty(0, cf.FRAME_DTYPE), *cf.logs.batches(path, fd=False)])


def check_frames(frames: cf.FrameArray) -> None:
    """Each bus without a hole, in strict order of time."""
    assert (np.diff(frames["timestamp_ns"].astype(np.int64)) >= 0).all()
    for channel in range(2):
        numbers = frames["data"][frames["channel"] == channel][:, :4].copy().view("<u4").ravel()
        assert numbers.tolist() == list(range(len(numbers)))


def check_repaired(path: Path, frames: cf.FrameArray) -> None:
    """`repair` keeps what was read."""
    found = repair(path, in_place=True)
    assert found.frames == len(frames)
    with cf.logs.open_log(path, strict=True) as log:
        again = log.read(fd=False)
        assert not log.truncated
    assert np.array_equal(again, frames)
    assert repair(path).whole
    if shutil.which("tshark") and path.suffix == ".pcapng":
        command = ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.number"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "cut short" not in listed.stderr
        assert len(listed.stdout.split()) == len(frames)


def missing_s(killed: Killed, frames: cf.FrameArray) -> float:
    return (killed.at_ns - int(frames["timestamp_ns"][-1])) / 1e9


@pytest.mark.slow
@pytest.mark.unsanitized  # what it judges is time
@pytest.mark.posix
def test_kills_and_power_cuts(tmp_path: Path) -> None:
    moments = random.Random(KILLS)
    paths = []
    for number in range(KILLS):
        (tmp_path / str(number)).mkdir()
        paths.append(tmp_path / str(number) / NAMES[number % len(NAMES)])
    with Stalls() as stalls, ThreadPoolExecutor(2) as pool:
        results = list(pool.map(kill, paths, [moments.uniform(0, 1.2) for _ in paths]))
    after_kill, after_cut, cut_bytes = [], [], 0
    for killed in results:
        path, data = killed.path, killed.path.read_bytes()
        frames = read(path)
        check_frames(frames)
        if path.name == "x.pcapng":
            whole = repair_oracle.pcapng_end(data)
            assert len(frames) == len(pcapng_oracle.read(data[:whole])[0])
        if path.name in FLUSHED:
            after_kill.append(missing_s(killed, frames))
        copy = path.with_name(f"killed-{path.name}")
        copy.write_bytes(data)
        check_repaired(copy, frames)
        # A power cut: what was synced is there, and of the rest any part; or room for it that was never written to.
        size = moments.randint(killed.synced, len(data))
        cut_bytes += len(data) - size
        path.write_bytes(data[:size])
        cut = read(path)
        assert np.array_equal(cut, frames[: len(cut)])
        if path.name in FLUSHED:
            after_cut.append(missing_s(killed, cut))
        check_repaired(path, cut)
        if path.name in FLUSHED and moments.random() < 0.5:
            path.write_bytes(data[:size] + bytes(moments.randint(1, 5000)))
            repair(path, in_place=True)
            again = cf.read_log(path, strict=True)
            assert len(again) >= len(cut) - 1  # of text cut behind its last digit nobody knows that it is whole
            assert np.array_equal(again, frames[: len(again)])
    print(
        f"{KILLS} kills: at most {max(after_kill):.3f} s missing, {max(after_cut):.3f} s after a power cut with "
        f"--fsync {FSYNC_S}; {cut_bytes} bytes cut off; this machine stalled {stalls.worst_s:.3f} s at worst"
    )
    assert cut_bytes > 0
    assert max(after_kill) <= WINDOW_S + ROUND_S + stalls.worst_s
    assert max(after_cut) <= WINDOW_S + ROUND_S + FSYNC_S + stalls.worst_s
