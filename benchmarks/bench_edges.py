"""Nodes with clocks of their own: million bits a second, beside the naive loop over all quanta on one node machine.

Both are C (c/edge_bus_loop.c) over the installed headers, compiled with gcc and -O3. Clocks are spread over +-200 ppm.
Rounds are interleaved; times are the thread's CPU time.
"""

from __future__ import annotations

import ctypes
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from peers import compile_c

BITS = 200_000
FRAMES = 3_000  # a node; more than so many bits hold
ROUNDS = 7
PPM = 200.0
BUSES = [(count, quanta) for count in (3, 10) for quanta in (16, 80)]


def library(folder: str) -> ctypes.CDLL:
    lib = ctypes.CDLL(str(compile_c("edge_bus_loop", Path(folder))))
    lib.edge_make.restype = ctypes.c_void_p
    lib.edge_make.argtypes = [ctypes.c_uint, ctypes.c_uint, ctypes.c_double, ctypes.c_uint]
    for run in (lib.edge_run, lib.quantum_run):
        run.argtypes, run.restype = [ctypes.c_void_p, ctypes.c_int64], ctypes.c_uint64
    lib.edge_free.argtypes = [ctypes.c_void_p]
    return lib


def once(lib: ctypes.CDLL, name: str, count: int, quanta: int) -> tuple[float, int]:
    """Seconds, and frames received."""
    bus = lib.edge_make(count, quanta, PPM, FRAMES)
    begin = time.thread_time()
    received = getattr(lib, name)(bus, BITS)
    seconds = time.thread_time() - begin
    lib.edge_free(bus)
    return seconds, int(received)


def measure() -> dict[str, float | str]:
    names = ["edges-3", "edges-3-16", "edges-3-80", "edges-10-16", "edges-10-80"]
    try:
        with tempfile.TemporaryDirectory() as folder:
            lib = library(folder)
    except RuntimeError:
        return dict.fromkeys(names, "not run: gcc")
    times: dict[tuple[str, int, int], list[float]] = {}
    for _ in range(ROUNDS):
        for count, quanta in BUSES:
            runs = {}
            for name in ("edge_run", "quantum_run") if count == 3 else ("edge_run",):
                seconds, runs[name] = once(lib, name, count, quanta)
                times.setdefault((name, count, quanta), []).append(seconds)
            if len(set(runs.values())) != 1:
                raise AssertionError(f"{count} nodes, {quanta} quanta: frames received differ: {runs}")
    median = {key: statistics.median(values) for key, values in times.items()}
    found: dict[str, float | str] = {
        f"edges-3-{quanta}": median["quantum_run", 3, quanta] / median["edge_run", 3, quanta] for quanta in (16, 80)
    }
    found |= {f"edges-10-{quanta}": BITS / median["edge_run", 10, quanta] / 1e6 for quanta in (16, 80)}
    found["edges-3"] = BITS / median["edge_run", 3, 80] / 1e6
    return found


@pytest.mark.parametrize(("count", "quanta"), BUSES)
def test_edges(benchmark: Callable[..., object], tmp_path: Path, count: int, quanta: int) -> None:
    lib = library(str(tmp_path))

    def make() -> tuple[tuple[object], dict[str, object]]:
        return (lib.edge_make(count, quanta, PPM, FRAMES),), {}

    benchmark.pedantic(lambda bus: lib.edge_run(bus, BITS), setup=make, rounds=3)  # type: ignore[attr-defined]
