"""Two threads at once over one: our calls from Python beside the same kernels in two threads of C without Python.

What two threads cost each other by themselves (a core that they share, memory) is in both; what is above is ours: the
GIL, and what a call does while it holds it.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from peers import compile_c

import canal_fast as cf
from canal_fast import checksum, processor, wire

COUNT, ROUNDS = 1 << 16, 25
AIM_S = 0.03  # a measurement's length
KERNELS = ("length", "crc", "encode", "decode", "read")
Call = Callable[[], Any]


def at(array: np.ndarray) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


def twice(call: Call) -> None:
    other = threading.Thread(target=call)
    other.start()
    call()
    other.join()


def taken(call: Call) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def measure() -> dict[str, float | str]:
    """{row of targets.toml: (ours two / one) / (C's two / one)}."""
    names = {kernel: f"wire-two-threads-{kernel}" for kernel in KERNELS[:4]} | {"read": "log-two-threads"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            library = ctypes.CDLL(str(compile_c("two_threads", folder)))
        except RuntimeError as error:
            return {row: f"NOT RUN: {error}" for row in names.values()}
        return {row: _ratio(library, kernel, folder / "frames.log") for kernel, row in names.items()}


def _ratio(library: ctypes.CDLL, kernel: str, log: Path) -> float:
    rng = np.random.default_rng(1)
    frames = cf.make_frames(rng.integers(0, 2048, COUNT), rng.integers(0, 256, (COUNT, 8), np.uint8))
    bits, offsets = wire.encode(frames, packed=True)
    cf.write_log(log, frames)
    units = sum(processor.UNITS[unit] for unit in processor.units())
    ours: dict[str, Call] = {
        "length": lambda: wire.frame_length_bits(frames),
        "crc": lambda: checksum.crc15_frames(frames),
        "encode": lambda: wire.encode(frames, packed=True),
        "decode": lambda: wire.decode(bits, offsets, packed=True),
        "read": lambda: cf.read_log(log),
    }

    def bare(rounds: int, threads: int) -> None:
        data = (at(frames), ctypes.c_size_t(COUNT), at(bits), at(offsets), os.fsencode(log))
        if library.run_threads(kernel.encode(), units, *data, ctypes.c_size_t(rounds), threads):
            raise RuntimeError(f"two_threads.c: {kernel} failed")

    def repeated(rounds: int) -> Call:
        return lambda: [ours[kernel]() for _ in range(rounds)]

    for call in (ours[kernel], lambda: bare(1, 1)):
        call()
    rounds = [max(1, round(AIM_S / taken(call))) for call in (ours[kernel], lambda: bare(1, 1))]
    mine = repeated(rounds[0])
    calls: list[Call] = [mine, lambda: twice(mine), lambda: bare(rounds[1], 1), lambda: bare(rounds[1], 2)]
    times: list[list[float]] = [[], [], [], []]
    for _ in range(ROUNDS):
        for call, row in zip(calls, times, strict=True):
            row.append(taken(call))
    one, two, bare_one, bare_two = (min(row) for row in times)  # the least disturbed of the rounds, which take turns
    print(f"   {kernel}: two threads at once take {two / one:.2f} x one; C's {bare_two / bare_one:.2f} x")
    return (two / one) / (bare_two / bare_one)


if __name__ == "__main__":
    for row, ratio in measure().items():
        print(f"{row:32} {ratio if isinstance(ratio, str) else f'{ratio:.2f}'}")
