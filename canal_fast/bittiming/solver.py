"""Bit timings for one rate: all of them, ranked, or the best."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from canal_fast.errors import BitTimingError

from . import _bittiming
from .controllers import CONTROLLERS, ControllerLimits
from .kernel import kernel_rules, kernel_timing
from .numbers import DEFAULT_LOOP_DELAY_NS, Number
from .request import Asked, ask, failure
from .timing import BitTiming

__all__ = ["all_rows", "best", "solve"]

_new = tuple.__new__
_PLAIN = {name: (row.handle, row.f_clock) for name, row in CONTROLLERS.items()}


def solve(
    bitrate: Number,
    *,
    limits: str | ControllerLimits,
    f_clock: int | None = None,
    sample_point: Number | None = None,
    max_bitrate_error: Number = 0.0,
    bus_length_m: Number | None = None,
    loop_delay_ns: Number = DEFAULT_LOOP_DELAY_NS,
    ns_per_m: Number = 5,
    oscillator_ppm: Number | None = None,
    nof_samples: int = 1,
    sjw: int | None = None,
    rank: str = "default",
    sjw_rule: str = "6.3",
    tie_rule: str = "5.19",
) -> list[BitTiming]:
    """Every bit timing that a controller can make, best first.

    The search space is every prescaler (a multiple of brp_inc in brp_min..brp_max), every tseg1 and every
    tseg2 that the limits allow; each combination that satisfies the request is in the list. Integers
    and rationals decide, so that the result is the same everywhere.

    Parameters
    ----------
    bitrate : int, Fraction, Decimal or float
        bit/s, 100..f_clock; kept to a denominator of at most 1000. A rate that is less than 1 bit/s off
        is good enough (83,333 at 32 MHz is 83,333.33...).
    limits : str or ControllerLimits
        A name of `CONTROLLERS`, or limits of your own.
    f_clock : int, optional
        Hz; default the controller's usual clock.
    sample_point : float, optional
        Percent, 50 and above, kept to a denominator of at most 10**6. A target, not a limit. Default 75 above
        800 kbit/s, 80 above 500 kbit/s, else 87.5.
    max_bitrate_error : float
        Largest abs(real - asked) / asked beside the rule above, up to 0.1; whole ppm count.
    bus_length_m, loop_delay_ns, ns_per_m : float
        With a length, the propagation segment must hold 2 (length x ns_per_m + loop_delay_ns), is made
        ceil(that / tq) quanta long (`prop_seg` says so) and leaves at least 1 for phase segment 1.
    oscillator_ppm : float, optional
        Tolerance to reach, by both conditions of `BitTiming.oscillator_tolerance_ppm`.
    nof_samples : int
        1, or 3 where the controller can.
    sjw : int, optional
        Jump width to program; only timings whose phase segments are as long count. Default: the most
        that limits and phase segments allow.
    rank : {"default", "linux"}
        "default": smaller bit rate error; sample point closer to the target; more quanta; smaller brp;
        earlier sample point. "linux": first what the Linux kernel programs for
        `ip link set can0 type can bitrate N`, even where its rate is up to 5 % off or, with an early sample
        point, its tseg1 below tseg1_min, then the others; it knows whole bit/s and permille and no
        constraint but sjw.
    sjw_rule : {"6.3", "6.2"}
        "linux" only. Kernels up to 6.2 take sjw 1; since 6.3 it is max(1, min(phase 1, phase 2 / 2)).
    tie_rule : {"5.19", "4.8"}
        "linux" only. Of equally good ones kernels before 5.19 (and can-calc-bit-timing of that age) take
        the one with the fewest quanta, since then the one with the most.

    Returns
    -------
    list of BitTiming

    Raises
    ------
    BitTimingError
        A bad value; or no solution: then `.reasons` name each limit that bound and the nearest rates.

    Examples
    --------
    >>> best, *others = cf.bittiming.solve(500_000, limits="usb_8dev", sample_point=87.5)
    >>> best
    BitTiming(f_clock=32000000, brp=4, tseg1=13, tseg2=2, sjw=2, nof_samples=1, prop_seg=None)
    >>> len(others)
    15
    """
    rules = kernel_rules(rank, sjw_rule, tie_rule)
    asked = ask(
        bitrate,
        limits,
        f_clock,
        sample_point,
        max_bitrate_error,
        bus_length_m,
        loop_delay_ns,
        ns_per_m,
        oscillator_ppm,
        nof_samples,
        sjw,
    )
    if rules:
        first = kernel_timing(asked, rules)
        key = (first.brp, first.tseg1, first.tseg2)
        rows = all_rows(asked)
        return [first, *(asked.timing(row) for row in rows.tolist() if row[1:4] != key)]
    rows = all_rows(asked)
    if not len(rows):
        raise failure(asked)
    return [asked.timing(row) for row in rows.tolist()]


def best(
    bitrate: Number,
    *,
    limits: str | ControllerLimits,
    f_clock: int | None = None,
    sample_point: Number | None = None,
    rank: str = "default",
    sjw_rule: str = "6.3",
    tie_rule: str = "5.19",
    **constraints: Number | None,
) -> BitTiming:
    """The first that `solve` would return, without making the others; the same parameters.

    Parameters
    ----------
    bitrate, limits, f_clock, sample_point, rank, sjw_rule, tie_rule
        As for `solve`.
    **constraints
        The others of `solve`.

    Returns
    -------
    BitTiming

    Raises
    ------
    BitTimingError
        As `solve`.

    Examples
    --------
    >>> cf.bittiming.best(250_000, limits="mcp251x", f_clock=8_000_000)
    BitTiming(f_clock=8000000, brp=2, tseg1=13, tseg2=2, sjw=2, nof_samples=1, prop_seg=None)
    """
    usual_rules = rank == "default" and sjw_rule == "6.3" and tie_rule == "5.19"
    if usual_rules and not constraints and type(limits) is str and limits in _PLAIN:
        handle, usual = _PLAIN[limits]
        fields = _bittiming.best_plain(handle, usual if f_clock is None else f_clock, bitrate, sample_point)
        if fields is not None:  # else the long way, which takes any number and says what is wrong
            return _new(BitTiming, fields)
    rules = kernel_rules(rank, sjw_rule, tie_rule)
    asked = ask(bitrate, limits, f_clock, sample_point, **constraints)  # type: ignore[arg-type]
    if rules:
        return kernel_timing(asked, rules)
    found = asked.best
    if found is None:
        raise failure(asked)
    return found


def all_rows(asked: Asked) -> npt.NDArray[np.void]:
    """TIMING_DTYPE array of all timings that satisfy the request, best first."""
    count = _bittiming.count(asked.limits.handle, asked.request)
    if count > _bittiming.MAX_SOLUTIONS:
        raise BitTimingError(
            f"more than {_bittiming.MAX_SOLUTIONS:,} timings satisfy this; "
            "a smaller max_bitrate_error or narrower limits help"
        )
    rows = np.empty(count, _bittiming.TIMING_DTYPE)
    _bittiming.fill(asked.limits.handle, asked.request, rows)
    return rows
