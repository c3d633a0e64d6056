"""What is told of the channels of a recording that goes into several files: statistics that begin anew in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import _logs
from .account import Account
from .recording_file import RecordingFile

__all__ = ["Books", "Told", "told_of"]

_STEPS = ("clock_steps", "clock_step_ns", "clock_step_before_ns", "clock_step_after_ns")
_STEPPED = (
    "host clock set {clock_steps} times, last at {clock_step_ns} ns: offset {clock_step_before_ns} -> "
    "{clock_step_after_ns} ns"
)
_OVERRUNS, _DELIVERED = (_logs.COUNTER_NAMES.index(name) for name in ("ifdrop", "usrdeliv"))

Values = tuple[int | None, ...]


@dataclass(frozen=True)
class Told:
    """Counters of a channel since its begin, as COUNTER_NAMES names them, and steps of the host's clock."""

    values: Values
    comment: bytes = b""
    steps: int = 0


_NOTHING = Told((None,) * len(_logs.COUNTER_NAMES))


def told_of(ledger: object, delivered: int, before: Told | None = None) -> Told:
    """From a ledger, or a mapping with its fields. Overruns that cannot be known any more are those `before`."""
    received, filtered, dropped, overruns = (
        ledger[name] if isinstance(ledger, Mapping) else getattr(ledger, name)
        for name in ("received", "filtered", "dropped", "driver_overruns")
    )
    if overruns is None and before is not None:
        overruns = before.values[_OVERRUNS]
    steps = {name: ledger.get(name) if isinstance(ledger, Mapping) else getattr(ledger, name, 0) for name in _STEPS}
    comment = _STEPPED.format_map(steps).encode() if steps["clock_steps"] else b""
    values = (received + (overruns or 0), overruns, received - filtered, dropped, delivered)
    return Told(values, comment, steps["clock_steps"] or 0)


class Books:
    """Counters and accounts of all files of a recording."""

    def __init__(self) -> None:
        self.files = self.frames = 0
        self.account = Account()
        self.told: dict[int, Told] = {}
        self._before: dict[int, Told] = {}  # what the files that have ended tell
        self._delivered: dict[int, int] = {}

    def since_begin(self, channel: int, file: RecordingFile) -> Told:
        """What the file tells of a channel."""
        told = self.told[channel]
        before = self._before.get(channel, _NOTHING)
        values = [
            None if now is None else now - (then or 0) for now, then in zip(told.values, before.values, strict=True)
        ]
        if values[_DELIVERED] is not None:
            values[_DELIVERED] = file.writer.channel_frames(channel)
        return Told(tuple(values), told.comment if told.steps > before.steps else b"")

    def settle(self, channel: int) -> None:
        """The file that ends has told all of it."""
        self._before[channel] = self.told[channel]

    def add(self, file: RecordingFile) -> None:
        """Count a file that has ended."""
        self.frames += file.writer.frames
        self.account += file.screen.account
        for channel in range(_logs.INTERFACES):
            if count := file.writer.channel_frames(channel):
                self._delivered[channel] = self._delivered.get(channel, 0) + count

    def delivered(self, channel: int) -> int:
        """Frames of a channel in files that have ended."""
        return self._delivered.get(channel, 0)
