"""The end of a Vector BLF recording that was cut off: its last containers, and what its header says of it."""

from __future__ import annotations

import datetime as dt
import io
import os
import struct
from dataclasses import dataclass
from typing import Any

from canal_fast.errors import LogFormatError

from . import _logs
from .format_rows import by_name
from .interfaces import channel_rows
from .layers import inflater
from .packing import deflate
from .stream import Packed, Stream

__all__ = ["blf_header", "blf_tail"]

_HEAD, _CONTAINER = 16, 32  # bytes of an object that say where it ends; of a container before its data
_PATCHED = 72  # bytes of the header, with all that is stated of sizes and times
_EPOCH = dt.datetime(1970, 1, 1)


@dataclass(frozen=True)
class _Part:
    """A container: where it stands, whole or not, and what is in it."""

    begin: int
    end: int
    data: bytes


def blf_tail(file: io.FileIO, body: Stream) -> tuple[int, bytes]:
    """Where the file's last whole objects end, after they were read by `body`.

    Returns
    -------
    (bytes that stay, container that stands behind them, with the whole objects of the one that was cut)
    """
    size = file.seek(0, os.SEEK_END)
    failure = body.failure()
    if not body.packed:
        damaged = failure.offset if isinstance(failure, LogFormatError) else None
        return (body.place if damaged is None else damaged - _CONTAINER), b""
    parts = [_part(file, packed) for packed in body.packed]
    last, carried = parts[-1], body.packed[-1].carried
    stream = parts[0].data[len(parts[0].data) - carried :] + last.data
    whole = _whole(stream) - carried  # counted from the last container's data
    if last.end <= size and whole == len(last.data):
        padded = min(last.end + (last.end - last.begin) % 4, size)
        return (padded if body.lost_bytes or failure else max(padded, body.place)), b""
    if whole > 0:
        return last.begin, _container(last.data[:whole])
    if whole == 0:
        return last.begin, b""
    return parts[0].begin, _container(parts[0].data[:whole])


def blf_header(first: bytes, size: int, body: Stream, objects: int, last_ns: int | None) -> bytes:
    """The header's begin with the sizes, counts and end of the recording that `body` has read to its end.

    Parameters
    ----------
    first : bytes
        What the file begins with.
    size : int
        Bytes of the file.
    objects : int
    last_ns : int or None
        Time of the last frame in the zone of the start, where there is one.
    """
    head = bytearray(first[:_PATCHED])
    (header,) = struct.unpack_from("<L", head, 4)
    struct.pack_into("<QQL", head, 16, size, header + _CONTAINER * body.parts + body.inflated, objects & 0xFFFFFFFF)
    if body.start is not None and last_ns is not None:
        end = _EPOCH + dt.timedelta(milliseconds=last_ns // 1_000_000)
        day = (end.weekday() + 1) % 7  # 0 is Sunday
        struct.pack_into(
            "<8H", head, 56, end.year, end.month, day, end.day, end.hour, end.minute, end.second,
            end.microsecond // 1000,
        )  # fmt: skip
    return bytes(head)


def _part(file: io.FileIO, packed: Packed) -> _Part:
    begin = packed.place - _CONTAINER
    file.seek(begin)
    head, data = file.read(_CONTAINER), file.read(packed.size)
    (size,) = struct.unpack_from("<L", head, 8)
    if struct.unpack_from("<H", head, _HEAD)[0]:
        tool: Any = inflater().decompressobj()
        data = tool.decompress(data, _logs.ITEM_MAX + 1)
    return _Part(begin, begin + size, data)


def _whole(stream: bytes) -> int:
    """Bytes of a stream of objects up to the end of its last whole one, with the padding behind it."""
    at = end = 0
    while (at := stream.find(b"LOBJ", at)) >= 0 and len(stream) - at >= _HEAD:
        (size,) = struct.unpack_from("<L", stream, at + 8)
        if size < _HEAD or at + size > len(stream):
            return end
        end = at = at + size
    return end if stream[end:].strip(b"\0") else len(stream)


def _container(data: bytes) -> bytes:
    writer = _logs.LogWriter(by_name("blf").index, channel_rows(None))
    return writer.container(deflate(memoryview(data)), len(data))
