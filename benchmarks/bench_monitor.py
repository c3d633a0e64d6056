"""Watching a full bus on a terminal, beside a bare loop that receives it, and python-can's viewer.

All three run as programs of their own on the same kind of bus, 2,000 identifiers at 1 Mbit/s; CPU time is that of all
their threads, by the kernel's count, once they have begun. Run as a program it prints what it measured.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import select
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

SECONDS = 20.0 if os.environ.get("CANAL_FAST_LONG") else 3.0
ROUNDS = 3
BEGIN_S = 2.0  # interpreter, imports, the first screens
SHARE = 0.05  # of a core, which the monitor may take above the bare loop
SIZES = ((80, 24), (200, 50))
BUS = "bench_monitor;1000000;load=1;seed=1;ids=0-1999"
COMMAND = [sys.executable, "-P", "-m"]
BARE = f"""
import numpy as np, canal_fast as cf
with cf.Channel.virtual({BUS!r}) as channel:
    buffer = np.zeros(4096, cf.FRAME_DTYPE)
    while True:
        channel.receive_into(buffer, min_frames=4096, timeout=0.25)
"""


def cpu_s(pid: int) -> float:
    """CPU time of all threads of a process."""
    found = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found += int((task / "schedstat").read_text().split()[0])
    return found / 1e9


@contextlib.contextmanager
def on_terminal(arguments: Sequence[str], columns: int, rows: int) -> Iterator[tuple[int, int]]:
    """A program on a pseudo-terminal of this size: its process and our end."""
    fcntl, termios = map(importlib.import_module, ("fcntl", "termios"))  # not on Windows
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    program = subprocess.Popen(
        arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    try:
        yield program.pid, ours
    finally:
        program.kill()
        program.wait()
        os.close(ours)


def drained(ours: int, seconds: float) -> int:
    """Bytes that it showed meanwhile."""
    shown, deadline = 0, time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if select.select([ours], [], [], left)[0]:
            shown += len(os.read(ours, 65536))
    return shown


def share(arguments: Sequence[str], size: tuple[int, int], seconds: float = SECONDS) -> tuple[float, float]:
    """CPU seconds and bytes shown, per second."""
    with on_terminal(arguments, *size) as (pid, ours):
        drained(ours, BEGIN_S)
        before, begun = cpu_s(pid), time.monotonic()
        shown = drained(ours, seconds)
        passed = time.monotonic() - begun
        return (cpu_s(pid) - before) / passed, shown / passed


def measure() -> dict[str, float | str]:
    names = ["monitor-80x24", "monitor-200x50", "monitor-viewer"]
    if not Path("/proc/self/task").is_dir():
        return dict.fromkeys(names, "NOT RUN: no /proc")
    programs = {"bare receive loop": ([sys.executable, "-P", "-c", BARE], SIZES[0])}
    for columns, rows in SIZES:
        command = [*COMMAND, "canal_fast", "monitor", "--source", f"virtual:{BUS}"]
        programs[f"monitor-{columns}x{rows}"] = command, (columns, rows)
    seen: dict[str, list[tuple[float, float]]] = {program: [] for program in programs}
    for _ in range(ROUNDS):  # in turn: what else this machine does hits all
        for program, (arguments, size) in programs.items():
            seen[program].append(share(arguments, size))
    middle = {program: statistics.median(used for used, _ in runs) for program, runs in seen.items()}
    bare = middle.pop("bare receive loop")
    print(f"   full bus, 2000 identifiers: bare receive loop {bare:.2%} of a core")
    found: dict[str, float | str] = {}
    for program, used in middle.items():
        shown = min(shown for _, shown in seen[program])
        print(f"   {program}: {used:.2%}, {shown / 1000:.0f} kB/s shown: {used - bare:.2%} above it")
        assert shown > 1000, "it shows nothing"
        found[program] = (used - bare) / SHARE
    monitor = middle[names[1]]
    try:
        import can  # noqa: F401
    except ImportError:
        return {**found, "monitor-viewer": "NOT RUN: python-can is not installed"}
    viewer, shown = share([*COMMAND, "can.viewer", "-i", "canal_fast", "-c", f"virtual:{BUS}"], SIZES[1])
    print(f"   python-can's viewer at 200x50: {viewer:.2%}, {shown / 1000:.0f} kB/s shown")
    return {**found, "monitor-viewer": viewer / monitor}


@pytest.mark.skipif(os.name != "posix", reason="NOT RUN: no pseudo-terminals")
def test_the_monitor_shows_something() -> None:
    _, shown = share([*COMMAND, "canal_fast", "monitor", "--source", f"virtual:{BUS}"], SIZES[0], 1.0)
    assert shown > 1000


if __name__ == "__main__":
    print(measure())
