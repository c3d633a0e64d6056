"""Periodic traffic with a stated jitter, and disturbances put into it at known places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import canal_fast as cf
from canal_fast.frames import FrameFlag

MS = 1_000_000
PERIODS_MS = (10, 10, 12.5, 20, 20, 25, 40, 50, 100, 100, 200, 500)
JITTER = 0.05  # of the period, evenly spread
START = 1_700_000_000_000_000_000


@dataclass
class Traffic:
    """Frames of each period: identifier, number and time of each."""

    ids: np.ndarray
    numbers: np.ndarray
    times: np.ndarray

    def frames(self, keep: np.ndarray | None = None) -> cf.FrameArray:
        chosen = slice(None) if keep is None else keep
        order = np.argsort(self.times[chosen], kind="stable")
        return records(self.ids[chosen][order], self.times[chosen][order])


def records(ids: np.ndarray, times: np.ndarray) -> cf.FrameArray:
    """Every third identifier is an extended one."""
    flags = np.where(ids % 3 == 0, int(FrameFlag.EXTENDED_ID), 0)
    return cf.make_frames(ids, np.zeros((len(ids), 8), np.uint8), timestamp_ns=times, flags=flags)


def traffic(seed: int, seconds: float = 60, clock_ppm: float = 80) -> Traffic:
    """Each sender has a clock of its own; a recording begins anywhere."""
    rng = np.random.default_rng(seed)
    ids, numbers, times = [], [], []
    for row, period_ms in enumerate(PERIODS_MS):
        period = period_ms * MS * (1 + rng.uniform(-clock_ppm, clock_ppm) * 1e-6)
        since = rng.uniform(0, period) + np.arange(-1, int(seconds * 1e9 / period) + 2) * period
        since = np.rint(since + rng.uniform(0, JITTER * period_ms * MS, len(since))).astype(np.int64)
        since = since[(since >= 0) & (since < seconds * 1e9)]
        ids.append(np.full(len(since), 0x100 + row))
        numbers.append(np.arange(len(since)))
        times.append(START + since)
    return Traffic(np.concatenate(ids), np.concatenate(numbers), np.concatenate(times))


@dataclass
class Disturbed:
    """Frames with disturbances; `known`: kind, identifier and time of each (of a missing one, when it was due)."""

    frames: cf.FrameArray
    known: list[tuple[str, int, int]]


def disturb(clean: Traffic, seed: int, each: int = 250) -> Disturbed:
    """`each` frames missing, doubled, late (by 0.1 to 0.95 of the period more), and foreign ones; no two neighbours."""
    rng = np.random.default_rng(seed)
    behind = np.bincount(clean.ids - 0x100)[clean.ids - 0x100] - clean.numbers
    inner = np.flatnonzero((clean.numbers % 3 == 1) & (behind > 2))
    places = rng.choice(inner, 3 * each, replace=False)
    missing, doubled, late = np.split(places, 3)
    periods = np.array(PERIODS_MS)[clean.ids - 0x100] * MS
    times = clean.times.copy()
    times[late] += (rng.uniform(0.1, 0.9, each) * periods[late]).astype(np.int64)
    copies = times[doubled] + rng.integers(200_000, 2_000_000, each)
    strange = rng.integers(START, int(clean.times.max()), each)
    keep = np.ones(len(times), np.bool_)
    keep[missing] = False
    ids = np.concatenate([clean.ids[keep], clean.ids[doubled], rng.integers(0x300, 0x700, each)])
    when = np.concatenate([times[keep], copies, strange])
    order = np.argsort(when, kind="stable")
    known = [("missing", int(clean.ids[i]), int(clean.times[i])) for i in missing]
    known += [("doubled", int(clean.ids[i]), int(t)) for i, t in zip(doubled, copies, strict=True)]
    known += [("late", int(clean.ids[i]), int(times[i])) for i in late]
    known += [("foreign", int(i), int(t)) for i, t in zip(ids[-each:], strange, strict=True)]
    return Disturbed(records(ids[order], when[order]), known)
