"""Recordings: candump text read and written beside python-can, pcapng written beside numpy.

Every figure is whole calls on files in the page cache: open, read or write, close; the pcapng writers go
to the null device. The data are the car's log of tests/data eight times over (103,792 frames).
"""

from __future__ import annotations

import gzip
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import canal_fast as cf

CAR_LOG = Path(__file__).resolve().parent.parent / "tests" / "data" / "car-bus.log.gz"
REPEATS = 8
MEMORY = Path("/dev/shm")  # memory-backed: the disk is not measured
ROUNDS = 7
NOT_INSTALLED = "NOT RUN: python-can is not installed"

BLOCK = np.dtype(  # one classical frame as recorded: Enhanced Packet Block with epb_flags
    [("head", "<u4", 2), ("id", "<u4"), ("time", "<u4", 2), ("lengths", "<u4", 2), ("can_id", ">u4")]
    + [("length", "u1"), ("zero", "u1", 2), ("raw", "u1"), ("data", "u1", 8), ("options", "<u4", 3), ("size", "<u4")]
)


def make_log(folder: Path) -> tuple[Path, cf.FrameArray]:
    path = folder / "car.log"
    path.write_bytes(gzip.decompress(CAR_LOG.read_bytes()) * REPEATS)
    return path, cf.read_log(path)


def read_with_python_can(path: Path) -> int:
    from can.io.canutils import CanutilsLogReader

    with CanutilsLogReader(path) as reader:
        return sum(1 for _ in reader)


def write_with_python_can(path: Path, messages: list[Any]) -> None:
    from can.io.canutils import CanutilsLogWriter

    with CanutilsLogWriter(path) as writer:
        for message in messages:
            writer.on_message_received(message)


def write_with_numpy(path: Path, frames: cf.FrameArray) -> None:
    """The same packet blocks by numpy's columns: base and extended data frames only, no interface, no checks."""
    blocks = np.zeros(len(frames), BLOCK)
    time_ns = frames["timestamp_ns"].view(np.uint64)
    blocks["head"] = 6, 60
    blocks["time"][:, 0] = time_ns >> np.uint64(32)
    blocks["time"][:, 1] = time_ns & np.uint64(0xFFFFFFFF)
    blocks["lengths"] = 16
    blocks["can_id"] = frames["arbitration_id"] | (frames["flags"] & 1).astype(np.uint32) << 31
    blocks["length"] = np.minimum(frames["dlc"], 8)
    blocks["raw"] = np.where(frames["dlc"] > 8, frames["dlc"], 0)
    blocks["data"] = frames["data"]
    blocks["options"] = 0x00040002, 1, 0
    blocks["size"] = 60
    with path.open("wb", buffering=0) as file:
        file.write(blocks.view(np.uint8).data)


def medians(*calls: Callable[[], object]) -> list[float]:
    """Median CPU seconds of each call, the rounds interleaved."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for row, call in zip(times, calls, strict=True):
            start = time.thread_time()
            call()
            row.append(time.thread_time() - start)
    return [statistics.median(row) for row in times]


def measure() -> dict[str, float | str]:
    rows: dict[str, float | str] = {}
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        log, frames = make_log(folder)
        ours, peer = folder / "ours.pcapng", folder / "peer.bin"
        cf.write_log(ours, frames)
        write_with_numpy(peer, frames)
        assert peer.read_bytes() in ours.read_bytes()
        sink = folder / "null.pcapng"  # the disk's mood is none of the encoders' business
        sink.symlink_to(os.devnull)
        fast, slow = medians(lambda: cf.write_log(sink, frames), lambda: write_with_numpy(sink, frames))
        rows["log-write-pcapng"] = slow / fast
        try:
            import can
        except ImportError:
            return rows | dict.fromkeys(("log-read-candump", "log-write-candump", "log-read-pcapng"), NOT_INSTALLED)
        fast, pcapng, slow = medians(
            lambda: cf.read_log(log), lambda: cf.read_log(ours), lambda: read_with_python_can(log)
        )
        rows["log-read-candump"] = slow / fast
        rows["log-read-pcapng"] = slow / pcapng
        with can.LogReader(log) as reader:
            messages = list(reader)
        text, theirs = folder / "ours.log", folder / "theirs.log"
        fast, slow = medians(lambda: cf.write_log(text, frames), lambda: write_with_python_can(theirs, messages))
        rows["log-write-candump"] = slow / fast
    return rows


@pytest.fixture
def log(tmp_path: Path) -> tuple[Path, cf.FrameArray]:
    return make_log(tmp_path)


def test_read_candump(benchmark: Any, log: tuple[Path, cf.FrameArray]) -> None:
    assert len(benchmark(cf.read_log, log[0])) == len(log[1])


def test_read_pcapng(benchmark: Any, log: tuple[Path, cf.FrameArray], tmp_path: Path) -> None:
    cf.write_log(tmp_path / "x.pcapng", log[1])
    assert np.array_equal(benchmark(cf.read_log, tmp_path / "x.pcapng"), log[1])


@pytest.mark.parametrize("suffix", [".pcapng", ".log"])
def test_write(benchmark: Any, log: tuple[Path, cf.FrameArray], tmp_path: Path, suffix: str) -> None:
    benchmark(cf.write_log, tmp_path / f"x{suffix}", log[1])


if __name__ == "__main__":
    for row, ratio in measure().items():
        print(row, ratio if isinstance(ratio, str) else f"{ratio:.1f}")
