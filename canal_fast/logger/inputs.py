"""One bus of a logger: its channel, opened again where that is wanted, and what became of it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from canal_fast.errors import ChannelClosedError, DriverError
from canal_fast.frames import FRAME_DTYPE, FrameArray, FrameFlag
from canal_fast.live.channel import Channel
from canal_fast.live.ledger import Ledger
from canal_fast.live.sources import Source, parse_source
from canal_fast.logs.interfaces import plain_name

from .ordering import Keys

__all__ = ["Input", "SourceLike", "named"]

SourceLike = str | Source | Channel

log = logging.getLogger("canal_fast")

_NOTHING: FrameArray = np.empty(0, FRAME_DTYPE)
_MOST_SOURCES = 256
_STEP_NS = 10_000_000  # less is taken for uncertainty of the look, as channels do
_CLOSE_S = 5.0  # an attempt to open that is under way at the end is waited for so long


class Input:
    """A source and its channel.

    Parameters
    ----------
    number : int
        What its frames have in `channel`.
    source : Source or Channel
        A channel that is open already stays the caller's.
    name : str
    options : mapping
        For `Source.open`.
    reconnect_s : float, optional
        A source that cannot be opened is tried again every so many seconds.
    monotonic : callable
    of : int
        How many inputs there are.
    offsets : list of int, optional
        Shared by all: time since 1970 minus monotonic time, as the host had it when each of them was opened.

    Attributes
    ----------
    channel : Channel or None
        None: not open yet.
    failure : Exception or None
        Why it ended.
    ended : bool
        It gives no more frames.
    """

    def __init__(
        self,
        number: int,
        source: Source | Channel,
        name: str,
        options: Mapping[str, Any],
        reconnect_s: float | None,
        monotonic: Callable[[], float] = time.monotonic,
        of: int = 1,
        offsets: list[int] | None = None,
    ) -> None:
        self.number, self.name, self._of = number, name, of
        self.bitrate = (source.bitrate or source.known_bitrates[0]) if isinstance(source, Source) else None
        self.channel: Channel | None = source if isinstance(source, Channel) else None
        self.failure: Exception | None = None
        self.ended = self._stopping = self._leaving = False
        self.full = False  # the last `receive` left frames behind
        self._source = source if isinstance(source, Source) else None
        self._options = {**options, "channel": number, "reconnect": reconnect_s}
        self._follows = options.get("clock_step") == "follow"
        self._offsets = [] if offsets is None else offsets
        self._shift = 0  # by how much the host's clock has been set since the first was opened, in our stamps
        self._reconnect_s, self._monotonic = reconnect_s, monotonic
        self._opening: threading.Thread | None = None
        self._opened: Channel | None = None
        self._refusal: Exception | None = None
        self._next_try = 0.0

    def open(self) -> None:
        """Open the channel.

        Raises
        ------
        DriverError and others
            As `Source.open`. With `reconnect_s` a DriverError is said, and the attempt repeated by `receive`.
        """
        if self.channel is not None or self._source is None:
            return
        try:
            self._take(self._source.open(**self._options))
        except DriverError as error:
            if self._reconnect_s is None:
                raise
            self._refused(error)

    def receive(self, most: int, min_frames: int = 1, timeout: float = 0.0) -> FrameArray:
        """What waits; nothing when there is no channel, or it has ended."""
        self.full = False
        if self.channel is None:
            self._try_again()
        if self.channel is None or self.ended:
            self.ended = self.ended or self._stopping
            if timeout > 0:
                time.sleep(timeout)
            return _NOTHING
        try:
            frames = self.channel.receive(most, min_frames=min_frames, timeout=timeout)
        except ChannelClosedError:
            self.ended = True
            return _NOTHING
        except DriverError as error:
            if self._leaving:
                self.ended = True
            else:
                self._failed(error)
            return _NOTHING
        self.full = len(frames) == most
        if self._source is None:
            frames["channel"] = self.number
        return frames

    def keys(self, frames: FrameArray) -> Keys:
        """The times to order frames by: their stamps, less what the host's clock was set by since the first source was
        opened, as far as it is in them."""
        stamps = frames["timestamp_ns"].astype(np.int64)
        stepped = np.flatnonzero(frames["flags"] & np.uint16(FrameFlag.CLOCK_STEP if self._follows else 0))
        before = self._shift
        if len(stepped) and self.channel is not None:
            self._shift = self.channel.clock().epoch_offset_ns - (self._offsets[0] if self._offsets else 0)
            stamps[int(stepped[-1]) :] -= self._shift
            stamps[: int(stepped[-1])] -= before
            return stamps
        return stamps - before

    @property
    def capacity(self) -> int:
        """Frames that the ring has room for; 1 before there is one."""
        return 1 if self.channel is None else self.channel._capacity

    @property
    def ledger(self) -> Ledger | None:
        """The channel's; None before there is one."""
        return None if self.channel is None else self.channel.ledger()

    @property
    def bus_off(self) -> bool:
        """Does the driver say that it is?"""
        if self.channel is None or self.ended:
            return False
        with contextlib.suppress(DriverError):
            return self.channel.status().bus_off
        return False

    def finished(self) -> bool:
        """Did the driver say that no more frames will come?"""
        if self.channel is None or self.ended:
            return self.ended
        try:
            return self.channel.finished()
        except DriverError:  # `receive` tells
            return False

    def stop(self) -> None:
        """End the reader; what waits is still received."""
        self._stopping = True
        if self.channel is not None:
            self.channel.stop()

    def leave(self) -> None:
        """`stop`; an outage that is under way, which the ledger counts, is no failure then."""
        self._leaving = self._reconnect_s is not None
        self.stop()

    def close(self) -> None:
        """Close the channel, if it was opened here."""
        self._stopping = self.ended = True
        if self._opening is not None:
            self._opening.join(_CLOSE_S)
            self._collect()
        if self._source is not None and self.channel is not None:
            self.channel.close()

    def _take(self, channel: Channel) -> None:
        self.channel = channel
        self._offsets.append(channel.clock().epoch_offset_ns)
        apart = self._offsets[-1] - self._offsets[0]
        self._shift = apart if abs(apart) >= _STEP_NS else 0

    def _refused(self, error: Exception) -> None:
        log.warning("%s could not be opened: %s; trying again every %g s", self.name, error, self._reconnect_s)
        self._next_try = self._monotonic() + (self._reconnect_s or 0)

    def _try_again(self) -> None:
        """In a thread of its own: opening may take seconds, which the other sources do not wait for."""
        if self._opening is not None:
            if not self._opening.is_alive():
                self._collect()
        elif not self._stopping and not self.ended and self._monotonic() >= self._next_try:
            self._opening = threading.Thread(target=self._attempt, name=f"opening {self.name}", daemon=True)
            self._opening.start()

    def _attempt(self) -> None:
        assert self._source is not None
        try:
            self._opened = self._source.open(**self._options)
        except Exception as error:
            self._refusal = error

    def _collect(self) -> None:
        """What an attempt came to."""
        self._opening = None
        opened, refusal, self._opened, self._refusal = self._opened, self._refusal, None, None
        if opened is not None:
            self._take(opened)
            log.warning("%s is open now", self.name)
            if self._stopping:
                opened.stop()
        elif isinstance(refusal, DriverError):
            self._next_try = self._monotonic() + (self._reconnect_s or 0)
        elif refusal is not None:
            self._failed(refusal)

    def _failed(self, error: Exception) -> None:
        self.ended, self.failure = True, error
        if self._of > 1:  # otherwise the recording ends with it, and tells
            log.warning("%s: %s; the others go on", self.name, error)


def named(sources: SourceLike | Sequence[SourceLike]) -> list[tuple[str, Source | Channel]]:
    """Names of sources, and these; see `Logger`."""
    rows = [sources] if isinstance(sources, (str, Source, Channel)) else list(sources)
    if not 1 <= len(rows) <= _MOST_SOURCES:
        raise ValueError(f"{len(rows)} sources, allowed 1..{_MOST_SOURCES}")
    named: dict[str, Source | Channel] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, (str, Source, Channel)):
            raise TypeError(f"sources[{number}] must be a text, a Source or a Channel, not {type(row).__name__}")
        source = parse_source(row) if isinstance(row, str) else row
        name = plain_name(source.name, number) if isinstance(source, Source) else f"can{number}"
        if name in named:
            raise ValueError(f"two sources are called {name}; give them other names with ,name=")
        named[name] = source
    return list(named.items())
