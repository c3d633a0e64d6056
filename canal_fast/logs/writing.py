"""Writing recordings: `Recorder`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from canal_fast._version import __version__
from canal_fast.frames import FrameArray, check_records

from . import _logs
from .account import Account, Screen
from .formats import by_name
from .interfaces import Interfaces, by_channel, channel_row, channel_rows
from .output import Output
from .packing import deflate, packer
from .targets import find_target
from .zones import Zone, find_zone, wall_start

__all__ = ["Recorder", "format_candump"]

_BUFFER_BYTES = 1 << 18
_CONTAINER_BYTES = 1 << 17
_MEMBER_BYTES = 1 << 20
_MEMBER_S = 1.0
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
    fsync : bool
        True: every `write` waits until the data are on the disk.
    format : str, optional
        A name of `formats`; None: by the suffix, "pcapng" for "-" and for an object without a name that has one.
    exclusive : bool
        True: an existing regular file is not replaced.
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

    Attributes
    ----------
    path : str

    Raises
    ------
    ValueError
        Another suffix, one of several formats, a channel outside 0..255, a name over 63 bytes or with white space.
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
        tz: Zone = "UTC",
        compression: str | None = None,
        strict: bool = False,
    ):
        self._file = Output(path)
        self.path = self._file.name
        self._target = find_target(path, self.path, format, compression)
        row = self._target.row
        if row.index < 0:
            raise ValueError(f"{self.path}: {row.title} is written by write_log and convert, and cannot be appended to")
        self._zone = find_zone(tz)
        self._screen = Screen(row, nanoseconds, strict, self.path)
        self._writer = _logs.LogWriter(row.index, channel_rows(interfaces), nanoseconds)
        self._pack = self._packer()
        size = _CONTAINER_BYTES if self._writer.packs else _MEMBER_BYTES if self._pack else _BUFFER_BYTES
        self._buffer = np.empty(size, np.uint8)
        self._held = 0
        self._inflated = 0  # by how much the file would be larger if nothing were compressed
        self._held_since: float | None = None
        self._fsync = fsync
        self._lock = threading.Lock()
        self._statistics_at: dict[int, float] = {}
        self._opened_at = time.monotonic()
        self._begun = self._failed = False
        self._file.open(exclusive)
        try:
            self._described = sorted(by_channel(interfaces))
            for channel in self._described:
                self._name(channel)
            if not row.dated_ns:
                self._begin()
        except BaseException:  # no room for the begin
            self._file.give_up()
            raise

    @property
    def frames_written(self) -> int:
        """Frames that are in the file, or in a member or container that is still open."""
        return self._writer.frames

    @property
    def account(self) -> Account:
        """What became of the frames that were given."""
        return self._screen.account

    @property
    def bytes_written(self) -> int:
        """Bytes of whole blocks, lines, members or containers that are in the file."""
        return self._file.size

    def channel_frames(self, channel: int) -> int:
        """Frames of one channel among them."""
        return self._writer.channel_frames(channel)

    @property
    def failed(self) -> bool:
        """Did the system refuse data? What the file holds then ends before them."""
        return self._failed

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
            self._name(channel)
            if self._begun:
                self._append(lambda: self._writer.describe(channel))
            elif channel not in self._described:
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
            if not self._begun and len(frames):
                self._begin(frames)
            frames = self._screen.keep(frames)
            first = 0
            while True:
                first += self._write_some(frames, first)
                if first >= len(frames):
                    break
            if self._held and self._held_since is not None and time.monotonic() - self._held_since >= _MEMBER_S:
                self._flush()
            if self._fsync:
                self._flush()
                os.fsync(self._file.fileno())

    def flush(self) -> None:
        """Write what is compressed so far as a member or container of its own."""
        with self._lock:
            self._check()
            self._flush()

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
        delivered = self._writer.channel_frames(channel)
        counters = (received + (overruns or 0), overruns, received - filtered, dropped, delivered)
        self.write_counters(dict(zip(_logs.COUNTER_NAMES, counters, strict=True)), channel, comment)

    def write_counters(self, counters: Mapping[str, int | None], channel: int = 0, comment: bytes = b"") -> None:
        """The same from counters as `LogInterface.statistics` has them, None where one is not known."""
        values = tuple(counters.get(name) for name in _logs.COUNTER_NAMES)
        with self._lock:
            self._check()
            self._append(lambda: self._writer.statistics(channel, values, comment))
            self._statistics_at[channel] = time.monotonic()

    def close(self) -> None:
        """Close the file. May be called twice."""
        with self._lock:
            if self._file.closed:
                return
            failed = self._failed
            try:
                self._finish()
            except OSError:
                if not failed:  # otherwise that was said before
                    raise
            finally:
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
        if self._file.stuck:
            raise ValueError(f"{self.path}: an earlier write left part of a block that could not be cut off")

    def _packer(self) -> Callable[[memoryview], bytes] | None:
        if self._writer.packs:
            return lambda data: self._writer.container(deflate(data), len(data))
        return None if self._target.compression is None else packer(self._target.compression)

    def _name(self, channel: int) -> None:
        self._screen.name(channel, self._writer.channel_name(channel))

    def _begin(self, frames: FrameArray | None = None) -> None:
        """Write what stands before the first frame."""
        if self._target.row.dated_ns:
            earliest = int(frames["timestamp_ns"].min()) if frames is not None else None
            start_ns, wall_ns = wall_start(earliest, self._zone, self._target.row.dated_ns)
            self._writer.start(start_ns, wall_ns)
            self._screen.start(start_ns)
        self._begun = True
        self._append(lambda: self._writer.begin(_APPLICATION), bare=self._writer.packs)
        for channel in self._described:
            self._append(partial(self._writer.describe, channel))

    def _finish(self) -> None:
        """Write what stands behind the last frame; a header that is known now takes the place of the first one."""
        if self._file.stuck:
            return
        try:
            if not self._begun:
                self._begin()
            if not self._failed:
                self._append(self._writer.end)
                self._flush()
        finally:
            size = self._file.size
            header = self._writer.finish(size, size + self._inflated)
            if header and size >= len(header):
                self._file.replace_begin(header)

    def _append(self, make: Callable[[], bytes], bare: bool = False) -> None:
        """Write a block; `bare`: outside of members and containers."""
        packed = self._pack is not None and not bare
        if packed and self._held + self._writer.record_max > len(self._buffer):
            self._flush()
        if not packed or not self._held:
            self._writer.save()
        begin = self._file.size
        try:
            data = make()
            if not packed:
                self._file.put(data)
            elif data:
                self._hold(np.frombuffer(data, np.uint8))
        except BaseException as error:
            self._writer.restore()
            self._file.cut(begin)
            if isinstance(error, OSError):
                raise self._refused(error, 0) from error
            raise

    def _hold(self, data: npt.NDArray[np.uint8]) -> None:
        self._buffer[self._held : self._held + len(data)] = data
        self._took(len(data))

    def _took(self, size: int) -> None:
        if size and self._held_since is None:
            self._held_since = time.monotonic()
        self._held += size

    def _flush(self) -> None:
        """Write what is held as one member or container."""
        if not self._held or self._pack is None:
            return
        begin, held = self._file.size, self._held
        self._held, self._held_since = 0, None
        frames = self._writer.frames
        try:
            packed = self._pack(self._buffer.data[:held])
            self._file.put(packed)
            if self._writer.packs:  # a container's header is not compressed
                self._inflated += held + len(self._writer.container(b"", held)) - len(packed)
            self._writer.save()
        except BaseException as error:
            self._writer.restore()
            self._file.cut(begin)
            if isinstance(error, OSError):
                raise self._refused(error, frames - self._writer.frames) from error
            raise

    def _write_some(self, frames: FrameArray, first: int) -> int:
        """Encode and write one buffer full; the number of frames in it."""
        if self._pack is not None:
            if not self._held:
                self._writer.save()
            count, used = self._writer.encode(frames, first, self._buffer[self._held :], len(self._buffer) - self._held)
            self._took(used)
            if first + count < len(frames):
                try:
                    self._flush()
                except OSError as error:
                    more = f"; {len(frames) - first - count} more of this batch are not either"
                    raise OSError(error.errno, f"{error.strerror}{more}", self.path) from error
            return count
        self._writer.save()
        begin = self._file.size
        try:
            count, used = self._writer.encode(frames, first, self._buffer, len(self._buffer))
            self._file.put(self._buffer.data[:used])
            return count
        except BaseException as error:  # also a KeyboardInterrupt between two writes
            written = self._file.written_since(begin)
            self._writer.restore()
            kept = used = 0
            if written:  # what went out is the beginning of the same encoding: take its whole frames again
                kept, used = self._writer.encode(frames, first, self._buffer, written)
            self._file.cut(begin + used)
            if isinstance(error, OSError):
                raise self._refused(error, len(frames) - first - kept) from error
            raise

    def _refused(self, error: OSError, missing: int) -> OSError:
        self._failed = True
        message = (
            f"{error.strerror} while recording: {self.frames_written} frames are safely in the file, "
            f"{missing} frames of this batch are not"
        )
        return OSError(error.errno, message, self.path)


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
