"""Where a monitor's frames come from: open channels, or a recording."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from canal_fast.errors import CanalFastError, ChannelClosedError
from canal_fast.frames import FrameArray
from canal_fast.live.channel import Channel
from canal_fast.live.ledger import Ledger
from canal_fast.logs.interfaces import LogInterface
from canal_fast.logs.reading import LogFile

__all__ = ["Bus", "Feed", "FileFeed", "LiveFeed"]

BATCH = 16_384
TURN_S = 0.05  # of taking frames, before somebody else has a turn
STATUS_S = 1.0  # how often drivers are asked
PLAUSIBLE = range(1000, 20_000_001)  # what a recording says beside this is no bit rate of CAN


@dataclass
class Bus:
    """One bus that is watched.

    Attributes
    ----------
    channel : int
        What its frames have in `channel`.
    bitrate, data_bitrate : int or None
        bit/s, where they are known.
    state : str
        Of the controller, or what became of the channel.
    trouble : str
        The driver's failure in words.
    ledger : Ledger, optional
        Of a channel.
    """

    channel: int
    name: str
    bitrate: float | None = None
    data_bitrate: float | None = None
    state: str = ""
    trouble: str = ""
    ledger: Ledger | None = None


class Feed(Protocol):
    """What `Monitor` watches. `clock` is the time of the buses in seconds, None where only the time stamps tell;
    `ended`: no more will come; `notes`: what is to be said of all."""

    buses: dict[int, Bus]
    ended: bool
    notes: list[str]

    def take(self) -> Iterator[FrameArray]: ...
    def stop(self) -> None: ...
    def clock(self) -> float | None: ...
    def wait_s(self, most: float) -> float: ...


class LiveFeed:
    """Open channels; each was opened with its place as `channel`."""

    def __init__(self, channels: Sequence[Channel], buses: Sequence[Bus]) -> None:
        self._channels = {bus.channel: channel for bus, channel in zip(buses, channels, strict=True)}
        self.buses = {bus.channel: bus for bus in buses}
        self.notes: list[str] = []
        self.ended = False
        self._asked = -STATUS_S
        self._stopped = False

    def stop(self) -> None:
        """End the channels: from now on it is known what their drivers lost. `take` still gives what they hold."""
        self._stopped = True
        for number, channel in self._channels.items():
            channel.stop()
            self.buses[number].ledger = channel.ledger()

    def clock(self) -> float:
        return time.monotonic()

    def wait_s(self, most: float) -> float:
        """Frames may wait in their rings for so long."""
        return min(most, 0.5)

    def take(self) -> Iterator[FrameArray]:
        """All that waits, of a bus at a time; and look at its state."""
        now = time.monotonic()
        asks = now - self._asked >= STATUS_S
        if asks:
            self._asked = now
        for number, channel in list(self._channels.items()):
            bus, deadline = self.buses[number], now + TURN_S
            if asks:
                bus.state = _state(channel)
            try:
                frames = channel.receive(BATCH, timeout=0)
                finished = not len(frames) and _finished(channel)
                while len(frames):
                    yield frames
                    full = len(frames) == BATCH and time.monotonic() < deadline
                    frames = channel.receive(BATCH, timeout=0) if full else frames[:0]
            except ChannelClosedError:
                finished = True
            except CanalFastError as error:
                bus.state, bus.trouble, finished = "failed", str(error), True
            bus.ledger = channel.ledger()
            if finished:
                if not bus.trouble and not self._stopped:
                    bus.state = "ended"
                del self._channels[number]
        self.ended = self.ended or (not self._channels and not self._stopped)


def _finished(channel: Channel) -> bool:
    """Will no more come? Where the driver cannot be asked, receiving tells."""
    with contextlib.suppress(CanalFastError):
        return channel.finished()
    return False


def _state(channel: Channel) -> str:
    """Of the controller, in words."""
    try:
        status = channel.status()
    except CanalFastError:
        return "unknown"
    counters = f" TEC {status.tec} REC {status.rec}" if status.tec or status.rec else ""
    return status.state.replace("_", " ") + counters


@dataclass(frozen=True)
class _Facts:
    """What a recording was like, known at its end."""

    interfaces: list[LogInterface]
    notes: list[str]


class FileFeed:
    """A recording, read ahead in a thread of its own: as fast as it can be, or `speed` times as fast as recorded."""

    def __init__(
        self, log: LogFile, speed: float | None = None, rates: Mapping[str, float | None] | None = None
    ) -> None:
        self.buses: dict[int, Bus] = {}
        self.notes: list[str] = []
        self.ended = False
        self._speed, self._rates = speed, rates or {}
        self._found: queue.Queue[tuple[FrameArray, list[LogInterface]] | _Facts | BaseException] = queue.Queue(2)
        self._stop = threading.Event()
        self._rest: FrameArray | None = None
        self._first_ns = 0
        self._begin: float | None = None
        self._thread = threading.Thread(target=self._read, args=(log,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(1.0)

    def clock(self) -> float | None:
        if self._speed is None or self._begin is None:
            return None
        return (time.monotonic() - self._begin) * self._speed

    def wait_s(self, most: float) -> float:
        """How long nothing is missed: hardly, while it is read."""
        more = self._speed is None and not self._found.empty()
        return most if self.ended else 0.0 if more else min(most, 0.02)

    def take(self) -> Iterator[FrameArray]:
        """What was read since, or was due; for a while."""
        deadline = time.monotonic() + TURN_S
        while not self.ended and time.monotonic() < deadline:
            if self._rest is not None:
                frames = self._due(self._rest)
                if len(frames):
                    yield frames
                if self._rest is not None:
                    return
                continue
            try:
                found = self._found.get_nowait()
            except queue.Empty:
                return
            if isinstance(found, BaseException):
                raise found
            interfaces = found.interfaces if isinstance(found, _Facts) else found[1]
            for row in interfaces:
                self._meet(row)
            if isinstance(found, _Facts):
                self.notes += found.notes
                self.ended = True
                for bus in self.buses.values():
                    bus.state = "recorded"
            else:
                self._rest = found[0]

    def _due(self, frames: FrameArray) -> FrameArray:
        if self._speed is None:
            self._rest = None
            return frames
        times = np.maximum.accumulate(frames["timestamp_ns"])
        if self._begin is None:
            self._begin, self._first_ns = time.monotonic(), int(times[0])
        due = self._first_ns + int((self.clock() or 0) * 1e9)
        count = int(np.searchsorted(times, due, side="right"))
        self._rest = frames[count:] if count < len(frames) else None
        return frames[:count]

    def _meet(self, row: LogInterface) -> None:
        bus = self.buses.setdefault(row.channel, Bus(row.channel, row.name or f"can{row.channel}", state="reading"))
        if bus.bitrate is None:
            told = row.bitrate if row.bitrate is not None and row.bitrate in PLAUSIBLE else None
            bus.bitrate = told if told is not None else self._rates.get("bitrate")
            bus.data_bitrate = self._rates.get("data_bitrate")

    def _read(self, log: LogFile) -> None:
        try:
            for frames in log.batches():
                if not self._put((frames, log.interfaces)):
                    return
            self._put(_Facts(log.interfaces, list(_notes(log))))
        except BaseException as error:
            self._put(error)

    def _put(self, item: tuple[FrameArray, list[LogInterface]] | _Facts | BaseException) -> bool:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                self._found.put(item, timeout=0.1)
                return True
        return False


def _notes(log: LogFile) -> Iterator[str]:
    if log.truncated:
        yield "the recording was cut short: it ends inside a block or line"
    if log.lost_bytes:
        yield f"{log.lost_bytes} damaged bytes passed over"
    for kind, number in log.skipped_by_kind.items():
        yield f"{number} x {kind} skipped"
    if not any(row.frames for row in log.interfaces):
        yield "the recording is empty: no frames are in it"
    lost = sum((row.statistics or {}).get(name) or 0 for row in log.interfaces for name in ("ifdrop", "osdrop"))
    if lost:
        yield f"the recorder had lost {lost} frames"
