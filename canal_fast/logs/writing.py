"""Writing recordings: `Recorder`."""

from __future__ import annotations

import io
import os
import stat
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import BinaryIO

import numpy as np

from canal_fast._version import __version__
from canal_fast.frames import FrameArray, check_records

from . import _logs
from .files import ObjectFile, create, name_of
from .formats import LogFormat, by_name, by_suffix, formats
from .interfaces import Interfaces, by_channel, channel_row, channel_rows

__all__ = ["Recorder", "format_candump"]

_BUFFER_BYTES = 1 << 18
_STEPS = ("clock_steps", "clock_step_ns", "clock_step_before_ns", "clock_step_after_ns")
_STEPPED = (
    "host clock set {clock_steps} times, last at {clock_step_ns} ns: offset {clock_step_before_ns} -> "
    "{clock_step_after_ns} ns"
)
_APPLICATION = f"canal_fast {__version__}".encode()


class Recorder:
    """Writes frames to a new file; use it as a context manager.

    Encoding runs in C with the GIL released; each buffer then goes to the system with one write(2)
    and no buffering of ours behind it, so what `write` has returned from survives a kill of the
    process (and, with `fsync`, of the machine).

    Parameters
    ----------
    path : path-like, "-" or binary file object
        `.pcapng` (nanoseconds, link type 227, one interface per channel) or `.log` (candump text).
        An existing file is replaced, but not one that a recorder, of whatever process, is writing.
        "-": standard output. A file object is flushed after each write and left open.
    interfaces : mapping, or iterable of LogInterface, optional
        Channel number -> name, or (name, bit rate in bit/s); or the `interfaces` of a recording. Other channels are
        called can<number>.
    fsync : bool
        True: every `write` waits until the data are on the disk.
    format : str, optional
        A name of `formats`; None: by the suffix, "pcapng" for "-" and for an object without a name that has one.
    exclusive : bool
        True: an existing regular file is not replaced.
    nanoseconds : bool
        True: times in candump text have nine decimals instead of six. pcapng always keeps nanoseconds; in text they are
        lost (rounded down to the microsecond), since can-utils and Wireshark misread nine decimals.

    Attributes
    ----------
    path : str

    Raises
    ------
    ValueError
        Another suffix, a channel outside 0..255, a name over 63 bytes or with white space.
    OSError
        The file cannot be made, or a recorder holds it. FileExistsError: `exclusive`, and there is one.

    Notes
    -----
    When the system refuses data (disk full), the file is cut back to its last whole frame, the
    `OSError` says how many frames are in it and how many of the batch are not, and the recorder can
    still be used and closed. One lock serialises threads.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | BinaryIO,
        *,
        format: str | None = None,
        interfaces: Interfaces | None = None,
        fsync: bool = False,
        exclusive: bool = False,
        nanoseconds: bool = False,
    ):
        self.path = name_of(path)
        row = _row(path, self.path, format)
        self._writer = _logs.LogWriter(row.index, channel_rows(interfaces), nanoseconds)
        self._buffer = np.empty(_BUFFER_BYTES, np.uint8)
        self._fsync = fsync
        self._lock = threading.Lock()
        self._bytes = self._sent = 0
        self._stuck = False
        self._statistics_at: dict[int, float] = {}
        self._opened_at = time.monotonic()
        self._file: io.FileIO | ObjectFile
        if isinstance(path, (str, os.PathLike)):
            self._file = create(os.fspath(path), exclusive=exclusive)
            self._regular = path != "-" and stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)
        else:
            self._file, self._regular = ObjectFile(path), False
        try:
            self._append(lambda: self._writer.begin(_APPLICATION))
            for channel in sorted(by_channel(interfaces)):
                self._append(lambda number=channel: self._writer.describe(number))  # type: ignore[misc]
        except BaseException:
            self._file.close()
            raise

    @property
    def frames_written(self) -> int:
        """Frames that are in the file."""
        return self._writer.frames

    @property
    def bytes_written(self) -> int:
        """Bytes of whole blocks or lines that are in the file."""
        return self._bytes

    @property
    def closed(self) -> bool:
        return self._file.closed

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
            if self._writer.channel_frames(channel):
                raise ValueError(f"{self.path}: channel {channel} has frames already, and a name with them")
            self._writer.name(channel, *row)
            self._append(lambda: self._writer.describe(channel))

    def write(self, frames: FrameArray) -> None:
        """Append frames; when it returns, the system has all of them.

        Parameters
        ----------
        frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)

        Raises
        ------
        TypeError, ValueError
            Another dtype or shape, or the recorder is closed.
        FrameError
            With `.index`: an identifier above 0x7FF without EXTENDED_ID (or ERROR_FRAME, STATUS) or above 0x1FFFFFFF
            with it, a dlc above 15, or flags beyond `FrameFlag`. Nothing of `frames` was written.
        OSError
            The system did not take all; see Notes of the class.
        """
        with self._lock:
            self._check()
            check_records(frames)
            first = 0
            while True:
                first += self._write_some(frames, first)
                if first >= len(frames):
                    break
            if self._fsync:
                os.fsync(self._file.fileno())

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
        received, filtered, dropped, overruns = (
            ledger[name] if isinstance(ledger, Mapping) else getattr(ledger, name)
            for name in ("received", "filtered", "dropped", "driver_overruns")
        )
        steps = {name: ledger.get(name) if isinstance(ledger, Mapping) else getattr(ledger, name, 0) for name in _STEPS}
        comment = _STEPPED.format_map(steps).encode() if steps["clock_steps"] else b""
        with self._lock:
            self._check()
            delivered = self._writer.channel_frames(channel)
            counters = (received + (overruns or 0), overruns, received - filtered, dropped, delivered)
            self._append(lambda: self._writer.statistics(channel, counters, comment))
            self._statistics_at[channel] = time.monotonic()

    def close(self) -> None:
        """Close the file. May be called twice."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self) -> None:
        if self._file.closed:
            raise ValueError(f"{self.path}: the recorder is closed")
        if self._stuck:
            raise ValueError(f"{self.path}: an earlier write left part of a block that could not be cut off")

    def _put(self, data: memoryview | bytes) -> None:
        view = memoryview(data)
        self._sent = 0
        while self._sent < len(view):
            self._sent += self._file.write(view[self._sent :])

    def _append(self, make: Callable[[], bytes]) -> None:
        self._writer.save()
        begin, self._sent = self._bytes, 0
        try:
            data = make()
            self._put(data)
            self._bytes = begin + len(data)
        except BaseException as error:
            self._writer.restore()
            self._cut(begin)
            if isinstance(error, OSError):
                raise self._refused(error, 0) from error
            raise

    def _write_some(self, frames: FrameArray, first: int) -> int:
        """Encode and write one buffer full; the number of frames in it."""
        self._writer.save()
        begin, self._sent = self._bytes, 0
        try:
            count, used = self._writer.encode(frames, first, self._buffer, len(self._buffer))
            self._put(self._buffer.data[:used])
            self._bytes = begin + used
            return count
        except BaseException as error:  # also a KeyboardInterrupt between two writes
            written = self._written(begin)
            self._writer.restore()
            kept = used = 0
            if written:  # what went out is the beginning of the same encoding: take its whole frames again
                kept, used = self._writer.encode(frames, first, self._buffer, written)
            self._cut(begin + used)
            if isinstance(error, OSError):
                raise self._refused(error, len(frames) - first - kept) from error
            raise

    def _written(self, begin: int) -> int:
        return self._file.tell() - begin if isinstance(self._file, io.FileIO) and self._regular else self._sent

    def _cut(self, size: int) -> None:
        """Cut the file to `size`, the end of its last whole block."""
        if self._regular:
            assert isinstance(self._file, io.FileIO)
            self._file.seek(size)
            self._file.truncate()
        else:
            self._stuck = self._sent > 0
        self._bytes = size

    def _refused(self, error: OSError, missing: int) -> OSError:
        message = (
            f"{error.strerror} while recording: {self.frames_written} frames are safely in the file, "
            f"{missing} frames of this batch are not"
        )
        return OSError(error.errno, message, self.path)


def _row(path: str | os.PathLike[str] | BinaryIO, name: str, format: str | None) -> LogFormat:
    """The format to write."""
    named = isinstance(path, (str, os.PathLike)) and path != "-"
    suffix = os.path.splitext(name)[1]
    row = by_suffix(suffix) if format is None else by_name(format)
    if row is None and format is None and not named:
        row = by_name("pcapng")
    if row is None or not row.writes:
        known = " or ".join(known for row in formats() if row.writes for known in row.suffixes)
        what = f"recordings end with {known}, not {suffix!r}" if format is None else f"format {format!r} is not written"
        raise ValueError(f"{name}: {what}")
    return row


def format_candump(frames: FrameArray, names: Mapping[int, str] | None = None, *, nanoseconds: bool = False) -> bytes:
    """Frames as candump text, one line each.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    names : mapping, optional
        Channel number -> interface name; can<number> otherwise.
    nanoseconds : bool
        False: times have six decimals, rounded down, as candump's own. True: nine, which other programs misread.

    Raises
    ------
    FrameError
        As `Recorder.write`.
    """
    check_records(frames)
    writer = _logs.LogWriter(by_name("candump").index, channel_rows(names), nanoseconds)
    buffer = np.empty(min(_BUFFER_BYTES, writer.record_max * (len(frames) + 1)), np.uint8)
    parts = []
    first = 0
    while True:
        count, used = writer.encode(frames, first, buffer, len(buffer))
        parts.append(buffer[:used].tobytes())
        first += count
        if first >= len(frames):
            return b"".join(parts)
