"""How far the sample point lies from the edges beside it, worked out."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from canal_fast.errors import BitTimingError

from .numbers import Number, exact, propagation_ns, whole

if TYPE_CHECKING:
    from .timing import BitTiming

__all__ = ["Margin"]

_STUFFED = 10  # bits between falling edges, at most


class Margin(NamedTuple):
    """Time between the sample point and the nearest changes of level; below 0: the bit may be read wrong.

    Examples
    --------
    >>> cf.BitTiming(f_clock=32_000_000, brp=4, tseg1=13, tseg2=2).margin()
    Margin(before_ns=1625.0, after_ns=250.0)
    """

    before_ns: float
    """From the bit's beginning to the sample point."""
    after_ns: float
    """From the sample point to the bit's end."""


def margin(
    timing: BitTiming, clock_ppm: Number, bus_length_m: Number, loop_delay_ns: Number, ns_per_m: Number, edges: int
) -> Margin:
    """`BitTiming.margin`."""
    df = exact("clock_ppm", clock_ppm) / 1_000_000
    if not 0 <= df < 1:
        raise BitTimingError(f"clock_ppm = {clock_ppm}, allowed 0..999999: how far off each of two clocks is")
    whole("edges", edges, 1, 1000)
    there_and_back = propagation_ns(bus_length_m, loop_delay_ns, ns_per_m)
    quantum = Fraction(timing.brp * 10**9, timing.f_clock)
    nbt, phase2 = timing.nbt, timing.phase_seg2

    def after(k: int) -> Fraction:
        """At the last bit before falling edge `k`: each of the edges before made up for a jump width."""
        return phase2 + (k - 1) * timing.sjw - 2 * df * (_STUFFED * k * nbt - phase2)

    end = min(after(1), after(edges))
    begin = timing.tseg1 - 2 * df * _STUFFED * nbt - max(Fraction(0), after(1) - end)
    return Margin(float(begin * quantum - there_and_back), float(end * quantum))
