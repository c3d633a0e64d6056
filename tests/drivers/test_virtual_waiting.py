"""Blocking calls, the wall clock and threads on the virtual driver."""

from __future__ import annotations

import ctypes
import gzip
import os
import shutil
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import pytest
from canal_ctypes import Message, Statistics, Status, message
from oracle import virtual_oracle as oracle
from virtual_bus import (
    FIFO_EMPTY,
    MS,
    NOT_OPEN,
    SUCCESS,
    TIMEOUT,
    Open,
    as_frame,
    blocked,
    drain,
    sequence,
    statistics,
)


def test_blocking_receive_times_out(canal: ctypes.CDLL, opened: Open) -> None:
    for config in ("b", "c;clock=step"):
        handle = opened(config)
        started = time.perf_counter()
        assert canal.CanalBlockingReceive(handle, Message(), 30) == TIMEOUT
        assert time.perf_counter() - started >= 0.03


def test_blocking_receive_sleeps_until_the_arrival(canal: ctypes.CDLL, opened: Open) -> None:
    handle = opened("b;1000000;rate=100;dlc=8")
    slot = Message()
    started = time.perf_counter_ns()
    for i in range(10):
        assert canal.CanalBlockingReceive(handle, slot, 0 if i % 2 else 5000) == SUCCESS
        assert sequence(slot) == i
    assert time.perf_counter_ns() - started >= 80 * MS


def test_step_wakes_a_blocked_receiver(canal: ctypes.CDLL, opened: Open) -> None:
    handle, slot = opened("b;clock=step;rate=10"), Message()
    thread, code = blocked(lambda: canal.CanalBlockingReceive(handle, slot, 0))
    canal.CanalVirtualStep(b"b", MS)
    thread.join(5)
    assert code == [SUCCESS]


def test_a_send_wakes_a_blocked_receiver(canal: ctypes.CDLL, opened: Open) -> None:
    handle, sender, slot = opened("b"), opened("b"), Message()
    thread, code = blocked(lambda: canal.CanalBlockingReceive(handle, slot, 0))
    canal.CanalSend(sender, message(0x77))
    thread.join(5)
    assert (code, slot.id) == ([SUCCESS], 0x77)


@pytest.mark.parametrize("config", ["b;clock=step;txqueue=1", "b;1000;txqueue=1"])
def test_close_fails_blocked_calls(canal: ctypes.CDLL, opened: Open, config: str) -> None:
    handle, other = opened(config), opened("b")
    assert canal.CanalSend(handle, message(1)) == SUCCESS
    waiters = [
        blocked(lambda: canal.CanalBlockingReceive(handle, Message(), 0)),
        blocked(lambda: canal.CanalBlockingReceive(handle, Message(), 60_000)),
    ]
    if "step" in config:
        waiters.append(blocked(lambda: canal.CanalBlockingSend(handle, message(2), 0)))
    assert canal.CanalClose(handle) == SUCCESS
    for thread, code in waiters:
        thread.join(5)
        assert code == [NOT_OPEN]
    assert canal.CanalReceive(other, Message()) in (SUCCESS, FIFO_EMPTY)


def test_dead_handles_say_so(canal: ctypes.CDLL, opened: Open) -> None:
    handle = opened("b")
    assert canal.CanalClose(handle) == SUCCESS
    for dead in (handle, handle + 256, 0, -1, -1681, 2**31 - 1):
        slot = Message()
        assert canal.CanalClose(dead) == NOT_OPEN
        assert canal.CanalSend(dead, slot) == NOT_OPEN
        assert canal.CanalReceive(dead, slot) == NOT_OPEN
        assert canal.CanalBlockingSend(dead, slot, 0) == NOT_OPEN
        assert canal.CanalBlockingReceive(dead, slot, 0) == NOT_OPEN
        assert canal.CanalDataAvailable(dead) == 0
        assert canal.CanalGetStatus(dead, Status()) == NOT_OPEN
        assert canal.CanalGetStatistics(dead, Statistics()) == NOT_OPEN
        assert canal.CanalSetFilter(dead, 0) == NOT_OPEN


# Threads, and the wall clock


def test_wall_clock_delivers_what_the_oracle_says(canal: ctypes.CDLL, opened: Open) -> None:
    before = time.perf_counter_ns()
    handle = opened("b;1000000;load=1;seed=1;fifo=65536")
    inner = time.perf_counter_ns()
    time.sleep(0.1)
    least = time.perf_counter_ns() - inner
    count = canal.CanalDataAvailable(handle)
    most = time.perf_counter_ns() - before
    arrivals = list(oracle.simulate([oracle.generate(count + 1, bitrate=1_000_000, load=Fraction(1), seed=1)]))
    assert len(oracle.arrived(arrivals, least, 1_000_000)) <= count
    assert count == len(oracle.arrived(arrivals, most, 1_000_000)) or arrivals[count - 1].end * 1000 <= most
    assert [as_frame(m) for m in drain(canal, handle)[:count]] == [a.frame for a in arrivals[:count]]


def test_four_threads_on_four_handles(canal: ctypes.CDLL, opened: Open) -> None:
    """Each sends, blocking and not, and receives everybody else's; nothing is lost or invented."""
    each, config = 150, "b;1000000;txqueue=8;fifo=4096"
    handles = [opened(config) for _ in range(4)]
    got: list[list[tuple[int, int]]] = [[] for _ in handles]

    def work(me: int) -> None:
        slot = Message()
        for i in range(each):
            m = message(me, i.to_bytes(2, "little"))
            if i % 2 or canal.CanalSend(handles[me], m) != SUCCESS:
                assert canal.CanalBlockingSend(handles[me], m, 10_000) == SUCCESS
            while canal.CanalReceive(handles[me], slot) == SUCCESS:
                got[me].append((slot.id, slot.data[0] | slot.data[1] << 8))
        while len(got[me]) < 3 * each and canal.CanalBlockingReceive(handles[me], slot, 5000) == SUCCESS:
            got[me].append((slot.id, slot.data[0] | slot.data[1] << 8))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for me, seen in enumerate(got):
        for other in set(range(4)) - {me}:
            assert [n for who, n in seen if who == other] == list(range(each))
        counted = statistics(canal, handles[me])
        assert (counted.tx_frames, counted.rx_frames, counted.overruns) == (each, 3 * each, 0)


LONG = bool(os.environ.get("CANAL_FAST_LONG"))
COMPILERS = ["gcc", "clang"] if LONG else ["gcc"]
SANITIZERS = [(compiler, sanitizer) for compiler in COMPILERS for sanitizer in ("address,undefined", "thread")]


@pytest.mark.slow
@pytest.mark.unsanitized
@pytest.mark.parametrize(("compiler", "sanitizer"), SANITIZERS, ids=lambda s: s)
@pytest.mark.parametrize("driver", ["virtual", "socketcan"])
def test_sanitized_stress(
    driver: str, compiler: str, sanitizer: str, tree: Path, data_dir: Path, tmp_path: Path
) -> None:
    """tests/c/*_stress.c: threads, churn, replay and garbage strings, with no report and no count off."""
    if driver == "socketcan" and sys.platform != "linux":
        pytest.skip("NOT RUN: SocketCAN is Linux's")
    program, log = tmp_path / "stress", tmp_path / "car.log"
    probe, flags = tmp_path / "probe.c", [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=undefined", "-pthread"]
    probe.write_text("int main(void) { return 0; }")
    if shutil.which(compiler) is None:
        pytest.skip(f"NOT RUN: no {compiler}")
    if run(compiler, *flags, str(probe), "-o", str(program)).returncode or run(str(program)).returncode:
        pytest.skip(f"NOT RUN: {compiler} has no {sanitizer} sanitizer that runs here")
    strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-O1"]
    built = run(compiler, *strict, *flags, str(tree / "tests" / "c" / f"{driver}_stress.c"), "-o", str(program))
    assert built.returncode == 0, built.stderr
    log.write_bytes(gzip.decompress((data_dir / "car-bus.log.gz").read_bytes()))
    seconds = "60" if LONG else "1"
    ended = run(str(program), str(log), seconds)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=300)
