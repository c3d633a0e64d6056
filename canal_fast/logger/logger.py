"""Recording without a person beside it: `Logger`."""

from __future__ import annotations

import contextlib
import functools
import operator
import os
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, BinaryIO, Self

import canal_fast.arguments as arguments
from canal_fast.frames import FrameArray
from canal_fast.live.ledger import NOTHING, Ledger
from canal_fast.logs import Account, Recorder
from canal_fast.logs.books import Told, told_of
from canal_fast.logs.disk import makes_room, sync_period
from canal_fast.logs.rotation import Names, Rotation

from .events import Events, rules_of
from .inputs import Input, SourceLike, named
from .ordering import Keys, Ordering

__all__ = ["BATCH", "Logger"]

STEP_S = 0.1  # of one source, frames are written so often
ROUND_S = 0.04  # of several, which are held back besides
BATCH = 65_536
RING_FRAMES, TRIGGER_RING_FRAMES = 262_144, 1 << 20
_LIMITS = ("rotate_bytes", "rotate_s", "keep", "keep_bytes")


class Logger:
    """Records several buses into one recording; use it as a context manager, which opens and closes all. Leaving the
    block also writes what was received by then, whatever is still held back or in the rings.

    A native thread reads each bus; one writer, `run` or `step` on the caller's thread, takes what they have, puts it in
    the order of its times and writes it. Whatever holds the writer up, the readers go on, until their rings are full.

    Parameters
    ----------
    sources : str, Source or Channel, or a sequence of them
        As for `parse_source`; a channel that is open already stays the caller's. The first is channel 0 of the
        recording, and so on.
    path : path-like, "-" or binary file object
        As for `Recorder`; a path's last part may have `{time}`, `{n}` and `{host}`, see `Rotation`.
    window_s : float
        Frames are held back so long, so that those of other buses which are earlier come before them. What comes
        later is written all the same and counted in `late`. 0..60 s; of one source nothing is held back.
    triggers : sequence of str, optional
        See `parse_rule`; any of them begins an event, and so does `trigger`. Without any, all is recorded. Each event
        is a file.
    pre_s, post_s : float, optional
        An event has the frames from `pre_s` before its first trigger until `post_s` after its last, 0..1e6 s.
    reconnect : float, optional
        As for `Channel`; also a source that cannot be opened at the beginning is tried again. None: nothing starts.
    rotate_bytes, rotate_s, keep, keep_bytes : optional
        As for `Recorder`.
    format, fsync, on_full, exclusive, append, nanoseconds
        As for `Recorder`. Files of several names never replace one.
    ring_frames : int, optional
        As for `Channel`; 262144, or 1048576 with triggers, which is also how many frames are kept for `pre_s`.
    **options
        For every source, as `Channel` takes them: clock, clock_step, filters, bridge, fd, ...
    monotonic, wall : callable
        Clocks in seconds, which tests replace.

    Raises
    ------
    ValueError, TypeError
        An argument outside its interval, arguments that contradict, two sources of one name; nothing was opened.

    Examples
    --------
    >>> with cf.logger.Logger("virtual:desk;500000;load=0.5;seed=1", "car.pcapng") as logger:
    ...     while logger.frames_written < 100:
    ...         frames = logger.step(0.1)
    >>> logger.ledger.dropped, logger.account.written >= 100
    (0, True)

    Two CAN interfaces, an hour a file, of which the last 24 are kept:

    >>> sources = ["socketcan:can0", "socketcan:can1,name=body"]  # doctest: +SKIP
    >>> with cf.logger.Logger(sources, "car-{n}.pcapng", rotate_s=3600, keep=24) as logger:  # doctest: +SKIP
    ...     logger.run()
    """

    def __init__(
        self,
        sources: SourceLike | Sequence[SourceLike],
        path: str | os.PathLike[str] | BinaryIO,
        *,
        window_s: float = 0.2,
        triggers: Sequence[str] = (),
        pre_s: float | None = None,
        post_s: float | None = None,
        reconnect: float | None = None,
        rotate_bytes: int | None = None,
        rotate_s: float | None = None,
        keep: int | None = None,
        keep_bytes: int | None = None,
        format: str | None = None,
        fsync: bool | float = False,
        on_full: str = "stop",
        exclusive: bool = False,
        append: bool = False,
        nanoseconds: bool = False,
        ring_frames: int | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        **options: Any,
    ) -> None:
        self._monotonic, self._wall = monotonic, wall
        self.window_s = float(arguments.interval("window_s", window_s, 0, 60))
        rules = rules_of(triggers, pre_s, post_s)
        ring = ring_frames if ring_frames is not None else TRIGGER_RING_FRAMES if rules else RING_FRAMES
        options["ring_frames"] = ring
        clocked = options.get("clock", "epoch") == "device"
        rows = named(sources)
        if clocked and len(rows) > 1:
            raise ValueError(f'clock = "device": {len(rows)} devices have no common time to order their frames by')
        offsets: list[int] = []
        self.inputs = [
            Input(i, row, name, options, reconnect, monotonic, len(rows), offsets) for i, (name, row) in enumerate(rows)
        ]
        self._events = Events(rules, pre_s, post_s, ring, self.inputs, monotonic) if rules else None
        self._ordering = Ordering(len(rows), self.window_s, monotonic) if len(rows) > 1 else None
        self._newest: tuple[int, float] | None = None
        self._last: int | None = None  # of the times of what steps gave
        limits = dict(zip(_LIMITS, (rotate_bytes, rotate_s, keep, keep_bytes), strict=True))
        self._target = self._files(path, format, limits)
        if rules and not isinstance(self._target, Rotation):
            raise ValueError(
                f"{path}: each event is a file; they need {{n}} or {{time}} in their names, as in event-{{n}}.pcapng"
            )
        sync_period(fsync)
        makes_room(on_full, self._target if isinstance(self._target, Rotation) else None)
        self._recording: dict[str, Any] = {
            "format": format, "append": append, "fsync": fsync, "on_full": on_full, "exclusive": exclusive,
            "nanoseconds": nanoseconds,
            "interfaces": {row.number: (row.name, row.bitrate) for row in self.inputs},
        }  # fmt: skip
        if append and (exclusive or isinstance(self._target, Rotation)):
            raise ValueError("append goes on in one file: neither exclusive nor names with {n} or {time} go with it")
        self._recorder: Recorder | None = None
        self._stated: dict[int, tuple[int, Told]] = {}  # in which file, what its last statistics say
        self._stopping = False

    def open(self) -> None:
        """Open the sources, then the recording.

        Raises
        ------
        DriverError and others
            As `Source.open` and `Recorder`; then nothing is open.
        """
        try:
            for row in self.inputs:
                row.open()
            self._recorder = Recorder(self._target, **self._recording)
        except BaseException:
            self.close()
            raise

    def run(self) -> None:
        """Record until `stop`, or until no source gives more; after a KeyboardInterrupt what waits is written, too."""
        try:
            while not self.ended:
                self.step()
        except KeyboardInterrupt:
            self.stop()
            while not self.ended:
                self.step(0)
            raise

    def step(self, timeout: float | None = None, most: int = BATCH) -> FrameArray:
        """Wait a little, then receive, order and write once.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait; None: as long as is usual.
        most : int
            Write at most so many frames; the others wait for the next step.

        Returns
        -------
        array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
            Frames whose turn has come. They have been written, but with triggers those that belong to no event.

        Raises
        ------
        OSError
            As `Recorder.write`.
        """
        recorder = self.recorder
        if self._ordering is None:
            frames, keys = self._one(timeout, most)
        else:
            frames, keys = self._several(self._ordering, timeout, most)
        if len(keys):
            self._last = int(keys[-1])
        for row in self.inputs:
            if (ledger := row.ledger) is not None:
                recorder.tell(ledger, row.number)
        if self._events is None:
            recorder.write(frames)
        else:
            now = None if self._newest is None else self._now  # frames may have another time than the host
            self._events.write(recorder, frames, keys, now, None if self._held else round(self.window_s * 1e9))
        for row in self.inputs:
            if recorder.due(row.number) and (ledger := row.ledger) is not None:
                stated = recorder.files, told_of(ledger, recorder.channel_frames(row.number))
                if stated != self._stated.get(row.number):  # nothing new on a silent bus
                    recorder.write_statistics(ledger, row.number)
                    self._stated[row.number] = stated
        if not (self._stopping or len(frames) or self._held) and all(row.finished() for row in self.inputs):
            self.stop()
        return frames

    def trigger(self) -> None:
        """Begin an event now, or prolong the one that is under way. Any thread, and signal handlers, may call it.

        Examples
        --------
        >>> with cf.Channel.virtual("desk") as sender:
        ...     with cf.logger.Logger("virtual:desk", "{n}.pcapng", triggers=["id=7FF"], pre_s=5, post_s=5) as logger:
        ...         logger.trigger()  # as a frame with identifier 7FF would
        ...         accepted = sender.send(cf.make_frames(0x100))
        ...         while logger.frames_written == 0:
        ...             frames = logger.step(0.1)
        >>> logger.events
        1
        """
        if self._events is None:
            raise ValueError("without triggers all is recorded: give at least one, such as error")
        self._events.asked = True

    def stop(self) -> None:
        """End the readers; `run` and `step` still write what waits."""
        self._stopping = True
        for row in self.inputs:
            row.stop()

    def finish(self) -> None:
        """End the readers, write the last statistics and close the recording, without what is held back or in the
        rings; ledgers can still be read. May be called twice."""
        self.stop()  # from here on it is known what the drivers lost
        if self._recorder is not None and not self._recorder.closed:
            try:
                self._last_statistics()
            finally:
                self._recorder.close()

    def close(self) -> None:
        """Write what was received, `finish`, and close the channels. May be called twice. In a forked child: nothing.

        Raises
        ------
        OSError
            As `Recorder.write`; all is closed.
        """
        if self._recorder is not None and self._recorder.inherited:
            return
        with contextlib.ExitStack() as stack:
            for row in self.inputs:
                stack.callback(row.close)
            stack.callback(self.finish)
            self._stopping, recorder = True, self._recorder
            for row in self.inputs:
                row.leave()
            while not (recorder is None or recorder.closed or recorder.failed or self.ended):
                if not (len(self.step(0)) or self._held):
                    break

    @property
    def recorder(self) -> Recorder:
        """What writes; ValueError before `open`, and in a forked child."""
        if self._recorder is None:
            raise ValueError("the logger is not open: use it in a with statement, or call open first")
        self._recorder.check_process()
        return self._recorder

    @property
    def ended(self) -> bool:
        """No source gives more, and all is written."""
        return all(row.ended for row in self.inputs) and not self._held

    @property
    def ledgers(self) -> dict[str, Ledger | None]:
        """Name of the source -> its ledger; None where it was never open."""
        return {row.name: row.ledger for row in self.inputs}

    @property
    def ledger(self) -> Ledger:
        """The ledgers of all."""
        return functools.reduce(operator.add, (row for row in self.ledgers.values() if row is not None), NOTHING)

    @property
    def failures(self) -> dict[str, Exception]:
        """Name of the source -> why it ended, of those that failed."""
        return {row.name: row.failure for row in self.inputs if row.failure is not None}

    @property
    def late(self) -> dict[str, int]:
        """Name of the source -> frames that came later than the window, and stand behind later ones."""
        late = [0] * len(self.inputs) if self._ordering is None else self._ordering.late
        return {row.name: count for row, count in zip(self.inputs, late, strict=True)}

    @property
    def events(self) -> int:
        """Events that have begun."""
        return 0 if self._events is None else self._events.begun

    @property
    def frames_written(self) -> int:
        return 0 if self._recorder is None else self._recorder.frames_written

    @property
    def written_until(self) -> float | None:
        """Seconds on the monotonic clock: what was received by then is written, or belongs to no event. None before the
        first frame."""
        if self._newest is None:
            return None
        newest, received = self._newest
        return None if self._last is None else received - (newest - self._last) / 1e9

    @property
    def account(self) -> Account:
        """What became of the frames that were written; see `Recorder`."""
        return Account() if self._recorder is None else self._recorder.account

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _held(self) -> int:
        return 0 if self._ordering is None else len(self._ordering)

    def _files(
        self, path: str | os.PathLike[str] | BinaryIO, format: str | None, limits: Mapping[str, Any]
    ) -> str | os.PathLike[str] | BinaryIO | Rotation:
        given = any(value is not None for value in limits.values())
        if not given and (not isinstance(path, (str, os.PathLike)) or path == "-"):
            return path
        if not given and isinstance(path, (str, os.PathLike)):
            names = Names(os.fspath(path))
            if not names.several:
                return names.fill(0, 0)
        lazy = self._events is not None
        return Rotation(path, format=format, lazy=lazy, wall=self._wall, monotonic=self._monotonic, **limits)

    def _one(self, timeout: float | None, most: int) -> tuple[FrameArray, Keys]:
        (row,) = self.inputs
        wait = STEP_S if timeout is None else min(timeout, STEP_S)
        frames = row.receive(most, min(BATCH, row.capacity, most) if wait else 1, wait)
        keys = row.keys(frames)
        if len(keys):
            self._newest = int(keys[-1]), self._monotonic()
        return frames, keys

    def _several(self, ordering: Ordering, timeout: float | None, most: int) -> tuple[FrameArray, Keys]:
        if ordering.ready:  # no more of them than a round brings are held
            return ordering.take(most=most)
        wait = ROUND_S if timeout is None else min(timeout, ROUND_S)
        if wait and not any(row.full for row in self.inputs):
            time.sleep(wait)
        ordering.begin()
        for row in self.inputs:
            frames = row.receive(BATCH)
            ordering.give(frames, row.keys(frames), row.full)
        given = ordering.take(all(row.ended for row in self.inputs), most)
        self._newest = ordering.newest
        return given

    def _now(self) -> int:
        """The present in the time of the frames: behind the newest by what has passed since it came."""
        assert self._newest is not None
        return self._newest[0] + round((self._monotonic() - self._newest[1]) * 1e9)

    def _last_statistics(self) -> None:
        if self.recorder.failed:
            return
        for row in self.inputs:
            if (ledger := row.ledger) is not None:
                self.recorder.write_statistics(ledger, row.number)
