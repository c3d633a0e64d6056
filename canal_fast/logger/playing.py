"""Playing recordings onto buses: `play`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

import canal_fast.arguments as arguments
from canal_fast.errors import FrameError
from canal_fast.live.channel import Channel
from canal_fast.logs.converting import Time
from canal_fast.logs.source import LogSource

from . import _play
from .lanes import lanes_of, named_channels
from .recordings import FIRST_NS, LAST_NS, Recording, merged, moment_ns

__all__ = ["MEANINGS", "Lateness", "PlayResult", "Player", "play"]

_KINDS = [(name.lower(), meaning) for _, name, meaning in _play.kind_table()]
MEANINGS = dict(_KINDS)  # of PlayResult.skipped
_REFUSED = [name for name, _ in _KINDS].index("fd")  # from there on: what the bus cannot carry
_EDGES: list[int | None] = [*_play.lateness_edges()[:-1], None]
_LONGEST_S = 1e9


@dataclass(frozen=True)
class Lateness:
    """How long after they were due the driver had taken frames.

    Attributes
    ----------
    frames : int
        Those that are counted here: all, but with `speed=0` none.
    mean_ns, max_ns : int
    histogram : dict
        Greatest lateness of a class in ns -> frames in it; None: later than all of them.

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as channel:
    ...     lateness = cf.play("drive.blf", channel, speed=10).lateness
    >>> lateness.frames, lateness.mean_ns <= lateness.max_ns
    (110, True)
    """

    frames: int
    mean_ns: int
    max_ns: int
    histogram: dict[int | None, int]

    def at_most(self, share: float) -> int:
        """The lateness in ns that this share of the frames, 0..1, did not exceed: the edge of its class, or `max_ns`
        where that is less."""
        arguments.interval("share", share, 0, 1)
        left = math.ceil(share * self.frames)
        for edge, frames in self.histogram.items():
            left -= frames
            if left <= 0:
                return self.max_ns if edge is None else min(edge, self.max_ns)
        return self.max_ns


@dataclass(frozen=True)
class PlayResult:
    """What was played.

    Attributes
    ----------
    sent : dict
        Name of the channel -> frames that its driver took.
    skipped : dict
        Why frames of the recordings were left out -> how many, each counted once whatever `loops`: status, error_frame,
        cut, filtered, tx, unmapped, and fd, remote, empty, invalid, which the bus cannot carry.
    lateness : Lateness
    duration_s : float
        From when the first frame was due until the driver took the last.
    gaps : int
        Distances shortened to `gap_max_s`.
    clock_steps : int
        Times in the recordings that lie more than a second before those before them.
    stopped : bool
        It did not come to its end.

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as channel:
    ...     result = cf.play("drive.blf", channel, speed=0, filters=[{"can_id": 0x200, "can_mask": 0x7FF}])
    >>> result.sent, result.skipped["filtered"], result.stopped
    ({'0': 10}, 100, False)
    """

    sent: dict[str, int]
    skipped: dict[str, int]
    lateness: Lateness
    duration_s: float
    gaps: int
    clock_steps: int
    stopped: bool

    @property
    def frames(self) -> int:
        """Frames that the drivers took."""
        return sum(self.sent.values())

    def as_dict(self) -> dict[str, Any]:
        """For JSON; the histogram as a list of {"at_most_ns", "frames"}."""
        row = asdict(self)
        classes = self.lateness.histogram.items()
        row["lateness"]["histogram"] = [{"at_most_ns": edge, "frames": count} for edge, count in classes]
        return {"frames": self.frames, **row}


class Player:
    """`play` in steps: all is checked when it is made; `run` plays; `result` tells at any time how far it is.

    Parameters
    ----------
    paths, channels, speed, gap_max_s, loops, align, channel_map, filters, start, stop, tx, skip
        As for `play`.

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as channel:
    ...     player = cf.logger.Player("drive.blf", channel, speed=0)  # refuses here what could not be played
    ...     result = player.run()
    >>> result.sent
    {'0': 110}
    """

    def __init__(
        self,
        paths: LogSource | Sequence[LogSource],
        channels: Channel | Sequence[Channel] | Mapping[str, Channel],
        *,
        speed: float = 1.0,
        gap_max_s: float | None = None,
        loops: int = 1,
        align: Literal["start", "clock"] = "start",
        channel_map: Mapping[str, str | int] | None = None,
        filters: Sequence[Mapping[str, Any]] | None = None,
        start: Time | None = None,
        stop: Time | None = None,
        tx: bool = True,
        skip: bool = False,
    ) -> None:
        arguments.interval("speed", speed, 0, 1e6)
        if gap_max_s is not None:
            arguments.interval("gap_max_s", gap_max_s, 0, _LONGEST_S)
        if arguments.interval("loops", loops, 0, 2**31) != int(loops):
            raise TypeError(f"loops must be a whole number, not {loops}")
        arguments.choice("align", align, ("start", "clock"))
        self._loops, self._speed = loops, speed
        self._gap_ns = LAST_NS if gap_max_s is None else round(gap_max_s * 1e9)
        self._channels = named_channels(channels)
        rows = [
            (can_id, can_mask, _play.ANY_FORMAT if extended is None else bool(extended))
            for can_id, can_mask, extended in arguments.filters(filters)
        ]
        self._filters = np.array(rows, np.uint32).ravel()
        self._recordings = [Recording(source) for source in _sources(paths)]
        self._check_times(align)
        self._select(align, channel_map, start, stop, tx)
        self._check_frames(skip)
        self._play: _play.Play | None = None
        self._stopped = False

    def run(self) -> PlayResult:
        """Play, once.

        Raises
        ------
        DriverError
            A driver failed; `result` still tells how far it came.
        KeyboardInterrupt
            Nothing is sent after it was raised.
        """
        if self._play is not None:
            raise ValueError("a player runs once; make another one")
        ports = [channel.outlet().port for channel in self._channels.values()]
        self._play = _play.Play(ports, float(self._speed), self._gap_ns)
        whole = False
        try:
            whole = not self._stopped and self._push()
            if whole:
                self._play.finish()
        finally:
            self._play.stop()
            sent, wanted = self.result().frames, self._wanted * self._loops
            self._stopped = not whole or (self._loops > 0 and sent < wanted)
        for row in self._play.books()["lanes"]:
            if row["error"] is not None:
                row["error"].add_note(f"{sent} frames were sent before")
                raise row["error"]
        return self.result()

    def stop(self) -> None:
        """Send no more; `run` returns. For signal handlers and other threads."""
        self._stopped = True
        if self._play is not None:
            self._play.halt()

    def result(self) -> PlayResult:
        """What was played until now."""
        books: dict[str, Any] = {"lanes": [], "gaps": 0, "steps": 0, "duration_ns": 0}
        if self._play is not None:
            books = self._play.books()
        lanes = books["lanes"]
        late = sum(row["late_frames"] for row in lanes)
        lateness = Lateness(
            late,
            sum(row["late_sum_ns"] for row in lanes) // max(late, 1),
            max((row["late_max_ns"] for row in lanes), default=0),
            {edge: sum(row["classes"][i] for row in lanes) for i, edge in enumerate(_EDGES)},
        )
        sent = {name: row["sent"] for name, row in zip(self._channels, lanes, strict=False)}
        return PlayResult(
            sent, self._skipped, lateness, books["duration_ns"] / 1e9, books["gaps"], books["steps"], self._stopped
        )

    def _push(self) -> bool:
        assert self._play is not None
        passes = 0
        while True:
            for frames in merged(self._recordings):
                if not self._play.push(frames):
                    return False
            passes += 1
            if passes == self._loops:
                return True
            self._play.again()

    def _check_times(self, align: str) -> None:
        for recording in self._recordings:
            if self._speed and not recording.spread and sum(recording.records.values()) > 1:
                raise ValueError(
                    f"{recording.name} has no times: all of its records are of {recording.first_ns / 1e9:g} s; "
                    "speed=0 plays it as fast as the bus takes it"
                )
            if align == "clock" and len(self._recordings) > 1 and not recording.dated:
                raise ValueError(
                    f'align = "clock": {recording.name} has no date, its times begin at {recording.first_ns / 1e9:g} s'
                )

    def _select(
        self,
        align: str,
        channel_map: Mapping[str, str | int] | None,
        start: Time | None,
        stop: Time | None,
        tx: bool,
    ) -> None:
        outlets = [channel.outlet() for channel in self._channels.values()]
        refuses = [
            _play.NO_FD * (not row.fd) | _play.NO_REMOTE * row.no_remote | _play.NO_EMPTY * row.no_empty
            for row in outlets
        ]
        earliest = min(recording.first_ns for recording in self._recordings)
        rows = lanes_of(self._recordings, list(self._channels), channel_map)
        for recording, row in zip(self._recordings, rows, strict=True):
            first_ns = recording.first_ns if align == "start" else earliest
            bounds = moment_ns("start", start, first_ns, FIRST_NS), moment_ns("stop", stop, first_ns, LAST_NS)
            if bounds[0] >= bounds[1]:
                raise ValueError(f"start = {start} is not before stop = {stop}")
            lanes = {channel: (lane, refuses[lane]) for channel, lane in row.items()}
            shift_ns = -first_ns if align == "start" else 0
            recording.select(lanes, self._filters, bounds, shift_ns, tx)
        totals = [sum(counts) for counts in zip(*(r.counts for r in self._recordings), strict=True)]
        self._wanted = totals[0]
        self._skipped = {name: count for (name, _), count in zip(_KINDS[1:], totals[1:], strict=True) if count}

    def _check_frames(self, skip: bool) -> None:
        for recording in self._recordings:
            found = [(row[1], n) for row, n in zip(_KINDS, recording.counts, strict=True)][_REFUSED:]
            if any(n for _, n in found) and not skip:
                kinds = ", ".join(f"{n} {meaning}" for meaning, n in found if n)
                raise FrameError(
                    f"{recording.name}: the bus cannot carry {kinds}; the first is record {recording.first_refused} "
                    "(counted from 0). Nothing was sent; skip=True leaves them out and counts them",
                    index=recording.first_refused,
                )
        if not self._wanted:
            why = ", ".join(f"{n} {meaning}" for name, meaning in _KINDS if (n := self._skipped.get(name, 0)))
            raise ValueError(f"nothing to play: {why}")


def _sources(paths: LogSource | Sequence[LogSource]) -> Sequence[LogSource]:
    if isinstance(paths, Sequence) and not isinstance(paths, (str, bytes)):
        if not paths:
            raise ValueError("paths is empty: there is nothing to play")
        return paths
    if not isinstance(paths, (str, os.PathLike)) and not hasattr(paths, "read"):
        raise TypeError(f"paths must be a recording or a sequence of them, not {type(paths).__name__}")
    return [paths]


def play(
    paths: LogSource | Sequence[LogSource],
    channels: Channel | Sequence[Channel] | Mapping[str, Channel],
    *,
    speed: float = 1.0,
    gap_max_s: float | None = None,
    loops: int = 1,
    align: Literal["start", "clock"] = "start",
    channel_map: Mapping[str, str | int] | None = None,
    filters: Sequence[Mapping[str, Any]] | None = None,
    start: Time | None = None,
    stop: Time | None = None,
    tx: bool = True,
    skip: bool = False,
) -> PlayResult:
    """Send recordings onto buses, each frame at its time.

    Native threads, one a channel, hand the frames to the drivers when they are due, on one schedule for all that is
    reckoned from the beginning, so that delays do not add up. What a driver has no room for waits, and is late. All is
    checked before the first frame is sent: every recording is read twice for that, and once more while it is played;
    what is no file, such as a pipe, is kept in memory.

    Parameters
    ----------
    paths : path-like, "-" or binary file object, or a sequence of them
        Recordings in any format that `formats` lists; several are merged by time (see `logs.convert`).
    channels : Channel, sequence of Channel, or mapping of str to Channel
        Open ones. Their names are those of the mapping, or "0", "1", ...
    speed : float
        How often faster than recorded, 0..1e6; 0: as fast as the drivers accept, each channel for itself.
    gap_max_s : float, optional
        Longer times without a frame to send are shortened to this, in seconds of the recording.
    loops : int
        How often; 0: until stopped. Recordings begin anew as long after their end as frames lie apart on average.
    align : {"start", "clock"}
        Recordings begin together, or keep their distance in absolute time.
    channel_map : mapping of str to str or int, optional
        Interface of a recording (its name, "FILE:name", or the number of its channel) -> name or number of a channel
        here; others are left out. None: by equal names, or else in order, as many as there are channels.
    filters : sequence of mappings, optional
        python-can's: can_id, can_mask, extended.
    start, stop : number or datetime, optional
        Frames from `start` on, and before `stop`: seconds after the first record (of each recording, with
        `align="clock"` of the earliest), or a date and time (UTC where it has no zone).
    tx : bool
        Whether frames that the recorder had sent itself are sent, too.
    skip : bool
        True: leave out and count frames that the bus cannot carry, instead of refusing to play.

    Returns
    -------
    PlayResult
        With the lateness of the frames.

    Raises
    ------
    FrameError
        Frames that the bus cannot carry, with their number.
    ValueError, TypeError
        An argument outside its interval; a recording without times; a map to a channel that is not there; channels that
        nothing would go to; nothing to play. Nothing was sent.
    DriverError
        A driver failed; all stop.
    LogFormatError, OSError
        As `open_log`.

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as sender, cf.Channel.virtual("desk") as receiver:
    ...     result = cf.play("drive.blf", sender, speed=10)
    ...     frames = receiver.receive(min_frames=110, timeout=5)
    >>> result.sent, len(frames)
    ({'0': 110}, 110)
    """
    return Player(
        paths, channels, speed=speed, gap_max_s=gap_max_s, loops=loops, align=align, channel_map=channel_map,
        filters=filters, start=start, stop=stop, tx=tx, skip=skip,
    ).run()  # fmt: skip
