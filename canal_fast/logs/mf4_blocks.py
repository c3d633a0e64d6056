"""Is an MDF 4 file whole? Its blocks are walked before asammdf, which may read a cut one without a word, sees it."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from ._logs import ITEM_MAX, whole_records

__all__ = ["Cut", "Finish", "Patched", "check_blocks"]

_ID_SIZE = 64
_HEAD = struct.Struct("<4sIQQ")  # "##xx", reserved, length, number of links
_UNFINISHED = b"UnFinMF"
_LAST_DATA = 0x04  # flag of an unfinished file: the length of the last data block was not written
_KNOWN = 0x01 | _LAST_DATA | 0x20  # numbers of records, lengths of data: what is reckoned here
_CYCLES, _SIZES = 80, 96  # places in a channel group: number and bytes of its records
_VARIABLE = 1  # flag of a channel group: u4 length, then so many bytes
_CHUNK = 1 << 22
_ID_SIZES = (0, 1, 2, 4, 8)


class Cut(Exception):
    """The file ends before its contents do, or they lead nowhere."""


@dataclass
class Finish:
    """What an unfinished file lacks: place -> the bytes that should stand there; `cut`: what is missing at its end;
    `open`: there is more to finish."""

    patches: dict[int, bytes] = field(default_factory=dict)
    cut: Cut | None = None
    open: bool = False


class Patched(io.BufferedIOBase):
    """A file as if it held other bytes in some places; asammdf takes it as a file object."""

    def __init__(self, file: BinaryIO, patches: dict[int, bytes]) -> None:
        self._file, self._patches = file, patches
        self._end = max(at + len(part) for at, part in patches.items())

    def seek(self, target: int, whence: int = 0, /) -> int:
        return self._file.seek(target, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        first = self._file.tell()
        data = self._file.read(-1 if size is None else size)
        if first >= self._end:
            return data
        changed = bytearray(data)
        for at, part in self._patches.items():
            begin, end = max(at, first), min(at + len(part), first + len(data))
            if begin < end:
                changed[begin - first : end - first] = part[begin - at : end - at]
        return bytes(changed)


def check_blocks(file: BinaryIO) -> Finish:
    """Follow all links of an MDF 4 file.

    Returns
    -------
    Finish
        What a logger that was switched off has left open, where one data group holds all the records. (asammdf
        would read the file into memory to find blocks that no link leads to, and take data bytes for such.)

    Raises
    ------
    Cut
        A block reaches past the end, or a link leads to no block.
    """
    size = file.seek(0, 2)
    head = _read(file, 0, _ID_SIZE)
    flags = struct.unpack_from("<H", head, 60)[0] if head.startswith(_UNFINISHED) else 0
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
    finish = Finish(open=flags != 0)
    for at, _, first, data, *_ in data_groups:
        if flags & _LAST_DATA and data == last_data != 0:
            id_size = _read(file, at + _HEAD.size + 32, 1)[0]
            places, groups = _groups(file, first)
            end, finish.cut = _check_records(file, data + _HEAD.size, size, id_size, groups)
            if not flags & ~_KNOWN and sum(row[3] != 0 for row in data_groups) == 1:
                finish.patches = {0: b"MDF     ", 60: bytes(2), data + 8: (end - data).to_bytes(8, "little")}
                for place, (_, length, variable, records) in zip(places, groups.tolist(), strict=True):
                    finish.patches[place + _CYCLES] = records.to_bytes(8, "little")
                    if variable:
                        finish.patches[place + _SIZES] = length.to_bytes(8, "little")
    return finish


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    data = file.read(size)
    if len(data) < size:
        raise Cut(f"{size} bytes are expected at byte {at}, {len(data)} are there")
    return data


def _groups(file: BinaryIO, at: int) -> tuple[list[int], npt.NDArray[np.uint64]]:
    """Channel groups of a chain: their places, and their rows of cf_mdf_group."""
    places, rows = [], []
    while at:
        if at in places:
            raise Cut(f"the chain of channel groups leads back to byte {at}")
        places.append(at)
        following = struct.unpack("<Q", _read(file, at + _HEAD.size, 8))[0]
        number, _, flags, _, _, data, invalid = struct.unpack("<QQHHIII", _read(file, at + 72, 32))
        variable = flags & _VARIABLE
        rows.append((number, 0 if variable else data + invalid, variable, 0))
        at = following
    return places, np.array(rows, np.uint64).reshape(-1, 4)


def _check_records(
    file: BinaryIO, at: int, size: int, id_size: int, groups: npt.NDArray[np.uint64]
) -> tuple[int, Cut | None]:
    """Walk the records from `at` to the end of the file: where the last whole one ends, and what is missing then."""
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
            return at + used, Cut(
                f"the record at byte {at + used} is not whole, {size - at - used} bytes of it are there"
            )
        if used == 0 and len(data) > ITEM_MAX:
            raise Cut(f"the record at byte {at} has more than {ITEM_MAX} bytes")
        at += used
        data = data[used:]
        if not more:
            return at, None
