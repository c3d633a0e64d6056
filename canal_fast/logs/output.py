"""Where a recorder's bytes go: a file that can be cut back, or something that only takes."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Callable
from typing import BinaryIO, TypeVar

from .files import ObjectFile, create, hold, name_of

__all__ = ["Output"]

_T = TypeVar("_T")
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Output:
    """The file behind a `Recorder`.

    Attributes
    ----------
    name : str
        What messages call it.
    size : int
        Bytes that were put there, whole blocks.
    stuck : bool
        Part of a block was put there and could not be cut off.
    make_room : callable or None
        Called when the disk is full: True where it is worth trying again.
    """

    def __init__(self, path: str | os.PathLike[str] | BinaryIO) -> None:
        self.name = name_of(path)
        self.size = 0
        self.stuck = False
        self.make_room: Callable[[], bool] | None = None
        self._path = path
        self._sent = self._before = 0
        self._file: io.FileIO | ObjectFile
        self._regular = False
        self._unlisted = True  # its folder is not known to be on the disk

    def open(self, exclusive: bool, append: bool = False) -> None:
        """Make the file, or go on in it; OSError as `create` and `hold`."""
        if isinstance(self._path, (str, os.PathLike)):
            path = os.fspath(self._path)
            if append and os.path.isfile(path):
                self._file = hold(path, write=True)
                self.size = self._before = self._file.seek(0, os.SEEK_END)
            else:
                self._file = self._persist(lambda: create(path, exclusive=exclusive))
            self._regular = self._path != "-" and stat.S_ISREG(os.fstat(self._file.fileno()).st_mode)
        else:
            self._file = ObjectFile(self._path)

    @property
    def closed(self) -> bool:
        return self._file.closed

    def fileno(self) -> int:
        return self._file.fileno()

    def put(self, data: memoryview | bytes) -> None:
        """Write all of it."""
        view = memoryview(data)
        self._sent = 0
        while self._sent < len(view):
            self._sent += self._persist(lambda: self._file.write(view[self._sent :]))
        self.size += len(view)
        self._sent = 0

    def sync(self) -> None:
        """Wait until what was put there is on the disk, and that there is such a file."""
        os.fsync(self._file.fileno())
        if self._regular and self._unlisted and os.name == "posix":
            self._unlisted = False
            folder = os.open(os.path.dirname(self.name) or os.curdir, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _persist(self, call: Callable[[], _T]) -> _T:
        """What it returns; made room for, and called again, while the disk is full."""
        while True:
            try:
                return call()
            except OSError as error:
                if error.errno not in _FULL or self.make_room is None or not self.make_room():
                    raise

    def written_since(self, begin: int) -> int:
        """Bytes behind `begin`, the last size, after a `put` that failed."""
        return self._file.tell() - begin if isinstance(self._file, io.FileIO) and self._regular else self._sent

    def cut(self, size: int) -> None:
        """Cut the file to `size`, the end of its last whole block."""
        if self._regular:
            assert isinstance(self._file, io.FileIO)
            self._file.seek(size)
            self._file.truncate()
        else:
            self.stuck = self._sent > 0
        self.size = size
        self._sent = 0

    def replace_begin(self, data: bytes) -> None:
        """Other bytes in the place of the first ones, where that can be done."""
        if self._regular:
            assert isinstance(self._file, io.FileIO)
            self._file.seek(0)
            self._file.write(data)
            self._file.seek(self.size)

    def close(self) -> None:
        self._file.close()

    def give_up(self) -> None:
        """Close it; a file that nothing stands in is removed, and what stood in it before stays."""
        if self._before:
            self.cut(self._before)
        self._file.close()
        if self._regular and not self._before:
            with contextlib.suppress(OSError):
                os.unlink(self.name)
