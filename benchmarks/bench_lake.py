"""BLF to a folder of decoded Parquet on two cores, beside asammdf's extract_bus_logging and cantools behind python-can.

A car's messages (tests/data/databases/_toyota_2017.dbc), random payloads. We decode two files in two processes and
write Parquet; the peers decode one smaller file, asammdf of MDF 4 with the same frames, and write nothing. Times are
per frame, wall clock. CANAL_FAST_LONG=1: 10 M frames instead of 2 M.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import bench_log_reading
import numpy as np
import pytest

import canal_fast as cf

DATABASE = Path(__file__).resolve().parent.parent / "tests" / "data" / "databases" / "_toyota_2017.dbc"
FRAMES = 10_000_000 if os.environ.get("CANAL_FAST_LONG") else 2_000_000
PEER_FRAMES, PART, HEADER = 200_000, 100_000, 144
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
PEERS = {"lake-asammdf": ("asammdf", "canmatrix", "cantools"), "lake-cantools": ("can", "cantools")}


def traffic(count: int, seed: int = 1) -> cf.FrameArray:
    messages = [m for m in cf.load_database(DATABASE).messages if m.length <= 8 and m.name != "PCS_HUD"]
    rng = np.random.default_rng(seed)
    number = rng.integers(0, len(messages), count)
    frames = cf.make_frames(
        np.array([m.arbitration_id for m in messages])[number],
        rng.integers(0, 256, (count, 8), dtype=np.uint8),
        timestamp_ns=1_700_000_000_000_000_000 + np.arange(count) * 250_000,
    )
    return frames


def write_blf(path: Path, count: int, seed: int) -> None:
    """A recording of `count` frames out of the containers of a small one, times and all repeated."""
    data, _ = bench_log_reading.blf(traffic(PART, seed))
    with path.open("wb") as file:
        file.write(data[:HEADER])
        for _ in range(count // PART):
            file.write(data[HEADER:])


def ours(folder: Path) -> float:
    """Seconds a frame."""
    paths = [folder / "0.blf", folder / "1.blf"]
    for seed, path in enumerate(paths):
        write_blf(path, FRAMES // 2, seed)
    command = [sys.executable, "-P", "-m", "canal_fast", "decode", "--dbc", str(DATABASE), "--to", "parquet"]
    begin = time.perf_counter()
    running = [
        subprocess.Popen([*command, str(path), "-o", str(folder / "lake")], stderr=subprocess.PIPE, text=True)
        for path in paths
    ]
    for process in running:
        said = process.communicate()[1]
        if process.returncode or f"{FRAMES // 2} frames" not in said:
            raise RuntimeError(said)
    return (time.perf_counter() - begin) / FRAMES


def with_asammdf(folder: Path) -> float:
    from asammdf import MDF

    bench_log_reading.mf4(folder / "x.mf4", traffic(PEER_FRAMES))
    begin = time.perf_counter()
    with MDF(folder / "x.mf4") as file:
        file.extract_bus_logging({"CAN": [(str(DATABASE), 0)]})
    return (time.perf_counter() - begin) / PEER_FRAMES


def with_cantools(folder: Path) -> float:
    import can
    import cantools

    write_blf(folder / "peer.blf", PEER_FRAMES, 0)
    database: Any = cantools.database.load_file(str(DATABASE), strict=False)
    begin = time.perf_counter()
    with can.BLFReader(folder / "peer.blf") as reader:
        for message in reader:
            database.decode_message(message.arbitration_id, message.data, decode_choices=False)
    return (time.perf_counter() - begin) / PEER_FRAMES


def measure() -> dict[str, float | str]:
    missing = {row: [m for m in modules if find_spec(m) is None] for row, modules in PEERS.items()}
    if find_spec("pyarrow") is None or find_spec("cantools") is None:
        return dict.fromkeys(PEERS, "not run: no pyarrow or no cantools")
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        folder = Path(name)
        mine = ours(folder)
        found: dict[str, float | str] = {}
        for row, peer in (("lake-asammdf", with_asammdf), ("lake-cantools", with_cantools)):
            found[row] = f"not run: no {missing[row][0]}" if missing[row] else peer(folder) / mine
            print(f"   {row}: ours {1e9 * mine:.0f} ns a frame")
    return found


def test_decode(benchmark: Any, tmp_path: Path) -> None:
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    pytest.importorskip("pyarrow", reason="NOT RUN: pyarrow is not installed")
    write_blf(tmp_path / "x.blf", PART, 0)
    plan = cf.load_database(DATABASE).plan()
    account, _ = benchmark.pedantic(cf.signals.to_parquet, args=(plan, tmp_path / "x.blf", tmp_path / "lake"), rounds=1)
    assert account.frames == PART


if __name__ == "__main__":
    for key, ratio in measure().items():
        print(key, ratio if isinstance(ratio, str) else f"{ratio:.3g}")
