"""Writing recordings: `Recorder`."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Mapping
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO

from canal_fast.frames import FrameArray, check_records

from . import _logs
from .account import Account
from .books import Books, Told, told_of
from .disk import makes_room, sync_period
from .interfaces import Interfaces, by_channel, channel_row, channel_rows
from .output import Output
from .recording_file import RecordingFile
from .rotation import Rotation
from .zones import Zone

__all__ = ["Recorder"]

log = logging.getLogger("canal_fast")


class Recorder:
    """Writes frames to a new file; use it as a context manager.

    Encoding runs in C with the GIL released; each buffer then goes to the system with one write(2)
    and no buffering of ours behind it, so what `write` has returned from survives a kill of the
    process (and, with `fsync`, of the machine). What is compressed (`.gz`, `.zst`, BLF's containers) goes there a whole
    member or container at a time, at least every second of writing: a kill costs at most the open one.

    Parameters
    ----------
    path : path-like, "-" or binary file object
        The suffix tells the format, as `formats` lists them, with `.gz` or `.zst` behind it to compress it.
        An existing file is replaced, but not one that a recorder, of whatever process, is writing.
        "-": standard output. A file object is flushed after each write and left open.
    interfaces : mapping, or iterable of LogInterface, optional
        Channel number -> name, or (name, bit rate in bit/s); or the `interfaces` of a recording. Other channels are
        called can<number>.
    fsync : bool or float
        True: every `write` waits until the data are on the disk. Seconds, 0.01..86400: one does, also an empty one,
        where the last wait is so long ago; so a power cut costs no more than that, as long as `write` is called.
    format : str, optional
        A name of `formats`; None: by the suffix, "pcapng" for "-" and for an object without a name that has one.
    exclusive : bool
        True: an existing file is not replaced (FIFOs and devices are written to).
    nanoseconds : bool
        True: times in candump text and ASC have nine decimals instead of six. In six they lose their nanoseconds
        (rounded down to the microsecond), but can-utils and Wireshark misread nine.
    tz : str or tzinfo
        The zone of the wall clock that ASC, BLF and TRC state as their start.
    compression : "gzip", "zstd" or "none", optional
        None: by the suffix of a path; a file object gets plain bytes.
    strict : bool
        True: frames that the format has no place for, or that lose something in it, are refused. Otherwise the former
        are left out, and `account` counts both.
    rotate_bytes, rotate_s, keep, keep_bytes : optional
        See `Rotation`: the recording goes into many files, whose names have `{n}` (six digits or more, behind the
        highest in the folder) or `{time}` (of their begin, UTC, 20261125T195517Z), and perhaps `{host}` in the place of
        these words. Each stands alone; none replaces another. Old ones are deleted when a new one begins.

    on_full : "stop" or "oldest"
        When the disk is full: raise OSError, or, with `keep` or `keep_bytes`, delete the oldest file of the recording
        and go on; OSError where there is none.

    append : bool
        True: a file that is there stays, and a new section stands behind it: pcapng, not compressed. What a kill left
        of its last block is cut off. It is read through once.

    Attributes
    ----------
    path : str
        The open file, or the last one.
    deleted : int
        Files that were deleted because the disk was full.

    Raises
    ------
    ValueError
        Another suffix, one of several formats, a channel outside 0..255, a name over 63 bytes or with white space;
        rotation as `Rotation`.
    OSError
        The file cannot be made, or a recorder holds it. FileExistsError: `exclusive`, and there is one.
    CanalFastError
        zstd needs a package that is not installed.

    Notes
    -----
    When the system refuses data (disk full), the file is cut back to its last whole frame, container or member, the
    `OSError` says how many frames are in it and how many of the batch are not, and the recorder can
    still be used and closed. One lock serialises threads.

    ASC, BLF and TRC begin when the first frames come, with the earliest of them as their start; where that lies before
    1980, no date is stated, and times begin at 0. BLF's sizes, counts and end are written when it is closed.

    A file that has no frames is not rotated. Statistics begin anew in each file: those of all files add up. What a
    ledger had received but not delivered when a file ended counts in that file, and its delivery in the next.

    Examples
    --------
    >>> frames = cf.read_log("drive.blf")
    >>> with cf.logs.Recorder("car.pcapng", interfaces={0: ("engine", 500_000)}) as recorder:
    ...     recorder.write(frames[:50])
    ...     recorder.write(frames[50:])
    >>> recorder.frames_written, recorder.account.written
    (110, 110)

    >>> with cf.logs.Recorder("car-{n}.log", rotate_bytes=4096) as recorder:
    ...     for batch in cf.logs.batches("drive.blf", 10):
    ...         recorder.write(batch)
    >>> recorder.files
    2
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | BinaryIO | Rotation,
        *,
        format: str | None = None,
        interfaces: Interfaces | None = None,
        fsync: bool | float = False,
        exclusive: bool = False,
        nanoseconds: bool = False,
        tz: Zone = "UTC",
        compression: str | None = None,
        strict: bool = False,
        rotate_bytes: int | None = None,
        rotate_s: float | None = None,
        keep: int | None = None,
        keep_bytes: int | None = None,
        on_full: str = "stop",
        append: bool = False,
    ):
        limits: dict[str, Any] = {
            "rotate_bytes": rotate_bytes, "rotate_s": rotate_s, "keep": keep, "keep_bytes": keep_bytes
        }  # fmt: skip
        self._rotation = path if isinstance(path, Rotation) else None
        if not isinstance(path, Rotation) and any(value is not None for value in limits.values()):
            self._rotation = Rotation(path, format=format, compression=compression, **limits)
        self._options: dict[str, Any] = {
            "format": format, "nanoseconds": nanoseconds, "tz": tz, "compression": compression, "strict": strict
        }  # fmt: skip
        self._rows = channel_rows(interfaces)
        self._described = sorted(by_channel(interfaces))
        self._sync_s = sync_period(fsync)
        self._synced_at = time.monotonic()
        self.deleted = 0
        self._make_room = makes_room(on_full, self._rotation)
        self._lock = threading.Lock()
        self._books = Books()
        self._closed = False
        self._statistics_at: dict[int, float] = {}
        self._begun_at = self._opened_at = time.monotonic()
        rotation = self._rotation
        if append and (exclusive or rotation is not None):
            raise ValueError("append goes on in one file: neither exclusive nor rotation go with it")
        if rotation is None:
            assert not isinstance(path, Rotation)
            self._part = self._new_file(path)
            self._part.open(exclusive, append)
        else:
            self._part = self._new_file(rotation.names.template)
            rotation.check_folder()
            if not rotation.lazy:
                self._next_file(rotation)

    @property
    def path(self) -> str:
        return self._part.path

    @property
    def _file(self) -> Output:
        return self._part.output

    @property
    def files(self) -> int:
        """How many files were begun."""
        return self._books.files + (1 if self._rotation is None else 0)

    @property
    def frames_written(self) -> int:
        """Frames that are in the files, or in a member or container that is still open."""
        return self._books.frames + self._part.writer.frames

    @property
    def account(self) -> Account:
        """What became of the frames that were given."""
        return self._books.account + self._part.screen.account

    @property
    def bytes_written(self) -> int:
        """Bytes of whole blocks, lines, members or containers that are in the file."""
        return self._part.output.size

    def channel_frames(self, channel: int) -> int:
        """Frames of one channel among them."""
        return self._books.delivered(channel) + self._part.writer.channel_frames(channel)

    @property
    def failed(self) -> bool:
        """Did the system refuse data? What the file holds then ends before them."""
        return self._part.failed

    @property
    def closed(self) -> bool:
        return self._closed

    def describe(self, channel: int, name: str, bitrate: int | None = None) -> None:
        """Give a channel its name, as `interfaces` does, before its first frame.

        Raises
        ------
        ValueError
            As for `interfaces`; or the channel has been described in the file.
        """
        with self._lock:
            self._check()
            row = channel_row(channel, (name, bitrate))
            if self._part.opened:
                self._part.describe(channel, row)
            self._rows[channel] = row
            if channel not in self._described:
                self._described.append(channel)

    def write(self, frames: FrameArray) -> None:
        """Append frames; when it returns, the system has all of them (compressed: all but those of the last second).

        Parameters
        ----------
        frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)

        Raises
        ------
        TypeError, ValueError
            Another dtype or shape, or the recorder is closed.
        FrameError
            With `.index`: an identifier above 0x7FF without EXTENDED_ID (or ERROR_FRAME, STATUS) or above 0x1FFFFFFF
            with it, a dlc above 15, or flags beyond `FrameFlag`. Also with `strict`, where a frame cannot be kept
            whole. Nothing of `frames` was written.
        OSError
            The system did not take all; see Notes of the class.
        """
        with self._lock:
            self._check()
            check_records(frames)
            if self._rotation is None:
                self._part.write(frames)
            else:
                self._write_files(self._rotation, frames)
            if self._sync_s is not None and self._part.opened:
                now = time.monotonic()
                if now - self._synced_at >= self._sync_s:
                    self._part.sync()
                    self._synced_at = now

    def flush(self) -> None:
        """Write what is compressed so far as a member or container of its own."""
        with self._lock:
            self._check()
            if self._part.opened:
                self._part.flush()

    def rotate(self) -> None:
        """End the file, and begin the next one (with `Rotation.lazy`: when frames come).

        Raises
        ------
        ValueError
            The recording is one file, or is closed.
        OSError
            The file could not be ended, or the next one not begun.

        Examples
        --------
        >>> frames = cf.read_log("drive.blf")
        >>> with cf.logs.Recorder("car-{n}.log", rotate_s=3600) as recorder:
        ...     recorder.write(frames[:50])
        ...     recorder.rotate()
        ...     recorder.write(frames[50:])
        >>> recorder.files
        2
        """
        with self._lock:
            self._check()
            if self._rotation is None:
                raise ValueError(f"{self.path}: this recording is one file; names with {{n}} or {{time}} make several")
            self._end_file()
            if not self._rotation.lazy:
                self._next_file(self._rotation)

    def tell(self, ledger: object, channel: int = 0) -> None:
        """What a channel's ledger says, for the statistics that end a file; `write_statistics` writes them now, too."""
        with self._lock:
            self._books.told[channel] = self._told_of(ledger, channel)

    def due(self, channel: int = 0) -> bool:
        """Is it a second or more since statistics of this channel were written?"""
        return time.monotonic() - self._statistics_at.get(channel, self._opened_at) >= 1.0

    def write_statistics(self, ledger: object, channel: int = 0) -> None:
        """Append an Interface Statistics Block from a channel's ledger (nothing in candump text).

        Parameters
        ----------
        ledger : mapping or object
            With `received`, `filtered`, `dropped`, `driver_overruns` (None where it cannot be known), and what else
            a channel's Ledger has.
        channel : int

        Notes
        -----
        ifrecv = received + driver_overruns, ifdrop = driver_overruns (left out when None),
        filteraccept = received - filtered, osdrop = dropped, usrdeliv = frames of this channel
        that this recorder has written. Counters are cumulative: the last block counts. Where the host's clock was set,
        the block's comment tells when, and the offset (time since 1970 minus monotonic time) before and after.
        """
        with self._lock:
            self._statistics(channel, self._told_of(ledger, channel))

    def write_counters(self, counters: Mapping[str, int | None], channel: int = 0) -> None:
        """The same from counters as `LogInterface.statistics` has them, None where one is not known."""
        with self._lock:
            self._statistics(channel, Told(tuple(counters.get(name) for name in _logs.COUNTER_NAMES)))

    def close(self) -> None:
        """Close the file. May be called twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._end_file()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self) -> None:
        if self._closed:
            raise ValueError(f"{self.path}: the recorder is closed")
        if self._part.opened:
            self._part.check()

    def _new_file(self, path: str | os.PathLike[str] | BinaryIO) -> RecordingFile:
        return RecordingFile(path, self._rows, self._described, **self._options)

    def _delete_oldest(self, rotation: Rotation, path: str) -> bool:
        """The disk is full: was the oldest file deleted, which is not `path`?"""
        done = rotation.delete_oldest(path)
        self.deleted += done
        words = "the oldest file was deleted" if done else "there is no older file to delete"
        log.warning("%s: the disk is full; %s (%d so far)", path, words, self.deleted)
        return done

    def _next_file(self, rotation: Rotation) -> None:
        while not self._part.opened:
            file = self._new_file(rotation.next_name())
            if self._make_room:
                file.output.make_room = partial(self._delete_oldest, rotation, file.path)
            with contextlib.suppress(FileExistsError):  # somebody else was faster: the next number
                file.open(exclusive=True)
                rotation.made(file.path)
                self._books.add(self._part)
                self._books.files += 1
                self._part = file
        self._begun_at, self._opened_at = rotation.monotonic(), time.monotonic()
        self._statistics_at.clear()
        rotation.clean(self.path)

    def _end_file(self) -> None:
        if not self._part.opened:
            return
        try:
            if self._rotation is not None and not self._part.failed:
                for channel in self._books.told:
                    self._block(channel)
                    self._books.settle(channel)
        finally:
            self._part.close(sync=self._sync_s is not None)

    def _write_files(self, rotation: Rotation, frames: FrameArray) -> None:
        first = 0
        while True:
            part = self._part
            over = part.opened and part.writer.frames and rotation.is_over(part, self._begun_at)
            if over:
                self._end_file()
            if not self._part.opened and (first < len(frames) or (over and not rotation.lazy)):
                self._next_file(rotation)
            part = self._part
            if not part.opened:
                return
            count = min(rotation.room(part), len(frames) - first)
            part.write(frames[first : first + count], len(frames) - first - count)
            first += count
            if first >= len(frames):
                return

    def _told_of(self, ledger: object, channel: int) -> Told:
        return told_of(ledger, self.channel_frames(channel), self._books.told.get(channel))

    def _statistics(self, channel: int, told: Told) -> None:
        self._check()
        self._books.told[channel] = told
        if self._part.opened:
            self._block(channel)

    def _block(self, channel: int) -> None:
        row = self._books.since_begin(channel, self._part) if self._rotation is not None else self._books.told[channel]
        self._part.append(lambda: self._part.writer.statistics(channel, row.values, row.comment))
        self._statistics_at[channel] = time.monotonic()
