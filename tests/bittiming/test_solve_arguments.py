"""What the bit-timing solver refuses, and how it says so."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from oracle import bittiming_oracle as oracle

import canal_fast as cf
from canal_fast import bittiming
from canal_fast.bittiming import ControllerLimits
from canal_fast.errors import BitTimingError


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ({"bitrate": 0}, r"bitrate = 0 bit/s, allowed 100\.\."),
        ({"bitrate": -500_000}, "bitrate = -500000"),
        ({"bitrate": 33_000_000}, r"allowed 100\.\.32000000"),
        ({"bitrate": math.nan}, "bitrate = nan"),
        ({"bitrate": math.inf}, "bitrate = inf"),
        ({"sample_point": math.nan}, "sample_point = nan"),
        ({"sample_point": 0}, "sample_point = 0"),
        ({"sample_point": 100}, "sample_point = 100"),
        ({"sample_point": -1.5}, "sample_point = -1.5"),
        ({"limits": "sja1001"}, "sja1001.*no known controller"),
        ({"f_clock": 0}, "f_clock = 0"),
        ({"f_clock": 2**32}, "f_clock = 4294967296"),
        ({"max_bitrate_error": 0.2}, "max_bitrate_error = 0.2"),
        ({"max_bitrate_error": -0.1}, "max_bitrate_error = -0.1"),
        ({"bus_length_m": -1}, "bus_length_m = -1"),
        ({"bus_length_m": 1e9}, "bus_length_m = 1000000000"),
        ({"bus_length_m": 0, "loop_delay_ns": 0}, "must be above 0"),
        ({"loop_delay_ns": -1, "bus_length_m": 1}, "loop_delay_ns = -1"),
        ({"oscillator_ppm": -1}, "oscillator_ppm = -1"),
        ({"oscillator_ppm": 1e6}, "oscillator_ppm = 1000000"),
        ({"nof_samples": 2}, "nof_samples = 2"),
        ({"nof_samples": 3}, "usb_8dev samples once"),
        ({"sjw": 0}, "sjw = 0"),
        ({"sjw": 5}, r"sjw = 5, allowed 1\.\.4"),
        ({"rank": "best"}, "rank = 'best'"),
        ({"rank": "linux", "bus_length_m": 10}, "knows bitrate, sample_point and sjw only"),
        ({"rank": "linux", "sjw_rule": "7"}, "sjw_rule = '7'"),
        ({"rank": "linux", "sample_point": 87.55}, "whole number"),
        ({"rank": "linux", "bitrate": 31_999_999}, "the Linux kernel refuses"),
    ],
)
def test_bad_input(ask: dict, words: str) -> None:
    ask = {"bitrate": 500_000, "limits": "usb_8dev"} | ask
    with pytest.raises(cf.BitTimingError, match=words):
        bittiming.solve(**ask)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bittiming.best(500_000, limits="usb_8dev", sample_point=0.875), "did you mean 87.5?"),
        (lambda: bittiming.solve(500_000, limits="usb_8dev", sample_point=875), "did you mean 87.5?"),
        (lambda: bittiming.solve(500_000, limits="usb_8dev", sample_point=49.9), "sample_point = 49.9, allowed 50 to"),
        (lambda: bittiming.solve(500_000, limits="usb_8dev", sample_point=0.8, rank="linux"), "did you mean 80?"),
        (lambda: bittiming.solve_many([500_000] * 2, limits="usb_8dev", sample_point=[0, 0.75]), r"point[1] = 0.75"),
        (
            lambda: bittiming.solve_fd(500_000, 2_000_000, limits="mcp251xfd", data_sample_point=0.75),
            "data_sample_point = 0.75, allowed 50 to below 100, in percent: did you mean 75?",
        ),
        (lambda: bittiming.usb2can_timing(500_000, 0.875), "did you mean 87.5?"),
        (lambda: bittiming.best(500, limits="usb_8dev", f_clock=16), "16 MHz, 500 kbit/s?"),
        (lambda: bittiming.best(500, limits="usb_8dev"), "500 kbit/s?"),
        (lambda: bittiming.best(50, limits="usb_8dev"), "50 kbit/s?"),
        (lambda: bittiming.solve_fd(500_000, 2_000, limits="mcp251xfd"), "2000 kbit/s?"),
    ],
)
def test_other_units_are_refused_with_a_hint(call: Callable[[], object], words: str) -> None:
    with pytest.raises(BitTimingError, match=re.escape(words)):
        call()


def test_small_numbers_that_can_be_made_are_made() -> None:
    assert bittiming.best(1000, limits="sja1000", f_clock=8000).bitrate == 1000
    assert cf.BitTiming(8_000_000, 1, 3, 12, 1).sample_point == 25  # what is there is described, however odd


@pytest.mark.parametrize("ask", [{"bitrate": "fast"}, {"bitrate": None}, {"sample_point": "x"}, {"f_clock": 8e6}])
def test_wrong_types(ask: dict) -> None:
    with pytest.raises(TypeError):
        bittiming.solve(**({"bitrate": 500_000, "limits": "usb_8dev"} | ask))
    with pytest.raises(TypeError):
        bittiming.best(**({"bitrate": 500_000, "limits": "usb_8dev"} | ask))


@pytest.mark.parametrize(
    "limits",
    [
        {"tseg1_min": 5, "tseg1_max": 4},
        {"tseg1_min": 0},
        {"tseg2_max": 5000},
        {"brp_min": 0},
        {"brp_max": 65_537},
        {"brp_inc": 0},
        {"sjw_max": 0},
        {"brp_fine_max": 32},
        {"brp_coarse_inc": 4},
        {"brp_fine_max": 65, "brp_coarse_inc": 4},
        {"brp_fine_max": 32, "brp_coarse_inc": 65},
    ],
)
def test_impossible_limits(limits: dict) -> None:
    good = vars(oracle.Limits(1, 16, 1, 8, 4, 1, 64, 1))
    ControllerLimits(**good)
    with pytest.raises(cf.BitTimingError, match="limits 'custom'"):
        ControllerLimits(**(good | limits))


def test_reasons_name_each_limit_that_bound() -> None:
    def reasons(**ask: object) -> tuple[str, ...]:
        with pytest.raises(cf.BitTimingError) as caught:
            bittiming.solve(**({"bitrate": 500_000, "limits": "usb_8dev"} | ask))
        return caught.value.reasons

    assert "bus_length_m" in reasons(bus_length_m=300)[0]
    assert "1625 ns" in reasons(bus_length_m=300)[0]
    assert "14851 ppm" in reasons(oscillator_ppm=20_000)[0]
    contradiction = reasons(oscillator_ppm=9_000, bus_length_m=100)
    assert len(contradiction) == 3
    assert "not all of them together" in contradiction[-1]
    slow = reasons(bitrate=500, limits="sja1000")
    assert any("brp_max = 64 with 25 quanta" in reason for reason in slow)
    assert "5,000 bit/s" in slow[-1]
    assert "sample point" in slow[-1]
    fast = reasons(bitrate=3_000_000, limits="sja1000")
    assert "2,666,666.667 bit/s" in fast[-1]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ({"bitrate": [5e5, math.nan]}, r"bitrate\[1\] = nan"),
        ({"bitrate": [-1]}, r"bitrate\[0\]"),
        ({"bitrate": 1, "sample_point": [50, 100]}, r"sample_point\[1\]"),
        ({"bitrate": 1, "f_clock": [0]}, r"f_clock\[0\]"),
    ],
)
def test_many_bad_input(ask: dict, words: str) -> None:
    with pytest.raises(cf.BitTimingError, match=words):
        bittiming.solve_many(**({"limits": "usb_8dev"} | ask))


def test_limits_without_a_clock_need_one() -> None:
    row = ControllerLimits(tseg1_min=1, tseg1_max=16, tseg2_min=1, tseg2_max=8, sjw_max=4, brp_min=1, brp_max=64)
    with pytest.raises(cf.BitTimingError, match="f_clock is missing"):
        bittiming.solve(500_000, limits=row)
    assert bittiming.best(500_000, limits=row, f_clock=8_000_000).btr1 == 0x1C


def test_numpy_numbers_are_numbers() -> None:
    expected = bittiming.best(500_000, limits="usb_8dev", sample_point=87.5)
    for kind in (np.float32, np.float64, np.int64):
        rate = kind(500_000)
        assert bittiming.best(rate, limits="usb_8dev", sample_point=np.float32(87.5)) == expected
        assert bittiming.solve(rate, limits="usb_8dev")[0].bitrate == 500_000
    with pytest.raises(BitTimingError, match="is not a finite number"):
        bittiming.best(np.float32("nan"), limits="usb_8dev")
