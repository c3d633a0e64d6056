"""Where a recording is written to: a file, never over one that is being written, nor, if asked, over one that is
there; standard output; or an object of the caller's."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import sys
from collections.abc import Iterator
from typing import BinaryIO

__all__ = [
    "ObjectFile",
    "create",
    "free_name",
    "held",
    "hold",
    "name_of",
    "refuse_existing",
    "refuse_in_use",
    "whole",
]

_FAR = (0xFFFFFFFE, 0x7FFFFFFF)  # low and high word of the place of the byte that is locked on Windows
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_BUSY = "a recording is being written to this file; take another name"


class ObjectFile:
    """A caller's binary file object, written to as it is, and flushed; closing it is the caller's."""

    def __init__(self, file: BinaryIO) -> None:
        if isinstance(file, io.TextIOBase) or not hasattr(file, "write"):
            raise TypeError(f"{name_of(file)}: a path or a file object opened in binary mode is needed")
        self._file = file
        self.closed = False

    def write(self, data: memoryview) -> int:
        count = self._file.write(data)
        if hasattr(self._file, "flush"):
            self._file.flush()
        return len(data) if count is None else count

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self.closed = True


def name_of(target: str | os.PathLike[str] | BinaryIO) -> str:
    """What messages call it."""
    if isinstance(target, (str, os.PathLike)):
        return "standard output" if target == "-" else os.fspath(target)
    return str(getattr(target, "name", type(target).__name__))


def create(path: str, *, exclusive: bool = False) -> io.FileIO:
    """Open a new file, or replace an old one, and hold it with the system's lock until it is closed.

    Parameters
    ----------
    path : str
        "-" is standard output.
    exclusive : bool
        True: a regular file that is there is not replaced. FIFOs and devices always are written to.

    Raises
    ------
    FileExistsError
        `exclusive`, and there is one: the message suggests a free name.
    OSError
        The file cannot be made, or another recorder, of whatever process, holds it.
    """
    if path == "-":
        return io.FileIO(os.dup(sys.stdout.fileno()), "w")
    if exclusive:
        refuse_existing(path)
    new = os.O_EXCL if exclusive and not os.path.exists(path) else 0

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags & ~os.O_TRUNC | new, 0o666)  # not before it is ours

    try:
        file = io.FileIO(path, "w", opener=opener)
    except FileExistsError:  # made meanwhile, or a link that leads nowhere
        raise _exists(path) from None
    try:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            _lock(file.fileno(), path)
            if os.name == "posix" and not _is_at(path, status):  # by whoever held it until now
                raise OSError(errno.EBUSY, "the file was removed or replaced meanwhile; try again", path)
            file.truncate(0)
            file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def hold(path: str, *, write: bool) -> io.FileIO:
    """Open a file that is there, to be changed in place or read, and hold it as `create` does.

    Raises
    ------
    OSError
        It cannot be opened, or a recorder, of whatever process, holds it, or it is no regular file.
    """
    file = io.FileIO(path, "r+" if write else "r")
    try:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.ESPIPE, "not a regular file, but a FIFO or a device", path)
        _lock(file.fileno(), path)
    except BaseException:
        file.close()
        raise
    return file


def _is_at(path: str, status: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), status)
    except FileNotFoundError:
        return False


def _exists(path: str) -> FileExistsError:
    return FileExistsError(
        errno.EEXIST, f"the file exists; it is replaced with --force, and {free_name(path)} is free", path
    )


def refuse_existing(path: str) -> None:
    """Raise FileExistsError for a regular file."""
    if os.path.isfile(path):
        raise _exists(path)


def refuse_in_use(path: str) -> None:
    """For what replaces a file that is there: raise PermissionError where it may not be written, OSError where a
    recorder, of whatever process, is writing it."""
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is read-only, and is not replaced", path)
    if held(path):
        raise OSError(errno.EBUSY, _BUSY, path)


@contextlib.contextmanager
def whole(path: str) -> Iterator[BinaryIO]:
    """A file to write to, PATH.part, that gets its name when the block ends well; otherwise what was there is left.
    A pipe or a device is written to at once.

    Raises
    ------
    OSError
        As `open`.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:
            yield file
        return
    path = os.path.realpath(path) if os.path.islink(path) else path
    refuse_in_use(path)
    part = f"{path}.part"
    file = io.BufferedWriter(create(part))
    try:
        with file:
            yield file
        os.replace(part, path)
    except BaseException as error:
        os.unlink(part)
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            error.filename = path
        raise


def free_name(path: str) -> str:
    """The path with the lowest number, from 2 on, that makes it new: rec-2.pcapng."""
    folder, name = os.path.split(path)
    stem, dot, suffix = name.partition(".")
    number = 2
    while os.path.lexists(new := os.path.join(folder, f"{stem}-{number}{dot}{suffix}")):
        number += 1
    return new


if sys.platform == "win32":
    import ctypes
    import msvcrt

    _kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)  # once: each one is a cycle that is left behind

    def _lock(descriptor: int, path: str) -> None:
        # One byte far behind the end: what is locked cannot be read by others.
        handle = ctypes.c_void_p(msvcrt.get_osfhandle(descriptor))
        if not _kernel32.LockFile(handle, *map(ctypes.c_uint32, _FAR), 1, 0):
            raise OSError(errno.EBUSY, _BUSY, path)

else:
    import fcntl

    def _lock(descriptor: int, path: str) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise OSError(errno.EBUSY, _BUSY, path) from None
            # A file system without locks: recorded all the same.


def held(path: str) -> bool:
    """Is a recorder, of whatever process, writing to this file?"""
    try:
        with open(path, "rb") as file:
            _lock(file.fileno(), path)
    except OSError as error:
        return error.errno == errno.EBUSY
    return False
