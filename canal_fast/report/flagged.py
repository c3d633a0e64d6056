"""Records that are no frames, and frames with a mark: error frames, states of the bus, losses, steps of the clock."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray, FrameFlag, chosen

__all__ = ["CLASSES", "KINDS", "STATES", "Flagged", "state_codes"]

MOST_EVENTS = 200  # of each kind that are listed; all are counted
_ERROR, _STATUS = int(FrameFlag.ERROR_FRAME), int(FrameFlag.STATUS)
_GAP, _STEP = int(FrameFlag.GAP), int(FrameFlag.CLOCK_STEP)
_MARKED = _ERROR | _STATUS | _GAP | _STEP
_CONTROLLER, _PROTOCOL, _BUS_OFF, _RESTARTED = 0x004, 0x008, 0x040, 0x100
CLASSES = (  # bit of an error frame's identifier, as in error_frame.h and Linux' headers
    (0x001, "transmission timed out"), (0x002, "arbitration lost"), (_CONTROLLER, "controller"),
    (_PROTOCOL, "protocol violation"), (0x010, "transceiver"), (0x020, "no acknowledgement"), (_BUS_OFF, "bus off"),
    (0x080, "bus error"), (_RESTARTED, "controller restarted"),
)  # fmt: skip
KINDS = (  # bit of data[2] of a protocol violation
    (0x01, "bit"), (0x02, "form"), (0x04, "stuff"), (0x08, "dominant bit not sent"),
    (0x10, "recessive bit not sent"), (0x20, "overload"),
)  # fmt: skip
STATES = ("", "error active", "error warning", "error passive", "bus off", "restarted", "overrun")
_OF_CONTROLLER = ((0x40, 1), (0x0C, 2), (0x30, 3))  # bits of data[1], state; the last that fits counts
_OF_STATUS = np.zeros(256, np.uint8)  # code of a CANAL status message -> state
_OF_STATUS[:5] = 1, 6, 2, 3, 4

Windows = dict[tuple[int, int], int]


class Flagged:
    """Counts them batch by batch; few are kept, however many come."""

    def __init__(self, window_ns: int) -> None:
        self.window_ns = window_ns
        self.error_frames: dict[int, int] = {}
        self.status_messages: dict[int, int] = {}
        self.windows: Windows = {}
        """Channel and number of a window (as `Statistics` numbers them) -> error frames."""
        self.classes: dict[tuple[int, str], list[int]] = {}
        """Channel and class -> count, first and last time stamp."""
        self.states: list[dict[str, Any]] = []
        self.gaps: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.totals = {"states": 0, "gaps": 0, "steps": 0}
        self.backwards = 0
        self.back_most_ns = 0
        self.silence: tuple[int, int] | None = None
        """Longest time without any record: its length and its begin."""
        self.first: int | None = None
        self.last: int | None = None
        self._before: int | None = None
        self._state: dict[int, int] = {}

    def add(self, frames: FrameArray) -> None:
        """Count one more batch; its records follow those before."""
        if not len(frames):
            return
        times = np.ascontiguousarray(frames["timestamp_ns"])
        self._order(times)
        marked = np.flatnonzero(frames["flags"] & _MARKED)
        if not len(marked):
            return
        some = chosen(frames, marked)
        before = np.where(marked > 0, times[marked - 1], self._last_of_batch_before)
        self._marks("gaps", some, before, _GAP)
        self._marks("steps", some, before, _STEP)
        off_wire = some[(some["flags"] & (_ERROR | _STATUS)) != 0]
        errors = off_wire[(off_wire["flags"] & _ERROR) != 0]
        _count(self.status_messages, off_wire["channel"][(off_wire["flags"] & _ERROR) == 0])
        if len(errors):
            self._errors(errors)
        if len(off_wire):
            self._states(off_wire)

    def _order(self, times: npt.NDArray[np.int64]) -> None:
        first, last = int(times.min()), int(times.max())
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        start = int(times[0]) if self._before is None else self._before
        self._last_of_batch_before = start
        steps = np.diff(times, prepend=start)
        back = steps[steps < 0]
        if len(back):
            self.backwards += len(back)
            self.back_most_ns = max(self.back_most_ns, -int(back.min()))
        place = int(steps.argmax())
        longest = int(steps[place])
        if longest > (self.silence[0] if self.silence else 0):
            self.silence = longest, int(times[place]) - longest
        self._before = int(times[-1])

    def _marks(self, name: str, some: FrameArray, before: npt.NDArray[np.int64], flag: int) -> None:
        chosen = np.flatnonzero(some["flags"] & flag)
        self.totals[name] += len(chosen)
        listed: list[dict[str, Any]] = getattr(self, name)
        for place in chosen[: MOST_EVENTS - len(listed)]:
            at = int(some["timestamp_ns"][place])
            listed.append({"channel": int(some["channel"][place]), "at_ns": at, "after_ns": int(before[place])})

    def _errors(self, errors: FrameArray) -> None:
        channels, times = errors["channel"], errors["timestamp_ns"]
        _count(self.error_frames, channels)
        pairs = np.stack([channels.astype(np.int64), times // self.window_ns])
        found, counts = np.unique(pairs, axis=1, return_counts=True)
        for channel, window, count in zip(*found.tolist(), counts.tolist(), strict=True):
            self.windows[channel, window] = self.windows.get((channel, window), 0) + count
        classes, kinds = errors["arbitration_id"], errors["data"][:, 2]
        protocol = (classes & _PROTOCOL) != 0
        for bit, name in CLASSES:
            self._class(name, errors[(classes & bit) != 0])
        for bit, name in KINDS:
            self._class(f"protocol violation: {name}", errors[protocol & ((kinds & bit) != 0)])
        self._class("no class given", errors[(classes & 0x1FF) == 0])

    def _class(self, name: str, some: FrameArray) -> None:
        for channel in np.unique(some["channel"]).tolist():
            times = some["timestamp_ns"][some["channel"] == channel]
            first, last = int(times.min()), int(times.max())
            row = self.classes.setdefault((channel, name), [0, first, last])
            row[:] = row[0] + len(times), min(row[1], first), max(row[2], last)

    def _states(self, some: FrameArray) -> None:
        """New states only: a controller says the same one again and again."""
        codes = state_codes(some)
        some, codes = some[codes != 0], codes[codes != 0]
        new = np.zeros(len(some), np.bool_)
        for channel in np.unique(some["channel"]).tolist():
            rows = np.flatnonzero(some["channel"] == channel)
            mine = codes[rows].astype(np.int16)
            new[rows] = np.diff(mine, prepend=self._state.get(channel, 0)) != 0
            self._state[channel] = int(mine[-1])
        places = np.flatnonzero(new)
        self.totals["states"] += len(places)
        for place in places[: MOST_EVENTS - len(self.states)]:
            channel, at = int(some["channel"][place]), int(some["timestamp_ns"][place])
            self.states.append({"channel": channel, "at_ns": at, "state": STATES[codes[place]]})


def state_codes(some: FrameArray) -> npt.NDArray[np.uint8]:
    """The state that each record tells, as an index of STATES; 0: none."""
    classes, detail, flags = some["arbitration_id"], some["data"][:, 1], some["flags"]
    codes = np.zeros(len(some), np.uint8)
    controller = (classes & _CONTROLLER) != 0
    for bits, state in _OF_CONTROLLER:
        codes[controller & ((detail & bits) != 0)] = state
    codes[(classes & _RESTARTED) != 0] = 5
    codes[(classes & _BUS_OFF) != 0] = 4
    status = (flags & _ERROR) == 0
    inside = (some["dlc"] >= 1) & (classes == 0)
    numbers = np.where(inside, some["data"][:, 0].astype(np.uint32), np.minimum(classes, 255))
    codes[status] = _OF_STATUS[numbers[status]]
    return codes


def _count(table: dict[int, int], channels: npt.NDArray[np.uint8]) -> None:
    for channel, count in enumerate(np.bincount(channels).tolist() if len(channels) else []):
        if count:
            table[channel] = table.get(channel, 0) + count
