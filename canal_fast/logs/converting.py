"""Recordings from one format into another, several into one, or a part of one: `convert`."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, BinaryIO

from canal_fast.arguments import filters as filter_rows
from canal_fast.arguments import number
from canal_fast.frames import FrameArray

from . import _account
from .account import Account
from .files import name_of, refuse_existing, refuse_in_use
from .format_rows import by_name
from .inputs import Channels, Input, merged
from .source import LogSource
from .targets import Target, find_target
from .writers import Writer, open_writer
from .writing import Recorder
from .zones import Zone, epoch_of, find_zone

__all__ = ["Time", "convert"]

Time = int | float | Fraction | dt.datetime
LogTarget = str | os.PathLike[str] | BinaryIO
_FIRST_NS, _LAST_NS = -(2**63), 2**63 - 1


@dataclass(frozen=True)
class _Job:
    """What is done with each target."""

    format: str | None
    source_format: str | None
    start: Time | None
    stop: Time | None
    filters: list[tuple[int, int, bool | None]]
    channels: frozenset[int | str] | None
    tz: Zone
    errors: str
    strict: bool
    force: bool
    nanoseconds: bool
    progress: Callable[[int], None] | None


def convert(
    sources: LogSource | Sequence[LogSource],
    target: LogTarget,
    *,
    format: str | None = None,
    source_format: str | None = None,
    start: Time | None = None,
    stop: Time | None = None,
    filters: Sequence[Mapping[str, Any]] | None = None,
    channels: Iterable[int | str] | None = None,
    offsets: Mapping[str, float | Fraction] | None = None,
    tz: Zone = "UTC",
    errors: str = "strict",
    strict: bool = False,
    force: bool = False,
    nanoseconds: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Account:
    """Write recordings in another format, with an account of every frame.

    Parameters
    ----------
    sources : path-like, "-" or binary file object, or a sequence of them
        Several are merged by time: each keeps its own order, also where its times decrease, and no time is changed.
        Interfaces of equal names share a channel; others keep theirs, or get the next free one. Channels without a
        name count as can<number>.
    target : path-like, "-" or binary file object
        The suffix tells the format, as for `Recorder`. A folder: each source is converted by itself into it, `format`
        tells what to. A file is written beside as `target`.part, which takes its place when it is whole.
    format, source_format : str, optional
        Names of `formats`; None: the target's suffix decides, and the sources' content.
    start, stop : number or datetime, optional
        Frames from `start` on, and before `stop`: seconds after the first frame of the sources, or a date and time (in
        `tz` where it has no zone of its own; of an hour that occurs twice its `fold` says which).
    filters : sequence of mappings, optional
        python-can's: can_id, can_mask, extended. Error frames and status messages always pass.
    channels : iterable of int or str, optional
        Numbers (from 0) or names of the channels that are wanted.
    offsets : mapping of str to number, optional
        Source -> seconds that are added to its times.
    tz, errors
        As for `open_log`; `tz` is the target's zone, too.
    strict : bool
        True: the first frame that the target has no place for, or that would lose something, is an error.
    force : bool
        True: a target that exists is replaced; never one that is a source.
    nanoseconds : bool
        Nine decimals in candump text and ASC, see `Recorder`.
    progress : callable, optional
        Called with the number of frames read so far, after each batch.

    Returns
    -------
    Account
        Over all sources.

    Raises
    ------
    FileExistsError
        The target is there, and `force` is not set.
    FrameError
        `strict`: the message names the frame and what it would lose. No target stays.
    OSError
        A source cannot be read; or the target not written: what was written until then stays in `target`.part, whole
        frames, and the message says how many.
    ValueError, LogFormatError, CanalFastError
        Arguments that contradict each other; a name in `channels` that no source has, or numbers of which none is
        there; as `open_log` and `Recorder`.

    Examples
    --------
    >>> account = cf.logs.convert("drive.blf", "drive.asc")
    >>> account.read, account.written, account.reduced
    (110, 110, {})
    >>> account = cf.logs.convert("drive.blf", "begin.pcapng", stop=0.5)
    >>> account.written, account.cut
    (55, 55)
    """
    rows: list[LogSource] = (
        list(sources) if isinstance(sources, Sequence) and not isinstance(sources, str) else [sources]
    )
    if not rows:
        raise ValueError("no sources")
    if isinstance(channels, str):
        raise TypeError(f"channels = {channels!r}, allowed a sequence of numbers and names, such as [{channels!r}]")
    wanted = None if channels is None else frozenset(channels)
    for name, time in (("start", start), ("stop", stop)):
        if time is not None and not isinstance(time, dt.datetime):
            number(name, time)
    shifts = _shifts(rows, offsets or {})
    if source_format is not None:
        by_name(source_format)
    job = _Job(
        format, source_format, start, stop, filter_rows(filters), wanted, tz, errors, strict, force, nanoseconds,
        progress,
    )  # fmt: skip
    find_zone(tz)
    if isinstance(target, (str, os.PathLike)) and os.path.isdir(target):
        pairs: list[tuple[list[LogSource], LogTarget]] = [
            ([row], path) for row, path in zip(rows, _in_folder(rows, os.fspath(target), format), strict=True)
        ]
    elif isinstance(target, (str, os.PathLike)) and os.fspath(target).endswith(("/", os.sep)):
        raise FileNotFoundError(errno.ENOENT, "there is no such folder; make it first", os.fspath(target))
    else:
        pairs = [(rows, target)]
    plans = [_Plan(some, path, job, shifts, rows) for some, path in pairs]  # all is checked before anything is written
    total = Account()
    for plan in plans:
        total += plan.run()
    return total


class _Plan:
    """One target and its sources."""

    def __init__(
        self, sources: list[LogSource], target: LogTarget, job: _Job, shifts: dict[int, int], others: list[LogSource]
    ) -> None:
        self._sources, self._job, self._shifts = sources, job, shifts
        self._name = name_of(target)
        self._kind: Target = find_target(target, self._name, job.format)
        self._target, self._final = target, None
        if not isinstance(target, (str, os.PathLike)) or target == "-":
            return
        path = os.path.realpath(target)
        if os.path.exists(path) and not os.path.isfile(path):
            return  # a pipe or device
        self._target, self._final = f"{path}.part", path
        for source in others:  # those of every target
            for taken in (path, f"{path}.part"):
                if _same(source, taken):
                    raise ValueError(f"{self._name}: the target is one of the sources; take another name")
        if not job.force:
            refuse_existing(path)
        refuse_in_use(path)

    def run(self) -> Account:
        inputs: list[Input] = []
        with contextlib.ExitStack() as stack:
            for source in self._sources:
                shift = self._shifts.get(id(source), 0)
                inputs.append(stack.enter_context(Input(source, self._job.source_format, self._job.tz,
                                                        self._job.errors, shift)))  # fmt: skip
            channels = Channels(inputs)
            batches = merged(inputs, channels)
            first = next(batches, None)  # so that sources that are none are told before anything is written
            account = self._write(channels, first, batches)
        for read in inputs:
            account += read.account()
        return account

    def _write(self, channels: Channels, first: FrameArray | None, batches: Iterable[FrameArray]) -> Account:
        recorder: Writer | None = None
        try:
            recorder = self._opened()
            with recorder:
                selection = self._copy(recorder, channels, first, batches)
                read, filtered, cut = selection.counts
                if isinstance(recorder, Recorder) and not filtered and not cut:  # they count all of the frames
                    for channel, counters in channels.statistics().items():
                        recorder.write_counters(counters, channel)
        except BaseException:
            if self._final is not None and recorder is not None and not recorder.failed:
                with contextlib.suppress(OSError):
                    os.unlink(recorder.path)
            raise
        if self._final is not None:
            try:
                os.replace(recorder.path, self._final)
            except OSError as error:
                what = f"{error.strerror}; all is written, and is in {recorder.path}"
                raise OSError(error.errno, what, self._final) from error
        return replace(recorder.account, read=read, filtered=filtered, cut=cut)

    def _opened(self) -> Writer:
        job = self._job
        try:
            return open_writer(self._target, self._kind, tz=job.tz, nanoseconds=job.nanoseconds, strict=job.strict)
        except OSError as error:
            if self._final is None or error.errno == errno.EBUSY:
                raise
            part = os.path.basename(f"{self._final}.part")
            what = f"{error.strerror}: {part}, which it is written as first, cannot be made"
            raise OSError(error.errno, what, self._name) from error

    def _copy(
        self, recorder: Writer, channels: Channels, first: FrameArray | None, batches: Iterable[FrameArray]
    ) -> _account.Selection:
        job = self._job
        selection = _account.Selection(job.filters)
        if first is None:
            return selection
        origin = int(first["timestamp_ns"][0])
        zone = find_zone(job.tz)
        begin = _FIRST_NS if job.start is None else _instant(job.start, origin, zone)
        end = _LAST_NS if job.stop is None else _instant(job.stop, origin, zone) - 1
        if job.stop is not None and begin > end:
            start, stop = (
                time if isinstance(time, dt.datetime) else f"{float(time or 0):g} s" for time in (job.start, job.stop)
            )
            raise ValueError(f"start = {start}, stop = {stop}: allowed is a stop behind the start")
        selection.times(min(max(begin, _FIRST_NS), _LAST_NS), min(max(end, _FIRST_NS), _LAST_NS))
        if job.channels is not None:
            for channel in range(256):
                selection.channel(channel, channel in job.channels)
        frames: FrameArray | None = first
        iterator = iter(batches)
        there: dict[int, str] = {}
        while frames is not None:
            for channel, name, bitrate, own in channels.news():
                there[channel] = name
                if job.channels is not None and name in job.channels:
                    selection.channel(channel, True)
                if (own or bitrate) and not recorder.channel_frames(channel):
                    recorder.describe(channel, name, bitrate)
            recorder.write(frames[: selection.keep(frames)])
            if job.progress is not None:
                job.progress(selection.counts[0])
            frames = next(iterator, None)
        _check_wanted(job.channels, there)
        return selection


def _check_wanted(wanted: frozenset[int | str] | None, there: Mapping[int, str]) -> None:
    """A name that no source has is a mistake; so are numbers if none of what is wanted is there."""
    missing = [str(one) for one in wanted or () if one not in there and one not in there.values()]
    if missing and (len(missing) == len(wanted or ()) or not all(map(str.isdecimal, missing))):
        names = ", ".join(f"{number} {name}" for number, name in sorted(there.items()))
        raise ValueError(f"channels: {', '.join(sorted(missing))} in none of the sources, which have {names}")


def _instant(time: Time, origin: int, zone: dt.tzinfo | None) -> int:
    if isinstance(time, dt.datetime):
        epoch = dt.datetime(1970, 1, 1, tzinfo=time.tzinfo and dt.UTC)
        ns = (time - epoch) // dt.timedelta(microseconds=1) * 1000
        return ns if time.tzinfo else epoch_of(ns, zone, fold=time.fold)[0]
    return origin + round(Fraction(time) * 10**9)


def _same(source: LogSource, path: str) -> bool:
    if not isinstance(source, (str, os.PathLike)) or source == "-":
        return False
    try:
        return os.path.samefile(source, path)
    except OSError:
        return False


def _shifts(sources: list[LogSource], offsets: Mapping[str, float | Fraction]) -> dict[int, int]:
    """id of a source -> ns that are added to its times."""
    names = {name_of(source) if source != "-" else "-": id(source) for source in sources}
    shifts = {}
    for name, seconds in offsets.items():
        number(f"offsets[{name!r}]", seconds)
        if os.fspath(name) not in names:
            raise ValueError(f"offsets: {name} is none of the sources, which are {', '.join(names)}")
        shifts[names[os.fspath(name)]] = round(Fraction(seconds) * 10**9)
    return shifts


def _in_folder(sources: list[LogSource], folder: str, format: str | None) -> list[str]:
    """The target of each source in a folder."""
    if format is None:
        raise ValueError(f"{folder}: the target is a folder: say which format with format= (--to)")
    row = by_name(format)
    if not row.writes:
        raise ValueError(f"{folder}: format {row.name!r} is not written")
    suffix = row.suffixes[0] if row.suffixes else ".trc"
    paths: dict[str, str] = {}
    for source in sources:
        stem = os.path.basename(name_of(source))
        while (parts := os.path.splitext(stem))[1].lower() in (".gz", ".bz2", ".zst"):
            stem = parts[0]
        path = os.path.join(folder, os.path.splitext(stem)[0] + suffix)
        if path in paths:
            raise ValueError(f"{name_of(source)} and {paths[path]} would both become {path}")
        paths[path] = name_of(source)
    return list(paths)
