"""Frames to waveforms, with what real senders, transceivers and probes do to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray, FrameFlag
from canal_fast.wire import encode, frame_length_bits

from .rates import Phase, make_phase
from .wave import PICOSECONDS, Wave

_AFTER_DELIMITER = 9  # ACK slot, ACK delimiter, EOF
_INTERMISSION = 3
_SOME = 8_192  # frames at a time

Numbers = float | npt.NDArray[np.floating[Any]]


def synthesise(
    frames: FrameArray,
    bitrate: float,
    data_bitrate: float | None = None,
    *,
    sample_rate: int | None = None,
    sample_point: float | None = None,
    data_sample_point: float | None = None,
    clock_ppm: Numbers = 0.0,
    jitter_ns: float = 0.0,
    asymmetry_ns: float = 0.0,
    glitches: float = 0.0,
    glitch_ns: float | None = None,
    idle_bits: Numbers = 0.0,
    lead_bits: float = 20.0,
    ack: bool = True,
    seed: int | None = None,
) -> Wave:
    """A waveform of frames one after the other.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        Time stamps are not used.
    bitrate, data_bitrate : float
        bit/s. The second is needed where a frame has BITRATE_SWITCH.
    sample_rate : int, optional
        Samples a second: edges lie on the first sample that shows them. Default: exact edges, in picoseconds.
    sample_point, data_sample_point : float, optional
        Percent of a bit, where senders switch between the rates. Defaults as for `decode`.
    clock_ppm : float or array of float, shape (n,)
        How fast each sender's clock runs.
    jitter_ns : float
        Every edge is displaced by a uniformly distributed time between minus and plus this.
    asymmetry_ns : float
        Edges to dominant come this much earlier than they should, edges to recessive as much later.
    glitches : float
        Short pulses of the other level, as a fraction of all bits, at random places.
    glitch_ns : float, optional
        Their length. Default: a tenth of a bit.
    idle_bits : float or array of float, shape (n,)
        Nominal bits between a frame's intermission and what follows; need not be whole.
    lead_bits : float
        Recessive nominal bits before the first SOF.
    ack : bool
        Whether somebody acknowledges.
    seed : int, optional
        Of all that is random. With `sample_rate` that includes where in a sample the first SOF lies.

    Returns
    -------
    Wave

    Raises
    ------
    FrameError
        A record that no controller could send.
    ValueError
        A rate out of range or missing; displacements that would make edges change places.

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames([0x123, 0x124], b"hello"), 500_000)
    >>> wave.duration_s, len(wave.edges)
    (0.000394000001, 86)
    >>> late = cf.waveform.synthesise(cf.make_frames(0x123), 500_000, clock_ppm=2_000, sample_rate=24_000_000)
    """
    nominal = make_phase("", bitrate, sample_point)
    data = None if data_bitrate is None else make_phase("data_", data_bitrate, data_sample_point)
    if data is None and np.any(frames["flags"] & FrameFlag.BITRATE_SWITCH):
        raise ValueError("frames with BITRATE_SWITCH need data_bitrate")
    rng = np.random.default_rng(seed)
    clocks = np.broadcast_to(np.asarray(clock_ppm, np.float64), len(frames))
    pauses = np.broadcast_to(np.asarray(idle_bits, np.float64), len(frames))
    if np.any(pauses < 0) or lead_bits < 0:
        raise ValueError("idle_bits and lead_bits must be 0 or more")
    at = lead_bits / bitrate
    parts = []
    for first in range(0, len(frames), _SOME):
        some = slice(first, first + _SOME)
        times, at = _edges(frames[some], nominal, data or nominal, clocks[some], pauses[some], ack, at)
        parts.append(times)
    times = np.concatenate(parts) if parts else np.empty(0)
    times[0::2] -= asymmetry_ns * 1e-9
    times[1::2] += asymmetry_ns * 1e-9
    if jitter_ns:
        times += rng.uniform(-jitter_ns * 1e-9, jitter_ns * 1e-9, len(times))
    if glitches:
        length = 0.1 / bitrate if glitch_ns is None else glitch_ns * 1e-9
        starts = rng.uniform(0, at, rng.poisson(glitches * at * bitrate))
        times = _with_pulses(times, np.sort(starts), length)
    if np.any(np.diff(times) <= 0):
        raise ValueError("jitter_ns, asymmetry_ns or glitches displace edges beyond those after them")
    rate = PICOSECONDS if sample_rate is None else sample_rate
    phase = 0.0 if sample_rate is None else rng.uniform(0, 1)
    ticks = np.ceil(times * rate + phase) if sample_rate else np.rint(times * rate)
    edges, end = ticks.astype(np.int64), int(np.ceil(at * rate + 1))
    return Wave(
        _without_hidden(edges), 1, rate, 0, max(end, int(edges[-1]) if len(edges) else 0), float(bool(sample_rate))
    )


def _edges(
    frames: FrameArray,
    nominal: Phase,
    data: Phase,
    clock_ppm: npt.NDArray[np.float64],
    idle_bits: npt.NDArray[np.float64],
    ack: bool,
    begin: float,
) -> tuple[npt.NDArray[np.float64], float]:
    """Times (s) of all edges, and of the end."""
    bits, offsets = encode(frames, ack=ack)
    both = frame_length_bits(frames, intermission=False, parts=True)
    slow, fast = both["nominal"], both["data"]
    lengths = np.full(len(bits), 1 / nominal.bitrate)
    switched = np.flatnonzero(fast)
    esi = offsets[:-1][switched] + slow[switched] - _AFTER_DELIMITER
    delimiter = esi + fast[switched] - 1
    after = [(1 - p.sample_point / 100) / p.bitrate for p in (nominal, data)]
    marks = np.zeros(len(bits) + 1, np.int64)
    np.add.at(marks, esi, 1)
    np.add.at(marks, delimiter, -1)
    lengths[np.cumsum(marks[:-1]) > 0] = 1 / data.bitrate
    lengths[esi - 1] = 1 / nominal.bitrate - after[0] + after[1]
    lengths[delimiter] = 1 / data.bitrate - after[1] + after[0]
    counts = np.diff(offsets).astype(np.intp)
    lengths /= np.repeat(1 + clock_ppm * 1e-6, counts)
    ends = np.cumsum(lengths)
    frame_ends = ends[offsets[1:] - 1]
    pauses = (_INTERMISSION + idle_bits) / nominal.bitrate
    starts = np.concatenate([[0.0], frame_ends[:-1]])
    shift = begin + np.concatenate([[0.0], np.cumsum(pauses)[:-1]])
    # a bit's time counts from its frame's SOF, so that long waveforms lose no precision
    times = (ends - lengths - np.repeat(starts, counts)) + np.repeat(starts + shift, counts)
    before = np.concatenate([[1], bits[:-1]])
    return times[bits != before], begin + float(frame_ends[-1]) + float(pauses.sum())


def _with_pulses(
    times: npt.NDArray[np.float64], starts: npt.NDArray[np.float64], length: float
) -> npt.NDArray[np.float64]:
    """Pulses where they touch neither edges nor each other."""
    place = np.searchsorted(times, starts)
    before = np.concatenate([[-np.inf], times])[place]
    after = np.concatenate([times, [np.inf]])[place]
    free = (starts - before > length) & (after - starts > 2 * length)
    free[1:] &= np.diff(starts) > 2 * length
    starts = starts[free]
    return np.sort(np.concatenate([times, starts, starts + length]))


def _without_hidden(edges: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Pulses between two samples are not seen."""
    hidden = np.flatnonzero(np.diff(edges) == 0)
    if not hidden.size:
        return edges
    keep = np.ones(len(edges), bool)
    for first in hidden.tolist():
        if keep[first]:
            keep[first : first + 2] = False
    return edges[keep]


__all__ = ["synthesise"]
