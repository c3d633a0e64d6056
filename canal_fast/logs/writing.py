"""Writing recordings: `Recorder`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, BinaryIO

from canal_fast.frames import FrameArray, check_records

from . import _logs
from .account import Account
from .books import Told
from .disk import sync_period
from .interfaces import Interfaces, channel_row
from .output import Output
from .recording_files import RecordingFiles
from .rotation import Rotation
from .zones import Zone

__all__ = ["Recorder"]


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
    still be used and closed. One lock serialises threads. The file belongs to the process that opened it: in a forked
    child every call raises ValueError but `close`, which does nothing.

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
        rotation = path if isinstance(path, Rotation) else None
        if not isinstance(path, Rotation) and any(value is not None for value in limits.values()):
            rotation = Rotation(path, format=format, compression=compression, **limits)
        options: dict[str, Any] = {
            "format": format, "nanoseconds": nanoseconds, "tz": tz, "compression": compression, "strict": strict
        }  # fmt: skip
        self._sync_s = sync_period(fsync)
        self._synced_at = time.monotonic()
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._closed = False
        if append and (exclusive or rotation is not None):
            raise ValueError("append goes on in one file: neither exclusive nor rotation go with it")
        self._files = RecordingFiles(path, rotation, interfaces, on_full, self._sync_s is not None, options)
        self._files.open(exclusive, append)

    @property
    def path(self) -> str:
        return self._files.part.path

    @property
    def _file(self) -> Output:
        return self._files.part.output

    @property
    def deleted(self) -> int:
        """Files that were deleted because the disk was full."""
        return self._files.deleted

    @property
    def files(self) -> int:
        """How many files were begun."""
        return self._files.count

    @property
    def frames_written(self) -> int:
        """Frames that are in the files, or in a member or container that is still open."""
        return self._files.books.frames + self._files.part.writer.frames

    @property
    def account(self) -> Account:
        """What became of the frames that were given."""
        return self._files.books.account + self._files.part.screen.account

    @property
    def bytes_written(self) -> int:
        """Bytes of whole blocks, lines, members or containers that are in the file."""
        return self._files.part.output.size

    def channel_frames(self, channel: int) -> int:
        """Frames of one channel among them."""
        return self._files.channel_frames(channel)

    @property
    def failed(self) -> bool:
        """Did the system refuse data? What the file holds then ends before them."""
        return self._files.part.failed

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def inherited(self) -> bool:
        """Is this the copy that a forked child has of its parent's recorder?"""
        return self._process != os.getpid()

    def check_process(self) -> None:
        """Raise ValueError in a forked child."""
        if self.inherited:
            raise ValueError(
                f"{self.path}: the recorder belongs to process {self._process}, which forked this one, {os.getpid()}; "
                "make another here, with a file of its own"
            )

    def describe(self, channel: int, name: str, bitrate: int | None = None) -> None:
        """Give a channel its name, as `interfaces` does, before its first frame.

        Raises
        ------
        ValueError
            As for `interfaces`; or the channel has been described in the file.
        """
        with _Turn(self):
            self._files.describe(channel, channel_row(channel, (name, bitrate)))

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
        with _Turn(self):
            check_records(frames)
            self._files.write(frames)
            if self._sync_s is not None and self._files.part.opened:
                now = time.monotonic()
                if now - self._synced_at >= self._sync_s:
                    self._files.part.sync()
                    self._synced_at = now

    def flush(self) -> None:
        """Write what is compressed so far as a member or container of its own."""
        with _Turn(self):
            if self._files.part.opened:
                self._files.part.flush()

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
        with _Turn(self):
            self._files.rotate()

    def tell(self, ledger: object, channel: int = 0) -> None:
        """What a channel's ledger says, for the statistics that end a file; `write_statistics` writes them now, too."""
        self.check_process()
        with self._lock:
            self._files.books.told[channel] = self._files.told_of(ledger, channel)

    def due(self, channel: int = 0) -> bool:
        """Is it a second or more since statistics of this channel were written?"""
        return self._files.due(channel)

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
        with _Turn(self):
            self._files.tell(channel, self._files.told_of(ledger, channel))

    def write_counters(self, counters: Mapping[str, int | None], channel: int = 0) -> None:
        """The same from counters as `LogInterface.statistics` has them, None where one is not known."""
        with _Turn(self):
            self._files.tell(channel, Told(tuple(counters.get(name) for name in _logs.COUNTER_NAMES)))

    def close(self) -> None:
        """Close the file. May be called twice."""
        if self.inherited:
            return
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._files.end()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self) -> None:
        if self._closed:
            raise ValueError(f"{self.path}: the recorder is closed")
        if self._files.part.opened:
            self._files.part.check()


class _Turn:
    """Holds the lock of a recorder that can go on. A generator would be shorter, and slow for frames one by one."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __enter__(self) -> None:
        recorder = self._recorder
        recorder.check_process()  # first: in a child a thread that is not there may hold the lock
        recorder._lock.acquire()
        try:
            recorder._check()
        except BaseException:
            recorder._lock.release()
            raise

    def __exit__(self, *about: object) -> None:
        self._recorder._lock.release()
