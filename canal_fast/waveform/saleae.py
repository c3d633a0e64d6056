"""Saleae Logic 2: binary export, version 0 (one file a channel)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

import numpy as np
import numpy.typing as npt

from canal_fast.errors import LogFormatError

from .channels import Threshold, likely_resolution, volts_blocks
from .wave import PICOSECONDS, Edges, Source

MAGIC = b"<SALEAE>"
_DIGITAL, _ANALOG = 0, 1
_PIECE = 1 << 18
_MOST_SECONDS = 9_000_000  # picoseconds in 64 bits: 104 days


def _take(file: IO[bytes], form: str, path: str) -> tuple[float, ...]:
    data = file.read(struct.calcsize(form))
    if len(data) < struct.calcsize(form):
        raise LogFormatError("the file ends inside its header", path=path, offset=file.tell())
    return struct.unpack(form, data)


def _pieces(path: str, offset: int, kind: str, count: int) -> Iterator[npt.NDArray[np.floating]]:
    left = count
    with open(path, "rb") as file:
        file.seek(offset)
        while left:
            some = min(left, _PIECE)
            data = file.read(some * np.dtype(kind).itemsize)
            values = np.frombuffer(data, kind, len(data) // np.dtype(kind).itemsize)
            if len(values) < some:
                raise LogFormatError(
                    f"{count - left + len(values)} values of {count}: the file is cut", path=path, offset=file.tell()
                )
            yield values
            left -= some


def open_saleae(path: str, threshold: Threshold, invert: bool | None) -> Source:
    """The channel of a file."""
    with open(path, "rb") as file:
        file.read(len(MAGIC))
        version, kind = _take(file, "<ii", path)
        if version != 0:
            raise LogFormatError(f"Saleae binary version {version}, readable is 0", path=path, offset=8)
        if kind not in (_DIGITAL, _ANALOG):
            raise LogFormatError(
                f"Saleae binary type {kind}, readable are 0 (digital), 1 (analog)", path=path, offset=12
            )
        head = _take(file, "<dQQQ" if kind == _ANALOG else "<IddQ", path)
        offset = file.tell()
    if kind == _ANALOG:
        return _analog(path, offset, head, threshold, invert)
    return _digital(path, offset, head, invert)


def _analog(path: str, offset: int, head: tuple[float, ...], threshold: Threshold, invert: bool | None) -> Source:
    begin, rate, downsample, count = head
    if not rate or not downsample:
        raise LogFormatError("the sample rate is 0", path=path, offset=24)
    volts = _pieces(path, offset, "<f4", int(count))
    step = PICOSECONDS * downsample / rate
    first, _ = _ticks(np.array([begin, begin + count * downsample / rate]), path).tolist()
    return volts_blocks(volts, PICOSECONDS, threshold, invert, first, step)


def _ticks(times: npt.NDArray[np.floating], path: str) -> Edges:
    bad = ~(np.abs(times) <= _MOST_SECONDS)
    if bad.any():
        raise LogFormatError(
            f"a time of {times[bad][0]:g} s, allowed {-_MOST_SECONDS:,}..{_MOST_SECONDS:,} s", path=path
        )
    ticks: Edges = np.rint(times * PICOSECONDS).astype(np.int64)
    return ticks


def _digital(path: str, offset: int, head: tuple[float, ...], invert: bool | None) -> Source:
    level, begin, end, count = head
    pieces = _pieces(path, offset, "<f8", int(count))
    first = _ticks(next(pieces, np.empty(0)), path)
    opening, closing = _ticks(np.array([begin, end]), path).tolist()

    def blocks() -> Iterator[tuple[Edges, int]]:
        edges = first
        for piece in pieces:
            yield edges, int(edges[-1])
            edges = _ticks(piece, path)
        yield edges, max(closing, int(edges[-1]) if len(edges) else 0)

    low = min(opening, *first[:1].tolist(), closing)
    resolution = likely_resolution(first, PICOSECONDS)
    return Source(int(level != 0) ^ bool(invert), PICOSECONDS, resolution, low, blocks())
