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


def _take(file: IO[bytes], form: str, path: str) -> tuple[float, ...]:
    data = file.read(struct.calcsize(form))
    if len(data) < struct.calcsize(form):
        raise LogFormatError("the file ends inside its header", path=path, offset=file.tell())
    return struct.unpack(form, data)


def _pieces(file: IO[bytes], kind: str, count: int, path: str) -> Iterator[npt.NDArray[np.floating]]:
    left = count
    with file:
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
    file = open(path, "rb")  # noqa: SIM115 - closed when the last piece is read
    file.read(len(MAGIC))
    version, kind = _take(file, "<ii", path)
    if version != 0:
        raise LogFormatError(f"Saleae binary version {version}, readable is 0", path=path, offset=8)
    if kind == _ANALOG:
        begin, rate, downsample, count = _take(file, "<dQQQ", path)
        if not rate or not downsample:
            raise LogFormatError("the sample rate is 0", path=path, offset=24)
        step = PICOSECONDS * downsample / rate
        volts = _pieces(file, "<f4", int(count), path)
        return volts_blocks(volts, PICOSECONDS, threshold, invert, round(begin * PICOSECONDS), step)
    if kind != _DIGITAL:
        raise LogFormatError(f"Saleae binary of type {kind}, readable are 0 (digital) and 1 (analog)", path=path, offset=12)
    level, begin, end, count = _take(file, "<IddQ", path)
    pieces = _pieces(file, "<f8", int(count), path)
    first = next(pieces, np.empty(0))

    def ticks(times: npt.NDArray[np.floating]) -> Edges:
        return np.rint(times * PICOSECONDS).astype(np.int64)

    def blocks() -> Iterator[tuple[Edges, int]]:
        edges = ticks(first)
        for piece in pieces:
            yield edges, int(edges[-1])
            edges = ticks(piece)
        yield edges, max(round(end * PICOSECONDS), int(edges[-1]) if len(edges) else 0)

    resolution = likely_resolution(ticks(first), PICOSECONDS)
    low = min(round(begin * PICOSECONDS), int(ticks(first[:1])[0]) if len(first) else round(begin * PICOSECONDS))
    return Source(int(level != 0) ^ bool(invert), PICOSECONDS, resolution, low, blocks())
