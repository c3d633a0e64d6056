"""Arrays that no cache holds: a frame's cost among 4 Mi of them, beside its cost among 16 Ki.

Where memory is what takes the time, the cost stands beside a bare C loop's that reads and writes as many bytes to new
memory: the row is the cost over the larger of the two. CANAL_FAST_LONG=1: 64 Mi frames, where 8 GB are free, in two
rounds: the first one pays for memory that the machine gives for the first time.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from peers import compile_c

import canal_fast as cf
from canal_fast import checksum, wire

SMALL, LARGE, HUGE = 1 << 14, 1 << 22, 1 << 26
FREE_GB = 8.0  # for HUGE
ROUNDS = 7
ROWS = {name: f"large-{name}" for name in ("encode", "decode", "length", "crc")}
Call = Callable[[], Any]


def free_gb() -> float:
    """Memory that programs may have, where the system tells."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) / 1e6
    except (OSError, KeyError):
        return 0.0


def sample(count: int) -> cf.FrameArray:
    """Base data frames of 8 random bytes."""
    rng = np.random.default_rng(1)
    frames: cf.FrameArray = np.zeros(count, cf.FRAME_DTYPE)
    frames["arbitration_id"] = rng.integers(0, 2048, count, np.uint32)
    frames["dlc"] = 8
    frames["data"] = rng.integers(0, 256, (count, 8), np.uint8)
    return frames


def cpu(call: Call, rounds: int, before: Call = lambda: None) -> float:
    """The least CPU time of a thread that a call took."""
    best = float("inf")
    for _ in range(rounds):
        before()
        begin = time.thread_time()
        call()
        best = min(best, time.thread_time() - begin)
    return best


def measure() -> dict[str, float | str]:
    """{row of targets.toml: ratio}."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            library = ctypes.CDLL(str(compile_c("bare_move", Path(folder))))
        except RuntimeError as error:
            return {row: f"NOT RUN: {error}" for row in ROWS.values()}
        huge = os.environ.get("CANAL_FAST_LONG") == "1" and free_gb() >= FREE_GB
        if os.environ.get("CANAL_FAST_LONG") == "1" and not huge:
            print(f"   64 Mi frames NOT RUN: {free_gb():.1f} GB are free, {FREE_GB:g} needed")
        small, large = sample(SMALL), sample(HUGE if huge else LARGE)
        return {row: _ratio(library, name, small, large, 2 if huge else ROUNDS) for name, row in ROWS.items()}


def _ratio(library: ctypes.CDLL, name: str, small: cf.FrameArray, large: cf.FrameArray, rounds: int) -> float:
    def call_of(frames: cf.FrameArray) -> tuple[Call, int, int]:
        """The call, bytes that it reads, bytes that it writes."""
        count = len(frames)
        if name == "length":
            return lambda: wire.frame_length_bits(frames), 24 * count, 4 * count
        if name == "crc":
            return lambda: checksum.crc15_frames(frames), 24 * count, 4 * count
        bits, offsets = wire.encode(frames, packed=True)
        if name == "encode":
            return lambda: wire.encode(frames, packed=True), 24 * count, len(bits) + 8 * count
        return lambda: wire.decode(bits, offsets, packed=True), len(bits) + 8 * count, (24 + 1 + 8 + 8) * count

    def bare(source: np.ndarray, read: int, written: int) -> None:
        sizes, total = (ctypes.c_size_t(read), ctypes.c_size_t(written)), ctypes.c_uint64()
        if library.bare_move(source.ctypes.data_as(ctypes.c_void_p), *sizes, ctypes.byref(total)):
            raise MemoryError

    call, read, written = call_of(large)
    out = cpu(call, rounds) / len(large) * 1e9
    source = np.ones(max(read, written), np.uint8)
    memory = cpu(partial(bare, source, read, written), rounds) / len(large) * 1e9
    del source
    call = call_of(small)[0]
    cached = cpu(call, 31, call) / SMALL * 1e9
    print(f"   {name}: {out:.2f} ns a frame of {len(large):,}, {cached:.2f} of {SMALL:,}; memory alone {memory:.2f}")
    return out / max(cached, memory)


if __name__ == "__main__":
    for row, ratio in measure().items():
        print(f"{row:32} {ratio if isinstance(ratio, str) else f'{ratio:.2f}'}")
