"""One file of a recording, as a `Recorder` writes it: encoded, packed, and never ending inside a frame."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from canal_fast._version import __version__
from canal_fast.frames import FrameArray

from . import _logs
from .account import Screen
from .appending import prepare_append
from .output import Output
from .packing import deflate, packer
from .targets import find_target
from .zones import Zone, find_zone, wall_start

__all__ = ["APPLICATION", "BUFFER_BYTES", "RecordingFile"]

log = logging.getLogger("canal_fast")

BUFFER_BYTES = 1 << 18
_CONTAINER_BYTES = 1 << 17
_MEMBER_BYTES = 1 << 20
_MEMBER_S = 1.0
APPLICATION = f"canal_fast {__version__}".encode()


class RecordingFile:
    """What a `Recorder` does with one file; arguments and errors are those of the recorder. It takes no lock.

    Attributes
    ----------
    path : str
    output : Output
    writer : LogWriter
    screen : Screen
    opened : bool
        Open, and not closed yet.
    failed : bool
        The system refused data: the file ends before them.
    described : list of int
        Channels whose names stand, or will stand, before the frames.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | BinaryIO,
        rows: list[tuple[bytes, int]],
        described: list[int],
        *,
        format: str | None,
        compression: str | None,
        nanoseconds: bool,
        tz: Zone,
        strict: bool,
    ) -> None:
        self._path, self.output = path, Output(path)
        self.path = self.output.name
        self._target = find_target(path, self.path, format, compression)
        row = self._target.row
        if row.index < 0:
            raise ValueError(f"{self.path}: {row.title} is written by write_log and convert, and cannot be appended to")
        self._zone = find_zone(tz)
        self.screen = Screen(row, nanoseconds, strict, self.path)
        self.writer = _logs.LogWriter(row.index, rows, nanoseconds)
        self._pack = self._packer()
        size = _CONTAINER_BYTES if self.writer.packs else _MEMBER_BYTES if self._pack else BUFFER_BYTES
        self._buffer = np.empty(size, np.uint8)
        self._held = 0
        self._inflated = 0  # by how much the file would be larger if nothing were compressed
        self._held_since: float | None = None
        self._begun = self.failed = self.opened = False
        self.described = list(described)

    def open(self, exclusive: bool, append: bool = False) -> None:
        """Make the file, or go on in it, and write what stands before the first frame where that is known."""
        if append:
            prepare_append(self._path, self.path, self._target)
        self.output.open(exclusive, append)
        try:
            for channel in self.described:
                self._named(channel)
            if not self._target.row.dated_ns:
                self._begin()
        except BaseException:  # no room for the begin
            self.output.give_up()
            raise
        self.opened = True
        log.info("%s: opened", self.path)

    def check(self) -> None:
        """Raise ValueError where nothing more can be written."""
        if self.output.stuck:
            raise ValueError(f"{self.path}: an earlier write left part of a block that could not be cut off")

    def describe(self, channel: int, row: tuple[bytes, int]) -> None:
        """Name and bit rate of a channel that has no frames yet."""
        if self.writer.channel_frames(channel):
            raise ValueError(f"{self.path}: channel {channel} has frames already, and a name with them")
        self.writer.name(channel, *row)
        self._named(channel)
        if self._begun:
            self.append(lambda: self.writer.describe(channel))
        elif channel not in self.described:
            self.described.append(channel)

    def write(self, frames: FrameArray, more: int = 0) -> None:
        """Append frames that were checked. `more`: frames of the batch that are to follow, which errors count."""
        if not self._begun and len(frames):
            self._begin(frames)
        frames = self.screen.keep(frames)
        first = 0
        while True:
            first += self._write_some(frames, first, more)
            if first >= len(frames):
                break
        if self._held and self._held_since is not None and time.monotonic() - self._held_since >= _MEMBER_S:
            self.flush()

    def sync(self) -> None:
        """Wait until all is on the disk."""
        self.flush()
        self.output.sync()

    def close(self, *, sync: bool = False) -> None:
        """Write what stands behind the last frame, and close the file; `sync`: when it is on the disk."""
        failed = self.failed
        try:
            self._finish()
            if sync and not self.failed:
                self.output.sync()
        except OSError:
            if not failed:  # otherwise that was said before
                raise
        finally:
            self.opened = False
            self.output.close()
            log.info("%s: closed: %d frames in %d bytes", self.path, self.writer.frames, self.output.size)

    def _packer(self) -> Callable[[memoryview], bytes] | None:
        if self.writer.packs:
            return lambda data: self.writer.container(deflate(data), len(data))
        return None if self._target.compression is None else packer(self._target.compression)

    def _named(self, channel: int) -> None:
        self.screen.name(channel, self.writer.channel_name(channel))

    def _begin(self, frames: FrameArray | None = None) -> None:
        """Write what stands before the first frame."""
        if self._target.row.dated_ns:
            earliest = int(frames["timestamp_ns"].min()) if frames is not None else None
            start_ns, wall_ns = wall_start(earliest, self._zone, self._target.row.dated_ns)
            self.writer.start(start_ns, wall_ns)
            self.screen.start(start_ns)
        self._begun = True
        self.append(lambda: self.writer.begin(APPLICATION), bare=self.writer.packs)
        for channel in self.described:
            self.append(partial(self.writer.describe, channel))

    def _finish(self) -> None:
        """Write what stands behind the last frame; a header that is known now takes the place of the first one."""
        if self.output.stuck:
            return
        try:
            if not self._begun:
                self._begin()
            if not self.failed:
                self.append(self.writer.end)
                self.flush()
        finally:
            size = self.output.size
            header = self.writer.finish(size, size + self._inflated)
            if header and size >= len(header):
                self.output.replace_begin(header)

    def append(self, make: Callable[[], bytes], bare: bool = False) -> None:
        """Write a block; `bare`: outside of members and containers."""
        packed = self._pack is not None and not bare
        if packed and self._held + self.writer.record_max > len(self._buffer):
            self.flush()
        if not packed or not self._held:
            self.writer.save()
        begin = self.output.size
        try:
            data = make()
            if not packed:
                self.output.put(data)
            elif data:
                self._hold(np.frombuffer(data, np.uint8))
        except BaseException as error:
            self.writer.restore()
            self.output.cut(begin)
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

    def flush(self) -> None:
        """Write what is held as one member or container."""
        if not self._held or self._pack is None:
            return
        begin, held = self.output.size, self._held
        self._held, self._held_since = 0, None
        frames = self.writer.frames
        try:
            packed = self._pack(self._buffer.data[:held])
            self.output.put(packed)
            if self.writer.packs:  # a container's header is not compressed
                self._inflated += held + len(self.writer.container(b"", held)) - len(packed)
            self.writer.save()
        except BaseException as error:
            self.writer.restore()
            self.output.cut(begin)
            if isinstance(error, OSError):
                raise self._refused(error, frames - self.writer.frames) from error
            raise

    def _write_some(self, frames: FrameArray, first: int, following: int) -> int:
        """Encode and write one buffer full; the number of frames in it."""
        if self._pack is not None:
            if not self._held:
                self.writer.save()
            count, used = self.writer.encode(frames, first, self._buffer[self._held :], len(self._buffer) - self._held)
            self._took(used)
            if first + count < len(frames):
                try:
                    self.flush()
                except OSError as error:
                    more = f"; {len(frames) - first - count + following} more of this batch are not either"
                    raise OSError(error.errno, f"{error.strerror}{more}", self.path) from error
            return count
        self.writer.save()
        begin = self.output.size
        try:
            count, used = self.writer.encode(frames, first, self._buffer, len(self._buffer))
            self.output.put(self._buffer.data[:used])
            return count
        except BaseException as error:  # also a KeyboardInterrupt between two writes
            written = self.output.written_since(begin)
            self.writer.restore()
            kept = used = 0
            if written:  # what went out is the beginning of the same encoding: take its whole frames again
                kept, used = self.writer.encode(frames, first, self._buffer, written)
            self.output.cut(begin + used)
            if isinstance(error, OSError):
                raise self._refused(error, len(frames) - first - kept + following) from error
            raise

    def _refused(self, error: OSError, missing: int) -> OSError:
        self.failed = True
        message = (
            f"{error.strerror} while recording: {self.writer.frames} frames are safely in the file, "
            f"{missing} frames of this batch are not"
        )
        log.error("%s: %s", self.path, message, extra={"raised": True})
        return OSError(error.errno, message, self.path)
