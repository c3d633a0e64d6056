"""Whole recordings as one array, its copies as whole records, its bus load: 2 M frames, beside python-can and numpy.

CPU time, one thread; files in memory (/dev/shm where there is one). Memory is the peak of a program of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_logs import BLOCK, NOT_INSTALLED, medians, read_with_python_can

import canal_fast as cf
from canal_fast.frames import chosen, copied, joined
from canal_fast.logs.json_lines import format_json_lines

FRAMES = 2_000_000
PEER_FRAMES = 20_000
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
PEAK = """
import sys
import canal_fast as cf
def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) << 10
cf.read_log(sys.argv[1])
before = peak()
frames = cf.read_log(sys.argv[2])
print((peak() - before) / frames.nbytes)
"""


def traffic(count: int) -> cf.FrameArray:
    rng = np.random.default_rng(1)
    frames: cf.FrameArray = np.zeros(count, cf.FRAME_DTYPE)
    frames["timestamp_ns"] = 1_700_000_000 * 10**9 + np.arange(count) * 241_000
    frames["arbitration_id"] = rng.integers(0, 64, count) * 16 + 0x100
    frames["dlc"] = 8
    frames["data"] = rng.integers(0, 256, (count, 8), np.uint8)
    return frames


def read_with_numpy(path: Path) -> cf.FrameArray:
    """Packet blocks of classical frames by numpy's columns, after a header of known length; nothing is checked."""
    blocks = np.fromfile(path, BLOCK, offset=(path.stat().st_size - FRAMES * BLOCK.itemsize))
    frames: cf.FrameArray = np.zeros(len(blocks), cf.FRAME_DTYPE)
    frames["timestamp_ns"] = blocks["time"][:, 0].astype(np.int64) << 32 | blocks["time"][:, 1]
    frames["arbitration_id"] = blocks["can_id"] & 0x1FFFFFFF
    frames["flags"] = blocks["can_id"] >> 31
    frames["dlc"] = blocks["length"]
    frames["data"] = blocks["data"]
    return frames


def peak(small: Path, path: Path) -> float | str:
    """Memory that reading takes at its peak over that of the frames."""
    if sys.platform != "linux":
        return "NOT RUN: /proc tells it, on Linux"
    command = [sys.executable, "-P", "-c", PEAK, str(small), str(path)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def copies(frames: cf.FrameArray) -> dict[str, float | str]:
    """Times faster than numpy's own copies of the same, which go field by field."""
    half = frames["arbitration_id"] < np.median(frames["arbitration_id"])
    order = np.argsort(frames["arbitration_id"], kind="stable")
    batches = [frames[at : at + 4096] for at in range(0, len(frames), 4096)]
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "records-copy": (lambda: copied(frames), lambda: frames.copy()),
        "records-mask": (lambda: chosen(frames, half), lambda: frames[half]),
        "records-order": (lambda: chosen(frames, order), lambda: frames[order]),
        "records-join": (lambda: joined(batches), lambda: np.concatenate(batches)),
    }
    found: dict[str, float | str] = {}
    for name, (ours, numpys) in pairs.items():
        fast, slow = medians(ours, numpys)
        found[name] = slow / fast
    return found


def loads_with_numpy(
    frames: cf.FrameArray, durations: np.ndarray[Any, np.dtype[np.int64]], by_id: bool
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Bus load by numpy's bincount, of durations that are ready."""
    times = frames["timestamp_ns"]
    window = (times - times.min()) // 10**9
    if by_id:
        extended = (frames["flags"] & 1).astype(np.uint64) << np.uint64(32)
        _, row = np.unique(extended | frames["arbitration_id"], return_inverse=True)
        window += row * (window.max() + 1)
    return np.bincount(window, weights=durations) / 1e9


def loads(frames: cf.FrameArray) -> dict[str, float | str]:
    durations = cf.wire.frame_duration_ns(frames, 500_000)
    _, load, _ = cf.wire.bus_load(frames, 500_000, per_id=True)
    assert np.allclose(load.reshape(-1), loads_with_numpy(frames, durations, True))
    length, duration, ours, numpys, by_id, numpys_by_id = medians(
        lambda: cf.wire.frame_length_bits(frames),
        lambda: cf.wire.frame_duration_ns(frames, 500_000),
        lambda: cf.wire.bus_load(frames, 500_000),
        lambda: loads_with_numpy(frames, durations, False),
        lambda: cf.wire.bus_load(frames, 500_000, per_id=True),
        lambda: loads_with_numpy(frames, durations, True),
    )
    return {
        "frame-duration": duration / length,
        "bus-load": ours / numpys,
        "bus-load-by-id": numpys_by_id / by_id,
    }


def lines_with_json(frames: cf.FrameArray) -> str:
    """The same objects by Python's json, a frame at a time."""
    return "".join(
        json.dumps(
            {
                "timestamp_ns": int(frame["timestamp_ns"]),
                "interface": "can0",
                "channel": int(frame["channel"]),
                "arbitration_id": int(frame["arbitration_id"]),
                "dlc": int(frame["dlc"]),
                "flags": [flag.name for flag in cf.FrameFlag if int(frame["flags"]) & flag],
                "data": bytes(frame["data"][:length]).hex(),
            }
        )
        + "\n"
        for frame, length in zip(frames, cf.payload_length(frames).tolist(), strict=True)
    )


def lines(frames: cf.FrameArray) -> float:
    some = frames[:PEER_FRAMES]
    assert b"".join(map(bytes, format_json_lines(some, {}))).decode() == lines_with_json(some)
    ours, theirs = medians(lambda: sum(map(len, format_json_lines(frames, {}))), lambda: lines_with_json(some))
    return theirs / PEER_FRAMES / (ours / len(frames))


def measure() -> dict[str, float | str]:
    frames = traffic(FRAMES)
    rows = copies(frames) | loads(frames) | {"json-lines": lines(frames[:200_000])}
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        text, blocks, small = (Path(name) / n for n in ("x.log", "x.pcapng", "small.log"))
        cf.write_log(text, frames)
        cf.write_log(blocks, frames)
        cf.write_log(small, frames[:PEER_FRAMES])
        assert np.array_equal(read_with_numpy(blocks), cf.read_log(blocks))
        rows["read-candump-memory"], rows["read-pcapng-memory"] = peak(small, text), peak(small, blocks)
        ours, theirs = medians(lambda: cf.read_log(blocks), lambda: read_with_numpy(blocks))
        rows["read-pcapng-2m"] = theirs / ours
        try:
            import can  # noqa: F401
        except ImportError:
            return rows | {"read-candump-2m": NOT_INSTALLED}
        ours, theirs = medians(lambda: cf.read_log(text), lambda: read_with_python_can(small))
        rows["read-candump-2m"] = theirs / PEER_FRAMES / (ours / FRAMES)
    return rows


@pytest.mark.parametrize("suffix", [".log", ".pcapng"])
def test_read(benchmark: Any, tmp_path: Path, suffix: str) -> None:
    cf.write_log(tmp_path / f"x{suffix}", traffic(300_000))
    assert len(benchmark(cf.read_log, tmp_path / f"x{suffix}")) == 300_000


@pytest.mark.parametrize("copy", [copied, lambda frames: chosen(frames, frames["arbitration_id"] < 0x300)])
def test_copies(benchmark: Any, copy: Callable[[cf.FrameArray], cf.FrameArray]) -> None:
    assert len(benchmark(copy, traffic(100_000))) > 10_000


if __name__ == "__main__":
    for row, ratio in measure().items():
        print(row, ratio if isinstance(ratio, str) else f"{ratio:.3g}")
