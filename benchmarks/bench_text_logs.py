"""Text recordings read beside python-can, and python-can's CSV beside polars reading text columns.

100,000 frames a file (python-can reads 5,000 of them) in memory-backed files, opening inside, imports outside;
CPU time of one thread, per frame.
"""

from __future__ import annotations

import base64
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

FRAMES, PEER_FRAMES, ROUNDS = 100_000, 5_000, 5
MEMORY = Path("/dev/shm")
SUFFIXES = {"candump": ".log", "asc": ".asc", "trc": ".trc", "csv": ".csv"}
HEADS = {
    "candump": "",
    "asc": "date Sat Sep 30 10:06:13.191 PM 2017\nbase hex  timestamps absolute\ninternal events logged\n"
    "// version 9.0.0\nBegin Triggerblock Sat Sep 30 10:06:13.191 PM 2017\n   0.000000 Start of measurement\n",
    "trc": ";$FILEVERSION=2.1\n;$STARTTIME=44548.6028595139\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n;\n",
    "csv": "timestamp,arbitration_id,extended,remote,error,dlc,data\n",
}


def line(kind: str, number: int, ms: float, value: int, extended: bool, data: bytes) -> str:
    spaced = data.hex(" ").upper()
    if kind == "candump":
        name = f"{value:08X}" if extended else f"{value:03X}"
        return f"({1.6e9 + ms / 1e3:.6f}) can0 {name}#{data.hex().upper()}\n"
    if kind == "asc":
        name = f"{value:X}" + "x" * extended
        return f"{ms / 1e3:11.6f} 1  {name:15} Rx   d {len(data):x} {spaced}\n"
    if kind == "trc":
        name = f"{value:08X}" if extended else f"{value:04X}"
        return f"{number:7} {ms:13.3f} DT 1 {name:>9} Rx -  {len(data)}    {spaced}\n"
    text = base64.b64encode(data).decode()
    return f"{1.6e9 + ms / 1e3!r},0x{value:x},{int(extended)},0,0,{len(data)},{text}\n"


def write(kind: str, path: Path, count: int) -> Path:
    rng = np.random.default_rng(1)
    with path.open("w") as file:
        file.write(HEADS[kind])
        for i in range(count):
            extended = i % 4 == 0
            value = int(rng.integers(0, 1 << (29 if extended else 11)))
            data = rng.bytes(8 if i % 8 else i // 8 % 9)
            file.write(line(kind, i + 1, i * 0.123 + 1, value, extended, data))
    return path


def with_python_can(path: Path) -> int:
    import can

    with can.LogReader(path) as reader:
        return sum(1 for _ in reader)


def with_polars(path: Path) -> int:
    import polars

    return polars.read_csv(path, infer_schema=False).height


def cpu_seconds(call: Callable[[], object]) -> float:
    """Median of ROUNDS calls, after one that warms up."""
    call()
    times = []
    for _ in range(ROUNDS):
        start = time.thread_time()
        call()
        times.append(time.thread_time() - start)
    return statistics.median(times)


def process_seconds(call: Callable[[], object]) -> float:
    """The same of all threads: for peers that use several."""
    call()
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times)


def measure() -> dict[str, float | str]:
    rows: dict[str, float | str] = {}
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        for kind, suffix in SUFFIXES.items():
            path = write(kind, folder / f"all{suffix}", FRAMES)
            ours = cpu_seconds(lambda path=path: cf.read_log(path)) / FRAMES
            try:
                import can  # noqa: F401
            except ImportError:
                rows[f"text-read-{kind}"] = "NOT RUN: python-can is not installed"
            else:
                some = write(kind, folder / f"some{suffix}", PEER_FRAMES)
                rows[f"text-read-{kind}"] = cpu_seconds(lambda some=some: with_python_can(some)) / PEER_FRAMES / ours
            if os.environ.get("CANAL_FAST_VERBOSE"):
                print(kind, f"{ours * 1e9:.0f} ns a frame")
        try:
            import polars  # noqa: F401
        except ImportError:
            rows["text-read-csv-polars"] = "NOT RUN: polars is not installed"
        else:
            rows["text-read-csv-polars"] = ours * FRAMES / process_seconds(lambda: with_polars(path))
    return rows


@pytest.mark.parametrize("kind", SUFFIXES)
def test_read(benchmark: Any, tmp_path: Path, kind: str) -> None:
    path = write(kind, tmp_path / f"x{SUFFIXES[kind]}", 2_000)
    assert len(benchmark(cf.read_log, path)) == 2_000


if __name__ == "__main__":
    for row, ratio in measure().items():
        print(row, ratio if isinstance(ratio, str) else f"{ratio:.2f}")
