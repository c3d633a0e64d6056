"""Rules of thumb against the numbers that their sources give."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

import canal_fast as cf
from canal_fast import physical


def test_numbers_of_the_sources() -> None:
    assert physical.rate_times_length_m(500_000) == 100
    assert physical.recommended_length_m(1_000_000) == 25
    assert physical.recommended_length_m(83_333) == 500
    assert physical.cable_delay_ns(40) == 200
    assert physical.propagation_budget_ns(40, loop_delay_ns=250) == 900
    assert physical.stub_length_m(50, 5) == pytest.approx(5 / 3)
    assert physical.split_termination_corner_hz() == pytest.approx(1.13e6, rel=0.01)


def test_recommended_lengths_never_grow_with_the_rate() -> None:
    lengths = [physical.recommended_length_m(rate) for rate in range(10_000, 1_000_001, 5_000)]
    assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize("rate", [1_000_000, 800_000, 500_000, 250_000, 125_000])
def test_the_solver_holds_the_recommended_bus(rate: int) -> None:
    length = physical.recommended_length_m(rate)
    timing = cf.bittiming.best(rate, limits="usb_8dev", bus_length_m=length, loop_delay_ns=150)
    assert timing.max_bus_length_m(loop_delay_ns=150) >= length


@pytest.mark.parametrize(
    ("function", "value", "words"),
    [
        (physical.rate_times_length_m, 0, "bitrate = 0"),
        (physical.recommended_length_m, 2_000_000, "allowed up to 1,000,000"),
        (physical.recommended_length_m, -1, "bitrate = -1"),
        (physical.cable_delay_ns, -1, "bus_length_m = -1"),
        (physical.stub_length_m, math.nan, "transition_ns = nan"),
        (physical.split_termination_corner_hz, 0, "capacitance_f = 0"),
    ],
)
def test_bad_input(function: Callable[[float], float], value: float, words: str) -> None:
    with pytest.raises(cf.BitTimingError, match=words):
        function(value)
