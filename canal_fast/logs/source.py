"""Bytes of a recording in order, and the files that they come from."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from typing import Any, BinaryIO

__all__ = ["CHUNK", "File", "Layer", "LogSource", "Source", "refuse_forked"]

LogSource = str | os.PathLike[str] | BinaryIO

CHUNK = 1 << 16  # bytes that are asked for at once


def refuse_forked(name: str, process: int) -> None:
    """Raise ValueError in another process than that: a forked child moves its parent's place in a file."""
    if process != os.getpid():
        raise ValueError(
            f"{name}: it was opened by process {process}, which forked this one, {os.getpid()}; what one of them reads "
            "is lost to the other: open it here"
        )


class Source:
    """Bytes in order; what has been peeked at is read again."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._pushed = b""

    @property
    def truncated(self) -> bool:
        """The bytes ended before they should have."""
        return False

    @property
    def path(self) -> str | None:
        """The file, where its bytes are these."""
        return None

    @property
    def layers(self) -> tuple[str, ...]:
        """What is undone to have these bytes, the last one first: "gzip", "UTF-16" ..."""
        return ()

    @property
    def member(self) -> tuple[int, int]:
        """Where the last member that was begun stands, in the compressed bytes and in these."""
        return 0, 0

    @property
    def live(self) -> bool:
        """Bytes come as somebody writes them: a pipe, a terminal, a socket."""
        return False

    def share(self) -> float:
        """How much of the file has been taken, 0..1; 0 where that is not known."""
        return 0.0

    @property
    def peeked(self) -> bytes:
        """What has been looked at, and is read next."""
        return self._pushed

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer only at the end."""
        while len(self._pushed) < size:
            part = bytearray(CHUNK)  # as much as there is
            got = self._take(memoryview(part))
            if not got:
                break
            self._pushed += part[:got]
        return self._pushed[:size]

    def readinto(self, view: memoryview) -> int:
        """Some bytes into view; 0 at the end."""
        if self._pushed:
            part, self._pushed = self._pushed[: len(view)], self._pushed[len(view) :]
            view[: len(part)] = part
            return len(part)
        return self._take(view)

    def read(self, size: int) -> bytes:
        """Some bytes; none at the end."""
        part = bytearray(size)
        return bytes(part[: self.readinto(memoryview(part))])

    def close(self) -> None:
        """Close what was opened here."""

    def _take(self, view: memoryview) -> int:
        raise NotImplementedError


class Layer(Source):
    """What another source's bytes stand for."""

    def __init__(self, source: Source, kind: str) -> None:
        super().__init__(source.name)
        self._source, self._kind = source, kind

    @property
    def truncated(self) -> bool:
        return self._source.truncated

    @property
    def layers(self) -> tuple[str, ...]:
        return (self._kind, *self._source.layers)

    @property
    def live(self) -> bool:
        return self._source.live

    def share(self) -> float:
        return self._source.share()

    def close(self) -> None:
        self._source.close()


class File(Source):
    """A file, by its path or as an object that reads bytes.

    A regular one that was opened here is read by position, so that a forked child has a place of its own.
    """

    def __init__(self, source: LogSource) -> None:
        if isinstance(source, (str, os.PathLike)):
            name = os.fspath(source)
            super().__init__("standard input" if name == "-" else name)
            self._owned = name != "-"
            if not self._owned and sys.stdin is None:  # it was closed when Python started
                raise OSError(errno.EBADF, os.strerror(errno.EBADF), self.name)
            self._file: Any = io.FileIO(name) if self._owned else sys.stdin.buffer
        else:
            super().__init__(str(getattr(source, "name", type(source).__name__)))
            self._owned = False
            self._file = source
            if isinstance(source, io.TextIOBase) or not hasattr(source, "read"):
                raise TypeError(f"{self.name}: a path or a file object opened in binary mode is needed")
        found = self._stat()
        self._live = found is not None and not stat.S_ISREG(found.st_mode)
        self._taken = 0
        self._process = os.getpid()
        self._preadv = getattr(os, "preadv", None) if self._owned and found is not None and not self._live else None
        self._shared = self._preadv is None and found is not None
        self._readinto = getattr(self._file, "readinto1", None) or getattr(self._file, "readinto", None)

    @property
    def path(self) -> str | None:
        return self.name if self._owned else None

    @property
    def live(self) -> bool:
        return self._live

    def share(self) -> float:
        found = self._stat()
        if found is None or not stat.S_ISREG(found.st_mode) or not found.st_size:
            return 0.0
        return min(self._taken / found.st_size, 1.0)

    def close(self) -> None:
        if self._owned:
            self._file.close()

    def _take(self, view: memoryview) -> int:
        if self._shared:
            refuse_forked(self.name, self._process)
        if self._preadv is not None:
            got: int = self._preadv(self._file.fileno(), [view], self._taken)
        elif self._readinto is not None:
            got = self._readinto(view) or 0
        else:
            data = self._file.read(len(view))
            got = len(data)
            view[:got] = data
        self._taken += got
        return got

    def _stat(self) -> os.stat_result | None:
        """What the system says of the file; None for an object that is none of its own."""
        try:
            return os.fstat(self._file.fileno())
        except (AttributeError, OSError, ValueError):
            return None
