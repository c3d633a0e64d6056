"""Where a recorder's bytes go: a file that can be cut back, or something that only takes."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from typing import BinaryIO

from .files import ObjectFile, create, name_of

__all__ = ["Output"]


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
    """

    def __init__(self, path: str | os.PathLike[str] | BinaryIO) -> None:
        self.name = name_of(path)
        self.size = 0
        self.stuck = False
        self._path = path
        self._sent = 0
        self._file: io.FileIO | ObjectFile
        self._regular = False

    def open(self, exclusive: bool) -> None:
        """Make the file; OSError as `create`."""
        if isinstance(self._path, (str, os.PathLike)):
            self._file = create(os.fspath(self._path), exclusive=exclusive)
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
            self._sent += self._file.write(view[self._sent :])
        self.size += len(view)
        self._sent = 0

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
        """Close it; a file that nothing stands in is removed."""
        self._file.close()
        if self._regular:
            with contextlib.suppress(OSError):
                os.unlink(self.name)
