"""BitTiming and BitTimingFd: what follows from a timing, and the way to python-can and back."""

from __future__ import annotations

import copy
import pickle
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import bittiming_oracle as oracle

import canal_fast as cf
from canal_fast import BitTiming, BitTimingFd, bittiming
from canal_fast.bittiming import CONTROLLERS, _bittiming

T = BitTiming(f_clock=32_000_000, brp=4, tseg1=13, tseg2=2, sjw=1)


def test_what_follows() -> None:
    assert (T.bitrate, T.exact_bitrate, T.sample_point, T.nbt, T.tq_ns) == (500_000, 500_000, 87.5, 16, 125)
    assert T.segments == (1, 11, 2, 2)
    assert T.bitrate_error(499_000) == Fraction(1, 499)
    assert T.bitrate_error(Fraction(1_000_000)) == Fraction(-1, 2)
    assert (T.btr0, T.btr1) == (0x03, 0x1C)
    assert T.usb2can_config("ed-000200") == "ED000200;0;13;2;1;4"
    assert str(T) == "500000 bit/s, sample point 87.5 %: 16 quanta of 125 ns (brp 4, tseg1 13, tseg2 2, sjw 1)"


def test_frozen() -> None:
    with pytest.raises(AttributeError):
        T.brp = 5  # type: ignore[misc]
    assert len({T, BitTiming(32_000_000, 4, 13, 2)}) == 1
    assert copy.copy(T) == T
    assert pickle.loads(pickle.dumps(T)) == T
    assert T._replace(brp=8).bitrate == 250_000
    with pytest.raises(cf.BitTimingError):
        T._replace(brp=0)
    row = CONTROLLERS["mcp251xfd"]
    assert pickle.loads(pickle.dumps(row)) == row


def test_split() -> None:
    assert BitTiming(8_000_000, 1, 1, 2).segments == (1, 0, 1, 2)
    assert BitTiming(8_000_000, 1, 5, 2).segments == (1, 3, 2, 2)
    assert BitTiming(8_000_000, 1, 5, 2, prop_seg=1).segments == (1, 1, 4, 2)
    assert bittiming.best(500_000, limits="usb_8dev", bus_length_m=40).segments == (1, 8, 5, 2)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"f_clock": 0}, "f_clock = 0"),
        ({"f_clock": 2**32}, "f_clock = 4294967296"),
        ({"brp": 0}, r"brp = 0, allowed 1\.\.65536"),
        ({"tseg1": 0}, "tseg1 = 0"),
        ({"tseg2": 4097}, "tseg2 = 4097"),
        ({"sjw": 0}, "sjw = 0"),
        ({"sjw": 3}, r"sjw = 3, allowed 1\.\.2: .* a smaller prop_seg"),
        ({"nof_samples": 2}, "nof_samples = 2"),
        ({"prop_seg": 13}, r"prop_seg = 13, allowed 0\.\.12"),
        ({"prop_seg": 12, "sjw": 2}, r"sjw = 2, allowed 1\.\.1"),
    ],
)
def test_bad_fields(fields: dict, words: str) -> None:
    with pytest.raises(cf.BitTimingError, match=words):
        BitTiming(**({"f_clock": 32_000_000, "brp": 4, "tseg1": 13, "tseg2": 2, "sjw": 1} | fields))


def test_bad_fields_of_another_type() -> None:
    with pytest.raises(TypeError, match="brp must be an integer"):
        BitTiming(32_000_000, 4.0, 13, 2)  # type: ignore[arg-type]


@given(st.integers(0, 255), st.integers(0, 255))
def test_registers_there_and_back(btr0: int, btr1: int) -> None:
    try:
        t = BitTiming.from_registers(8_000_000, btr0, btr1)
    except cf.BitTimingError:
        assert (btr0 >> 6) + 1 > min((btr1 & 15) + 1, (btr1 >> 4 & 7) + 1)
        return
    assert (t.btr0, t.btr1) == (btr0, btr1)


def test_registers_that_cannot_hold_it() -> None:
    with pytest.raises(cf.BitTimingError, match="brp = 65 does not fit the SJA1000"):
        _ = BitTiming(8_000_000, 65, 5, 2).btr0
    with pytest.raises(cf.BitTimingError, match="btr0 = 256"):
        BitTiming.from_registers(8_000_000, 256, 0)


@pytest.mark.parametrize(
    ("timing", "serial", "words"),
    [
        (T, "ED00020", "has 7"),
        (T, "", "has 0"),
        (T._replace(f_clock=8_000_000), "ED000200", "8000000 Hz, but the USB2CAN"),
        (T._replace(brp=1025), "ED000200", r"brp = 1025 .* allowed 1\.\.1024"),
        (T._replace(tseg1=17), "ED000200", "tseg1 = 17"),
    ],
)
def test_usb2can_config_refuses(timing: BitTiming, serial: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        timing.usb2can_config(serial)


def test_bus_length() -> None:
    assert T.max_bus_length_m(loop_delay_ns=250) == 87.5  # 11 x 125 ns / 2 - 250 ns, at 5 ns/m
    assert T.max_bus_length_m(loop_delay_ns=250, ns_per_m=10) == 43.75
    assert T.max_bus_length_m(loop_delay_ns=700) == 0
    assert T.propagation_quanta(87.5, 250) == 11
    assert T.propagation_quanta(87.6, 250) == 12
    with pytest.raises(cf.BitTimingError, match="ns_per_m = 0"):
        T.max_bus_length_m(ns_per_m=0)


@pytest.mark.parametrize("rate", [1_000_000, 800_000, 500_000, 250_000, 125_000, 10_000])
def test_a_solution_holds_the_bus_it_was_asked_for(rate: int) -> None:
    for t in bittiming.solve(rate, limits="usb_8dev", bus_length_m=20, loop_delay_ns=150, oscillator_ppm=1500):
        assert t.max_bus_length_m(loop_delay_ns=150) >= 20
        assert t.oscillator_tolerance_ppm() >= 1500
        assert t.oscillator_tolerance_ppm(20, 150) == t.oscillator_tolerance_ppm()


def test_tolerance() -> None:
    tolerance = T.oscillator_tolerance_ppm()
    assert tolerance == pytest.approx(1e6 * min(1 / 320, 2 / (2 * (13 * 16 - 2))))
    assert tolerance.binding == "1: resynchronisation"
    assert tolerance.conditions["1: resynchronisation"] == Fraction(1, 320)
    assert tolerance.conditions["2: bit after an error flag"] == Fraction(2, 412)
    assert T.oscillator_tolerance_ppm(bus_length_m=1000) == 0


def test_tolerance_is_that_of_python_can() -> None:
    """Where a quantum is whole ns, which is what python-can counts in."""
    pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    compared = 0
    for f_clock in (8_000_000, 20_000_000, 40_000_000, 50_000_000):
        for rate in (1_000_000, 500_000, 250_000, 125_000):
            for t in bittiming.solve(rate, limits="sja1000", f_clock=f_clock):
                if t.sample_point < 50:
                    continue
                for length, loop in ((10, 250), (0, 100), (40, 75.5), (300, 250)):
                    theirs = t.to_python_can().oscillator_tolerance(loop, length)
                    assert t.oscillator_tolerance_ppm(length, loop) / 1e4 == pytest.approx(theirs, rel=1e-12, abs=1e-15)
                    compared += 1
    assert compared > 500


def test_python_can_there_and_back() -> None:
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    assert BitTiming.from_python_can(T.to_python_can()) == T
    theirs = can.BitTiming(f_clock=8_000_000, brp=1, tseg1=2, tseg2=2, sjw=2, nof_samples=3)
    ours = BitTiming.from_python_can(theirs)
    assert ours.prop_seg == 0
    assert ours.to_python_can() == theirs
    for rate in (500_000, 100_000):
        for other in can.BitTiming.iterate_from_sample_point(8_000_000, rate, 80):
            assert BitTiming.from_python_can(other).to_python_can() == other
    with pytest.raises(cf.BitTimingError, match="beyond python-can"):
        bittiming.best(10_000, limits="usb_8dev").to_python_can()


def fd(**ask: object) -> list[BitTimingFd]:
    ask = {"nominal": 500_000, "data": 2_000_000, "limits": "mcp251xfd"} | ask
    return bittiming.solve_fd(**ask)  # type: ignore[arg-type]


def test_fd_there_and_back() -> None:
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    compared = 0
    for limits in ("mcp251xfd", "m_can", "pcan_usb_fd"):
        for t in fd(limits=limits, f_clock=40_000_000, count=60):
            if t.nominal_sample_point < 50 or t.data_sample_point < 50:
                continue
            theirs = t.to_python_can()
            assert BitTimingFd.from_python_can(theirs) == t
            for length, loop in ((10, 250), (0, 100), (40, 75.5)):
                expected = theirs.oscillator_tolerance(loop, length)
                assert t.oscillator_tolerance_ppm(length, loop) / 1e4 == pytest.approx(expected, rel=1e-12, abs=1e-15)
            compared += 1
    assert compared > 100
    unlike = can.BitTimingFd(
        f_clock=80_000_000,
        nom_brp=4,
        nom_tseg1=30,
        nom_tseg2=9,
        nom_sjw=9,
        data_brp=1,
        data_tseg1=29,
        data_tseg2=10,
        data_sjw=10,
    )
    ours = BitTimingFd.from_python_can(unlike)
    assert ours.oscillator_tolerance_ppm(10, 250) / 1e4 == pytest.approx(unlike.oscillator_tolerance(), rel=1e-12)
    assert len(ours.oscillator_tolerance_ppm().conditions) == 5


def test_fd_compensation() -> None:
    t = BitTimingFd(BitTiming(80_000_000, 2, 69, 10, 10), BitTiming(80_000_000, 2, 14, 5, 5))
    assert t.tdc_offset == 30  # 15 quanta of two clock periods
    assert t.tdc_allowed
    assert not BitTimingFd(t.nominal, t.data._replace(brp=3)).tdc_allowed


def as_row(t: BitTiming) -> oracle.Row:
    return t.brp, t.tseg1, t.tseg2, t.sjw, t.segments.prop_seg


@pytest.mark.parametrize(
    ("limits", "f_clock", "nominal", "data", "ppm"),
    [
        ("flexcan_fd", 20_000_000, 500_000, 2_000_000, None),
        ("flexcan_fd", 20_000_000, 250_000, 1_000_000, 2000),
        ("m_can", 16_000_000, 500_000, 1_000_000, 4000),
        ("rcar_canfd", 24_000_000, 1_000_000, 3_000_000, None),
    ],
)
def test_fd_pairs_against_brute_force(limits: str, f_clock: int, nominal: int, data: int, ppm: int | None) -> None:
    row = CONTROLLERS[limits]
    assert row.data is not None
    tolerance = None if ppm is None else Fraction(ppm, 10**6)
    n_wish = oracle.Wish(f_clock, Fraction(nominal), tolerance=tolerance)
    d_wish = oracle.Wish(f_clock, Fraction(data), tolerance=tolerance, data_phase=True)
    n_limits, d_limits = oracle.Limits(*row.registers), oracle.Limits(*row.data.registers)
    expected = oracle.ranked_pairs(
        (n_wish, Fraction(80, 100), oracle.feasible(n_limits, n_wish)),
        (d_wish, Fraction(70, 100), oracle.feasible(d_limits, d_wish)),
    )
    for count in (1, 10_000):
        found = bittiming.solve_fd(
            nominal,
            data,
            limits=limits,
            f_clock=f_clock,
            sample_point=80,
            data_sample_point=70,
            oscillator_ppm=ppm,
            count=count,
        )
        assert [(as_row(t.nominal), as_row(t.data)) for t in found] == expected[:count]


def test_fd_prefers_one_prescaler() -> None:
    found = fd(count=10_000)
    same = [t.nominal.brp == t.data.brp for t in found]
    assert same == sorted(same, reverse=True)
    assert False in same
    assert all(t.nominal.max_bus_length_m() >= 40 for t in fd(bus_length_m=40))


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ({"limits": "sja1000"}, "no data phase"),
        ({"count": 0}, "count = 0"),
        ({"data_sample_point": 0}, "sample_point = 0"),
        ({"data": 5_000_000, "oscillator_ppm": 10_800}, "no pair .* holds conditions 4 and 5"),
        ({"oscillator_ppm": 20_000}, "most tolerant timing"),
        ({"bus_length_m": 500}, "bus_length_m"),
    ],
)
def test_fd_bad_input(ask: dict, words: str) -> None:
    with pytest.raises(cf.BitTimingError, match=words):
        fd(**ask)


def test_fd_reasons() -> None:
    with pytest.raises(cf.BitTimingError, match="slower than nominal"):
        bittiming.solve_fd(500_000, 400_000, limits="m_can")
    with pytest.raises(cf.BitTimingError, match=r"m_can \(data phase\).*nearest rates") as caught:
        bittiming.solve_fd(500_000, 7_000_000, limits="m_can")
    assert caught.value.reasons
    two = BitTiming(8_000_000, 1, 13, 2)
    with pytest.raises(cf.BitTimingError, match="must be one clock"):
        BitTimingFd(T, two)
    with pytest.raises(cf.BitTimingError, match="nof_samples = 3"):
        BitTimingFd(two, two._replace(nof_samples=3))


def test_mirror_of_the_headers(include_dir: Path) -> None:
    """Field lists of bittiming.h, of its pxd and of the dtypes are one."""
    header = (include_dir / "canal_fast" / "bittiming" / "timing.h").read_text()
    pxd = (Path(cf.__file__).parent / "capi" / "bittiming.pxd").read_text()
    for macro, struct in (("CF_TIMING_LIMIT_FIELDS", "cf_timing_limits"), ("CF_TIMING_FIELDS", "cf_timing")):
        in_c = re.findall(r"X\((\w+)\)", re.search(rf"#define {macro}\(X\)(?:.*\\\n)*.*\n", header)[0])
        in_c = [name for name in in_c if name != "X"]
        in_pxd = re.findall(r"uint32_t (\w+)", pxd.split(f"ctypedef struct {struct}:")[1].split("ctypedef")[0])
        assert in_c == in_pxd
    assert list(bittiming.TIMING_DTYPE.names) == in_c
    assert np.dtype([(name, "u4") for name in in_c]) == bittiming.TIMING_DTYPE
    assert _bittiming.PAIR_DTYPE.itemsize == 2 * bittiming.TIMING_DTYPE.itemsize


def test_glue_lets_nothing_dangerous_through() -> None:
    for numbers in ((0, 1, 1000), (100, 0, 1000), (500, 1, 400), (500, 1, 1000, 1, 1), (500, 1, 1000, 1, 2, 200_000)):
        with pytest.raises(ValueError, match="status 9"):
            _bittiming.Request(*numbers)
    with pytest.raises(ValueError, match="status 91"):
        _bittiming.Limits(1, 1, 1, 1, 1, 1, 1, 2)
    with pytest.raises(TypeError):
        _bittiming.best(None, None)
    row, request = CONTROLLERS["sja1000"].handle, _bittiming.Request(500, 1, 1000)
    u4 = np.zeros(2, np.uint32)
    with pytest.raises(ValueError, match="differ in length"):
        _bittiming.many(row, request, np.zeros(3, np.int64), u4, u4, np.zeros(3, bittiming.TIMING_DTYPE))
