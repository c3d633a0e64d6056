"""What the rules of thumb say of a bus's wires, in lines for `canal-fast timing`."""

from __future__ import annotations

from fractions import Fraction

from canal_fast.bittiming import BitTiming
from canal_fast.bittiming.physical import StubLength, rate_times_length_m, rate_times_length_warning, stub_lengths_m


def stubs(timing: BitTiming) -> tuple[StubLength, ...]:
    """Rules of stubs, the strictest first; without a propagation segment the rule that asks for it is left out."""
    quanta = timing.segments.prop_seg
    return stub_lengths_m(Fraction(quanta * timing.brp * 10**9, timing.f_clock) if quanta else None)


def wire_lines(timing: BitTiming) -> list[str]:
    """Stubs by each rule, and rate x length, with its contradiction."""
    rows = [f"{row.length_m:.3g} m: {row.rule}" for row in stubs(timing)]
    lines = [f"  stub, strictest first {rows[0]}", *(f"{'':24}{row}" for row in rows[1:])]
    lines.append(f"  rate x length         {rate_times_length_m(timing.bitrate):.4g} m by <= 50 Mbit/s m (TI SLLA270)")
    warning = rate_times_length_warning(timing.bitrate)
    return [*lines, f"  {warning}"] if warning else lines
