"""Monitors of made-up buses, and what they show."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

import canal_fast as cf
from canal_fast.logger.ansi import PLAIN
from canal_fast.logger.feeds import Bus
from canal_fast.logger.lines import screen_lines
from canal_fast.logger.monitor import Monitor
from canal_fast.logger.signal_texts import SignalTexts
from canal_fast.logger.view import View
from canal_fast.signals import Message, Signal

SECOND = 1_000_000_000


class Given:
    """A feed of arrays, one a poll, whose clock the test sets."""

    def __init__(self, *batches: cf.FrameArray, names: tuple[str, ...] = ("engine",), bitrate: int | None = 500_000):
        self.batches = list(batches)
        self.buses = {n: Bus(n, name, bitrate, state="error active") for n, name in enumerate(names)}
        self.notes: list[str] = []
        self.ended = False
        self.now: float | None = 0.0

    def take(self) -> Iterator[cf.FrameArray]:
        if self.batches:
            yield self.batches.pop(0)

    def stop(self) -> None:
        pass

    def clock(self) -> float | None:
        return self.now

    def wait_s(self, most: float) -> float:
        return most


def monitor(*batches: cf.FrameArray, texts: SignalTexts | None = None, **options: object) -> Monitor:
    made = Monitor(Given(*batches, **options), texts)  # type: ignore[arg-type]
    for _ in batches:
        made.poll()
    return made


def periodic(ids: list[int], count: int, step_ns: int = 10_000_000, **options: object) -> cf.FrameArray:
    """Frames of each identifier in turn, all at regular times; the payload counts."""
    numbers = np.arange(count, dtype=np.int64)
    data = np.zeros((count, 8), np.uint8)
    data[:, 1] = numbers // len(ids)
    frames = cf.make_frames(np.resize(ids, count), data, **options)
    frames["timestamp_ns"] = numbers * step_ns
    return frames


def shown(of: Monitor, view: View | None = None, columns: int = 80, rows: int = 24) -> list[str]:
    return screen_lines(of.snapshot(), view or View(), columns, rows, PLAIN, of.texts)


def ids(lines: list[str]) -> list[str]:
    return [
        found[1]
        for line in lines
        if (found := re.match(r"[> ](?:[a-z]\w* +)? *([0-9A-F]{3}|[0-9A-F]{8}) [ RFBET]{4}", line))
    ]


ENGINE = Message(
    "Engine", 0x100, False, False, 8,
    (
        Signal("Speed", 0, 16, scale=0.25, unit="rpm"),
        Signal("Gear", 16, 3, choices=((0, "Park"), (3, "Dri\x1b[2Jve"))),
        Signal("Bad\x07name", 24, 8, unit="\x9b°C"),
    ),
)  # fmt: skip
