"""Wire kernels beside a bit-serial C loop, numpy columns, pure Python, anycrc and binascii, in one run.

`measure()` interleaves the rounds of all contestants and takes medians. The peer's loop (bitserial.c) is compiled with
the machine's C compiler and -O3.
"""

from __future__ import annotations

import binascii
import ctypes
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import timeit
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import checksum, processor, wire

HERE = Path(__file__).resolve().parent
COUNT = 1 << 14
ROUNDS = 15
SHORT_S = 1e-4  # a call of which sixteen are timed together
Call = Callable[[], Any]


@cache
def serial() -> ctypes.CDLL | None:
    """bitserial.c, compiled; None without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        return None
    target = Path(tempfile.mkdtemp()) / "bitserial.so"
    flags = ["-O3", "-std=c11", "-shared", "-fPIC", f"-I{cf.get_include()}"]
    subprocess.run([compiler, *flags, str(HERE / "bitserial.c"), "-o", str(target)], check=True)
    library = ctypes.CDLL(str(target))
    library.serial_decode.restype = ctypes.c_size_t
    return library


def at(array: np.ndarray) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


def sample() -> cf.FrameArray:
    """Base data frames of 8 random bytes."""
    rng = np.random.default_rng(1)
    return cf.make_frames(rng.integers(0, 2048, COUNT), rng.integers(0, 256, (COUNT, 8), np.uint8))


def medians(
    calls: dict[str, Call], rounds: int = ROUNDS, clock: Callable[[], float] = time.thread_time
) -> dict[str, float]:
    """Median seconds of each call; a name that begins with a level, and units added to it, is measured with these.

    Rounds are interleaved, so that a slow minute hits all. Before each the same call runs untimed, so that none pays
    for what another left in the caches. The thread's CPU time leaves out what other programs take; to read it takes
    half a microsecond, and a call of 4 us is slower twice before the nearest cache holds all, so that many share that.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            if (chosen := name.partition(" ")[0]).startswith(processor.LEVELS):
                processor.select(chosen)
            begin = clock()
            call()
            number = 16 if clock() - begin < SHORT_S else 1
            begin = clock()
            for _ in range(number):
                call()
            times[name].append((clock() - begin) / number)
    return {name: statistics.median(values) for name, values in times.items()}


def numpy_columns() -> Callable[[cf.FrameArray], np.ndarray]:
    """CRC-15 of base 8-byte frames with numpy: the 83 bits as 11 byte columns, a table each."""
    tables = np.zeros((11, 256), np.uint16)
    for column in range(11):
        for byte in range(256):
            message = bytes([byte]) + bytes(10 - column)
            tables[column, byte] = checksum.crc15(message)

    def run(frames: cf.FrameArray) -> np.ndarray:
        head = frames["arbitration_id"].astype(np.uint32) << 7 | frames["dlc"]
        data = frames["data"]
        crc = tables[0][head >> 16 & 255] ^ tables[1][head >> 8 & 255] ^ tables[2][head & 255]
        for column in range(8):
            crc ^= tables[3 + column][data[:, column]]
        return crc

    return run


def python_encode(frame: tuple[int, int, bytes], table: list[int]) -> str:
    """The fastest pure Python known: one integer, a CRC table, a regular expression for stuffing; a string of bits."""
    identifier, dlc, data = frame
    message = (identifier << 7 | dlc) << 64 | int.from_bytes(data)
    crc = 0
    for byte in message.to_bytes(11):
        crc = (crc << 8 & 0x7FFF) ^ table[crc >> 7 ^ byte]
    bits = format(message << 15 | crc, "098b")
    out, at_ = [], 0
    last = ""
    while True:  # a stuff bit begins the next run, so that each search starts with it
        found = python_runs(last + bits[at_:])
        if found is None:
            out.append(bits[at_:])
            return "".join(out) + "1011111111"
        end = at_ + found - len(last)
        out.append(bits[at_:end])
        last = "1" if bits[end - 1] == "0" else "0"
        out.append(last)
        at_ = end


def python_runs(bits: str) -> int | None:
    ends = [place + 5 for place in (bits.find("00000"), bits.find("11111")) if place >= 0]
    return min(ends) if ends else None


UNJUDGED = re.compile("^wire-(encode|decode)(-packed)?-(portable|avx2|avx512|neon)$")  # printed, but for JUDGED
JUDGED = ("wire-decode-packed-portable",)


def measure() -> dict[str, float | str]:
    """{row of targets.toml: ratio}; warm caches, see `medians`."""
    before = processor.available()[-1]
    try:
        rows = {**_arrays(), **_single(), **_bulk()}
    finally:
        processor.select(before)
    for name in [name for name in rows if UNJUDGED.search(name) and name not in JUDGED]:
        print(f"   {name}: {rows.pop(name)}")
    return rows


def _arrays() -> dict[str, float | str]:
    library = serial()
    frames, best = sample(), processor.available()[-1]
    rows: dict[str, float | str] = {}
    if library is None:
        return {"wire": "NOT RUN: no C compiler for the bit-serial peer"}
    count = ctypes.c_size_t(COUNT)
    lengths = np.empty(COUNT, np.int32)
    out, places = np.empty(COUNT * 160, np.uint8), np.empty(COUNT + 1, np.int64)
    back = np.empty(COUNT, cf.FRAME_DTYPE)
    columns = numpy_columns()
    loose, packed = wire.encode(frames), wire.encode(frames, packed=True)
    few = [(int(f["arbitration_id"]), int(f["dlc"]), f["data"].tobytes()) for f in frames[:300]]
    table = [checksum.crc15(bytes([byte])) for byte in range(256)]
    assert [python_encode(f, table) for f in few[:50]] == [
        "".join(map(str, loose[0][loose[1][i] : loose[1][i + 1]])) for i in range(50)
    ]
    assert np.array_equal(columns(frames), checksum.crc15_frames(frames))
    serial_calls: dict[str, Call] = {
        "length": lambda: library.serial_lengths(at(frames), count, at(lengths)),
        "encode packed": lambda: library.serial_encode(at(frames), count, 1, at(out), at(places)),
        "encode": lambda: library.serial_encode(at(frames), count, 0, at(out), at(places)),
        "decode packed": lambda: library.serial_decode(at(packed[0]), 1, at(packed[1]), count, at(back)),
        "decode": lambda: library.serial_decode(at(loose[0]), 0, at(loose[1]), count, at(back)),
    }
    ours: dict[str, Call] = {
        "length": lambda: wire.frame_length_bits(frames),
        "encode packed": lambda: wire.encode(frames, packed=True),
        "encode": lambda: wire.encode(frames),
        "decode packed": lambda: wire.decode(*packed, packed=True),
        "decode": lambda: wire.decode(*loose),
        "crc": lambda: checksum.crc15_frames(frames),
    }
    calls = {f"serial {name}": call for name, call in serial_calls.items()}
    for level in processor.available():
        calls |= {f"{level} {name}": call for name, call in ours.items()}
    planes = {"avx2", "gfni"} <= set(processor.units())  # the level has a faster way than the row's
    if planes:
        calls["avx2-gfni crc"] = ours["crc"]
    calls["numpy crc"] = lambda: columns(frames)
    calls["bare loop that reads and writes as much crc"] = lambda: library.bare_move(at(frames), count, at(lengths))
    calls["python encode"] = lambda: [python_encode(frame, table) for frame in few]
    got = medians(calls)
    for level in processor.available():
        rows[f"frame-length-{level}"] = got["serial length"] / got[f"{level} length"]
        rows[f"crc15-frames-{level}"] = got["numpy crc"] / got[f"{level} crc"]
        for name in ("encode packed", "decode packed", "encode", "decode"):
            row = f"wire-{name.replace(' ', '-')}"
            rows[f"{row}-{level}"] = got[f"serial {name}"] / got[f"{level} {name}"]
            if level == best:
                rows[row] = rows[f"{row}-{level}"]
    rows["crc15-frames-gfni"] = "NOT RUN: no avx2 with gfni"
    if planes:
        rows["crc15-frames-gfni"] = rows["crc15-frames-avx2"]
        rows["crc15-frames-avx2"] = got["numpy crc"] / got["avx2-gfni crc"]
    if "pext" not in processor.units():
        rows["wire-decode-packed"] = "NOT RUN: no fast PEXT"
    rows["wire-encode-packed-python"] = (got["python encode"] / len(few)) / (got[f"{best} encode packed"] / COUNT)
    for level in set(processor.LEVELS) - set(processor.available()):
        rows[f"frame-length-{level}"] = rows[f"crc15-frames-{level}"] = f"NOT RUN: no {level}"
    each = {name.removesuffix(" crc"): f"{1e9 * got[name] / COUNT:.2f}" for name in got if name.endswith(" crc")}
    print("   ns a frame of crc15_frames: " + ", ".join(f"{name} {ns}" for name, ns in each.items()))
    return rows


def _single() -> dict[str, float | str]:
    names = {"crc15": checksum.crc15, "crc_hqx": binascii.crc_hqx, "data": b"12345678"}
    ours, floor = [], []
    for _ in range(15):
        ours.append(timeit.timeit("crc15(data)", globals=names, number=50_000))
        floor.append(timeit.timeit("crc_hqx(data, 0)", globals=names, number=50_000))
    return {"crc15-single": statistics.median(ours) / statistics.median(floor)}


BULK = {  # row: the units of its way to fold
    "crc15-bulk-pclmul": "portable+pclmul",
    "crc15-bulk-vpclmul": "portable+pclmul+avx2+vpclmul",
    "crc15-bulk": "portable+avx512+vpclmul",
}


def _bulk() -> dict[str, float | str]:
    try:
        import anycrc
    except ImportError:
        return dict.fromkeys(BULK, "NOT RUN: anycrc is not installed")
    lacking = {row: [u for u in way.split("+")[1:] if u not in processor.units()] for row, way in BULK.items()}
    data = np.random.default_rng(0).bytes(1 << 20)
    peer = anycrc.Model("CRC15-CAN")
    assert peer.calc(data) == checksum.crc15(data)
    calls: dict[str, Call] = {
        f"{way} crc": lambda: checksum.crc15(data) for row, way in BULK.items() if not lacking[row]
    }
    got = medians(calls | {"anycrc": lambda: peer.calc(data)}, 41)
    return {
        row: f"NOT RUN: no {', '.join(lacking[row])}" if lacking[row] else got["anycrc"] / got[f"{way} crc"]
        for row, way in BULK.items()
    }


@pytest.mark.parametrize("level", processor.LEVELS)
@pytest.mark.parametrize("kernel", ["length", "crc15_frames", "encode", "encode_packed", "decode", "decode_packed"])
def test_kernel(benchmark: Any, kernel: str, level: str) -> None:
    if level not in processor.available():
        pytest.skip(f"NOT RUN: this machine has no {level}")
    frames = sample()
    loose, packed = wire.encode(frames), wire.encode(frames, packed=True)
    calls: dict[str, Call] = {
        "length": lambda: wire.frame_length_bits(frames),
        "crc15_frames": lambda: checksum.crc15_frames(frames),
        "encode": lambda: wire.encode(frames),
        "encode_packed": lambda: wire.encode(frames, packed=True),
        "decode": lambda: wire.decode(*loose),
        "decode_packed": lambda: wire.decode(*packed, packed=True),
    }
    processor.select(level)
    try:
        benchmark(calls[kernel])
    finally:
        processor.select(processor.available()[-1])


if __name__ == "__main__":
    for row, ratio in measure().items():
        print(f"{row:32} {ratio if isinstance(ratio, str) else f'{ratio:.2f}'}")
    sys.exit(0)
