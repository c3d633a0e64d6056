"""Signals beside cantools, asammdf, numpy and a bare C loop, all on the same frames in one run.

Mixed traffic: 49 messages of a car's database (tests/data/databases/_toyota_2017.dbc), 100,000 random frames. The
peers' grouping by identifier is part of their time. cantools is given a part of the frames. The bare loop
(c/signals_loop.c) is compiled with the machine's C compiler and -O3, and writes the same columns into new memory.
Beside Python's peers every column is made a numpy array; beside the bare loop, which makes none, it is not.
"""

from __future__ import annotations

import ctypes
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.signals import Database, Message, Plan, Signal

HERE = Path(__file__).resolve().parent
DATABASE = HERE.parent / "tests" / "data" / "databases" / "_toyota_2017.dbc"
FRAMES, ONE, FEW = 100_000, 65_536, 1_500
ROUNDS = 11
Call = Callable[[], Any]
BARE_SIGNAL = np.dtype(
    [(name, "i8") for name in ("message", "big", "signed", "left", "right", "width", "real")]
    + [("scale", "f8"), ("offset", "f8"), ("whole_scale", "i8"), ("whole_offset", "i8"), ("column", "i8")]
)


@cache
def bare_library() -> ctypes.CDLL | None:
    """c/signals_loop.c, compiled; None without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        return None
    target = Path(tempfile.mkdtemp()) / "signals_loop.so"
    flags = ["-O3", "-std=c11", "-shared", "-fPIC", f"-I{cf.get_include()}"]
    subprocess.run([compiler, *flags, str(HERE / "c" / "signals_loop.c"), "-o", str(target)], check=True)
    return ctypes.CDLL(str(target))


class Bare:
    """The bare loop on given frames, with new memory for its results each time."""

    def __init__(self, messages: tuple[Message, ...], plan: Plan, frames: cf.FrameArray) -> None:
        self.library, self.frames = bare_library(), frames
        counts = np.bincount(frames["arbitration_id"], minlength=2048)
        self.of = np.zeros(2048, np.uint16)
        self.total = self.scratch = 0
        self.messages = np.zeros((len(messages), 4), np.int64)
        signals: list[tuple[Any, ...]] = []
        self.first = np.zeros(len(messages) + 1, np.int64)
        self.columns: list[tuple[str, str, int, np.dtype[Any], int]] = []
        for number, message in enumerate(messages):
            self.of[message.arbitration_id] = number
            rows = int(counts[message.arbitration_id])
            window, self.scratch = self.scratch, self.scratch + -(-8 * rows // 64) * 64
            self.messages[number] = self._take(8 * rows), self._take(8 * rows), window, rows
            for signal, dtype in zip(message.signals, plan.dtypes(number), strict=True):
                at = self._take(dtype.itemsize * rows)
                left = signal.first_position if signal.big_endian else 64 - signal.start - signal.length
                real = dtype.kind == "f"
                signals.append(
                    (number, signal.big_endian, signal.is_signed, left, 64 - signal.length, dtype.itemsize, real)
                    + (signal.scale, signal.offset, int(signal.scale), int(signal.offset), at)
                )
                self.columns.append((message.name, signal.name, at, dtype, rows))
            self.first[number + 1] = len(signals)
        self.signals = np.array(signals, BARE_SIGNAL)
        self.windows = np.zeros(self.scratch, np.uint8)
        self.which = np.zeros(len(frames), np.uint16)
        self.place = np.zeros(len(messages), np.int64)

    def _take(self, size: int) -> int:
        at, self.total = self.total, self.total + -(-size // 64) * 64
        return at

    def __call__(self) -> None:
        self.memory = np.empty(self.total, np.uint8)  # results are new memory each time, as the library's are
        at = [a.ctypes.data_as(ctypes.c_void_p) for a in (self.frames, self.of, self.messages, self.signals)]
        rest = [
            a.ctypes.data_as(ctypes.c_void_p) for a in (self.first, self.which, self.place, self.memory, self.windows)
        ]
        size = ctypes.c_size_t
        self.library.bare_decode(at[0], size(len(self.frames)), at[1], at[2], size(len(self.messages)), at[3], *rest)

    def check(self, tables: Any) -> None:
        self()
        for message, signal, at, dtype, rows in self.columns:
            ours = tables[message][signal]
            assert np.array_equal(self.memory[at : at + rows * dtype.itemsize].view(dtype), ours), (message, signal)


def mixed() -> tuple[Database, cf.FrameArray]:
    """49 messages and random frames of them."""
    database = cf.load_database(DATABASE)
    kept = [m for m in database.messages if m.name != "PCS_HUD"]  # which cantools cannot decode
    assert len(kept) == 49
    rng = np.random.default_rng(1)
    ids = rng.choice([m.arbitration_id for m in kept], FRAMES)
    return Database(kept), cf.make_frames(ids, rng.integers(0, 256, (FRAMES, 8), np.uint8))


def columns_of(plan: Plan, frames: cf.FrameArray) -> list[Any]:
    """Decoded, and every column made a numpy array."""
    return [table.columns for table in plan.decode(frames).values()]


def numpy_decode(messages: tuple[Message, ...], frames: cf.FrameArray) -> dict[str, dict[str, np.ndarray]]:
    """Grouping by argsort, then a shift or two a signal."""
    order = np.argsort(frames["arbitration_id"], kind="stable")
    ids = frames["arbitration_id"][order]
    data = np.ascontiguousarray(frames["data"][order]).view("<u8").ravel()
    swapped = data.byteswap()
    found: dict[str, dict[str, np.ndarray]] = {}
    for message in messages:
        low, high = np.searchsorted(ids, [message.arbitration_id, message.arbitration_id + 1])
        columns = found[message.name] = {}
        for signal in message.signals:
            words = (swapped if signal.big_endian else data)[low:high]
            left = signal.first_position if signal.big_endian else 64 - signal.start - signal.length
            top, right = words << np.uint64(left), 64 - signal.length
            raw = top.view(np.int64) >> right if signal.is_signed else (top >> np.uint64(right)).view(np.int64)
            columns[signal.name] = (
                raw if signal.scale == 1 and signal.offset == 0 else raw * signal.scale + signal.offset
            )
    return found


def cantools_decode(database: Any, frames: cf.FrameArray) -> list[dict[str, Any]]:
    rows = zip(frames["arbitration_id"].tolist(), [d.tobytes() for d in frames["data"]], strict=True)
    return [database.decode_message(i, d, decode_choices=False) for i, d in rows]


def medians(
    calls: dict[str, Call], rounds: int = ROUNDS, clock: Callable[[], float] = time.thread_time
) -> dict[str, float]:
    """Median seconds of each call, the rounds interleaved; each runs once untimed before it is timed."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            call()
            begin = clock()
            call()
            times[name].append(clock() - begin)
    return {name: statistics.median(values) for name, values in times.items()}


def measure() -> dict[str, float | str]:
    """{row of targets.toml: ratio}."""
    return {**_mixed(), **_one(), **_encode(), **_threads()}


def _mixed() -> dict[str, float | str]:
    database, frames = mixed()
    plan = database.plan()
    calls: dict[str, Call] = {
        "ours": lambda: columns_of(plan, frames),
        "numpy": lambda: numpy_decode(database.messages, frames),
    }
    rows: dict[str, float | str] = {}
    if bare_library() is None:
        rows["signals-bare"] = "NOT RUN: no C compiler"
    else:
        calls["bare"] = bare = Bare(database.messages, plan, frames)
        calls["ours without arrays"] = lambda: plan.decode(frames)
        bare.check(plan.decode(frames))
    got = medians(calls)
    print("   ns/frame:", {name: round(1e9 * value / FRAMES, 1) for name, value in got.items()})
    rows["signals-numpy"] = got["numpy"] / got["ours"]
    if "bare" in got:
        rows["signals-bare"] = got["ours without arrays"] / got["bare"]
    return rows | _peers(database, plan, frames)


def _peers(database: Database, plan: Plan, frames: cf.FrameArray) -> dict[str, float | str]:
    rows: dict[str, float | str] = {}
    calls: dict[str, Call] = {"ours": lambda: columns_of(plan, frames)}
    try:
        import cantools

        theirs = cantools.database.load_file(DATABASE, strict=False)
        calls["cantools"] = lambda: cantools_decode(theirs, frames[:FEW])
    except ImportError:
        rows["signals-cantools"] = "NOT RUN: cantools is not installed"
    try:
        calls["asammdf"] = Asammdf(frames)
    except ImportError:
        rows["signals-asammdf"] = "NOT RUN: asammdf is not installed"
    got = medians(calls, 5)
    if "cantools" in got:
        rows["signals-cantools"] = (got["cantools"] / FEW) / (got["ours"] / FRAMES)
    if "asammdf" in got:
        rows["signals-asammdf"] = got["asammdf"] / got["ours"]
    print("   ns/frame:", {n: round(1e9 * v / (FEW if n == "cantools" else FRAMES), 1) for n, v in got.items()})
    return rows


class Asammdf:
    """extract_mux on groups made by argsort, as asammdf's own bus logging does it."""

    def __init__(self, frames: cf.FrameArray, path: Path = DATABASE, skip: str = "PCS_HUD") -> None:
        import canmatrix.formats
        from asammdf.blocks import bus_logging_utils

        self.extract = bus_logging_utils.extract_mux
        (matrix,) = canmatrix.formats.loadp(str(path)).values()
        self.messages = {m.arbitration_id.id: m for m in matrix.frames if m.name != skip}
        self.frames = frames

    def __call__(self) -> None:
        order = np.argsort(self.frames["arbitration_id"], kind="stable")
        ids = self.frames["arbitration_id"][order]
        data = np.ascontiguousarray(self.frames["data"][order])
        times = self.frames["timestamp_ns"][order] / 1e9
        for identifier, message in self.messages.items():
            low, high = np.searchsorted(ids, [identifier, identifier + 1])
            self.extract(data[low:high], message, identifier, 0, times[low:high], ignore_value2text_conversion=True)


ONE_SIGNALS = (  # start, length, signed, scale, offset: as signals lie in cars' databases, few of them on whole bytes
    (0, 12, False, 0.1, -40),
    (12, 4, False, 1, 0),
    (16, 10, True, 1, 0),
    (26, 6, False, 1, 0),
    (32, 13, True, 0.05, 0),
    (45, 3, False, 1, 0),
    (48, 11, False, 0.5, 10),
    (59, 5, False, 1, 0),
)


def one_dbc() -> str:
    lines = [
        f' SG_ S{i} : {start}|{length}@1{"-" if signed else "+"} ({scale},{offset}) [0|0] "" A'
        for i, (start, length, signed, scale, offset) in enumerate(ONE_SIGNALS)
    ]
    return "\n".join(['VERSION ""', "BU_: A", "BO_ 291 M: 8 A", *lines, ""])


def _one() -> dict[str, float | str]:
    """One message, 8 signals: five integers, three floats."""
    signals = tuple(
        Signal(f"S{i}", start, length, False, signed, scale=scale, offset=offset)
        for i, (start, length, signed, scale, offset) in enumerate(ONE_SIGNALS)
    )
    messages = (Message("M", 291, False, False, 8, signals),)
    plan = Database(messages).plan()
    rng = np.random.default_rng(2)
    frames = cf.make_frames(np.full(ONE, 291), rng.integers(0, 256, (ONE, 8), np.uint8))
    rows: dict[str, float | str] = {}
    calls: dict[str, Call] = {"ours": lambda: columns_of(plan, frames)}
    if bare_library() is None:
        rows["signals-one-bare"] = "NOT RUN: no C compiler"
    else:
        calls["bare"] = bare = Bare(messages, plan, frames)
        bare.check(plan.decode(frames))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.dbc"
        path.write_text(one_dbc())
        try:
            peer = Asammdf(frames, path)
            data, times, message = (
                np.ascontiguousarray(frames["data"]),
                frames["timestamp_ns"] / 1e9,
                peer.messages[291],
            )
            calls["asammdf"] = call = lambda: peer.extract(
                data, message, 291, 0, times, ignore_value2text_conversion=True
            )
            for signals_of in call().values():
                for name, found in signals_of.items():
                    assert np.array_equal(found["samples"], plan.decode(frames)["M"][name]), name
        except ImportError:
            rows["signals-one-asammdf"] = "NOT RUN: asammdf is not installed"
    got = medians(calls, 21)
    print("   one message, ns/frame:", {name: round(1e9 * value / ONE, 2) for name, value in got.items()})
    if "bare" in got:
        rows["signals-one-bare"] = got["ours"] / got["bare"]
    if "asammdf" in got:
        rows["signals-one-asammdf"] = got["asammdf"] / got["ours"]
    return rows


def _encode() -> dict[str, float | str]:
    try:
        import cantools
    except ImportError:
        return {"signals-encode": "NOT RUN: cantools is not installed"}
    database, frames = mixed()
    plan = database.plan()
    tables = plan.decode(frames)
    theirs = cantools.database.load_file(DATABASE, strict=False)
    dicts = []
    for name, table in tables.items():
        columns = {k: v[:30].tolist() for k, v in table.columns.items()}
        message = theirs.get_message_by_name(name)
        for row in zip(*columns.values(), strict=True):
            values = dict(zip(columns, row, strict=True))
            try:
                message.encode(values)
            except cantools.database.EncodeError:
                continue  # outside the database's [min|max], which cantools checks and we do not
            dicts.append((message, values))

    def cantools_encode() -> None:
        for message, values in dicts:
            message.encode(values)

    def ours() -> None:
        for name, table in tables.items():
            plan.encode(name, table)

    got = medians({"ours": ours, "cantools": cantools_encode}, 7)
    print("   encode, ns/frame:", round(1e9 * got["ours"] / FRAMES, 1), round(1e9 * got["cantools"] / len(dicts), 1))
    return {"signals-encode": (got["cantools"] / len(dicts)) / (got["ours"] / FRAMES)}


def _threads() -> dict[str, float | str]:
    """Two threads at once against one, ours beside the bare loop: (ours two / one) / (bare two / one)."""
    if bare_library() is None:
        return {"signals-two-threads": "NOT RUN: no C compiler"}
    database, frames = mixed()
    plan = database.plan()
    bares = [Bare(database.messages, plan, frames) for _ in range(2)]
    bodies: dict[str, Callable[[int], Any]] = {
        "ours": lambda k: [columns_of(plan, frames) for _ in range(5)],
        "bare": lambda k: [bares[k]() for _ in range(5)],
    }

    def twice(body: Callable[[int], Any]) -> Call:
        def run() -> None:
            other = threading.Thread(target=body, args=(1,))
            other.start()
            body(0)
            other.join()

        return run

    calls: dict[str, Call] = {}
    for name, body in bodies.items():
        calls[f"{name} one"] = lambda body=body: body(0)
        calls[f"{name} two"] = twice(body)
    got = medians(calls, 15, time.perf_counter)
    ours, bare = got["ours two"] / got["ours one"], got["bare two"] / got["bare one"]
    print(f"   two threads at once take {ours:.2f} x one; the bare loop {bare:.2f} x")
    return {"signals-two-threads": ours / bare}


@pytest.mark.parametrize("what", ["mixed", "encode"])
def test_signals(benchmark: Any, what: str) -> None:
    database, frames = mixed()
    plan = database.plan()
    tables = plan.decode(frames)
    name, table = next(iter(tables.items()))
    calls: dict[str, Call] = {"mixed": lambda: plan.decode(frames), "encode": lambda: plan.encode(name, table)}
    benchmark(calls[what])


if __name__ == "__main__":
    for row, ratio in measure().items():
        print(f"{row:32} {ratio if isinstance(ratio, str) else f'{ratio:.2f}'}")
    sys.exit(0)
