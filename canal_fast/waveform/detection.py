"""Which bit rates a capture has, by the one proof there is: frames whose CRC holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from canal_fast.frames import FrameFlag

from .kernel import WaveStatus, decode_wave
from .rates import LEAST_SAMPLES, Rates, make_phase
from .wave import Wave

NOMINAL = (
    500,
    250,
    125,
    1000,
    100,
    50,
    800,
    400,
    200,
    33.333,
    83.333,
    666.667,
    20,
    10,
    95.238,
    62.5,
    47.619,
    40,
    25,
    5,
)
DATA = (2000, 5000, 4000, 8000, 1000, 3000, 2500, 6000, 6667, 10_000, 12_000, 500, 800)
_GRID = 1.015  # each rate of the search is so many times the one before
_EDGES = 20_000
_PLACES = 4  # parts of a long capture that are looked at, until one has a valid frame
_WIDE = 75.0  # percent: an early sample point takes the largest clock error
_SAMPLE_POINTS = (None, 87.5, 80.0, 75.0, 70.0, 65.0, 60.0)
_PAIRED = 20  # candidates whose data rate is looked for
_NEAR_PPM = 5000  # a usual rate this near is meant


class Candidate(NamedTuple):
    """One pair of rates, `bitrate` and `data_bitrate` (None: none), tried.

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames([0x123] * 5, b"hello"), 250_000, idle_bits=10)
    >>> best = cf.waveform.detect_bitrate(wave).evidence[0]
    >>> best.bitrate, best.valid, best.troubled
    (250000.0, 5, 0)
    """

    bitrate: float
    data_bitrate: float | None
    valid: int
    """Frames whose CRC and form hold."""
    troubled: int
    """Rows that are no valid frame."""
    sample_point: float | None = None
    """Percent, where the switch to the data rate shows it; None: the default does."""


class Detection(NamedTuple):
    """What `detect_bitrate` found.

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames([0x123] * 5, b"hello"), 250_000, idle_bits=10)
    >>> found = cf.waveform.detect_bitrate(wave)
    >>> found.bitrate, found.data_bitrate, found.evidence[0].valid
    (250000.0, None, 5)
    """

    bitrate: float | None
    """bit/s; None: it cannot be told."""
    data_bitrate: float | None
    """None: no frame switches, or its rate cannot be told."""
    sample_point: float | None
    """Nominal, percent, where frames with rate switch are only read with another than the default."""
    evidence: tuple[Candidate, ...]
    """The best candidates, the best first."""
    reason: str
    """In words, also why not."""


class _Tried(NamedTuple):
    candidate: Candidate
    switching: int
    """Frames that announce the data rate, valid or not."""
    switched: int
    """Those of them that are valid."""
    clock_ppm: float
    """Median of valid frames."""
    margin: float
    """Their median margin, percent of a bit."""


def detect_bitrate(wave: Wave, bitrate: float | None = None) -> Detection:
    """Find the nominal and the data bit rate of a capture.

    Usual rates first, then all from 5 kbit/s to 1.2 Mbit/s (data rate: 12 Mbit/s) in steps of 1.5 %, corrected by the
    clock of the frames found. What decides is the number of valid frames.

    Parameters
    ----------
    wave : Wave
    bitrate : float, optional
        The nominal rate where it is known.

    Returns
    -------
    Detection

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames([0x123] * 5, b"hello"), 250_000, idle_bits=10)
    >>> cf.waveform.detect_bitrate(wave).bitrate
    250000.0
    """
    if len(wave.edges) < 20:
        return Detection(None, None, None, (), f"{len(wave.edges)} edges are less than any frame has{_taken(wave)}")
    tried: list[_Tried] = []
    for part in _parts(wave):
        tried = _search(part, bitrate)
        if tried[0].candidate.valid:
            break
    found = tuple(t.candidate for t in tried[:5])
    top = found[0]
    if not top.valid:
        return Detection(None, None, None, found, _why_not(wave, tried))
    words = f"{top.valid} valid frames at {top.bitrate:.0f} bit/s"
    words += f" and {top.data_bitrate:.0f} bit/s" if top.data_bitrate else ""
    words += f", {top.troubled} rows of other kinds"
    if tried[0].switching > tried[0].switched:
        words += "; frames with rate switch were seen, none valid at any data rate tried"
    return Detection(top.bitrate, top.data_bitrate, top.sample_point, found, words)


def detect_rates(wave: Wave, bitrate: float | None, data_bitrate: float | None) -> Detection:
    """What is given, completed by detection; raises where that fails."""
    if bitrate is not None and data_bitrate is not None:
        return Detection(bitrate, data_bitrate, None, (), "")
    if bitrate is not None and not any(_try(part, Rates(make_phase("", bitrate))).switching for part in _parts(wave)):
        return Detection(bitrate, None, None, (), "")
    found = detect_bitrate(wave, bitrate)
    if found.bitrate is None:
        if bitrate is not None:
            return Detection(bitrate, data_bitrate, None, found.evidence, found.reason)
        raise ValueError(f"the bit rate cannot be told: {found.reason}; give bitrate=")
    return found._replace(data_bitrate=data_bitrate or found.data_bitrate)


def _parts(wave: Wave) -> Iterable[Wave]:
    """Some edges from the beginning, then from later places."""
    count = len(wave.edges)
    for place in range(_PLACES):
        first = place * max(count - _EDGES, 0) // max(_PLACES - 1, 1)
        edges = wave.edges[first : first + _EDGES]
        last = first + len(edges) >= count
        begin = wave.begin if first == 0 else int(edges[0]) - 1
        end = wave.end if last else int(edges[-1])
        yield Wave(edges, (wave.level + first) % 2, wave.ticks_per_second, begin, end, wave.resolution)
        if count <= _EDGES:
            return


def _try(wave: Wave, rates: Rates) -> _Tried:
    got = decode_wave(wave, rates, columns=True)
    valid = got.valid
    frames = ~np.isin(got.status, (WaveStatus.ERROR_FLAG, WaveStatus.OVERLOAD, WaveStatus.STUCK))
    switching = frames & ((got.frames["flags"] & FrameFlag.BITRATE_SWITCH) != 0)
    candidate = Candidate(
        rates.nominal.bitrate,
        None if rates.data is None else rates.data.bitrate,
        int(valid.sum()),
        int((~valid).sum()),
    )
    clock, margin = (
        float(np.median(c[valid & np.isfinite(c)])) if c is not None and np.any(valid & np.isfinite(c)) else 0.0
        for c in (got.clock_ppm, got.margin_percent)
    )
    return _Tried(candidate, int(switching.sum()), int((switching & valid).sum()), clock, margin)


def _enough(wave: Wave, bitrate: float) -> bool:
    return wave.ticks_per_second / bitrate >= LEAST_SAMPLES * 0.999 * wave.resolution


def _grid(low: float, high: float) -> list[float]:
    return [low * _GRID**step for step in range(int(np.log(high / low) / np.log(_GRID)) + 1)]


def _order(tried: _Tried) -> tuple[int, int, float]:
    """Most valid frames; else most that announce a data rate with the least besides; the nearest clock."""
    return (-tried.candidate.valid, tried.candidate.troubled - 2 * tried.switching, abs(tried.clock_ppm))


def _search(wave: Wave, bitrate: float | None) -> list[_Tried]:
    """Candidates, the best first."""
    usual = [1e3 * rate for rate in NOMINAL if _enough(wave, 1e3 * rate)]
    rounds = [usual, [rate for rate in _grid(5e3, 1.2e6) if _enough(wave, rate)]] if bitrate is None else [[bitrate]]
    tried: list[_Tried] = []
    for rates in rounds:
        tried += [_try(wave, Rates(make_phase("", rate, _WIDE))) for rate in rates]
        tried.sort(key=_order)
        if tried and tried[0].candidate.valid and tried[0].switching == tried[0].switched:
            return [tried[0] if bitrate else _refined(wave, tried[0], usual), *tried[1:]]
        switching = [t for t in tried[:_PAIRED] if t.switching > t.switched]
        pairs = [_data(wave, t.candidate.bitrate, whole_grid=False) for t in switching]
        if switching and not any(pair is not None for pair in pairs):
            pairs.append(_data(wave, switching[0].candidate.bitrate, whole_grid=True))
        tried = sorted([*(pair for pair in pairs if pair is not None), *tried], key=_order)
        if tried and tried[0].candidate.valid:
            return [tried[0] if bitrate else _refined(wave, tried[0], usual), *tried[1:]]
    if not tried:
        raise ValueError(
            f"{wave.ticks_per_second / wave.resolution:.3g} samples/s are too few for any bit rate; if the times are "
            "not in seconds, the file's heading or sample_rate= must tell"
        )
    return tried


def _corrected(rate: float, clock_ppm: float, usual: Iterable[float]) -> float:
    """A rate of the search as the frames' clock has it, or the usual rate that is meant."""
    real = rate * (1 + clock_ppm * 1e-6)
    near = [u for u in usual if abs(real / u - 1) < _NEAR_PPM * 1e-6]
    return near[0] if near else float(f"{real:.4g}")


def _refined(wave: Wave, best: _Tried, usual: Iterable[float]) -> _Tried:
    """The best candidate at its real rate."""
    old = best.candidate
    rate = _corrected(old.bitrate, best.clock_ppm, usual)
    data = None if old.data_bitrate is None else make_phase("data_", old.data_bitrate)
    again = _try(wave, Rates(make_phase("", rate, old.sample_point), data))
    again = again._replace(candidate=again.candidate._replace(sample_point=old.sample_point))
    return again if again.candidate.valid >= old.valid else best


def _data(wave: Wave, bitrate: float, whole_grid: bool) -> _Tried | None:
    """The best data rate for a nominal one, if any."""
    rates = _grid(1.1 * bitrate, 12e6) if whole_grid else [1e3 * rate for rate in DATA if bitrate < 1e3 * rate]
    rates = [rate for rate in rates if _enough(wave, rate)]
    for point in _SAMPLE_POINTS:
        tried = []
        for rate in rates:
            one = _try(wave, Rates(make_phase("", bitrate, point), make_phase("data_", rate)))
            tried.append(one._replace(candidate=one.candidate._replace(sample_point=point)))
        best = min(tried, key=_order, default=None)
        if best is not None and best.switched:
            return _centred(wave, best) if whole_grid else best
    return None


def _centred(wave: Wave, best: _Tried) -> _Tried:
    """The data rate of the search that leaves the widest margins, in two digits where those are near."""
    old = best.candidate
    nominal = make_phase("", old.bitrate, old.sample_point)
    found = best
    rates = [(old.data_bitrate or 0) * (1 + step / 400) for step in range(-6, 7)]
    short = {float(f"{rate:.2g}") for rate in rates if abs(float(f"{rate:.2g}") / rate - 1) < _NEAR_PPM * 1e-6}
    for rate in [*rates, *short]:
        one = _try(wave, Rates(nominal, make_phase("data_", rate)))
        if (one.candidate.valid, one.margin + (rate in short)) > (found.candidate.valid, found.margin):
            found = one._replace(candidate=one.candidate._replace(sample_point=old.sample_point))
    return found


def _why_not(wave: Wave, tried: list[_Tried]) -> str:
    turned = _search(next(iter(_parts(wave.inverted()))), None)[0].candidate
    if turned.valid:
        return f"levels are exchanged: inverted there are {turned.valid} valid frames; read it with invert=True"
    best = tried[0].candidate
    return (
        f"{len(tried)} rates tried on {len(wave.edges)} edges over {wave.duration_s:.3g} s, no valid frame at any; "
        f"the least trouble was at {best.bitrate:.0f} bit/s{_taken(wave)}"
    )


def _taken(wave: Wave) -> str:
    """What was guessed of the waveform, and may be wrong."""
    return f" (taken: {', '.join(wave.guesses)})" if wave.guesses else ""


__all__ = ["Candidate", "Detection", "detect_bitrate"]
