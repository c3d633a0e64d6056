"""The bits of one frame and where they were sampled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from . import _waveform
from .kernel import Decoded
from .rates import kernel_timing
from .wave import Wave


class Trace(NamedTuple):
    """The `bits` from SOF to the row's end, as the node reads them.

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames(0x123), 500_000)
    >>> trace = cf.waveform.trace_frame(wave, cf.waveform.decode(wave, 500_000), 0)
    >>> (trace.sample_ns[0] - trace.start_ns[0]).round().item()  # 87.5 % of 2000 ns
    1750.0
    """

    bits: npt.NDArray[np.uint8]
    start_ns: npt.NDArray[np.float64]
    """Start of each bit by the node's time base."""
    sample_ns: npt.NDArray[np.float64]
    """Where each was sampled."""
    fast: npt.NDArray[np.bool_]
    """Bits that begin at the data rate."""


def trace_frame(wave: Wave, d: Decoded, row: int) -> Trace:
    """How a row was read.

    Parameters
    ----------
    wave : Wave
        What `d` was decoded from.
    d : Decoded
    row : int
        A frame, valid or not.

    Returns
    -------
    Trace

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames(0x123), 500_000)
    >>> trace = cf.waveform.trace_frame(wave, cf.waveform.decode(wave, 500_000), 0)
    >>> trace.bits[:12].tolist()
    [0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1]
    """
    if not -len(d) <= row < len(d):
        raise IndexError(f"row {row}, there are {len(d)}")
    ticks = round(int(d.start_ns[row]) * wave.ticks_per_second / 1e9)
    near = int(np.searchsorted(wave.edges, ticks))
    first = min(
        range(max(near - 2, 0), min(near + 3, len(wave.edges))),
        key=lambda e: abs(int(wave.edges[e]) - ticks),
        default=None,
    )
    if first is None:
        raise ValueError(f"row {row} begins at no edge of this waveform")
    timing = kernel_timing(d.rates, wave.ticks_per_second, wave.resolution)
    packed = np.empty(_waveform.STRETCH_BITS // 8, np.uint8)
    samples = np.empty(_waveform.STRETCH_BITS, np.int64)
    count, _, fast_from, fast_to = _waveform.trace(
        wave.edges, wave.level, wave.end, first, timing, wave.resolution, packed, samples
    )
    left, right = timing[8:10].tolist()
    part_ns = 2.0 ** (right - left) * 1e9 / wave.ticks_per_second
    origin = float(wave.edges[first]) * 1e9 / wave.ticks_per_second
    fast = np.zeros(count, bool)
    fast[fast_from:fast_to] = True
    sample_ns = origin + samples[:count] * part_ns
    start_ns = sample_ns - np.where(fast, timing[4], timing[1]) * part_ns
    kept = start_ns < int(d.end_ns[row]) - 0.25e9 / (d.rates.data or d.rates.nominal).bitrate
    return Trace(np.unpackbits(packed, count=count)[kept], start_ns[kept], sample_ns[kept], fast[kept])
