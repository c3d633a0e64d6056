"""What is asked of the solver, checked and exact, and why there is no answer."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction

from canal_fast.errors import BitTimingError

from . import _bittiming
from .controllers import ControllerLimits, limits_of
from .numbers import DEFAULT_LOOP_DELAY_NS, Number, exact, propagation_ns, whole
from .timing import BitTiming

LEAST_SAMPLE = Fraction(1, 2)
"""Nobody samples earlier on purpose: a smaller number is a share, or a slip. What a timing has is not limited."""
_MOST_MHZ = 1000
_MOST_KBIT = (1000, 8000)


@dataclass(frozen=True)
class Asked:
    """A request in exact numbers; zero means that a constraint was not asked for."""

    limits: ControllerLimits
    f_clock: int
    bitrate: Fraction
    sample: Fraction = Fraction(0)
    max_error_ppm: int = 0
    delay_ps: int = 0
    tolerance_ppb: int = 0
    sjw: int = 0
    nof_samples: int = 1
    data_phase: bool = False

    @property
    def request(self) -> _bittiming.Request:
        """The same as C takes it."""
        return _bittiming.Request(
            self.bitrate.numerator,
            self.bitrate.denominator,
            self.f_clock,
            self.sample.numerator,
            self.sample.denominator if self.sample else 0,
            self.max_error_ppm,
            self.data_phase,
            self.delay_ps,
            self.tolerance_ppb,
            self.sjw,
        )

    def timing(self, fields: tuple[int, ...]) -> BitTiming:
        """The timing of a row (f_clock, brp, tseg1, tseg2, sjw, prop_seg, ...) that C returned for this."""
        prop_seg = fields[5] if self.delay_ps else None
        return tuple.__new__(BitTiming, (*fields[:5], self.nof_samples, prop_seg))

    @property
    def best(self) -> BitTiming | None:
        fields = _bittiming.best(self.limits.handle, self.request)
        return None if fields is None else self.timing(fields)

    @property
    def feasible(self) -> bool:
        return _bittiming.best(self.limits.handle, self.request) is not None


def ask(
    bitrate: Number,
    limits: str | ControllerLimits,
    f_clock: int | None = None,
    sample_point: Number | None = None,
    max_bitrate_error: Number = 0,
    bus_length_m: Number | None = None,
    loop_delay_ns: Number = DEFAULT_LOOP_DELAY_NS,
    ns_per_m: Number = 5,
    oscillator_ppm: Number | None = None,
    nof_samples: int = 1,
    sjw: int | None = None,
    data_phase: bool = False,
) -> Asked:
    """Check what a user asked for; see `canal_fast.bittiming.solve`."""
    row = limits_of(limits)
    clock = f_clock_of(row, f_clock)
    rate = exact("bitrate", bitrate).limit_denominator(_bittiming.MAX_DENOMINATOR)
    if not _bittiming.MIN_RATE <= rate <= clock:
        hint = units(clock, rate, data_phase)
        raise BitTimingError(f"bitrate = {bitrate} bit/s, allowed {_bittiming.MIN_RATE}..{clock} (f_clock){hint}")
    name = "data_sample_point" if data_phase else "sample_point"
    sample = Fraction(0) if sample_point is None else sample_of(name, sample_point)
    error_ppm = math.floor(exact("max_bitrate_error", max_bitrate_error) * 1_000_000)
    if not 0 <= error_ppm <= _bittiming.MAX_ERROR_PPM:
        raise BitTimingError(
            f"max_bitrate_error = {max_bitrate_error}, allowed 0..{_bittiming.MAX_ERROR_PPM / 1e6} (0.01 is 1 %)"
        )
    delay_ps = 0
    if bus_length_m is not None:
        delay_ps = math.ceil(propagation_ns(bus_length_m, loop_delay_ns, ns_per_m) * 1000)
        if not 1 <= delay_ps < 2**32:
            raise BitTimingError(
                f"bus_length_m = {bus_length_m} with loop_delay_ns = {loop_delay_ns}: two-way delay "
                f"{delay_ps / 1000:g} ns, must be above 0 and below {2**32 / 1000:g} ns"
            )
    tolerance_ppb = math.ceil(exact("oscillator_ppm", oscillator_ppm or 0) * 1000)
    if not 0 <= tolerance_ppb <= _bittiming.MAX_TOLERANCE_PPB:
        raise BitTimingError(f"oscillator_ppm = {oscillator_ppm}, allowed 0..{_bittiming.MAX_TOLERANCE_PPB // 1000}")
    if whole("nof_samples", nof_samples, 1, 3) == 2:
        raise BitTimingError("nof_samples = 2, allowed 1 and 3")
    if nof_samples == 3 and not row.triple_sampling:
        raise BitTimingError(f"nof_samples = 3, but {row.name} samples once per bit")
    jump = 0 if sjw is None else whole("sjw", sjw, 1, row.sjw_max)
    return Asked(row, clock, rate, sample, error_ppm, delay_ps, tolerance_ppb, jump, nof_samples, data_phase)


def sample_of(name: str, percent: Number) -> Fraction:
    """The sample point that a user asked for, as a share of the bit."""
    given = exact(name, percent)
    sample = (given / 100).limit_denominator(_bittiming.MAX_SAMPLE_DENOMINATOR)
    if not LEAST_SAMPLE <= sample < 1:
        meant = next((given * factor for factor in (100, Fraction(1, 10)) if 50 <= given * factor < 100), None)
        hint = "" if meant is None else f": did you mean {float(meant):g}?"
        raise BitTimingError(f"{name} = {float(given):g}, allowed 50 to below 100, in percent{hint}")
    return sample


def units(clock: int, rate: Fraction, data_phase: bool) -> str:
    """What a request that cannot be met may have meant: numbers so small were thought of in MHz and kbit/s."""
    meant = []
    if clock <= _MOST_MHZ:
        meant.append(f"{clock} MHz")
    if rate <= _MOST_KBIT[data_phase]:
        meant.append(f"{float(rate):g} kbit/s")
    return f"; f_clock is in Hz, bit rates in bit/s: {', '.join(meant)}?" if meant else ""


def f_clock_of(row: ControllerLimits, f_clock: int | None) -> int:
    """The clock that was given, or the row's usual one."""
    if f_clock is None:
        f_clock = row.f_clock
    if f_clock is None:
        raise BitTimingError(f"f_clock is missing: limits {row.name!r} name no usual clock")
    return whole("f_clock", f_clock, 1, 2**32 - 1)


def failure(asked: Asked) -> BitTimingError:
    """The error for a request that nothing satisfies, with each limit that bound."""
    reasons = [*_rate_reasons(asked)]
    if not reasons:
        free = replace(asked, delay_ps=0, tolerance_ppb=0, sjw=0)
        alone = {
            "propagation": replace(free, delay_ps=asked.delay_ps),
            "oscillator": replace(free, tolerance_ppb=asked.tolerance_ppb),
            "sjw": replace(free, sjw=asked.sjw),
        }
        bound = {name for name, one in alone.items() if not one.feasible}
        together = not bound
        if asked.delay_ps and (together or "propagation" in bound):
            reasons.append(_propagation_reason(asked))
        if asked.tolerance_ppb and (together or "oscillator" in bound):
            reasons.append(_oscillator_reason(asked))
        if asked.sjw and (together or "sjw" in bound):
            reasons.append(
                f"sjw = {asked.sjw}: no timing at this rate has both phase segments and sjw_max = "
                f"{asked.limits.sjw_max} that long" + (" along with the other constraints" if together else "")
            )
        if together:
            reasons.append("each of these constraints can be met alone, but not all of them together")
    return BitTimingError(
        f"no bit timing for {_number(asked.bitrate)} bit/s with {asked.limits} at {asked.f_clock:,} Hz: "
        + "; ".join(reasons)
        + units(asked.f_clock, asked.bitrate, asked.data_phase),
        reasons=tuple(reasons),
    )


def _number(value: Fraction) -> str:
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):,.3f}"


def _rate_reasons(asked: Asked) -> list[str]:
    """Empty when the rate is not what stands in the way."""
    free = replace(asked, delay_ps=0, tolerance_ppb=0, sjw=0)
    if free.feasible:
        return []
    row = asked.limits
    slower, faster = _bittiming.nearest(row.handle, asked.request)
    reasons = [
        f"bitrate = {_number(asked.bitrate)} bit/s is {asked.f_clock:,} Hz / {float(asked.f_clock / asked.bitrate):g}, "
        f"which is no brp x (1 + tseg1 + tseg2) within max_bitrate_error = {asked.max_error_ppm / 1e6:g}"
    ]
    fewest, most = 1 + row.tseg1_min + row.tseg2_min, 1 + row.tseg1_max + row.tseg2_max
    if not faster:
        reasons.append(f"fastest bit: brp_min = {row.brp_min} with {fewest} quanta")
    if not slower:
        reasons.append(f"slowest bit: brp_max = {row.brp_max} with {most} quanta")
    near = []
    for periods in (slower, faster):
        if periods:
            real = Fraction(asked.f_clock, periods)
            rate = max(real.limit_denominator(_bittiming.MAX_DENOMINATOR), Fraction(_bittiming.MIN_RATE))
            timing = replace(free, bitrate=rate).best
            sample = f", sample point {timing.sample_point:.4g} %" if timing else ""
            near.append(f"{_number(real)} bit/s ({float((real / asked.bitrate - 1) * 100):+.3g} %{sample})")
    reasons.append("nearest rates: " + " and ".join(near) if near else "no rate can be reached with these limits")
    return reasons


def _all(asked: Asked) -> list[BitTiming]:
    """Up to 10,000 timings at this rate without constraints."""
    import numpy as np

    free = replace(asked, delay_ps=0, tolerance_ppb=0, sjw=0)
    count = min(10_000, _bittiming.count(free.limits.handle, free.request))
    rows = np.zeros(count, _bittiming.TIMING_DTYPE)
    _bittiming.fill(free.limits.handle, free.request, rows)
    return [free.timing(tuple(row)) for row in rows.tolist()]


def _propagation_reason(asked: Asked) -> str:
    # phase segment 1 needs one quantum; the rest of tseg1 may be propagation
    longest = max((t.tseg1 - 1) * t.tq_ns for t in _all(asked))
    return (
        f"bus_length_m: the two-way delay of {asked.delay_ps / 1000:g} ns has to fit into the propagation segment; "
        f"at this rate it holds {longest:g} ns at most, which leaves tseg1 one quantum of phase segment 1"
    )


def _oscillator_reason(asked: Asked) -> str:
    best = max((t.oscillator_tolerance_ppm() for t in _all(asked)), key=float)
    return (
        f"oscillator_ppm = {asked.tolerance_ppb / 1000:g}: the most tolerant timing at this rate, "
        f"without other constraints, allows {best:.0f} ppm ({best.binding})"
    )
