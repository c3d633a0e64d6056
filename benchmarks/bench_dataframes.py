"""Frames to data frames and Parquet, and their statistics, beside pyarrow, polars, tshark and a bare C loop.

Periodic traffic: 200 identifiers of 10 to 200 ms on two channels, with jitter. polars runs in a process of its own that
it may use one thread of, on columns that are ready; we start from records.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peers import compile_c

import canal_fast as cf
from canal_fast import analysis

FRAMES, GROUPED, LOGGED, PART = 2_000_000, 10_000_000, 20_000_000, 500_000
ROUNDS = 5
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
Call = Callable[[], Any]


def traffic(count: int) -> cf.FrameArray:
    rng = np.random.default_rng(1)
    cycles = rng.choice([10, 20, 50, 100, 200], 200) * 1_000_000
    span = count / (1e9 / cycles).sum() * 1e9 * 1.01
    times = [np.arange(int(span // c) + 1) * c + rng.integers(0, c) for c in cycles]
    ids = np.repeat(np.arange(200), [len(part) for part in times])
    stamps = np.concatenate(times) + rng.integers(-200_000, 200_000, len(ids))
    order = np.argsort(stamps)[:count]
    frames: cf.FrameArray = np.zeros(len(order), cf.FRAME_DTYPE)
    frames["timestamp_ns"] = stamps[order] + 1_700_000_000_000_000_000
    frames["arbitration_id"], frames["channel"] = ids[order] * 7, ids[order] % 2
    frames["dlc"] = ids[order] % 9
    frames["data"] = rng.integers(0, 256, (len(order), 8), dtype=np.uint8)
    frames["data"][np.arange(8) >= frames["dlc"][:, None]] = 0
    return frames


def best(*calls: Call, rounds: int = ROUNDS) -> list[float]:
    """The shortest time of each, taken in turns."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, mine in zip(calls, times, strict=True):
            begin = time.perf_counter()
            result = call()
            mine.append(time.perf_counter() - begin)
            del result
    return [min(mine) for mine in times]


def with_numpy(frames: cf.FrameArray) -> Any:
    """A table as numpy and pyarrow make it: a copy of each field, payloads chosen by a mask."""
    import pyarrow as pa

    lengths = cf.payload_length(frames)
    offsets = np.zeros(len(frames) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    data = frames["data"][np.arange(8, dtype=np.uint8) < lengths[:, None]]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    columns = {"timestamp": pa.array(np.ascontiguousarray(frames["timestamp_ns"]).view("datetime64[ns]"))}
    for name in ("arbitration_id", "flags", "channel", "dlc"):
        columns[name] = pa.array(np.ascontiguousarray(frames[name]))
    return pa.table({**columns, "data": pa.Array.from_buffers(pa.binary(), len(frames), buffers)})


def arrow_rows() -> dict[str, float | str]:
    if find_spec("pyarrow") is None:
        return dict.fromkeys(("arrow-frames", "arrow-frames-c", "parquet-frames"), "not run: no pyarrow")
    import pyarrow as pa

    frames = traffic(FRAMES)
    ours, theirs = best(lambda: pa.table(cf.to_arrow(frames)), lambda: with_numpy(frames))
    found: dict[str, float | str] = {"arrow-frames": ours / theirs}
    try:
        library = ctypes.CDLL(str(compile_c("arrow_loop", Path(tempfile.mkdtemp()))))
    except RuntimeError as error:
        found["arrow-frames-c"] = f"not run: {error}"
    else:
        part = frames[: 1 << 20]  # one batch
        loop = library.arrow_loop
        loop.argtypes, loop.restype = [ctypes.c_void_p, ctypes.c_size_t], ctypes.c_size_t
        ours, bare = best(lambda: pa.table(cf.to_arrow(part)), lambda: loop(part.ctypes.data, len(part)), rounds=15)
        found["arrow-frames-c"] = ours / bare
    found["parquet-frames"] = parquet_row(frames)
    return found


def parquet_row(frames: cf.FrameArray) -> float:
    """Parquet out of frames, beside pyarrow alone out of a table that is ready."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    options: dict[str, Any] = {"compression": "zstd", "row_group_size": 1 << 17}
    table = pa.table(cf.to_arrow(frames))
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        ours, theirs = best(
            lambda: pq.write_table(pa.table(cf.to_arrow(frames)), f"{name}/a.parquet", **options),
            lambda: pq.write_table(table, f"{name}/b.parquet", **options),
            rounds=3,
        )
    return ours / theirs


POLARS = """
import sys, time
import numpy as np
import polars as pl
import canal_fast as cf
from canal_fast import analysis
frames = np.load(sys.argv[1], mmap_mode="r")
frame = cf.to_polars(frames).with_columns(pl.col("timestamp").cast(pl.Int64))
steps = pl.col("timestamp").diff()
wanted = [pl.len(), steps.min().alias("a"), steps.max().alias("b"), steps.mean().alias("c"), steps.std().alias("d")]
def theirs():
    return frame.group_by("channel", "flags", "arbitration_id", maintain_order=True).agg(wanted)
def ours():
    return analysis.group_by_id(frames), analysis.periods(frames)
times = {}
for call in (ours, theirs) * 3:
    begin = time.perf_counter()
    call()
    times.setdefault(call.__name__, []).append(time.perf_counter() - begin)
print(min(times["theirs"]) / min(times["ours"]))
"""


def polars_row() -> float | str:
    if find_spec("polars") is None:
        return "not run: no polars"
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        np.save(f"{name}/frames.npy", traffic(GROUPED))
        environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
        command = [sys.executable, "-P", "-c", POLARS, f"{name}/frames.npy"]
        return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def tshark_row() -> float | str:
    """Ours on all frames; tshark on a part, its time without its start times their ratio."""
    tshark = shutil.which("tshark")
    if tshark is None:
        return "not run: no tshark"
    frames = traffic(FRAMES)
    span = int(np.ptp(frames["timestamp_ns"]))
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        for count in (PART, 1):
            cf.write_log(f"{name}/{count}.pcapng", frames[:count])
        with cf.logs.Recorder(f"{name}/{LOGGED}.pcapng") as recorder:
            for _ in range(LOGGED // FRAMES):
                recorder.write(frames)
                frames["timestamp_ns"] += span
        quiet: dict[str, Any] = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

        def theirs(count: int) -> Any:
            return subprocess.run([tshark, "-q", "-z", "io,stat,1", "-r", f"{name}/{count}.pcapng"], **quiet)

        command = [sys.executable, "-P", "-m", "canal_fast", "stat", f"{name}/{LOGGED}.pcapng"]
        ours, part, start = best(
            lambda: subprocess.run(command, **quiet), lambda: theirs(PART), lambda: theirs(1), rounds=4
        )
    return (start + (part - start) * LOGGED / PART) / ours


def report_row() -> float:
    """The same recording twice: as a table of identifiers, and as a page."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        cf.write_log(f"{name}/x.pcapng", traffic(GROUPED))
        program = [sys.executable, "-P", "-m", "canal_fast"]
        commands = [["stat", f"{name}/x.pcapng"], ["report", f"{name}/x.pcapng", "-o", f"{name}/x.html", "--force"]]
        stat, report = best(
            *(
                lambda command=command: subprocess.run([*program, *command], check=True, stdout=subprocess.DEVNULL)
                for command in commands
            ),
            rounds=3,
        )
    return stat / report


def measure() -> dict[str, float | str]:
    return {**arrow_rows(), "group-periods": polars_row(), "stat-tshark": tshark_row(), "report-stat": report_row()}


@pytest.mark.parametrize("tool", [analysis.group_by_id, analysis.periods, analysis.changes, cf.to_arrow])
def test_tools(benchmark: Any, tool: Any) -> None:
    assert len(benchmark(tool, traffic(1000)))


if __name__ == "__main__":
    for key, ratio in measure().items():
        print(key, ratio if isinstance(ratio, str) else f"{ratio:.3g}")
