"""Receiving, beside bare C loops and python-can's usb2can backend over the same driver library.

`measure()` is for check.py; the test functions are pytest-benchmark's (`pytest benchmarks/bench_receive.py
--benchmark-enable`).
"""

from __future__ import annotations

import contextlib
import ctypes
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import peers
import pytest

import canal_fast as cf
from canal_fast.drivers.library import VIRTUAL

ROUNDS = 7
RING = 1 << 16
BATCH = 1024
MANY = 2_000_000  # frames of a round in batches
ONES = 50_000  # frames of a round one by one
PEER = 10_000  # frames of a round of python-can
BUS_SECONDS = 3.0
BUS = "bench;1000000;load=1;seed=1"


class Tools:
    """The compiled C, and the instant driver behind it."""

    def __init__(self, folder: Path) -> None:
        self.driver = peers.compile_c("instant_driver", folder)
        self.instant = ctypes.CDLL(str(self.driver))
        self.loop = ctypes.CDLL(str(peers.compile_c("receive_loop", folder)))
        pointer, u64 = ctypes.c_void_p, ctypes.c_uint64
        for name, result, arguments in (
            ("time_bare", u64, [pointer, ctypes.c_long, pointer, u64]),
            ("make_reader", pointer, [pointer, ctypes.c_long, ctypes.c_char_p, u64, ctypes.c_uint32]),
            ("free_reader", None, [pointer]),
            ("time_reader", u64, [pointer]),
            ("reader_received", u64, [pointer]),
            ("poll_bare", u64, [pointer, ctypes.c_long, u64, ctypes.POINTER(u64)]),
        ):
            function = getattr(self.loop, name)
            function.restype, function.argtypes = result, arguments
        self.instant.CanalOpen(b"", 0)

    def load(self, count: int) -> None:
        self.instant.InstantLoad(count)


@contextlib.contextmanager
def made_tools() -> Iterator[Tools]:
    with tempfile.TemporaryDirectory() as folder:
        yield Tools(Path(folder))


def address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def interleaved(sides: dict[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """Median of each side over rounds in which every side has its turn."""
    seen: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            seen[name].append(side())
    return {name: statistics.median(values) for name, values in seen.items()}


# -- the sides: each does one round and returns ns per frame; where one thread does all, of its CPU time, which other
# programs on the machine disturb least


def translate_sides(tools: Tools, readers: dict[str, tuple[str, int]]) -> dict[str, Callable[[], float]]:
    """The bare loop, and readers by (profile, filters)."""
    rows = np.zeros(RING, cf.FRAME_DTYPE)
    receive = address(tools.instant.CanalReceive)

    def bare() -> float:
        tools.load(RING)
        return tools.loop.time_bare(receive, 1, rows.ctypes.data, RING) / RING

    def ours(reader: int) -> Callable[[], float]:
        def one() -> float:
            before = tools.loop.reader_received(reader)
            tools.load(RING)
            taken = tools.loop.time_reader(reader) / RING
            assert tools.loop.reader_received(reader) - before == RING, "frames were lost"
            return taken

        return one

    made = {
        name: tools.loop.make_reader(receive, 1, profile.encode(), RING, filters)
        for name, (profile, filters) in readers.items()
    }
    return {"bare": bare, **{name: ours(reader) for name, reader in made.items()}}


def batch_side(tools: Tools, channel: cf.Channel, cpu: list[float]) -> Callable[[], float]:
    buffer = np.zeros(BATCH, cf.FRAME_DTYPE)

    def one() -> float:
        cpu_before, before, left = time.process_time_ns(), time.perf_counter_ns(), MANY
        tools.load(MANY)
        while left:
            left -= channel.receive_into(buffer, min_frames=min(BATCH, left), timeout=10)
        cpu.append((time.process_time_ns() - cpu_before) / MANY)
        return (time.perf_counter_ns() - before) / MANY

    return one


def refill(tools: Tools, channel: cf.Channel, count: int) -> None:
    """Loads the driver and waits until the ring holds it all."""
    tools.load(count)
    while channel.ledger().pending < count:
        time.sleep(0.001)


def into_side(tools: Tools, channel: cf.Channel) -> Callable[[], float]:
    buffer = np.zeros(1, cf.FRAME_DTYPE)

    def one() -> float:
        refill(tools, channel, ONES)
        before = time.thread_time_ns()
        for _ in range(ONES):
            assert channel.receive_into(buffer, timeout=0)
        return (time.thread_time_ns() - before) / ONES

    return one


def receive_side(tools: Tools, channel: cf.Channel) -> Callable[[], float]:
    def one() -> float:
        refill(tools, channel, ONES)
        before = time.thread_time_ns()
        for _ in range(ONES):
            assert len(channel.receive(1, timeout=0))
        return (time.thread_time_ns() - before) / ONES

    return one


def python_can_side(tools: Tools, bus: Any, cpu: list[float]) -> Callable[[], float]:
    def one() -> float:
        tools.load(PEER)
        cpu_before, before = time.thread_time_ns(), time.perf_counter_ns()
        for _ in range(PEER):
            assert bus.recv(0) is not None
        cpu.append((time.thread_time_ns() - cpu_before) / PEER)
        return (time.perf_counter_ns() - before) / PEER

    return one


# -- CPU at a saturated bus: each side returns CPU seconds per second


def reader_cpu_ns() -> int:
    """CPU time of the one thread called canal_fast, which names itself when it starts."""
    found: list[Path] = []
    for _ in range(1000):
        found = [t for t in Path("/proc/self/task").iterdir() if (t / "comm").read_text() == "canal_fast\n"]
        if len(found) == 1:
            break
        time.sleep(0.001)
    assert len(found) == 1, f"{len(found)} reader threads"
    return int((found[0] / "schedstat").read_text().split()[0])


def bus_ours(consumer: list[float]) -> float:
    buffer = np.zeros(4096, cf.FRAME_DTYPE)
    with cf.Channel.virtual(BUS) as channel:
        before, reader_before, own_before = time.monotonic_ns(), reader_cpu_ns(), time.thread_time_ns()
        while time.monotonic_ns() - before < BUS_SECONDS * 1e9:
            channel.receive_into(buffer, min_frames=4096, timeout=0.1)
        elapsed = time.monotonic_ns() - before
        consumer.append((time.thread_time_ns() - own_before) / elapsed)
        return (reader_cpu_ns() - reader_before) / elapsed


def bus_bare(tools: Tools) -> float:
    library = ctypes.CDLL(str(VIRTUAL))
    handle, frames = library.CanalOpen(BUS.encode(), 0), ctypes.c_uint64()
    used = tools.loop.poll_bare(address(library.CanalReceive), handle, int(BUS_SECONDS * 1e9), ctypes.byref(frames))
    library.CanalClose(handle)
    assert frames.value > 8000 * BUS_SECONDS * 0.9, f"{frames.value} frames are no saturated bus"
    return used / (BUS_SECONDS * 1e9)


def bus_python_can() -> float:
    bus = peers.python_can_bus(VIRTUAL, BUS)
    try:
        before, own_before = time.monotonic_ns(), time.thread_time_ns()
        while time.monotonic_ns() - before < BUS_SECONDS * 1e9:
            bus.recv(0.1)
        return (time.thread_time_ns() - own_before) / (time.monotonic_ns() - before)
    finally:
        bus.shutdown()


# -- rows


def measure_translate(tools: Tools) -> dict[str, float | str]:
    readers = {"push": ("generic", 0), "ticks": ("usb2can", 0), "filters": ("generic", 8)}
    ns = interleaved(translate_sides(tools, readers), rounds=10 * ROUNDS)
    more = f"with usb2can's ticks unwrapped {ns['ticks']:.2f}, with 8 filters {ns['filters']:.2f}"
    print(f"   translate+push: bare C {ns['bare']:.2f} ns/frame, reader {ns['push']:.2f}, {more}")
    return {f"receive-translate-{name}": ns[name] / ns["bare"] for name in readers}


def measure_receive(tools: Tools) -> dict[str, float | str]:
    try:
        import can  # noqa: F401
    except ImportError:
        reason = "NOT RUN: python-can is not installed"
        return dict.fromkeys(("receive-into-1024", "receive-into-1", "receive-1"), reason)
    ours_cpu: list[float] = []
    peer_cpu: list[float] = []
    bus = peers.python_can_bus(tools.driver, "")
    # One at a time: the instant driver has one queue for all.
    peer = python_can_side(tools, bus, peer_cpu)

    def with_channel(make: Callable[[cf.Channel], Callable[[], float]], **options: Any) -> Callable[[], float]:
        def side() -> float:
            with cf.Channel(tools.driver, ring_frames=RING, **options) as channel:
                return make(channel)()

        return side

    ns = interleaved(
        {
            "peer": peer,
            "batch": with_channel(lambda ch: batch_side(tools, ch, ours_cpu), ring_full="wait"),
            "into": with_channel(lambda ch: into_side(tools, ch)),
            "receive": with_channel(lambda ch: receive_side(tools, ch)),
        }
    )
    bus.shutdown()
    mine, other = statistics.median(ours_cpu), statistics.median(peer_cpu)
    print(f"   python-can recv(0): {ns['peer']:.0f} ns/frame (CPU {other:.0f})")
    print(
        f"   receive_into({BATCH}): {ns['batch']:.2f} ns/frame; process CPU {mine:.2f}, {other / mine:.0f} times less"
    )
    print(f"   one by one, CPU: receive_into {ns['into']:.0f} ns, receive {ns['receive']:.0f} ns")
    return {
        "receive-into-1024": ns["peer"] / ns["batch"],
        "receive-into-1": other / ns["into"],
        "receive-1": other / ns["receive"],
    }


def measure_gate() -> None:
    """A checked call that does nothing else, beside one that checks nothing."""
    empty = np.zeros(0, cf.FRAME_DTYPE)
    lengths = np.zeros(0, np.uint8)
    calls = 100_000

    def timed(call: Callable[..., object], *arguments: object) -> Callable[[], float]:
        def side() -> float:
            before = time.perf_counter_ns()
            for _ in range(calls):
                call(*arguments)
            return (time.perf_counter_ns() - before) / calls

        return side

    from canal_fast import _frames

    ns = interleaved({"two arrays": timed(_frames.payload_lengths, empty, lengths), "len": timed(len, empty)})
    print(f"   gate: a call that checks two arrays {ns['two arrays']:.0f} ns, len() {ns['len']:.0f} ns, loop included")


def measure_bus(tools: Tools) -> dict[str, float | str]:
    if not Path("/proc/self/task").is_dir():
        return dict.fromkeys(("reader-cpu-bare", "reader-cpu-python-can"), "NOT RUN: no /proc")
    consumer: list[float] = []
    sides = {"bare": lambda: bus_bare(tools), "ours": lambda: bus_ours(consumer), "peer": bus_python_can}
    try:
        import can  # noqa: F401
    except ImportError:
        del sides["peer"]
    share = interleaved(sides, rounds=3)
    taking = statistics.median(consumer)
    ours = f"reader {share['ours']:.2%} + consumer {taking:.2%}"
    print(f"   saturated 1 Mbit/s, CPU: bare C {share['bare']:.2%}, {ours}, python-can {share.get('peer', 0):.2%}")
    ratio = (share["ours"] + taking) / share["peer"] if "peer" in share else "NOT RUN: python-can is not installed"
    return {"reader-cpu-bare": share["ours"] / share["bare"], "reader-cpu-python-can": ratio}


def measure() -> dict[str, float | str]:
    with made_tools() as tools:
        measure_gate()
        return {**measure_translate(tools), **measure_receive(tools), **measure_bus(tools)}


# -- regression runs


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    with made_tools() as made:
        yield made


@pytest.mark.parametrize("size", [1, BATCH])
def test_receive_into(benchmark: Any, tools: Tools, size: int) -> None:
    buffer = np.zeros(size, cf.FRAME_DTYPE)
    with cf.Channel(tools.driver, ring_frames=RING) as channel:
        benchmark.pedantic(channel.receive_into, (buffer,), setup=lambda: refill(tools, channel, size), rounds=100)


@pytest.mark.parametrize("size", [1, BATCH])
def test_receive(benchmark: Any, tools: Tools, size: int) -> None:
    with cf.Channel(tools.driver, ring_frames=RING) as channel:
        benchmark.pedantic(channel.receive, (size,), setup=lambda: refill(tools, channel, size), rounds=100)


@pytest.mark.parametrize("size", [1, BATCH])
def test_send(benchmark: Any, tools: Tools, size: int) -> None:
    frames = cf.make_frames(range(size), b"12345678")
    with cf.Channel(tools.driver) as channel:
        assert benchmark(channel.send, frames) == size


@pytest.mark.parametrize("size", [1, BATCH])
def test_make_frames(benchmark: Any, size: int) -> None:
    ids, data = np.arange(size), np.zeros((size, 8), np.uint8)
    assert len(benchmark(cf.make_frames, ids, data)) == size
