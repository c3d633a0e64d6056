"""A bus bit by bit: million bits a second, what recording costs, and the Python call beside a bare C loop.

The C loop (c/bus_loop.c) is compiled with gcc and -O3 over the installed headers. Rounds are interleaved; times are the
thread's CPU time.
"""

from __future__ import annotations

import ctypes
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from peers import compile_c

import canal_fast as cf
from canal_fast import simulation

BITS = 1_000_000
FRAMES = 12_000  # a node; more than so many bits hold
ROUNDS = 9
Make = Callable[[], Callable[[], None]]


def frames(number: int, fd: bool) -> cf.FrameArray:
    """Those of c/bus_loop.c."""
    words = (np.arange(FRAMES, dtype=np.uint64) * np.uint64(31) + np.uint64(number)) * np.uint64(0x9E3779B97F4A7C15)
    data = words.astype(">u8").view(np.uint8).reshape(-1, 8)
    return cf.make_frames(np.full(FRAMES, 0x100 + number), data, fd=fd)


def bus(count: int, fd: bool, recorded: bool = False, whole_frames: bool = False) -> Callable[[], None]:
    made = simulation.Bus(500_000, 2_000_000 if fd else None, whole_frames=whole_frames)
    for number in range(count):
        made.node(f"n{number}", fd="enabled" if fd else "classical")
        made.send(f"n{number}", frames(number, fd))

    def run() -> None:
        made.run(BITS, record_bits=recorded, record_events=recorded, record_frames=False, record_levels=False)

    return run


def bare(library: ctypes.CDLL, count: int, fd: bool) -> Callable[[], None]:
    pointer = library.loop_make(count, int(fd), FRAMES)

    def run() -> None:
        library.loop_run(pointer, BITS)
        library.loop_free(pointer)

    return run


def medians(contestants: dict[str, Make]) -> dict[str, float]:
    """Median seconds of the call that each makes anew for every round."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, make in contestants.items():
            call = make()
            begin = time.thread_time()
            call()
            times[name].append(time.thread_time() - begin)
    return {name: statistics.median(values) for name, values in times.items()}


def measure() -> dict[str, float | str]:
    contestants: dict[str, Make] = {}
    for fd in (False, True):
        for count in (3, 10):
            contestants[f"{count} {fd}"] = lambda count=count, fd=fd: bus(count, fd)  # type: ignore[misc]
    contestants["recorded"] = lambda: bus(3, False, recorded=True)
    contestants["whole"] = lambda: bus(3, False, whole_frames=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            library = ctypes.CDLL(str(compile_c("bus_loop", Path(folder))))
    except RuntimeError:
        library = None
    if library is not None:
        library.loop_make.restype = ctypes.c_void_p
        library.loop_run.argtypes = [ctypes.c_void_p, ctypes.c_int64]
        library.loop_free.argtypes = [ctypes.c_void_p]
        contestants["bare"] = lambda: bare(library, 3, False)
    seconds = medians(contestants)
    return {
        "simulation-3": BITS / seconds["3 False"] / 1e6,
        "simulation-10": BITS / seconds["10 False"] / 1e6,
        "simulation-fd-3": BITS / seconds["3 True"] / 1e6,
        "simulation-fd-10": BITS / seconds["10 True"] / 1e6,
        "simulation-recorded": seconds["recorded"] / seconds["3 False"],
        "simulation-run": seconds["3 False"] / seconds["bare"] if library is not None else "not run: gcc",
        "simulation-whole-frames": seconds["3 False"] / seconds["whole"],
    }


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("count", [3, 10])
def test_bits(benchmark: Callable[..., object], count: int, recorded: bool) -> None:
    def make() -> tuple[tuple[Callable[[], None]], dict[str, object]]:
        return (bus(count, False, recorded),), {}

    benchmark.pedantic(lambda run: run(), setup=make, rounds=3)  # type: ignore[attr-defined]
