"""What a recording that was cut off needs to be whole again: `repair`. Only its tail, and BLF's header, change."""

from __future__ import annotations

import codecs
import errno
import io
import os
import zlib
from dataclasses import dataclass

import numpy as np

from canal_fast.errors import CanalFastError, LogFormatError
from canal_fast.frames import FD_FRAME_DTYPE, FrameArray

from . import _logs
from .blf_tail import blf_header, blf_tail
from .files import create, hold
from .layers import open_source
from .packing import COMPRESSIONS, packer
from .reading import BATCH_FRAMES, LogFile
from .source import Source
from .stream import END, Stream

__all__ = ["FORMATS", "Repair", "repair"]

FORMATS = ("pcapng", "candump", "blf")
_CHUNK = 1 << 20
_MEMBER_MAX = 1 << 26  # bytes of a cut member that are compressed again


@dataclass(frozen=True)
class Repair:
    """What `repair` found, and has done if it was told where to.

    Attributes
    ----------
    path, format : str
    frames : int
        Frames that are read from it, repaired.
    size, kept, tail : int
        Bytes of the file; of its begin that stay; and that stand behind them instead of the others (frames of a cut
        member or container).
    reason : str or None
        What is wrong with its end; None: nothing.
    header : bool
        BLF's header does not state this file's size; the right one, with counts and end, takes its place.

    Examples
    --------
    >>> found = cf.logs.repair("drive.blf")  # looks, and writes nothing
    >>> found.frames, found.reason
    (110, None)
    """

    path: str
    format: str
    frames: int
    size: int
    kept: int
    tail: int
    reason: str | None
    header: bool

    @property
    def whole(self) -> bool:
        """Nothing has to be done."""
        return self.reason is None and not self.header


@dataclass
class _Pass:
    """Once through a recording."""

    format: str
    frames: int
    check: int  # of their records
    last_ns: int | None
    problem: Exception | None
    body: Stream
    layers: tuple[str, ...]
    member: tuple[int, int]
    objects: int


class _Mended(io.RawIOBase):
    """A file's first bytes, some of them replaced, and others behind them."""

    def __init__(self, file: io.FileIO, kept: int, tail: bytes, head: bytes, name: str) -> None:
        self._file, self._kept, self._tail, self._head, self.name = file, kept, tail, head, name
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, room: bytearray | memoryview) -> int:  # type: ignore[override]
        view, at = memoryview(room), self._at
        if at < self._kept:
            self._file.seek(at)
            count = self._file.readinto(view[: self._kept - at])
            if at < len(self._head):
                there = min(count, len(self._head) - at)
                view[:there] = self._head[at : at + there]
        else:
            part = self._tail[at - self._kept :][: len(view)]
            count = len(part)
            view[:count] = part
        self._at += count
        return count


def repair(
    path: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    in_place: bool = False,
    exclusive: bool = False,
) -> Repair:
    """Find where the last whole block, line or container of a recording ends, and cut off what stands behind it.

    What was read from it is read from it afterwards, too, and it is no longer called truncated. Frames of a compressed
    member or container that is cut are written anew. BLF's header gets size, counts and end, as `Recorder.close` writes
    them.

    Parameters
    ----------
    path : path-like
        pcapng, candump text or BLF; the first two also as .gz or .zst.
    output : path-like, optional
        A copy is repaired; the recording stays as it is.
    in_place : bool
        True: the recording itself is. With neither, nothing is written.
    exclusive : bool
        True: `output` is not replaced where it exists.

    Returns
    -------
    Repair

    Raises
    ------
    LogFormatError
        No recording; another format; nothing whole stands in it; or what is damaged is not its end (reading it with
        errors="skip" steps over that).
    OSError
        It cannot be opened, or a recorder, of whatever process, holds it, or there is no room for `output`.
    ValueError
        Both `output` and `in_place`, or `output` is the recording.

    Examples
    --------
    >>> from pathlib import Path
    >>> _ = cf.logs.convert("drive.blf", "drive.pcapng")
    >>> _ = Path("cut.pcapng").write_bytes(Path("drive.pcapng").read_bytes()[:-20])  # as a power cut leaves it
    >>> cf.logs.repair("cut.pcapng", "whole.pcapng").frames
    109
    >>> len(cf.read_log("whole.pcapng", strict=True))
    109
    """
    name = os.fspath(path)
    if output is not None and in_place:
        raise ValueError("output and in_place: give one of them")
    if output is not None and os.path.exists(output) and os.path.samefile(path, output):
        raise ValueError(f"{name}: output is the recording itself; in_place=True (--in-place) repairs it there")
    if os.path.isdir(name):  # Windows says that there is no permission
        raise IsADirectoryError(errno.EISDIR, "is a directory", name)
    with hold(name, write=in_place) as file:
        found, kept, tail, head = _examine(file, name)
        if output is not None:
            _copy(_Mended(file, kept, tail, head, name), os.fspath(output), exclusive)
        elif in_place and not found.whole:
            file.seek(kept)
            _put(file, tail)
            file.truncate()
            file.seek(0)
            _put(file, head)
            os.fsync(file.fileno())
    return found


def _examine(file: io.FileIO, name: str) -> tuple[Repair, int, bytes, bytes]:
    """What has to be done: that, bytes that stay, those behind them, those in the place of the first ones."""
    size = file.seek(0, os.SEEK_END)
    before = _read(_Mended(file, size, b"", b"", name), "strict")
    if before.format not in FORMATS:
        known = ", ".join(FORMATS)
        raise LogFormatError(f"{name}: {before.format} is not repaired, only {known}; convert writes a whole recording")
    if before.format == "blf" and before.layers:
        raise LogFormatError(f"{name}: blf in {' in '.join(before.layers)} is not repaired: unpack it first")
    kept, tail, head = size, b"", b""
    if before.problem is None and before.format == "blf" and before.body.lost_bytes:
        end, _ = blf_tail(file, before.body)
        if end < size:
            before.problem = LogFormatError(f"{name}: byte {end}: {size - end} bytes of no object", offset=end)
    if before.problem is not None:
        kept, tail = _end(file, before, name)
    file.seek(0)
    first = file.read(_logs.HEAD)
    stale = before.format == "blf" and int.from_bytes(first[16:24], "little") != kept + len(tail)
    if before.problem is not None or stale:
        after = _read(_Mended(file, kept, tail, b"", name), "strict", before.frames)
        if after.problem is not None or after.frames < before.frames or after.check != before.check:
            raise LogFormatError(f"{before.problem or name}: its end cannot be cut off so that the rest is whole")
        if stale:
            head = blf_header(first, kept + len(tail), after.body, after.objects, after.last_ns)
        before.frames = after.frames  # with the last object before a damaged container
    reason = None if before.problem is None else str(before.problem)
    return Repair(name, before.format, before.frames, size, kept, len(tail), reason, stale), kept, tail, head


def _read(file: io.RawIOBase, errors: str, most: int | None = None) -> _Pass:
    """Read it to its end; `check` is of at most so many records."""
    with LogFile(file, errors=errors) as log:  # type: ignore[arg-type]
        body, source = log._body, log._source
        if not isinstance(body, Stream):
            raise LogFormatError(f"{log.path}: {log.format} is not repaired, only {', '.join(FORMATS)}")
        frames, check = 0, 0
        last_ns: int | None = None
        room: FrameArray = np.empty(BATCH_FRAMES, FD_FRAME_DTYPE)
        status = 0
        while not status:
            made, status = body.read(room)
            checked = made if most is None else min(made, max(most - frames, 0))
            check = zlib.crc32(room[:checked].data, check)
            frames += made
            last_ns = int(room["timestamp_ns"][made - 1]) if made else last_ns
        problem = body.failure()
        if problem is None and (status != END or log.truncated):
            problem = body.error(status)
        named = sum(row.name != "" for row in log.interfaces)
        return _Pass(
            log.format, frames, check, last_ns, problem, body, source.layers, source.member,
            frames + body.skipped + named,
        )  # fmt: skip


def _end(file: io.FileIO, found: _Pass, name: str) -> tuple[int, bytes]:
    """Bytes that stay, and those behind them."""
    size = file.seek(0, os.SEEK_END)
    further = _read(_Mended(file, size, b"", b"", name), "skip")
    if further.frames > found.frames:
        more = further.frames - found.frames
        raise LogFormatError(
            f"{found.problem}; {more} frames stand behind it, and only an end is cut off: "
            "convert with errors='skip' (--errors skip) writes what can be read"
        )
    if found.format == "blf":
        kept, tail = blf_tail(file, found.body)
    elif not found.layers:
        file.seek(0)
        mark = file.read(3) == codecs.BOM_UTF8
        kept, tail = found.body.place + (3 if mark else 0), b""
    else:
        kept, tail = _member(file, found)
    if not kept + len(tail) or not found.body.place:
        raise LogFormatError(f"{found.problem}; nothing whole stands in it")
    return kept, tail


def _member(file: io.FileIO, found: _Pass) -> tuple[int, bytes]:
    """The same of a compressed recording: what is whole in its last member becomes a member of its own."""
    packed, begin = found.member
    rest = found.body.place - begin
    (layer, *others) = found.layers
    if others or layer not in COMPRESSIONS.values():
        raise LogFormatError(f"{found.problem}; {' in '.join(found.layers)} is not repaired, but converted")
    if not 0 <= rest <= _MEMBER_MAX:
        raise LogFormatError(
            f"{found.problem}; its last member has {max(rest, 0)} whole bytes, allowed to be packed "
            f"again 0..{_MEMBER_MAX}: convert writes a whole one"
        )
    file.seek(packed)
    data = _exactly(open_source(file), rest)
    return packed, packer(layer)(memoryview(data)) if rest else b""


def _exactly(source: Source, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = source.read(size - len(data))
        if not part:
            raise CanalFastError(f"{source.name}: {len(data)} of {size} bytes were read again")
        data += part
    return bytes(data)


def _put(file: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _copy(source: io.RawIOBase, path: str, exclusive: bool) -> None:
    target = create(path, exclusive=exclusive)
    try:
        with target:
            while data := source.read(_CHUNK):
                _put(target, data)
            os.fsync(target.fileno())
    except BaseException:  # it is closed by now: Windows deletes no open file
        os.unlink(path)
        raise
