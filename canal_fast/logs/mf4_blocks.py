"""Is an MDF 4 file whole? Its blocks are walked before asammdf, which may read a cut one without a word, sees it."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from ._logs import ITEM_MAX, whole_records

__all__ = ["Cut", "check_blocks"]

_ID_SIZE = 64
_HEAD = struct.Struct("<4sIQQ")  # "##xx", reserved, length, number of links
_UNFINISHED = b"UnFinMF"
_LAST_DATA = 0x04  # flag of an unfinished file: the length of the last data block was not written
_VARIABLE = 1  # flag of a channel group: u4 length, then so many bytes
_CHUNK = 1 << 22
_ID_SIZES = (0, 1, 2, 4, 8)


class Cut(Exception):
    """The file ends before its contents do, or they lead nowhere; `readable`: up to that place it can be read."""

    def __init__(self, message: str, *, readable: bool = False) -> None:
        super().__init__(message)
        self.readable = readable


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


def _groups(file: BinaryIO, at: int) -> npt.NDArray[np.uint64]:
    """Channel groups of a chain: rows of (identifier, bytes of a record, whether it states its own length)."""
    rows = []
    seen: set[int] = set()
    while at:
        if at in seen:
            raise Cut(f"the chain of channel groups leads back to byte {at}")
        seen.add(at)
        following = struct.unpack("<Q", _read(file, at + _HEAD.size, 8))[0]
        number, _, flags, _, _, data, invalid = struct.unpack("<QQHHIII", _read(file, at + 72, 32))
        rows.append((number, data + invalid, flags & _VARIABLE))
        at = following
    return np.array(rows, np.uint64).reshape(-1, 3)


def _check_records(file: BinaryIO, at: int, size: int, id_size: int, groups: npt.NDArray[np.uint64]) -> None:
    """Records from `at` to the end of the file, the last one whole."""
    if id_size not in _ID_SIZES:
        raise Cut(f"record identifiers of {id_size} bytes, allowed {', '.join(map(str, _ID_SIZES))}")
    data = b""
    while True:
        file.seek(at + len(data))
        more = file.read(_CHUNK)
        data += more
        used = whole_records(data, id_size, groups)
        if used < 0:
            raise Cut(f"the record at byte {at - 1 - used} is of a group that there is none of")
        if not more and used < len(data):
            what = f"the record at byte {at + used} is not whole, {size - at - used} bytes of it are there"
            raise Cut(what, readable=True)
        if used == 0 and len(data) > ITEM_MAX:
            raise Cut(f"the record at byte {at} has more than {ITEM_MAX} bytes")
        at += used
        data = data[used:]
        if not more:
            return
