"""The solver against brute force, known tables and bad input."""

from __future__ import annotations

import os
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import bittiming_oracle as oracle

import canal_fast as cf
from canal_fast import bittiming
from canal_fast.bittiming import CONTROLLERS, ControllerLimits
from canal_fast.errors import BitTimingError

LONG = bool(os.environ.get("CANAL_FAST_LONG"))
CIA_RATES = [1_000_000, 800_000, 500_000, 250_000, 125_000, 100_000, 50_000, 20_000, 10_000]
SAMPLE_POINTS = [Fraction(p) for p in ("50", "62.5", "70", "75", "80", "83.3", "87.5", "90")]
SMALL = [name for name, row in CONTROLLERS.items() if row.tseg1_max <= 16 and row.brp_max <= 1024]
LARGE = [name for name in CONTROLLERS if name not in SMALL]


def limits_for_oracle(row: ControllerLimits) -> oracle.Limits:
    return oracle.Limits(*row.registers)


def as_row(t: cf.BitTiming) -> oracle.Row:
    return t.brp, t.tseg1, t.tseg2, t.sjw, t.segments.prop_seg


def compare(row: ControllerLimits, f_clock: int, rate: int, sample_points: list[Fraction]) -> None:
    wish = oracle.Wish(f_clock, Fraction(rate))
    rows = oracle.feasible(limits_for_oracle(row), wish)
    for sample_point in sample_points:
        ask = {"limits": row, "f_clock": f_clock, "sample_point": sample_point}
        if not rows:
            with pytest.raises(cf.BitTimingError, match="nearest rates"):
                bittiming.solve(rate, **ask)
            continue
        found = bittiming.solve(rate, **ask)
        assert [as_row(t) for t in found] == oracle.ranked(limits_for_oracle(row), wish, sample_point / 100, rows)
        assert bittiming.best(rate, **ask) == found[0]


def test_oracle_knows_the_classics() -> None:
    limits = oracle.Limits(1, 16, 1, 8, 4, 1, 64, 1)
    best = oracle.ranked(limits, oracle.Wish(8_000_000, Fraction(500_000)), Fraction(875, 1000))
    assert best[0] == (1, 13, 2, 2, 11)
    assert len(best) == 16
    assert oracle.feasible(limits, oracle.Wish(8_000_000, Fraction(3_000_000))) == []
    near = oracle.feasible(limits, oracle.Wish(32_000_000, Fraction(83_333)))
    assert {row[0] * (1 + row[1] + row[2]) for row in near} == {384}


@pytest.mark.parametrize("name", SMALL)
def test_small_controllers_against_brute_force(name: str) -> None:
    """Feasible set, order and winner."""
    row = CONTROLLERS[name]
    assert row.f_clock is not None
    for rate in CIA_RATES:
        compare(row, row.f_clock, rate, SAMPLE_POINTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_large_controllers_on_a_sample(name: str) -> None:
    row = CONTROLLERS[name]
    assert row.f_clock is not None
    place = LARGE.index(name)
    for rate in CIA_RATES if LONG else [CIA_RATES[place % 5]]:
        compare(row, row.f_clock, rate, SAMPLE_POINTS[place % 4 :: 4])


def test_coarse_prescalers() -> None:
    """The ESP32 of revision 2 and later: even prescalers up to 128, then multiples of 4."""
    row = CONTROLLERS["esp32_twai_v2"]
    assert str(row).endswith("brp 2..256 step 2, above 128 step 4")
    taken = {t.brp for rate in range(12_500, 41_000, 10) for t in listed(rate, row)}
    assert taken & {126, 128, 130, 132, 134, 136, 256} == {126, 128, 132, 136, 256}
    # ESP-IDF's own configurations for these rates, of which revisions 0 and 1 make none
    for rate, brp, tseg1, tseg2 in ((12_500, 256, 16, 8), (16_000, 200, 16, 8), (20_000, 200, 15, 4)):
        assert (brp, tseg1, tseg2) in {t[1:4] for t in bittiming.solve(rate, limits="esp32_twai_v2")}
        with pytest.raises(cf.BitTimingError, match="nearest rates: 25,000 bit/s"):
            bittiming.solve(rate, limits="esp32_twai")
    for rate in (1000, 5000, 10_000):
        assert bittiming.best(rate, limits="esp32s3_twai").bitrate == rate


@pytest.mark.parametrize(("fine", "step"), [(16, 6), (15, 5), (4, 3), (40, 7)])
def test_coarse_prescalers_in_wide_windows(fine: int, step: int) -> None:
    """Many prescalers within 10 %, on both sides of where the steps change."""
    row = ControllerLimits(
        tseg1_min=1, tseg1_max=6, tseg2_min=1, tseg2_max=4, sjw_max=4, brp_min=2, brp_max=40, brp_inc=2,
        brp_fine_max=fine, brp_coarse_inc=step,
    )  # fmt: skip
    tenth = Fraction(1, 10)
    for rate in (25_000, 40_000, 61_000, 90_000, 125_000):
        wish = oracle.Wish(8_000_000, Fraction(rate), max_error=tenth)
        expected = oracle.ranked(limits_for_oracle(row), wish, Fraction(4, 5))
        assert len({brp for brp, *_ in expected}) > 1
        ask = {"limits": row, "f_clock": 8_000_000, "sample_point": 80, "max_bitrate_error": tenth}
        assert [as_row(t) for t in bittiming.solve(rate, **ask)] == expected
        assert as_row(bittiming.best(rate, **ask)) == expected[0]


def listed(rate: int, row: ControllerLimits) -> list[cf.BitTiming]:
    try:
        return bittiming.solve(rate, limits=row)
    except cf.BitTimingError:
        return []


def test_256_128_1024() -> None:
    row = ControllerLimits(tseg1_min=1, tseg1_max=256, tseg2_min=1, tseg2_max=128, sjw_max=128, brp_min=1, brp_max=1024)
    compare(row, 80_000_000, 500_000, [Fraction("87.5"), Fraction(200, 3)])
    compare(row, 80_000_000, 7_000, [Fraction(80)])


small = st.integers(1, 12)
spread = st.integers(0, 12)


@st.composite
def problems(draw: st.DrawFn) -> tuple[ControllerLimits, oracle.Wish, Fraction, dict[str, object]]:
    t1, t2, brp = draw(small), draw(small), draw(st.integers(1, 20))
    inc = draw(st.integers(1, 4))
    brp_max = brp + inc + draw(st.integers(0, 30))
    coarse = draw(st.booleans())
    row = ControllerLimits(
        tseg1_min=t1,
        tseg1_max=t1 + draw(spread),
        tseg2_min=t2,
        tseg2_max=t2 + draw(spread),
        sjw_max=draw(small),
        brp_min=brp,
        brp_max=brp_max,
        brp_inc=inc,
        brp_fine_max=draw(st.integers(brp, brp_max)) if coarse else 0,
        brp_coarse_inc=draw(st.integers(1, min(12, brp_max))) if coarse else 0,
    )
    f_clock = draw(st.sampled_from([8_000_000, 13_000_000, 40_000_000, 83_368_421, 2**32 - 1]))
    near = Fraction(f_clock, draw(st.integers(3, 1500)))
    rate = (near * draw(st.fractions(Fraction(99, 100), Fraction(101, 100), max_denominator=500))).limit_denominator(
        1000
    )
    rate = min(max(rate, Fraction(100)), Fraction(f_clock))
    error_ppm = draw(st.sampled_from([0, 0, 100, 5000, 100_000]))
    sample = draw(st.fractions(Fraction(1, 2), Fraction(99, 100), max_denominator=1000))
    ask: dict[str, object] = {"max_bitrate_error": Fraction(error_ppm, 10**6)}
    wish = {"max_error": Fraction(error_ppm, 10**6)}
    if draw(st.booleans()):
        length = draw(st.integers(0, 40))
        ask |= {"bus_length_m": length, "loop_delay_ns": 3}
        wish["delay_ns"] = Fraction(2 * (length * 5 + 3))
    if draw(st.booleans()):
        ppm = draw(st.integers(0, 12_000))
        ask["oscillator_ppm"] = ppm
        wish["tolerance"] = Fraction(ppm, 10**6)
    if draw(st.booleans()):
        ask["sjw"] = wish["sjw"] = draw(st.integers(1, row.sjw_max))
    return row, oracle.Wish(f_clock, rate, **wish), sample, ask


@pytest.mark.slow
@settings(max_examples=4000 if LONG else 250, deadline=None, derandomize=not LONG)
@given(problems())
def test_random_limits_against_brute_force(
    problem: tuple[ControllerLimits, oracle.Wish, Fraction, dict[str, object]],
) -> None:
    row, wish, sample, ask = problem
    ask |= {"limits": row, "f_clock": wish.f_clock, "sample_point": sample * 100}
    expected = oracle.ranked(limits_for_oracle(row), wish, sample)
    if not expected:
        for function in (bittiming.solve, bittiming.best):
            with pytest.raises(cf.BitTimingError) as caught:
                function(wish.bitrate, **ask)
            assert caught.value.reasons
        return
    found = bittiming.solve(wish.bitrate, **ask)
    assert [as_row(t) for t in found] == expected
    assert bittiming.best(wish.bitrate, **ask) == found[0]


def test_cia_table_for_the_sja1000() -> None:
    expected = {1_000_000: (0x00, 0x14), 800_000: (0x00, 0x16), 500_000: (0x00, 0x1C), 250_000: (0x01, 0x1C)}
    expected |= {125_000: (0x03, 0x1C), 100_000: (0x04, 0x1C), 50_000: (0x09, 0x1C), 20_000: (0x18, 0x1C)}
    expected[10_000] = (0x31, 0x1C)
    for rate, registers in expected.items():
        t = bittiming.solve(rate, limits="sja1000", f_clock=8_000_000, sjw=1)[0]
        assert (t.btr0, t.btr1) == registers
        assert cf.BitTiming.from_registers(8_000_000, *registers) == t


def test_usb_8dev_as_kernels_up_to_6_2_program_it() -> None:
    expected = {1_000_000: (11, 4, 1, 2), 800_000: (15, 4, 1, 2), 500_000: (13, 2, 1, 4), 250_000: (13, 2, 1, 8)}
    expected |= {100_000: (13, 2, 1, 20), 10_000: (13, 2, 1, 200), 83_333: (9, 2, 1, 32)}
    for rate, fields in expected.items():
        sample_point = 85 if rate == 83_333 else None
        t = bittiming.solve(rate, limits="usb_8dev", rank="linux", sjw_rule="6.2", sample_point=sample_point)[0]
        assert (t.tseg1, t.tseg2, t.sjw, t.brp) == fields


def test_a_rate_less_than_1_bit_per_second_off_is_exact() -> None:
    asked_whole = bittiming.best(83_333, limits="usb_8dev", sample_point=85)
    assert asked_whole == bittiming.best(Fraction(250_000, 3), limits="usb_8dev", sample_point=85)
    assert asked_whole.bitrate_error(Fraction(250_000, 3)) == 0
    assert asked_whole.bitrate_error(83_333) == Fraction(1, 3 * 83_333)
    with pytest.raises(cf.BitTimingError, match=r"83,333\.333 bit/s"):
        bittiming.solve(83_332, limits="usb_8dev")
    assert bittiming.best(83_332, limits="usb_8dev", max_bitrate_error=0.0001).exact_bitrate == Fraction(250_000, 3)


def test_nothing_overflows_at_4_ghz() -> None:
    f_clock = 2**32 - 1
    row = ControllerLimits(
        tseg1_min=1, tseg1_max=4096, tseg2_min=1, tseg2_max=4096, sjw_max=4096, brp_min=1, brp_max=65_536
    )
    assert f_clock == 65_535 * 65_537
    for rate in (100, 65_537, Fraction(f_clock, 997), 1_000_000, f_clock // 3):
        t = bittiming.best(rate, limits=row, f_clock=f_clock, sample_point=Fraction("99.9999"), max_bitrate_error=0.001)
        assert abs(t.bitrate_error(rate)) <= Fraction(1, 1000) or abs(t.exact_bitrate - rate) < 1
    assert bittiming.best(f_clock // 3, limits=row, f_clock=f_clock)[1:4] == (1, 1, 1)
    with pytest.raises(cf.BitTimingError):
        bittiming.solve(100, limits="sja1000", f_clock=f_clock)
    t = bittiming.best(
        1_000_000, limits=row, f_clock=f_clock, max_bitrate_error=0.001, bus_length_m=40, oscillator_ppm=1000
    )
    assert t.max_bus_length_m() >= 40
    with pytest.raises(cf.BitTimingError, match="more than 1,000,000"):
        bittiming.solve(100, limits=row, f_clock=f_clock, max_bitrate_error=0.1)


def test_many_agrees_with_one() -> None:
    rates = np.array([[500_000, 83_333, 83_000], [1e6, 83_332, 99]])
    samples = np.array([[0, 85, 0], [75, 80, 0]])
    table = bittiming.solve_many(rates, limits="usb_8dev", sample_point=samples)
    assert table.dtype == bittiming.TIMING_DTYPE
    assert table.shape == (2, 3)
    assert table["status"].tolist() == [[0, 0, 90], [0, 90, 92]]
    for place in np.argwhere(table["status"] == 0):
        rate, sample = float(rates[tuple(place)]), float(samples[tuple(place)]) or None
        assert bittiming.best(rate, limits="usb_8dev", sample_point=sample)[:5] == table[tuple(place)].tolist()[:5]
    with pytest.raises(cf.BitTimingError, match=r"\[2\]: no bit timing for 83,000"):
        bittiming.solve_many(rates, limits="usb_8dev", sample_point=samples, strict=True)
    clocks = bittiming.solve_many(500_000, limits="sja1000", f_clock=[8_000_000, 16_000_000, 24_000_000], sjw=1)
    assert clocks["brp"].tolist() == [1, 2, 3]
    assert clocks["sjw"].tolist() == [1, 1, 1]


def test_usb2can_timing() -> None:
    assert all(bittiming.usb2can_timing(rate) is None for rate in (125_000, 250_000, 500_000, 800_000, 1_000_000))
    t = bittiming.usb2can_timing(500_000, sample_point=80)
    assert t is not None
    assert t.usb2can_config("ED000200") == f"ED000200;0;{t.tseg1};{t.tseg2};{t.sjw};{t.brp}"
    t = bittiming.usb2can_timing(83_333)
    assert t is not None
    assert t.exact_bitrate == Fraction(250_000, 3)
    with pytest.raises(cf.BitTimingError, match=r"nearest rates: 82,687\.339 .* and 83,116\.883"):
        bittiming.usb2can_timing(83_000)


def test_three_samples_where_the_controller_can() -> None:
    t = bittiming.best(125_000, limits="sja1000", nof_samples=3)
    assert t.nof_samples == 3
    assert t.btr1 & 0x80


def test_best_ranks_as_solve_does() -> None:
    for rate in (1_000_000, 500_000, 83_333):
        options = {"limits": "usb_8dev", "sample_point": 85, "rank": "linux", "sjw_rule": "6.2"}
        assert bittiming.best(rate, **options) == bittiming.solve(rate, **options)[0]
    with pytest.raises(BitTimingError, match="rank = 'worst'"):
        bittiming.best(500_000, limits="usb_8dev", rank="worst")


WIDE = ControllerLimits(
    tseg1_min=1, tseg1_max=4096, tseg2_min=1, tseg2_max=4096, sjw_max=4096, brp_min=1, brp_max=1,
    data=ControllerLimits(tseg1_min=1, tseg1_max=4096, tseg2_min=1, tseg2_max=4096, sjw_max=4096, brp_min=1, brp_max=1),
)  # fmt: skip


def test_pairs_are_bounded() -> None:
    with pytest.raises(BitTimingError, match=r"pairs to compare, allowed 1,000,000,000; a smaller max_bitrate_error"):
        bittiming.solve_fd(100_000, 120_000, limits=WIDE, f_clock=200_000_000, max_bitrate_error=0.1)


@pytest.mark.slow
def test_pairs_in_parts_are_those_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from canal_fast.bittiming import solver_fd

    options = {"limits": "mcp251xfd", "f_clock": 40_000_000, "count": 500}
    expected = bittiming.solve_fd(500_000, 2_000_000, **options)
    monkeypatch.setattr(solver_fd, "_PAIRS_AT_ONCE", 7)
    assert bittiming.solve_fd(500_000, 2_000_000, **options) == expected
