"""Recordings of numbered frames, and what their files say."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
from support.frames_of_all_kinds import START

import canal_fast as cf

NOW = int(dt.datetime(2026, 11, 25, 19, 55, 17, tzinfo=dt.UTC).timestamp())
MS = 1_000_000
COUNTERS = ("ifrecv", "ifdrop", "filteraccept", "osdrop", "usrdeliv")


def counted(count: int, first: int = 0, channel: int = 0) -> cf.FrameArray:
    """Frames with a number each."""
    frames = cf.make_frames(np.full(count, 0x123), bytes(8), channel=channel)
    numbers = np.arange(first, first + count, dtype="<u4")
    frames["data"][:, :4] = numbers.view("u1").reshape(-1, 4)
    frames["timestamp_ns"] = NOW * 10**9 + numbers.astype(np.int64) * 1000
    return frames


def sample(path: Path, channel: int = 0, count: int = 100, step_ns: int = MS, name: str | None = None) -> cf.FrameArray:
    """Frames with ascending identifiers, written to `path`."""
    frames = cf.make_frames(
        np.arange(count) % 2048,
        b"data",
        timestamp_ns=START + np.arange(count, dtype=np.int64) * step_ns,
        channel=channel,
    )
    cf.write_log(path, frames, interfaces=None if name is None else {channel: name})
    return frames


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.pcapng"))


def ledger(received: int, filtered: int = 0, dropped: int = 0, overruns: int | None = 0) -> dict[str, int | None]:
    return {"received": received, "filtered": filtered, "dropped": dropped, "driver_overruns": overruns}


def statistics(path: Path) -> dict[str, dict[str, int | None]]:
    """Of each interface by its name."""
    with cf.logs.open_log(path) as log:
        for _ in log.batches():
            pass
        return {row.name: row.statistics or {} for row in log.interfaces}


def sums(paths: list[Path]) -> dict[str, dict[str, int]]:
    """What the statistics of all files come to, by interface."""
    out: dict[str, dict[str, int]] = {}
    for path in paths:
        for name, row in statistics(path).items():
            for key in COUNTERS:
                out.setdefault(name, dict.fromkeys(COUNTERS, 0))[key] += row.get(key) or 0
    return out
