"""Saleae Logic 2: binary export, version 0 (one file a channel) and version 1 (digital: chunks with gaps)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

import numpy as np
import numpy.typing as npt

from canal_fast.errors import LogFormatError

from .channels import Threshold, likely_resolution, volts_blocks
from .wave import PICOSECONDS, Edges, Source, check_seconds, seconds_to_ticks

MAGIC = b"<SALEAE>"
_DIGITAL, _ANALOG = 0, 1
_PIECE = 1 << 18


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
        if version not in (0, 1):
            raise LogFormatError(f"Saleae binary version {version}, readable are 0 and 1", path=path, offset=8)
        if kind not in (_DIGITAL, _ANALOG):
            raise LogFormatError(
                f"Saleae binary type {kind}, readable are 0 (digital), 1 (analog)", path=path, offset=12
            )
        if version == 1:
            count = int(_take(file, "<Q", path)[0])
            if kind == _DIGITAL:
                return _chunked(path, count, file.tell(), bool(invert))
            if count != 1:
                raise LogFormatError(
                    f"{count} waveforms, readable is 1: export a time range with one", path=path, offset=16
                )
            begin, _, *rest = _take(file, "<dddqQ", path)  # without the trigger's time
            return _analog(path, file.tell(), (begin, *rest), threshold, invert)
        head = _take(file, "<dQQQ" if kind == _ANALOG else "<IddQ", path)
        offset = file.tell()
    if kind == _ANALOG:
        return _analog(path, offset, head, threshold, invert)
    return _digital(path, offset, head, invert)


def _analog(path: str, offset: int, head: tuple[float, ...], threshold: Threshold, invert: bool | None) -> Source:
    begin, rate, downsample, count = head
    if not (rate > 0 and downsample > 0):
        raise LogFormatError(f"a sample rate of {rate:g} / {downsample}", path=path, offset=offset)
    volts = _pieces(path, offset, "<f4", int(count))
    step = PICOSECONDS * downsample / rate
    first, _ = _ticks(np.array([begin, begin + count * downsample / rate]), path).tolist()
    return volts_blocks(volts, PICOSECONDS, threshold, invert, first, step)


def _ticks(seconds: npt.NDArray[np.floating], path: str) -> Edges:
    check_seconds(seconds, path)
    return seconds_to_ticks(seconds)


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


def _chunked(path: str, count: int, offset: int, invert: bool) -> Source:
    """Version 1: chunks, with gaps between them in which the line is taken as recessive."""
    notes = {"gaps": 0}
    recessive = int(not invert)

    def chunk(at: int) -> tuple[int, int, int, float, int, int]:
        """Level, begin and end, sample rate, number of edges and where they are."""
        with open(path, "rb") as file:
            file.seek(at)
            level, rate, begin, end, edges = _take(file, "<IdddQ", path)
        first, last = _ticks(np.array([begin, end]), path).tolist()
        return int(level != 0), first, last, rate, int(edges), at + struct.calcsize("<IdddQ")

    def blocks() -> Iterator[tuple[Edges, int]]:
        at, before, known = offset, level, begin
        for _ in range(count):
            after, first, last, _, edges, at = chunk(at)
            if first > known:
                notes["gaps"] += 1
                gap = [time for time, side in ((known, before), (first, after)) if side != recessive]
                yield np.array(gap, np.int64), first
            elif after != before:
                yield np.array([first], np.int64), first
            for piece in _pieces(path, at, "<f8", edges):
                yield _ticks(piece, path), int(_ticks(piece[-1:], path)[0])
            at, before, known = at + 8 * edges, after ^ (edges & 1), last
            yield np.empty(0, np.int64), last

    if count < 1:
        raise LogFormatError("no chunk of samples", path=path, offset=offset)
    level, begin, _, rate, _, _ = chunk(offset)
    if not rate > 0:
        raise LogFormatError(f"a sample rate of {rate:g}", path=path, offset=offset + 4)
    return Source(level ^ invert, PICOSECONDS, PICOSECONDS / rate, begin, blocks(), notes)
