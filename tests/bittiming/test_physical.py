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


def test_stubs_by_hand() -> None:
    """TI SLLA270: 50 / (2 x 5) / 3 = 5/3 m. AND8376: 1375 / (50 x 5) = 5.5 m; 50 ns gives 0.2 m. ISO 11898-2: 0.3 m."""
    fixed, edge = physical.stub_lengths_m()
    assert fixed == (0.3, "at every rate (ISO 11898-2, 1 Mbit/s; also printed 0.3 mm)")
    assert edge == (pytest.approx(5 / 3), "edge of 50 ns, 5 ns/m (TI SLLA270)")
    lengths = [row.length_m for row in physical.stub_lengths_m(1375)]
    assert lengths == [0.3, pytest.approx(5 / 3), 5.5]
    strictest = physical.stub_lengths_m(50)[0]
    assert strictest.length_m == pytest.approx(0.2)
    assert strictest.rule == "propagation segment of 50 ns / 50 (OnSemi AND8376)"
    assert physical.stub_lengths_m(1000, 20, 6.25)[1].length_m == pytest.approx(20 / 12.5 / 3)
    assert physical.stub_lengths_m(1000, 20, 6.25)[2].length_m == pytest.approx(3.2)  # 1000 / 312.5


def test_rate_times_length_by_hand() -> None:
    """CiA 301: 500 m at 125 kbit/s and 250 m at 250 kbit/s are 62.5; 100 m at 500 kbit/s and 1000 m at 50 are 50."""
    contradicted = [r for r, _ in physical.RECOMMENDED_LENGTHS if physical.rate_times_length_warning(r)]
    assert contradicted == [250_000, 125_000]
    assert physical.rate_times_length_warning(125_000) == (
        "rate x length <= 60 Mbit/s m contradicts its own table: 500 m at 125 kbit/s make 62.5"
    )
    assert "250 m at 250 kbit/s make 62.5" in (physical.rate_times_length_warning(200_000) or "")
    assert physical.rate_times_length_warning(250_000, 62.5e6) is None
    assert physical.rate_times_length_warning(2_000_000) is None
    assert physical.rate_times_length_m(250_000, 60e6) == 240


def test_the_face_is_the_wings() -> None:
    assert all(getattr(physical, name) is getattr(cf.bittiming.physical, name) for name in physical.__all__)


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
        (physical.stub_lengths_m, 0, "prop_seg_ns = 0, must be above 0"),
        (physical.rate_times_length_warning, -5, "bitrate = -5"),
    ],
)
def test_bad_input(function: Callable[[float], object], value: float, words: str) -> None:
    with pytest.raises(cf.BitTimingError, match=words):
        function(value)
