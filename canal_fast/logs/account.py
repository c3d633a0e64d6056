"""The account of what became of frames that were written in another format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from canal_fast.errors import FrameError
from canal_fast.frames import FrameArray

from . import _account, _logs
from .format_rows import LogFormat

__all__ = ["Account", "Screen"]

LEFT_OUT, REDUCED = _account.loss_table()


@dataclass(frozen=True)
class Account:
    """What became of every frame: read = written + filtered + cut + the sum of left_out. Accounts add.

    Attributes
    ----------
    read : int
        Frames of the sources.
    written : int
        Frames in the target.
    filtered, cut : int
        Frames that were not wanted: by identifier or channel; by time.
    left_out : dict of str to int
        Frames that the target's format has no place for, by kind: "fd", "error_frame", "remote", "status", "channel",
        "time".
    reduced : dict of str to int
        Written frames that lost something, by what it was: "nanoseconds", "raw_dlc", "fd_flags", "direction", "gap",
        "clock_step", "error_detail", "channel", "name". A frame may count for several.
    reduced_frames : int
        How many frames those are.
    skipped : dict of str to int
        What the sources hold beside frames, by kind; no part of `read`.
    lost_bytes : int
        Damaged bytes of the sources that were passed over.
    truncated : int
        Sources that end inside something.

    Examples
    --------
    >>> account = cf.logs.convert("drive.blf", "engine.asc", filters=[{"can_id": 0x100, "can_mask": 0x7FF}])
    >>> account.read, account.written, account.filtered
    (110, 100, 10)
    >>> (account + account).read
    220
    """

    read: int = 0
    written: int = 0
    filtered: int = 0
    cut: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    reduced: dict[str, int] = field(default_factory=dict)
    reduced_frames: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    lost_bytes: int = 0
    truncated: int = 0

    def verify(self) -> None:
        """Raise AssertionError unless it adds up."""
        parts = self.written + self.filtered + self.cut + sum(self.left_out.values())
        assert self.read == parts, f"the account does not add up: {self.read} read, {parts} accounted for"
        assert self.reduced_frames <= self.written

    def __add__(self, other: Account) -> Account:
        pairs = {row.name: (getattr(self, row.name), getattr(other, row.name)) for row in fields(self)}
        sums: dict[str, Any] = {name: _sum(a, b) if isinstance(a, dict) else a + b for name, (a, b) in pairs.items()}
        return Account(**sums)

    def as_dict(self) -> dict[str, Any]:
        return {row.name: getattr(self, row.name) for row in fields(self)}

    def as_json(self) -> str:
        return json.dumps(self.as_dict())


def _sum(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    return {name: a.get(name, 0) + b.get(name, 0) for name in (*a, *(name for name in b if name not in a))}


class Screen:
    """Takes out of frames those that a format has no place for, and counts what the others lose."""

    def __init__(self, row: LogFormat, nanoseconds: bool, strict: bool, path: str) -> None:
        capsule = _logs.format_row(row.index) if row.index >= 0 else None
        self._screen = _account.Screen(capsule, nanoseconds, row.keeps)
        self._strict, self._path, self._title = strict, path, row.title

    def start(self, start_ns: int) -> None:
        """When times begin."""
        self._screen.start(start_ns)

    def name(self, channel: int, name: str) -> None:
        """What the channel is called."""
        self._screen.name(channel, name != f"can{channel}")

    def keep(self, frames: FrameArray) -> FrameArray:
        """The frames that are written; where all are, that array itself."""
        given = self._screen.totals()[0] if self._strict else 0
        kept, seen = self._screen.count(frames, self._strict)
        if seen < len(frames):
            raise self._trouble(frames, seen, given + seen)
        if kept == len(frames) and not self._screen.pending:
            return frames
        out: FrameArray = np.empty(len(frames), frames.dtype)
        return out[: self._screen.copy(frames, out)]

    @property
    def account(self) -> Account:
        given, written, reduced_frames, left_out, reduced = self._screen.totals()
        return Account(
            read=given,
            written=written,
            left_out={word: count for (word, _), count in zip(LEFT_OUT, left_out, strict=True) if count},
            reduced={word: count for (word, _), count in zip(REDUCED, reduced, strict=True) if count},
            reduced_frames=reduced_frames,
        )

    def _trouble(self, frames: FrameArray, index: int, number: int) -> FrameError:
        loss, frame = self._screen.loss(frames, index), frames[index]
        if loss < 0:
            what = f"is {LEFT_OUT[-1 - loss][1]}, which {self._title} has no place for"
        else:
            lost = ", ".join(sentence for bit, (_, sentence) in enumerate(REDUCED) if loss >> bit & 1)
            what = f"would lose in {self._title}: {lost}"
        place = f"identifier {frame['arbitration_id']:X}, time stamp {frame['timestamp_ns']} ns, channel"
        return FrameError(f"{self._path}: frame {number} (from 0; {place} {frame['channel']}) {what}", index=int(index))
