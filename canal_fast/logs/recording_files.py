"""The files of a recording, one after another, as a `Recorder` fills them."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from functools import partial
from typing import Any, BinaryIO

from canal_fast.frames import FrameArray

from .books import Books, Told, told_of
from .disk import makes_room
from .interfaces import Interfaces, by_channel, channel_rows
from .recording_file import RecordingFile
from .rotation import Rotation

__all__ = ["RecordingFiles"]

log = logging.getLogger("canal_fast")


class RecordingFiles:
    """One file, or with a rotation many; arguments and errors are those of the recorder. It takes no lock.

    Attributes
    ----------
    part : RecordingFile
        The open file, or the last one.
    books : Books
        Of the files before it.
    deleted : int
        Files that were deleted because the disk was full.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | BinaryIO | Rotation,
        rotation: Rotation | None,
        interfaces: Interfaces | None,
        on_full: str,
        synced: bool,
        options: dict[str, Any],
    ) -> None:
        self._rotation, self._synced, self._options = rotation, synced, options
        self._rows = channel_rows(interfaces)
        self._described = sorted(by_channel(interfaces))
        self._make_room = makes_room(on_full, rotation)
        self.deleted = 0
        self.books = Books()
        self._statistics_at: dict[int, float] = {}
        self._begun_at = self._opened_at = time.monotonic()
        if rotation is not None:
            path = rotation.names.template
        assert not isinstance(path, Rotation)
        self.part = self._new_file(path)

    def open(self, exclusive: bool, append: bool) -> None:
        """Begin the first file; a lazy rotation does when frames come."""
        if self._rotation is None:
            self.part.open(exclusive, append)
        else:
            self._rotation.check_folder()
            if not self._rotation.lazy:
                self._next(self._rotation)

    @property
    def count(self) -> int:
        """How many files were begun."""
        return self.books.files + (1 if self._rotation is None else 0)

    def channel_frames(self, channel: int) -> int:
        """Frames of one channel in all files."""
        return self.books.delivered(channel) + self.part.writer.channel_frames(channel)

    def describe(self, channel: int, row: tuple[bytes, int]) -> None:
        """Name and bit rate of a channel, in the open file and in those that come."""
        if self.part.opened:
            self.part.describe(channel, row)
        self._rows[channel] = row
        if channel not in self._described:
            self._described.append(channel)

    def write(self, frames: FrameArray) -> None:
        """Append frames, and begin files as the rotation has it."""
        if self._rotation is None:
            self.part.write(frames)
        else:
            self._write_rotating(self._rotation, frames)

    def rotate(self) -> None:
        """See `Recorder.rotate`."""
        if self._rotation is None:
            raise ValueError(f"{self.part.path}: this recording is one file; names with {{n}} or {{time}} make several")
        self.end()
        if not self._rotation.lazy:
            self._next(self._rotation)

    def end(self) -> None:
        """End the open file, if there is one, with its last statistics."""
        if not self.part.opened:
            return
        try:
            if self._rotation is not None and not self.part.failed:
                for channel in self.books.told:
                    self._block(channel)
                    self.books.settle(channel)
        finally:
            self.part.close(sync=self._synced)

    def told_of(self, ledger: object, channel: int) -> Told:
        """A channel's counters by its ledger and by what was written of it."""
        return told_of(ledger, self.channel_frames(channel), self.books.told.get(channel))

    def tell(self, channel: int, told: Told) -> None:
        """Statistics of a channel, for the open file and for its end."""
        self.books.told[channel] = told
        if self.part.opened:
            self._block(channel)

    def due(self, channel: int) -> bool:
        """Is it a second or more since statistics of this channel were written?"""
        return time.monotonic() - self._statistics_at.get(channel, self._opened_at) >= 1.0

    def _new_file(self, path: str | os.PathLike[str] | BinaryIO) -> RecordingFile:
        return RecordingFile(path, self._rows, self._described, **self._options)

    def _next(self, rotation: Rotation) -> None:
        while not self.part.opened:
            file = self._new_file(rotation.next_name())
            if self._make_room:
                file.output.make_room = partial(self._delete_oldest, rotation, file.path)
            with contextlib.suppress(FileExistsError):  # somebody else was faster: the next number
                file.open(exclusive=True)
                rotation.made(file.path)
                self.books.add(self.part)
                self.books.files += 1
                self.part = file
        self._begun_at, self._opened_at = rotation.monotonic(), time.monotonic()
        self._statistics_at.clear()
        rotation.clean(self.part.path)

    def _delete_oldest(self, rotation: Rotation, path: str) -> bool:
        """The disk is full: was the oldest file deleted, which is not `path`?"""
        done = rotation.delete_oldest(path)
        self.deleted += done
        words = "the oldest file was deleted" if done else "there is no older file to delete"
        log.warning("%s: the disk is full; %s (%d so far)", path, words, self.deleted)
        return done

    def _write_rotating(self, rotation: Rotation, frames: FrameArray) -> None:
        first = 0
        while True:
            part = self.part
            over = part.opened and part.writer.frames and rotation.is_over(part, self._begun_at)
            if over:
                self.end()
            if not self.part.opened and (first < len(frames) or (over and not rotation.lazy)):
                self._next(rotation)
            part = self.part
            if not part.opened:
                return
            count = min(rotation.room(part), len(frames) - first)
            part.write(frames[first : first + count], len(frames) - first - count)
            first += count
            if first >= len(frames):
                return

    def _block(self, channel: int) -> None:
        row = self.books.since_begin(channel, self.part) if self._rotation is not None else self.books.told[channel]
        self.part.append(lambda: self.part.writer.statistics(channel, row.values, row.comment))
        self._statistics_at[channel] = time.monotonic()
