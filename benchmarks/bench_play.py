"""Playing a recording, beside canplayer and python-can's player: how late frames are on the bus.

On the virtual bus, whose time stamps are exact, beside python-can's player over the same library; on vcan0 by the
kernel's stamps beside both: `tests/vm/run .venv/bin/python benchmarks/bench_play.py`. 60 s of each with
CANAL_FAST_LONG=1. Run as a program it prints all players.
"""

from __future__ import annotations

import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import peers
import pytest
from bench_socketcan import NAME, why_not

import canal_fast as cf
from canal_fast.drivers.library import VIRTUAL

LONG = bool(os.environ.get("CANAL_FAST_LONG"))
SECONDS = 60 if LONG else 4
RATE = 1000
VCAN_ROUNDS, VCAN_SECONDS = (12, 5) if LONG else (3, 2)  # of each player, in turn: what else this machine does hits all
names = itertools.count()


def recording(folder: Path, count: int, step_ns: int, size: int = 8) -> Path:
    path = folder / f"{count}_{step_ns}.log"
    if not path.exists():
        frames = cf.make_frames(np.arange(count) % 0x700, bytes(size))
        frames["timestamp_ns"] = 1_700_000_000 * 10**9 + step_ns * np.arange(count)
        cf.write_log(path, frames, interfaces={0: "can0"})
    return path


def lateness_ms(got: Any, due: Any) -> Any:
    """How much later than its best frame a player sent each; nothing may be missing."""
    assert len(got) == len(due), f"{len(got)} of {len(due)} frames came"
    late = (got - got[0]) - (due - due[0])
    return (late - late.min()) / 1e6


def drift_us(late_ms: Any) -> float:
    """How much later the last quarter is than the first, by their medians."""
    quarter = len(late_ms) // 4
    return float(1000 * (np.median(late_ms[-quarter:]) - np.median(late_ms[:quarter])))


def watch(receiver: cf.Channel, path: Path, play: Callable[[Path], Any]) -> Any:
    """Lateness of each frame in ms while `play` plays the recording."""
    due = cf.read_log(path)["timestamp_ns"]
    play(path)
    time.sleep(0.3)
    got = receiver.receive(1 << 20, min_frames=0, timeout=0)
    return lateness_ms(got["timestamp_ns"], due)


def their_player(bus: Any, path: Path) -> None:
    """What `python -m can.player` does."""
    import can

    with can.LogReader(str(path)) as reader:
        for message in can.MessageSync(reader, timestamps=True, gap=0.0001, skip=60.0):
            bus.send(message)


def on_virtual(play: str, path: Path, keys: str = "") -> Any:
    config = f"bench_play{next(names)};1000000;fifo=1048576{keys}"
    with cf.Channel.virtual(config, clock="device", coalesce_ms=20, ring_frames=1 << 20) as receiver:
        if play == "ours":
            with cf.Channel.virtual(config) as channel:
                return watch(receiver, path, lambda path: (cf.play(path, channel), channel.drain()))
        bus = peers.python_can_bus(VIRTUAL, config)
        try:
            return watch(receiver, path, lambda path: their_player(bus, path))
        finally:
            bus.shutdown()


def on_vcan(play: str, path: Path) -> Any:
    with cf.Channel.socketcan(NAME, fd=True, coalesce_ms=20, ring_frames=1 << 20) as receiver:
        if play == "ours":
            with cf.Channel.socketcan(NAME, fd=True) as channel:
                return watch(receiver, path, lambda path: cf.play(path, channel))
        if play == "canplayer":
            command = ["canplayer", "-I", str(path), f"{NAME}=can0"]
        else:
            command = [sys.executable, "-P", "-m", "can.player", "-i", "socketcan", "-c", NAME, str(path)]
        return watch(receiver, path, lambda path: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


def p99(late_ms: Any) -> float:
    return float(np.percentile(late_ms, 99))


def told(play: str, late_ms: Any) -> None:
    shares = ", ".join(f"p{q} {np.percentile(late_ms, q):.3f} ms" for q in (50, 95, 99, 100))
    within = 100 * np.mean(late_ms <= 1)
    print(f"{play}: {len(late_ms)} frames, {shares}, {within:.2f} % within 1 ms, drift {drift_us(late_ms):.0f} us")


def measure() -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    with tempfile.TemporaryDirectory() as name:
        path = recording(Path(name), SECONDS * RATE, 10**9 // RATE)
        ours = on_virtual("ours", path)
        told("canal_fast, virtual bus", ours)
        found["play-within"] = float(np.mean(ours > 1)) / 0.05
        try:
            import can  # noqa: F401
        except ImportError:
            found["play-virtual"] = "not run: python-can is not installed"
        else:
            theirs = on_virtual("python-can", path)
            told("python-can, virtual bus", theirs)
            found["play-virtual"] = p99(theirs) / p99(ours)
        fast = on_virtual("ours", recording(Path(name), SECONDS * 8000, 125_000, 4))
        told("canal_fast, 8000 frames/s of 4 bytes", fast)
        found["play-8000"] = float(np.mean(fast > 1)) / 0.05
        reason = why_not() or ("" if shutil.which("canplayer") else "not run: no canplayer (can-utils)")
        found["play-vcan"] = reason or vcan(Path(name))
    return found


def vcan(folder: Path) -> float:
    path = recording(folder, VCAN_SECONDS * RATE, 10**9 // RATE)
    players = ("ours", "canplayer", "python-can")
    rounds = [{play: on_vcan(play, path) for play in players} for _ in range(VCAN_ROUNDS)]
    for play in players:
        told(f"{play}, {NAME}", np.concatenate([row[play] for row in rounds]))
    middle = {play: statistics.median(p99(row[play]) for row in rounds) for play in players}
    print(f"{NAME}: medians of the rounds' p99: " + ", ".join(f"{play} {ms:.3f} ms" for play, ms in middle.items()))
    return min(middle["canplayer"], middle["python-can"]) / middle["ours"]


def test_as_fast_as_accepted(benchmark: Any, tmp_path: Path) -> None:
    pytest.importorskip("pytest_benchmark")
    path = recording(tmp_path, 1000, 1000)
    with cf.Channel.virtual(f"bench_play{next(names)};1000000") as channel:
        benchmark.pedantic(lambda: cf.play(path, channel, speed=0), rounds=3)


if __name__ == "__main__":
    print(measure())
