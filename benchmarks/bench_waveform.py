"""Waveforms to frames beside sigrok-cli and bare C loops: `python benchmarks/check.py --only waveform-edges ...`.

sigrok's share is CPU time per extra frame: two captures of different lengths, so that start-up cancels. All read from
files in the cache.
"""

from __future__ import annotations

import ctypes
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from peers import compile_c

import canal_fast as cf
from canal_fast import waveform

BITRATE, SAMPLES = 500_000, 20  # a bit
RATE = BITRATE * SAMPLES
FRAMES, SHORT, LONG = 20_000, 200, 1_000
ROUNDS = 9
Wave = waveform.Wave


def make(count: int) -> Wave:
    """Base data frames of 8 random bytes, senders' clocks within 100 ppm, 0 to 20 idle bits between."""
    rng = np.random.default_rng(1)
    frames = cf.make_frames(rng.integers(0, 2048, count), rng.integers(0, 256, (count, 8), np.uint8))
    idle, clocks = rng.uniform(0, 20, count), rng.uniform(-100, 100, count)
    return waveform.synthesise(frames, BITRATE, sample_rate=RATE, clock_ppm=clocks, idle_bits=idle, seed=1)


def levels(wave: Wave) -> np.ndarray:
    return ((np.searchsorted(wave.edges, np.arange(wave.end), side="right") + wave.level) % 2).astype(np.uint8)


def cpu(call: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Median CPU seconds of the thread; one call before is not counted."""
    call()
    times = []
    for _ in range(rounds):
        begin = time.thread_time()
        call()
        times.append(time.thread_time() - begin)
    return statistics.median(times)


def sigrok_seconds(folder: Path) -> float | str:
    """sigrok-cli's CPU seconds for one more frame."""
    program = shutil.which("sigrok-cli")
    if program is None:
        return "NOT RUN: sigrok-cli is not installed"
    seconds = []
    for count in (SHORT, LONG):
        path = folder / f"{count}.bin"
        path.write_bytes(levels(make(count)).tobytes())
        source = ["-I", f"binary:numchannels=1:samplerate={RATE}", "-i", str(path)]
        command = [program, *source, "-P", f"can:can_rx=0:nominal_bitrate={BITRATE}", "-A", "can"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return (seconds[1] - seconds[0]) / (LONG - SHORT)


def measure() -> dict[str, float | str]:
    """{row of targets.toml: ratio}."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours = _ours(folder)
        peer = sigrok_seconds(folder)
        rows: dict[str, float | str] = {}
        for row, seconds in ours.items():
            rows[row] = peer if isinstance(peer, str) else peer / seconds
            words = peer if isinstance(peer, str) else f"{peer * 1e6:.0f} us"
            print(f"   {row}: {seconds * 1e9:.0f} ns a frame; sigrok-cli {words}")
        return rows | _loops(folder)


def _ours(folder: Path) -> dict[str, float]:
    """Seconds a frame."""
    wave = make(FRAMES)
    np.save(folder / "edges.npy", wave.edges)
    np.packbits(levels(wave)).tofile(folder / "packed.bin")

    def from_edges(columns: bool) -> waveform.Decoded:
        edges = np.load(folder / "edges.npy", mmap_mode="r")
        return waveform.decode(Wave(edges, 1, RATE, 0, wave.end), BITRATE, columns=columns)

    def from_packed(columns: bool) -> waveform.Decoded:
        samples = np.memmap(folder / "packed.bin", np.uint8, "r")
        read = waveform.from_samples(samples, RATE, packed=True, count=wave.end)
        return waveform.decode(read, BITRATE, columns=columns)

    assert from_edges(True).valid.sum() == from_packed(False).valid.sum() == FRAMES
    calls: dict[str, Callable[[], Any]] = {
        "waveform-edges": lambda: from_edges(False),
        "waveform-packed": lambda: from_packed(False),
        "waveform-edges-columns": lambda: from_edges(True),
        "waveform-packed-columns": lambda: from_packed(True),
    }
    return {name: cpu(call) / FRAMES for name, call in calls.items()}


def _loops(folder: Path) -> dict[str, float | str]:
    try:
        library = ctypes.CDLL(str(compile_c("edge_loop", folder)))
    except RuntimeError as error:
        return dict.fromkeys(("waveform-edges-loop", "waveform-idle"), f"NOT RUN: {error}")
    library.edges_to_bits.restype = library.idle_bytes.restype = ctypes.c_size_t
    wave = make(FRAMES)
    bits = np.empty(FRAMES * 200, np.uint8)
    idle = np.full(4 << 20, 0xFF, np.uint8)

    def at(array: np.ndarray) -> ctypes.c_void_p:
        return array.ctypes.data_as(ctypes.c_void_p)

    count = ctypes.c_size_t(len(wave.edges))
    loop = cpu(lambda: library.edges_to_bits(at(wave.edges), count, ctypes.c_double(SAMPLES), at(bits)))
    whole = cpu(lambda: waveform.decode(wave, BITRATE, columns=False))
    bare = cpu(lambda: library.idle_bytes(at(idle), ctypes.c_size_t(len(idle))))
    line = cpu(lambda: waveform.from_samples(idle, RATE, packed=True))
    print(f"   packed samples of an idle line: {8 * len(idle) / line / 1e9:.0f} G/s")
    print(
        f"   a frame's runs to bits: {loop / FRAMES * 1e9:.0f} ns in a bare loop; frames: {whole / FRAMES * 1e9:.0f} ns"
    )
    return {"waveform-edges-loop": whole / loop, "waveform-idle": bare / line}


@pytest.mark.parametrize("columns", [False, True])
def test_decode(benchmark: Any, columns: bool) -> None:
    wave = make(2_000)
    benchmark(lambda: waveform.decode(wave, BITRATE, columns=columns))


if __name__ == "__main__":
    for row, ratio in measure().items():
        print(f"{row:32} {ratio if isinstance(ratio, str) else f'{ratio:.2f}'}")
