"""Margins of a timing in theory: known answers, the law of clocks, what is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest

import canal_fast as cf
from canal_fast.errors import BitTimingError

T = cf.BitTiming(8_000_000, 1, 13, 2, 2, prop_seg=10)  # 16 quanta of 125 ns


def test_known_answers() -> None:
    assert T.margin() == (13 * 125, 2 * 125)
    assert T.margin(bus_length_m=40, loop_delay_ns=100).before_ns == 13 * 125 - 2 * (40 * 5 + 100)
    assert T.margin(bus_length_m=40, ns_per_m=10).before_ns == 13 * 125 - 2 * 400
    assert T.margin(1000).after_ns == pytest.approx((2 - 2e-3 * (160 - 2)) * 125)
    assert T.margin(1000).before_ns == pytest.approx((13 - 2e-3 * 160) * 125)


@pytest.mark.parametrize("edges", [1, 2, 5])
def test_no_margin_is_the_law_of_clocks(edges: int) -> None:
    timing = cf.BitTiming(8_000_000, 1, 11, 4, 1)
    law = Fraction(4 + (edges - 1) * 1, 2 * (10 * edges * 16 - 4))
    assert timing.margin(law * 10**6, edges=edges).after_ns == pytest.approx(0, abs=1e-9)


def test_jump_widths_that_make_up_for_all() -> None:
    """Where the drift of ten bits fits the jump width, more edges cost nothing."""
    ppm = float(T.oscillator_tolerance_ppm()) * 0.9
    assert T.margin(ppm, edges=13) == T.margin(ppm)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clock_ppm": -1}, "clock_ppm = -1, allowed 0..999999"),
        ({"clock_ppm": float("nan")}, "clock_ppm = nan is not a finite number"),
        ({"bus_length_m": -1}, "bus_length_m = -1, must not be negative"),
        ({"loop_delay_ns": -5}, "loop_delay_ns = -5, must not be negative"),
        ({"edges": 0}, "edges = 0, allowed 1..1000"),
    ],
)
def test_bad_input(options: dict[str, float], message: str) -> None:
    with pytest.raises(BitTimingError, match=message):
        T.margin(**options)  # type: ignore[arg-type]
