"""Is an MDF 4 file whole? Its blocks are walked before asammdf, which may read a cut one without a word, sees it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

__all__ = ["Cut", "check_blocks"]

_ID_SIZE = 64
_HEAD = struct.Struct("<4sIQQ")  # "##xx", reserved, length, number of links
_UNFINISHED = b"UnFinMF"
_LAST_DATA = 0x04  # flag of an unfinished file: the length of the last data block was not written
_VARIABLE = 1  # flag of a channel group: u4 length, then so many bytes
_CHUNK = 1 << 24


class Cut(Exception):
    """The file ends before its contents do, or they lead nowhere; `readable`: up to that place it can be read."""

    def __init__(self, message: str, *, readable: bool = False) -> None:
        super().__init__(message)
        self.readable = readable


@dataclass
class _Group:
    """A channel group: how long its records are."""

    size: int
    variable: bool


def check_blocks(file: BinaryIO) -> None:
    """Follow all links of an MDF 4 file.

    Raises
    ------
    Cut
        A block reaches past the end, a link leads to no block, or an unfinished file ends inside a record.
    """
    size = file.seek(0, 2)
    head = _read(file, 0, _ID_SIZE)
    unfinished = head.startswith(_UNFINISHED)
    open_end = unfinished and struct.unpack_from("<H", head, 60)[0] & _LAST_DATA
    seen: set[int] = set()
    data_groups: list[tuple[int, ...]] = []
    waiting = [_ID_SIZE]
    last_data = 0
    while waiting:
        at = waiting.pop()
        if at in seen or at == 0:
            continue
        seen.add(at)
        name, _, length, count = _HEAD.unpack(_read(file, at, _HEAD.size))
        if not name.startswith(b"##") or length < _HEAD.size + 8 * count:
            raise Cut(f"no block begins at byte {at}, where one should")
        if at + length > size:
            raise Cut(f"the block {name.decode('latin-1')} at byte {at} reaches to byte {at + length} of {size}")
        links = struct.unpack(f"<{count}Q", _read(file, at + _HEAD.size, 8 * count))
        waiting.extend(links)
        if name == b"##DG":
            data_groups.append((at, *links))
        elif name == b"##DT":
            last_data = max(last_data, at)
    for at, _, first, data, *_ in data_groups:
        if open_end and data == last_data != 0:
            id_size = _read(file, at + _HEAD.size + 32, 1)[0]
            _check_records(file, data + _HEAD.size, size, id_size, _groups(file, first))


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    data = file.read(size)
    if len(data) < size:
        raise Cut(f"{size} bytes are expected at byte {at}, {len(data)} are there")
    return data


def _groups(file: BinaryIO, at: int) -> dict[int, _Group]:
    """Record identifier -> group."""
    found: dict[int, _Group] = {}
    seen: set[int] = set()
    while at:
        if at in seen:
            raise Cut(f"the chain of channel groups leads back to byte {at}")
        seen.add(at)
        following = struct.unpack("<Q", _read(file, at + _HEAD.size, 8))[0]
        number, _, flags, _, _, data, invalid = struct.unpack("<QQHHIII", _read(file, at + 72, 32))
        found[number] = _Group(data + invalid, bool(flags & _VARIABLE))
        at = following
    return found


def _check_records(file: BinaryIO, at: int, size: int, id_size: int, groups: dict[int, _Group]) -> None:
    """Records from `at` to the end of the file, the last one whole."""
    data = b""
    while True:
        file.seek(at + len(data))
        more = file.read(_CHUNK)
        data += more
        used = _whole_records(data, id_size, groups)
        if not more and used < len(data):
            what = f"the record at byte {at + used} is not whole, {size - at - used} bytes of it are there"
            raise Cut(what, readable=True)
        at += used
        data = data[used:]
        if not more:
            return


def _whole_records(data: bytes, id_size: int, groups: dict[int, _Group]) -> int:
    """Bytes of the whole records that data begin with."""
    at = 0
    while at + id_size <= len(data):
        number = int.from_bytes(data[at : at + id_size], "little")
        group = groups.get(number) if id_size else next(iter(groups.values()), None)
        if group is None:
            raise Cut(f"a record of group {number}, which there is none of")
        step = id_size + group.size
        if group.variable:
            step = id_size + 4 + int.from_bytes(data[at + id_size : at + id_size + 4], "little")
        elif id_size == 1 and step > 1:  # a run of records of one group at once
            rest = np.frombuffer(data, np.uint8, (len(data) - at) // step * step, at)
            ids = rest[::step]
            other = np.flatnonzero(ids != number)
            at += step * (int(other[0]) if len(other) else len(ids))
            if not len(ids):
                return at
            continue
        if step == 0 or at + step > len(data):
            return at
        at += step
    return at
