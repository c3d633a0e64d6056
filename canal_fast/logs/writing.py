"""Writing recordings: `Recorder`."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from canal_fast.frames import FrameArray, check_records

from . import _logs
from .account import Account
from .formats import by_name
from .interfaces import Interfaces, by_channel, channel_row, channel_rows
from .output import Output
from .recording_file import BUFFER_BYTES, RecordingFile
from .zones import Zone

__all__ = ["Recorder", "format_candump"]

_STEPS = ("clock_steps", "clock_step_ns", "clock_step_before_ns", "clock_step_after_ns")
_STEPPED = (
    "host clock set {clock_steps} times, last at {clock_step_ns} ns: offset {clock_step_before_ns} -> "
    "{clock_step_after_ns} ns"
)


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
        self._options: dict[str, Any] = {
            "format": format, "nanoseconds": nanoseconds, "tz": tz, "compression": compression, "strict": strict
        }  # fmt: skip
        self._rows = channel_rows(interfaces)
        self._part = RecordingFile(path, self._rows, sorted(by_channel(interfaces)), **self._options)
        self._fsync = fsync
        self._lock = threading.Lock()
        self._statistics_at: dict[int, float] = {}
        self._opened_at = time.monotonic()
        self._part.open(exclusive)

    @property
    def path(self) -> str:
        return self._part.path

    @property
    def _file(self) -> Output:
        return self._part.output

    @property
    def frames_written(self) -> int:
        """Frames that are in the file, or in a member or container that is still open."""
        return self._part.writer.frames

    @property
    def account(self) -> Account:
        """What became of the frames that were given."""
        return self._part.screen.account

    @property
    def bytes_written(self) -> int:
        """Bytes of whole blocks, lines, members or containers that are in the file."""
        return self._part.output.size

    def channel_frames(self, channel: int) -> int:
        """Frames of one channel among them."""
        return self._part.writer.channel_frames(channel)

    @property
    def failed(self) -> bool:
        """Did the system refuse data? What the file holds then ends before them."""
        return self._part.failed

    @property
    def closed(self) -> bool:
        return self._part.output.closed

    def describe(self, channel: int, name: str, bitrate: int | None = None) -> None:
        """Give a channel its name, as `interfaces` does, before its first frame.

        Raises
        ------
        ValueError
            As for `interfaces`; or the channel has been described in the file.
        """
        with self._lock:
            self._check()
            self._part.describe(channel, channel_row(channel, (name, bitrate)))

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
            self._part.write(frames)
            if self._fsync:
                self._part.sync()

    def flush(self) -> None:
        """Write what is compressed so far as a member or container of its own."""
        with self._lock:
            self._check()
            self._part.flush()

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
        delivered = self._part.writer.channel_frames(channel)
        counters = (received + (overruns or 0), overruns, received - filtered, dropped, delivered)
        self.write_counters(dict(zip(_logs.COUNTER_NAMES, counters, strict=True)), channel, comment)

    def write_counters(self, counters: Mapping[str, int | None], channel: int = 0, comment: bytes = b"") -> None:
        """The same from counters as `LogInterface.statistics` has them, None where one is not known."""
        values = tuple(counters.get(name) for name in _logs.COUNTER_NAMES)
        with self._lock:
            self._check()
            self._part.append(lambda: self._part.writer.statistics(channel, values, comment))
            self._statistics_at[channel] = time.monotonic()

    def close(self) -> None:
        """Close the file. May be called twice."""
        with self._lock:
            if not self._part.output.closed:
                self._part.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self) -> None:
        self._part.check()


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
    buffer = np.empty(min(BUFFER_BYTES, writer.record_max * (len(frames) + 1)), np.uint8)
    parts = []
    first = 0
    while True:
        count, used = writer.encode(frames, first, buffer, len(buffer))
        parts.append(buffer[:used].tobytes())
        first += count
        if first >= len(frames):
            return b"".join(parts)
