"""Calls of the decoding kernel, and what it returns."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast._gate import status_table
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray, FrameFlag
from canal_fast.frames import joined as joined_frames

from . import _waveform
from .rates import Rates, check_samples, kernel_timing
from .wave import Source, Wave

_FD_IN_CLASSICAL = {name: number for number, name, _ in status_table()}["FD_IN_CLASSICAL"]
_ROWS = 262_144
_EDGES = 24  # of a row at least, mostly: more rows take a second call
_COLUMNS = {
    "status": np.uint8,
    "bit_index": np.int32,
    "start_ns": np.int64,
    "end_ns": np.int64,
    "clock_ppm": np.float64,
    "clock_uncertainty_ppm": np.float64,
    "margin_ns": np.float64,
    "margin_percent": np.float64,
    "glitches": np.int32,
}
_FEW = 4  # columns that are always there
_BASE_ID_BITS, _EXTENDED_ID_BITS = 14, 32  # SOF to IDE, SOF to the last identifier bit


class WaveStatus(enum.IntEnum):
    """What `decode` tells of a row: as `canal_fast.wire.WireStatus`, and a stuck line.

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames(0x123), 500_000, ack=False)
    >>> [cf.waveform.WaveStatus(status).name for status in cf.waveform.decode(wave, 500_000).status]
    ['NOT_ACKNOWLEDGED']
    """

    OK = 0
    STUFF_ERROR = 1
    FORM_ERROR = 2
    CRC_ERROR = 3
    NOT_ACKNOWLEDGED = 4
    TRUNCATED = 5
    ERROR_FLAG = 6
    OVERLOAD = 7
    PROTOCOL_EXCEPTION = 8
    STUCK = 9


@dataclass(frozen=True, eq=False)
class Decoded:
    """A row for each frame, error flag, overload flag and stuck line, in the order of time.

    Columns that do not apply to a row hold NaN (clock and margin of flags; the clock of frames that are not valid).

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames([0x123, 0x124], b"hello"), 500_000)
    >>> d = cf.waveform.decode(wave, 500_000)
    >>> d.frames["arbitration_id"].tolist(), d.start_ns.tolist()
    ([291, 292], [40000, 216000])
    >>> d.margin_percent.round().tolist()
    [12.0, 12.0]
    """

    frames: FrameArray
    """`timestamp_ns` is `start_ns`. A row that is no valid frame has the ERROR_FRAME flag; its fields are not
    trustworthy."""
    status: npt.NDArray[np.uint8]
    """`WaveStatus`"""
    bit_index: npt.NDArray[np.int32]
    """Bit that shows the trouble, counted from the row's first bit with stuff bits; -1 for none."""
    start_ns: npt.NDArray[np.int64]
    """The SOF's edge, or the flag's."""
    end_ns: npt.NDArray[np.int64]
    """End of EOF, of the flag, or of the last bit that was read."""
    rates: Rates
    """Bit rates and sample points that were used."""
    idle_glitches: int = 0
    """Dominant pulses on an idle bus that no sample fell into."""
    clock_ppm: npt.NDArray[np.float64] | None = None
    """How fast the sender's clock runs against the capture's, from falling edges between SOF and ACK slot."""
    clock_uncertainty_ppm: npt.NDArray[np.float64] | None = None
    """Half an interval that holds the true clock of at least 95 of 100 frames: from sampling and from jitter."""
    margin_ns: npt.NDArray[np.float64] | None = None
    """The least time between a sample and an edge."""
    margin_percent: npt.NDArray[np.float64] | None = None
    """The same in percent of that sample's bit."""
    glitches: npt.NDArray[np.int32] | None = None
    """Pulses in the frame that no sample fell into."""

    def __len__(self) -> int:
        return len(self.status)

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Rows whose frame a receiver accepts."""
        valid: npt.NDArray[np.bool_] = (self.frames["flags"] & FrameFlag.ERROR_FRAME) == 0
        return valid

    @property
    def identified(self) -> npt.NDArray[np.bool_]:
        """Rows whose arbitration_id was read: valid ones, and those that broke behind it.

        Whatever stuff bits that has. A CRC error says that some bit is wrong, and that may be one of the identifier.
        """
        extended = (self.frames["flags"] & FrameFlag.EXTENDED_ID) != 0
        last = np.where(extended, _EXTENDED_ID_BITS, _BASE_ID_BITS)
        identified: npt.NDArray[np.bool_] = self.valid | (self.bit_index >= last + (last - 1) // 4)
        return identified

    @property
    def ack(self) -> npt.NDArray[np.bool_]:
        """Rows of valid frames that somebody acknowledged."""
        acknowledged: npt.NDArray[np.bool_] = self.valid & (self.status != WaveStatus.NOT_ACKNOWLEDGED)
        return acknowledged

    @property
    def bitrate(self) -> npt.NDArray[np.float64]:
        """Each sender's nominal bit rate, bit/s."""
        if self.clock_ppm is None:
            raise ValueError("decoded with columns=False")
        return self.rates.nominal.bitrate * (1 + self.clock_ppm * 1e-6)


def decode_wave(wave: Wave, rates: Rates, columns: bool) -> Decoded:
    """All rows of a waveform."""
    return join([*decode_source(wave.source(), rates, columns)], rates, columns)


def decode_source(source: Source, rates: Rates, columns: bool, thorough: bool = False) -> Iterator[Decoded]:
    """Batches of rows of a waveform in pieces; `thorough` never takes the short way for good frames."""
    check_samples(rates, source.ticks_per_second, source.resolution)
    timing = kernel_timing(rates, source.ticks_per_second, source.resolution)
    decoder = _waveform.Decoder(timing, source.resolution, thorough)
    kept, level, dtype = np.empty(0, np.int64), source.level, FRAME_DTYPE
    pieces = iter(source.blocks)
    edges, end = next(pieces, (kept, source.begin))
    while True:
        following = next(pieces, None)
        kept = np.concatenate([kept, edges]) if len(kept) else edges
        while True:
            rows = _rows(min(_ROWS, len(kept) // _EDGES + 16), dtype, columns)
            status, found = decoder.read(kept, level, source.begin, end, following is None, rows[0], rows[1:])
            yield _batch([column[:found] for column in rows], rates, decoder.idle_glitches)
            if status == _FD_IN_CLASSICAL:
                dtype = FD_FRAME_DTYPE
            elif found < len(rows[0]):
                break
        if following is None:
            return
        done = max(decoder.at - 1, 0)
        kept, level = kept[done:], level ^ (done & 1)
        decoder.at -= done
        edges, end = following


def _rows(count: int, dtype: np.dtype[np.void], columns: bool) -> list[npt.NDArray[Any]]:
    kinds = list(_COLUMNS.values())
    return [np.empty(count, dtype), *(np.empty(count, kind) for kind in (kinds if columns else kinds[:_FEW]))]


def _batch(rows: list[npt.NDArray[Any]], rates: Rates, idle_glitches: int) -> Decoded:
    columns: dict[str, Any] = dict(zip(_COLUMNS, rows[1:], strict=False))
    return Decoded(rows[0], rates=rates, idle_glitches=idle_glitches, **columns)


def join(batches: list[Decoded], rates: Rates, columns: bool) -> Decoded:
    """Batches as one; FD records where one of them has an FD frame."""
    glitches = batches[-1].idle_glitches
    batches = [batch for batch in batches if len(batch)] or batches[:1]
    if len(batches) == 1:
        return replace(batches[0], idle_glitches=glitches)
    frames = joined_frames([batch.frames for batch in batches])
    names = [f.name for f in fields(Decoded) if f.name in list(_COLUMNS)[: None if columns else _FEW]]
    joined = {name: np.concatenate([getattr(b, name) for b in batches]) for name in names}
    return Decoded(frames, rates=rates, idle_glitches=glitches, **joined)
