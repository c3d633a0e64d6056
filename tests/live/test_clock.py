"""The clock: unwrapping, the line under late points, simulated devices against their truth."""

from __future__ import annotations

import ctypes
import dataclasses
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from c_programs import build_c
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import clock_oracle as oracle

import canal_fast as cf

US, MS, S = 1_000, 1_000_000, 1_000_000_000
HOUR = 3600.0
USB2CAN = Fraction(1984375, 2)


class Report(ctypes.Structure):
    _fields_ = [
        ("drift_ppm", ctypes.c_double),
        ("residual_ns", ctypes.c_double),
        ("offset_ns", ctypes.c_int64),
        ("uncertainty_ns", ctypes.c_int64),
        ("tick_num", ctypes.c_uint32),
        ("tick_den", ctypes.c_uint32),
        ("settled", ctypes.c_uint32),
        ("calibrated", ctypes.c_uint32),
        ("frames", ctypes.c_uint64),
        ("resets", ctypes.c_uint64),
    ]


@dataclasses.dataclass
class Result:
    error_ns: np.ndarray
    stamps: np.ndarray
    uncertainty_ns: np.ndarray
    report: Any

    def worst_us(self, seconds: np.ndarray, low: float, high: float = np.inf) -> float:
        """Largest error, in us, of the frames `low` <= seconds < `high`."""
        return float(np.abs(self.error_ns[(seconds >= low) & (seconds < high)]).max() / US)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    loaded = ctypes.CDLL(str(build_c("clock_entry", tmp_path_factory.mktemp("clock"))))
    for name in ("clock_unwrap", "clock_scale"):
        getattr(loaded, name).restype = ctypes.c_int64
    loaded.clock_unwrap.argtypes = [ctypes.c_uint32, ctypes.c_int64, ctypes.c_uint32]
    loaded.clock_scale.argtypes = [ctypes.c_int64, ctypes.c_uint32, ctypes.c_uint32]
    return loaded


Run = Callable[..., Result]


@pytest.fixture(scope="session")
def run(library: ctypes.CDLL) -> Run:
    def run(
        r: oracle.Recording, tick: Fraction | None = Fraction(1000), wrap_bits: int = 32, device: int = 0
    ) -> Result:
        count = len(r.raw)
        stamps, uncertainties = np.empty(count, np.int64), np.empty(count, np.int64)
        report = Report()
        num, den = (0, 0) if tick is None else (tick.numerator, tick.denominator)
        library.clock_run(
            num, den, wrap_bits, device, ctypes.c_int64(0), ctypes.c_size_t(count), r.raw.ctypes, r.began_ns.ctypes,
            r.observed_ns.ctypes, stamps.ctypes, uncertainties.ctypes, ctypes.byref(report),
        )  # fmt: skip
        assert report.frames == count
        assert (np.diff(stamps) >= 0).all()
        return Result(stamps - r.true_ns, stamps, uncertainties, report)

    return run


# -- arithmetic

SIGNED = st.integers(-(2**62), 2**62)


@settings(deadline=None)
@given(raw=st.integers(0, 2**32 - 1), predicted=SIGNED, bits=st.sampled_from([8, 16, 29, 31, 32]))
def test_unwrap(library: ctypes.CDLL, raw: int, predicted: int, bits: int) -> None:
    assert library.clock_unwrap(raw % 2**bits, predicted, bits) == oracle.unwrap(raw % 2**bits, predicted, bits)


def test_unwrap_of_few_bits(library: ctypes.CDLL) -> None:
    for predicted in range(-33, 65):
        for raw in range(16):
            assert library.clock_unwrap(raw, predicted, 4) == oracle.unwrap(raw, predicted, 4)


@settings(deadline=None)
@given(
    turns=st.integers(0, 2**28),
    bits=st.sampled_from([29, 32]),
    past=st.integers(-3, 3),
    off=st.sampled_from([0, -1, 1, -(2**28) + 1, 2**28 - 1]),
)
def test_unwrap_beside_a_wrap(library: ctypes.CDLL, turns: int, bits: int, past: int, off: int) -> None:
    true = max(turns * 2**bits + past, 0)
    assert library.clock_unwrap(true % 2**bits, true + off, bits) == true


@settings(deadline=None)
@given(a=SIGNED, num=st.integers(1, 2**31 - 1), den=st.integers(1, 2**31 - 1))
def test_scale(library: ctypes.CDLL, a: int, num: int, den: int) -> None:
    exact = oracle.scale(a, num, den)
    if abs(exact) < 2**62:
        assert library.clock_scale(a, num, den) == exact


@pytest.mark.parametrize(
    ("a", "num", "den"), [(2**62, 1, 1), (2**62 - 1, 2**31 - 1, 2**31 - 1), (0, 5, 7), (-1, 1984375, 2)]
)
def test_scale_at_the_limits(library: ctypes.CDLL, a: int, num: int, den: int) -> None:
    assert library.clock_scale(a, num, den) == oracle.scale(a, num, den)


@settings(deadline=None)
@given(
    steps=st.lists(st.integers(1, 1000), min_size=2, max_size=12),
    heights=st.lists(st.integers(0, 10_000), min_size=20, max_size=20),
)
def test_line_is_the_best_below_all_points(library: ctypes.CDLL, steps: list[int], heights: list[int]) -> None:
    x = np.cumsum(steps).astype(np.float64)
    y = np.array(heights[: len(x)], np.float64)
    first, last = ctypes.c_size_t(), ctypes.c_size_t()
    library.clock_hull_edge(x.ctypes, y.ctypes, ctypes.c_size_t(len(x)), ctypes.byref(first), ctypes.byref(last))
    (x0, x1), (y0, y1) = ([Fraction(float(a[i.value])) for i in (first, last)] for a in (x, y))
    points = [(Fraction(float(a)), Fraction(float(b))) for a, b in zip(x, y, strict=True)]
    above = [b - y0 - (y1 - y0) / (x1 - x0) * (a - x0) for a, b in points]
    assert min(above) == 0
    assert sum(above) == oracle.least_sum_below(x, y)


# -- simulated devices


@pytest.mark.parametrize("ppm", [80.0, -120.0])
@pytest.mark.parametrize("seed", range(3))
def test_one_hour_with_drift_and_latency(run: Run, ppm: float, seed: int) -> None:
    """A 32-bit counter of microseconds that wraps after 50 s, frames up to 2 ms late."""
    rng = np.random.default_rng(seed)
    true = oracle.random_times(rng, HOUR, 200)
    r = oracle.record(true, rng.integers(0, 2 * MS, len(true)), ppm=ppm, first_tick=2**32 - 50_000_000)
    result = run(r)
    assert result.report.drift_ppm == pytest.approx(ppm, abs=2)
    assert result.worst_us(r.seconds, 1) < 200
    assert result.worst_us(r.seconds, 60) < 50
    assert result.worst_us(r.seconds, 0) <= 2000  # before: no worse than the moment of reading
    assert (np.abs(result.error_ns) <= result.uncertainty_ns).mean() > 0.999
    assert result.report.resets == 0


@pytest.mark.parametrize("seconds", [0.001, 10.0])
def test_idle_for_eighty_minutes_across_a_wrap(run: Run, seconds: float) -> None:
    rng = np.random.default_rng(1)
    before = oracle.random_times(rng, seconds, 1000)
    after = oracle.random_times(rng, 60, 200, int(before[-1]) + 4800 * S)
    true = np.concatenate([before, after])
    for first_tick in (0, 2**31 - 1, 2**32 - 5_000_000, 2**32 - 4_700_000_000 % 2**32):
        r = oracle.record(true, rng.integers(0, 2 * MS, len(true)), ppm=80, first_tick=first_tick)
        result = run(r)
        since = (true - after[0]) / 1e9
        assert result.report.resets == 0
        assert result.worst_us(since, 0) < 2100
        assert result.worst_us(since, 1) < 200


def test_usb2can_tick_and_29_bits(run: Run) -> None:
    """Stamps are those of the beginning of a tick: up to 992 us early."""
    rng = np.random.default_rng(2)
    true = oracle.random_times(rng, HOUR, 200)
    late = rng.integers(0, 2 * MS, len(true))
    r = oracle.record(true, late, ppm=35, tick_ns=USB2CAN, wrap_bits=29, first_tick=2**29 - 10**6)
    result = run(r, USB2CAN, 29)
    for second, latest_us in ((1, 500), (30, 200)):
        error = result.error_ns[r.seconds > second]
        assert -1200 * US < error.min() < error.max() < latest_us * US
    assert result.report.drift_ppm == pytest.approx(35, abs=2)
    assert (np.abs(result.error_ns) <= result.uncertainty_ns).mean() > 0.999


def test_a_load_burst_does_not_move_the_line(run: Run) -> None:
    rng = np.random.default_rng(3)
    true = oracle.random_times(rng, 600, 200)
    late = rng.integers(0, 2 * MS, len(true))
    late[(true > true[0] + 200 * S) & (true < true[0] + 260 * S)] += 50 * MS
    r = oracle.record(true, late, ppm=80)
    result = run(r)
    assert result.worst_us(r.seconds, 1) < 200


def test_frames_read_late_in_bursts(run: Run) -> None:
    """The reader comes once every 0 .. 300 ms and finds many frames."""
    rng = np.random.default_rng(4)
    true = oracle.random_times(rng, 300, 1000)
    visits = np.cumsum(rng.integers(1 * MS, 300 * MS, 5000)) + true[0]
    r = oracle.record(true, visits[np.searchsorted(visits, true)] - true, ppm=80)
    result = run(r)
    assert result.worst_us(r.seconds, 2) < 1000
    assert result.worst_us(r.seconds, 60) < 200
    assert result.report.drift_ppm == pytest.approx(80, abs=2)


@pytest.mark.parametrize("stall_s", [1, 120])
def test_a_reader_that_stalls(run: Run, stall_s: int) -> None:
    """What the driver has queued meanwhile is read in one go."""
    rng = np.random.default_rng(10)
    true = oracle.random_times(rng, 300, 200)
    late = rng.integers(0, 2 * MS, len(true))
    begin, end = true[0] + 30 * S, true[0] + (30 + stall_s) * S
    late = np.where((true >= begin) & (true < end), end - true, late)
    r = oracle.record(true, late, ppm=80)
    result = run(r)
    assert result.report.resets == 0
    assert result.worst_us(r.seconds, 1) < 200


def test_a_reset_while_the_tick_is_being_found(run: Run) -> None:
    rng = np.random.default_rng(11)
    true = oracle.random_times(rng, 60, 200)
    r = oracle.record(true, rng.integers(0, 2 * MS, len(true)), first_tick=1_000_000_000)
    cut = int(np.searchsorted(r.seconds, 0.5))
    r.raw[cut:] = ((true[cut:] - true[cut]) // 1000).astype(np.uint32)
    result = run(r, None)
    assert (result.report.tick_num, result.report.tick_den) == (1000, 1)
    assert result.worst_us(r.seconds, 4) < 200


@pytest.mark.parametrize("before_s", [0.5, 100.0, 4000.0])
def test_a_counter_that_is_reset(run: Run, before_s: float) -> None:
    rng = np.random.default_rng(5)
    true = oracle.random_times(rng, before_s + 60, 200)
    r = oracle.record(true, rng.integers(0, 2 * MS, len(true)), ppm=80, first_tick=3_000_000_000)
    cut = int(np.searchsorted(r.seconds, before_s))
    r.raw[cut:] = ((true[cut:] - true[cut]) * 1.00008 // 1000).astype(np.uint32)
    result = run(r)
    assert result.report.resets == 1
    since = r.seconds - before_s
    assert result.worst_us(since, 0, 1) < 5000
    assert result.worst_us(since, 2) < 200


@pytest.mark.parametrize("tick", [*map(Fraction, (100, 1000, 10_000, 100_000, MS)), USB2CAN])
def test_unknown_tick_is_found_within_seconds(run: Run, tick: Fraction) -> None:
    rng = np.random.default_rng(6)
    true = oracle.random_times(rng, 120, 200)
    r = oracle.record(true, rng.integers(0, 2 * MS, len(true)), ppm=80, tick_ns=tick, first_tick=2**32 - 10)
    result = run(r, None)
    assert Fraction(result.report.tick_num, result.report.tick_den) == tick
    assert result.report.calibrated == 1
    assert result.worst_us(r.seconds, 0, 1.5) <= 2001  # the host's time meanwhile
    assert result.worst_us(r.seconds, 4) < 300 + float(tick) / 1000
    assert result.report.drift_ppm == pytest.approx(80, abs=2)


def test_unusual_tick_is_measured(run: Run) -> None:
    rng = np.random.default_rng(7)
    true = oracle.random_times(rng, 120, 200)
    r = oracle.record(true, rng.integers(0, 2 * MS, len(true)), tick_ns=Fraction(100_000, 3))
    result = run(r, None)
    assert result.report.tick_num / result.report.tick_den == pytest.approx(100_000 / 3, rel=0.001)
    assert result.worst_us(r.seconds, 6) < 200


def test_wrong_tick_is_found_out(run: Run) -> None:
    """Milliseconds taken for microseconds."""
    rng = np.random.default_rng(8)
    true = oracle.random_times(rng, 120, 200)
    r = oracle.record(true, rng.integers(0, 2 * MS, len(true)), tick_ns=Fraction(MS))
    result = run(r)
    assert (result.report.tick_num, result.report.calibrated) == (MS, 1)
    assert result.worst_us(r.seconds, 4) < 1300


@pytest.mark.parametrize("tick", [Fraction(1000), None])
def test_garbage_ticks_stay_in_bounds(run: Run, tick: Fraction | None) -> None:
    rng = np.random.default_rng(9)
    true = oracle.random_times(rng, 60, 200)
    r = oracle.record(true, rng.integers(0, 2 * MS, len(true)))
    r.raw[:] = rng.integers(0, 2**32, len(true))
    result = run(r, tick)
    assert np.abs(result.error_ns).max() < 61 * S  # never decreasing, and not in the far future


def test_device_time_starts_at_its_own_zero(run: Run) -> None:
    true = np.arange(1000) * 10 * MS + 10**15
    r = oracle.record(true, np.full(1000, MS), first_tick=2**32 - 5)
    assert run(r, device=1).stamps.tolist() == [(2**32 - 5) * 1000 + i * 10 * MS for i in range(1000)]


# -- through a channel


def test_clock_of_the_virtual_bus() -> None:
    with cf.Channel.virtual("clock0;1000000;load=0.5;seed=1") as ch:
        assert not ch.clock().settled
        deadline = time.monotonic() + 20
        while not ch.clock().settled and time.monotonic() < deadline:
            frames = ch.receive(min_frames=500, timeout=1)
        ch.stop()
        clock = ch.clock()
        assert clock.settled
        assert (clock.source, clock.tick_ns, clock.wrap_bits, clock.resets) == ("device", 1000, 32, 0)
        assert clock.frames == ch.ledger().received
        assert 0 < clock.uncertainty_ns < S
        now = clock.epoch_offset_ns + time.monotonic_ns()
        assert now - 20 * S < frames["timestamp_ns"][-1] < now


def test_unknown_tick_through_a_channel() -> None:
    with cf.Channel("virtual", "clock1;1000000;load=0.5;seed=1", profile="usb2can-korlan") as ch:
        assert (ch.clock().source, ch.clock().tick_ns) == ("host", None)
        deadline = time.monotonic() + 20
        while not ch.clock().calibrated and time.monotonic() < deadline:
            ch.receive(min_frames=500, timeout=1)
        assert (ch.clock().source, ch.clock().tick_ns) == ("device", 1000)
    assert ch.clock().calibrated


def test_clock_without_ticks() -> None:
    with cf.Channel("virtual", "clock2;1000000;load=0.5;seed=1", profile="generic") as ch:
        ch.receive(min_frames=100, timeout=5)
        clock = ch.clock()
        assert (clock.source, clock.tick_ns, clock.calibrated, clock.settled) == ("host", None, False, False)
    with pytest.raises(ValueError, match="no usable device clock"):
        cf.Channel("virtual", "clock2", profile="usb2can-korlan", clock="device")
