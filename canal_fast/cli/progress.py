"""What `canal-fast log` tells while it records: a line on a terminal, or JSON lines."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from canal_fast import wire
from canal_fast.frames import FrameArray, FrameFlag, chosen
from canal_fast.live.ledger import Ledger

__all__ = ["Progress", "fitting", "tell"]

SILENCE_S = 5.0
_NO_FRAME = FrameFlag.STATUS | FrameFlag.ERROR_FRAME


def tell(text: str, end: str = "\n") -> bool:
    """Print on standard error; False where that is lost (the terminal was closed, its disk is full), for which nothing
    ends."""
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except OSError:
        return False
    return True


def fitting(parts: list[str], columns: int) -> str:
    """As many of the parts, the first ones, as leave the last column free; at least the first, cut to that."""
    line = parts[0]
    for part in parts[1:]:
        if len(line) + 2 + len(part) >= columns:
            break
        line += "  " + part
    return line[: max(columns - 1, 0)]


class Progress:
    """Counts what is recorded, and tells: one line on standard error, rewritten each second; or JSON lines.

    `shared` says that frames go to the terminal, too: then there is no such line between them.
    """

    def __init__(self, as_json: bool, bitrates: Sequence[int | None], shared: bool = False) -> None:
        self.json = as_json
        self.terminal = not as_json and not shared and sys.stderr.isatty()
        self.bitrates = list(bitrates)  # of each channel
        self.begin = self.last = self.heard = time.monotonic()
        self.frames = self.error_frames = self.status_messages = 0
        self._busy_ns, self._busy_all_ns = ([0] * len(self.bitrates) for _ in range(2))
        self._covered = self.begin  # when what was shown up to now had been received, as near as is known
        self.until: float | None = None  # on the monotonic clock: when what is recorded ends; None: it goes on
        self._silent = False
        self._heard_by_some = True  # standard error is there
        self._width = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.begin

    @property
    def recorded_s(self) -> float:
        """Time that the recording covers. Writing goes on behind it, for frames of several sources are held back."""
        return self.seconds if self.until is None or self.until <= self.begin else self.until - self.begin

    @property
    def loads(self) -> list[float | None]:
        """Share of each bus meanwhile; None without a bit rate, or with a second one that is not known."""
        pairs = zip(self.bitrates, self._busy_all_ns, strict=True)
        return [busy / (self.recorded_s * 1e9) if rate else None for rate, busy in pairs]

    def update(self, frames: FrameArray, written: int, ledger: Ledger, until: float | None = None) -> None:
        """After each batch, also an empty one; `until`: when its last frame was received, on the monotonic clock."""
        now = time.monotonic()
        self._count(frames)
        if self.json:
            self.line(event="progress", frames_written=written, ledger=ledger.as_dict())
            return
        if len(frames):
            self.heard, self._silent = now, False
        elif now - self.heard >= SILENCE_S and not self._silent:
            self._silent = True
            self.say(f"no frames for {SILENCE_S:g} s: is the bus on, the bit rate right?")
        if self.terminal and now - self.last >= 1:
            self._show(now, written, ledger, until)

    def _count(self, frames: FrameArray) -> None:
        none = frames["flags"] & _NO_FRAME
        on_wire = chosen(frames, none == 0)
        if len(on_wire) < len(frames):
            errors = int((none & FrameFlag.ERROR_FRAME != 0).sum())
            self.error_frames += errors
            self.status_messages += len(frames) - len(on_wire) - errors
        if any(self.bitrates):
            bits = wire.frame_length_bits(on_wire, parts=True)
            for channel, rate in enumerate(self.bitrates):
                own = bits if len(self.bitrates) == 1 else bits[on_wire["channel"] == channel]
                if rate:
                    self._busy_ns[channel] += int(own["nominal"].sum() * 1e9 / rate)
                    if own["data"].any():
                        self.bitrates[channel] = None

    def _show(self, now: float, written: int, ledger: Ledger, until: float | None) -> None:
        covered = self._covered + now - self.last  # as far behind as before
        if until is not None and written > self.frames and until > self._covered:
            covered = until
        passed, self._covered = covered - self._covered, covered
        parts = [f"{now - self.begin:.0f} s", f"{written} frames"]
        parts.append(f"{ledger.lost} lost" if ledger.lost or ledger.driver_overruns is not None else "loss unknown")
        parts.append(f"{(written - self.frames) / passed:.0f}/s")
        pairs = zip(self.bitrates, self._busy_ns, strict=True)
        loads = [f"{busy / passed / 1e7:.1f}" if rate else "?" for rate, busy in pairs]
        if any(self.bitrates):
            parts.append(f"load {' '.join(loads)} %")
        if self.error_frames:
            parts.append(f"{self.error_frames} error frames")
        parts.append(f"ring high-water {ledger.high_water}")
        self._settle()
        self.frames, self.last = written, now
        self._put(fitting(parts, _columns()))

    def _put(self, line: str) -> None:
        self._tell(f"\r{line.ljust(min(self._width, _columns() - 1))}\r{line}", end="")
        self._width = len(line)

    def _tell(self, text: str, end: str = "\n") -> None:
        self._heard_by_some = self._heard_by_some and tell(text, end)

    def say(self, text: str) -> None:
        """A line of its own on standard error."""
        self.clear()
        self._tell(f"canal-fast log: {text}")

    def clear(self) -> None:
        """Take the progress line away."""
        if self._width:
            self._put("")

    def end(self) -> None:
        """No more frames come."""
        self.clear()
        self._settle()

    def _settle(self) -> None:
        self._busy_all_ns = [all_of + busy for all_of, busy in zip(self._busy_all_ns, self._busy_ns, strict=True)]
        self._busy_ns = [0] * len(self.bitrates)

    def line(self, **row: Any) -> None:
        """A JSON line on standard output."""
        print(json.dumps({"seconds": round(self.seconds, 3), **row}), flush=True)


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
