"""Recordings of events only: what makes one, and which frames belong to it."""

from __future__ import annotations

import logging
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray, FrameFlag, payload_length

from .ordering import Keys, joined

__all__ = ["Capture", "Rule", "parse_rule"]

log = logging.getLogger("canal_fast")

Mask = npt.NDArray[np.bool_]
_NO_FRAME = FrameFlag.STATUS | FrameFlag.ERROR_FRAME
_BUS_OFF_CLASS = 0x40  # of an error frame's identifier: linux/can/error.h


@dataclass(frozen=True)
class Rule:
    """What begins an event.

    Attributes
    ----------
    text : str
        As it was written.
    kind : str
        "id", "payload", "error", "bus-off", "signal", "file".
    match : callable, optional
        Frames -> which of them do.
    path : str
        Of the file whose coming does.
    """

    text: str
    kind: str
    match: Callable[[FrameArray], Mask] | None = None
    path: str = ""


def _of_bus(frames: FrameArray) -> Mask:
    return np.asarray(frames["flags"] & np.uint16(_NO_FRAME) == 0)


def _match_id(can_id: int, can_mask: int, frames: FrameArray) -> Mask:
    same = (frames["arbitration_id"] ^ np.uint32(can_id)) & np.uint32(can_mask) == 0
    return np.asarray(same & _of_bus(frames))


def _match_payload(value: npt.NDArray[np.uint8], mask: npt.NDArray[np.uint8], frames: FrameArray) -> Mask:
    size = len(value)
    if frames["data"].shape[1] < size:
        return np.zeros(len(frames), bool)
    same = ((frames["data"][:, :size] ^ value) & mask == 0).all(axis=1)
    return np.asarray(same & _of_bus(frames) & (payload_length(frames) >= size))


def _match_error(frames: FrameArray) -> Mask:
    return np.asarray(frames["flags"] & np.uint16(FrameFlag.ERROR_FRAME) != 0)


def _match_bus_off(frames: FrameArray) -> Mask:
    return np.asarray(_match_error(frames) & (frames["arbitration_id"] & np.uint32(_BUS_OFF_CLASS) != 0))


def _id(text: str, value: str) -> Rule:
    can_id, colon, mask = value.partition(":")
    numbers = _hexadecimal(text, "ID", can_id), _hexadecimal(text, "MASK", mask) if colon else 0x1FFFFFFF
    for name, number in zip(("ID", "MASK"), numbers, strict=True):
        if not 0 <= number <= 0x1FFFFFFF:
            raise ValueError(f"trigger {text!r}: {name} is {number:X}, allowed 0..1FFFFFFF (hexadecimal)")
    return Rule(text, "id", partial(_match_id, *numbers))


def _hexadecimal(text: str, name: str, value: str) -> int:
    try:
        return int(value, 16)
    except ValueError:
        raise ValueError(f"trigger {text!r}: {name} {value!r} is not hexadecimal, as in id=100:700") from None


def _payload(text: str, value: str) -> Rule:
    data, colon, mask = value.partition(":")
    try:
        bits = bytes.fromhex(data)
        care = bytes.fromhex(mask) if colon else b"\xff" * len(bits)
    except ValueError:
        raise ValueError(f"trigger {text!r}: not bytes in hexadecimal, as in payload=02 10:ff f0") from None
    if not 1 <= len(bits) <= 64:
        raise ValueError(f"trigger {text!r}: {len(bits)} bytes, allowed 1..64")
    if len(care) != len(bits):
        raise ValueError(f"trigger {text!r}: {len(bits)} bytes, but a mask of {len(care)}")
    return Rule(text, "payload", partial(_match_payload, np.frombuffer(bits, np.uint8), np.frombuffer(care, np.uint8)))


def _signal(text: str, value: str) -> Rule:
    if not hasattr(signal, "SIGUSR1"):
        raise ValueError(f"trigger {text!r}: this system has no SIGUSR1; file=PATH does")
    return Rule(text, "signal")


def _file(text: str, value: str) -> Rule:
    if not value:
        raise ValueError(f"trigger {text!r} names no file, as in file=/run/can/trigger")
    folder = os.path.dirname(value) or os.curdir
    if not os.path.isdir(folder):
        raise ValueError(f"trigger {text!r}: there is no folder {folder}")
    return Rule(text, "file", path=value)


_RULES: dict[str, tuple[bool, Callable[[str, str], Rule]]] = {  # name: (has it a value, from it)
    "id": (True, _id),
    "payload": (True, _payload),
    "error": (False, lambda text, _: Rule(text, "error", _match_error)),
    "bus-off": (False, lambda text, _: Rule(text, "bus-off", _match_bus_off)),
    "signal": (False, _signal),
    "file": (True, _file),
}


def parse_rule(text: str) -> Rule:
    """`id=ID:MASK` or `payload=HEX:MASK` (of its first bytes), hexadecimal, without :MASK all bits count; `error`: an
    error frame; `bus-off`; `signal`: SIGUSR1; `file=PATH`: a file of that name, which is deleted.

    Raises
    ------
    ValueError
        With the text and what is wrong in it.
    """
    name, equals, value = text.partition("=")
    row = _RULES.get(name)
    if row is None or row[0] != bool(equals):
        known = ", ".join(f"{name}=" if valued else name for name, (valued, _) in _RULES.items())
        raise ValueError(f"trigger {text!r}, allowed {known}")
    return row[1](text, value)


class FileTrigger:
    """A file whose coming counts once: it is deleted; where that is refused, once for each time it is written to."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: int | None = None

    def came(self) -> bool:
        try:
            written = os.stat(self._path).st_mtime_ns
        except OSError:
            self._seen = None
            return False
        new = written != self._seen
        try:
            os.unlink(self._path)
            self._seen = None
        except OSError as error:
            if new:
                log.warning("%s could not be deleted (%s); it counts again when it is written to", self._path, error)
            self._seen = written
        return new


class Past:
    """The frames of the last so many nanoseconds, as many as there is room for."""

    def __init__(self, span_ns: int, most: int) -> None:
        self._span, self._most = span_ns, most
        self._parts: deque[tuple[FrameArray, Keys]] = deque()
        self._count = 0
        self._dropped: int | None = None  # time of the last that there was no room for

    def add(self, frames: FrameArray, keys: Keys) -> None:
        """The next frames; those that are too old, or too many, go."""
        if not len(frames):
            return
        self._parts.append((frames, keys))
        self._count += len(frames)
        oldest = int(keys[-1]) - self._span
        while self._parts[0][1][-1] < oldest:
            self._count -= len(self._parts.popleft()[0])
        while self._count > self._most:
            first, times = self._parts.popleft()
            surplus = min(self._count - self._most, len(first))
            self._dropped = int(times[surplus - 1])
            self._count -= surplus
            if surplus < len(first):
                self._parts.appendleft((first[surplus:], times[surplus:]))

    def since(self, key: int) -> tuple[FrameArray, bool]:
        """Those from that time on, and whether these are all."""
        chosen = [frames[int(np.searchsorted(keys, key)) :] for frames, keys in self._parts if keys[-1] >= key]
        return joined(chosen), self._dropped is None or self._dropped < key


class Capture:
    """Chooses the frames of events: from `pre_ns` before the first trigger until `post_ns` after the last.

    Both ends count; a trigger during an event prolongs it. Each event has all frames of its time, whatever an earlier
    one had of them.

    Parameters
    ----------
    rules : sequence of Rule
    pre_ns, post_ns : int
    most : int
        Frames that are kept for `pre_ns`.

    Attributes
    ----------
    events : int
        Those that have begun.
    """

    def __init__(self, rules: list[Rule], pre_ns: int, post_ns: int, most: int) -> None:
        self._matches = [rule.match for rule in rules if rule.match is not None]
        self._files = [FileTrigger(rule.path) for rule in rules if rule.kind == "file"]
        self.polls_bus_off = any(rule.kind == "bus-off" for rule in rules)
        self._pre, self._post = pre_ns, post_ns
        self._past = Past(pre_ns, most)
        self._from = 0
        self._end: int | None = None
        self._last: int | None = None
        self.events = 0

    @property
    def recording(self) -> bool:
        return self._end is not None

    def files_came(self) -> bool:
        """Has one of the files come that the rules name?"""
        return any([file.came() for file in self._files])

    def trigger(self, key: int) -> Iterator[FrameArray]:
        """A trigger from outside at that time: what is written already."""
        if self._last is not None:
            key = max(key, self._last)
        if self._end is None:
            yield from self._begin(key)
        else:
            self._end = max(self._end, key + self._post)

    def take(self, frames: FrameArray, keys: Keys) -> Iterator[FrameArray | None]:
        """The next frames in order, and their times: arrays to write, None where an event ends."""
        if not len(frames):
            return
        if self._last is not None and keys[0] < self._last:  # late ones count with the time of those before them
            keys = np.maximum(keys, self._last)
        self._last = int(keys[-1])
        hits = np.flatnonzero(self._hits(frames))
        first = 0
        while first < len(frames):
            coming = hits[np.searchsorted(hits, first) :]
            if self._end is None:
                begin = int(coming[0]) if len(coming) else len(frames)
                self._past.add(frames[first:begin], keys[first:begin])
                if begin == len(frames):
                    return
                yield from self._begin(int(keys[begin]))
                first = begin
            self._prolong(keys[coming])
            assert self._end is not None
            last = max(int(np.searchsorted(keys, self._end, "right")), first)
            low = max(int(np.searchsorted(keys, self._from)), first)
            if last > low:
                yield frames[low:last]
            self._past.add(frames[first:last], keys[first:last])
            if last < len(frames):
                self._end = None
                yield None
            first = last

    def idle(self, key: int) -> bool:
        """All frames until that time have come: has an event ended by it?"""
        if self._end is None or key <= self._end:
            return False
        self._end = None
        return True

    def _begin(self, key: int) -> Iterator[FrameArray]:
        self.events += 1
        self._from, self._end = key - self._pre, key + self._post
        past, whole = self._past.since(self._from)
        if not whole:
            log.warning("event %d: there was room for %d frames only before the trigger", self.events, len(past))
        if len(past):
            yield past

    def _prolong(self, hits: Keys) -> None:
        """Triggers in the time of the event move its end, as far as each comes before the one that the last set."""
        assert self._end is not None
        chain = np.concatenate([np.array([self._end - self._post], np.int64), hits])
        apart = np.flatnonzero(np.diff(chain) > self._post)
        last = int(chain[apart[0] if len(apart) else -1])
        self._end = max(self._end, last + self._post)

    def _hits(self, frames: FrameArray) -> Mask:
        found = np.zeros(len(frames), bool)
        for match in self._matches:
            found |= match(frames)
        return found
