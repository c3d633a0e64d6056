"""The kernels beside the slow node of oracle/waveform_oracle.py."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import waveform_oracle as oracle
from support.wire_cases import random_frames, to_oracle

from canal_fast import waveform
from canal_fast.bittiming import BitTiming
from canal_fast.waveform import Wave, WaveStatus
from canal_fast.waveform.kernel import decode_source, join
from canal_fast.waveform.rates import Rates, kernel_timing, make_phase, rates_of

RATE = 40_000_000
CLASSICAL = Rates(make_phase("", 500_000))
FLEXIBLE = Rates(make_phase("", 500_000), make_phase("", 2_000_000))
NARROW = Rates(make_phase("", 500_000, 75, 5), make_phase("", 2_000_000, 70, 10))
TRIPLE = rates_of(BitTiming(8_000_000, 1, 11, 4, 2, 3))


def twin(wave: Wave, rates: Rates) -> list[oracle.Row]:
    fields = kernel_timing(rates, wave.ticks_per_second, wave.resolution).tolist()
    left, right = fields[8:10]
    nominal = oracle.Phase(*fields[0:3], fields[6])
    data = oracle.Phase(*fields[3:6], fields[7])
    edges = [int(e) << left >> right for e in wave.edges]
    return oracle.Node(edges, wave.level, wave.end << left >> right, nominal, data).rows()


def kernel(wave: Wave, rates: Rates, thorough: bool) -> waveform.Decoded:
    return join([*decode_source(wave.source(), rates, True, thorough=thorough)], rates, True)


def compare(wave: Wave, rates: Rates) -> list[str]:
    expected = twin(wave, rates)
    fields = kernel_timing(rates, wave.ticks_per_second, wave.resolution).tolist()
    scale = 2.0 ** (fields[9] - fields[8]) * 1e9 / wave.ticks_per_second
    for thorough in (False, True):
        got = kernel(wave, rates, thorough)
        assert [WaveStatus(s).name for s in got.status] == [row.status for row in expected]
        assert got.bit_index.tolist() == [row.bit_index for row in expected]
        assert np.allclose(got.start_ns, [row.start * scale for row in expected], rtol=0, atol=2)
        for row, frame, valid, end in zip(expected, got.frames, got.valid, got.end_ns, strict=True):
            assert valid == (row.frame is not None)
            assert row.frame is None or to_oracle(frame) == row.frame
            assert row.end < 0 or abs(end - row.end * scale) <= 2
    short, full = (kernel(wave, rates, thorough) for thorough in (False, True))
    for name in ("end_ns", "clock_ppm", "clock_uncertainty_ppm", "margin_ns", "margin_percent", "glitches"):
        assert np.allclose(getattr(short, name), getattr(full, name), equal_nan=True), name
    return [row.status for row in expected]


def flipped(wave: Wave, seed: int, count: int, longest: int) -> Wave:
    """Pulses of the other level, some of them longer than a bit, at random places."""
    rng = np.random.default_rng(seed)
    starts = rng.integers(1, wave.end - longest, count)
    lengths = rng.integers(1, longest, count)
    toggles = np.concatenate([wave.edges, starts, starts + lengths])
    times, counts = np.unique(toggles, return_counts=True)
    return Wave(times[counts % 2 == 1], wave.level, wave.ticks_per_second, 0, wave.end, wave.resolution)


@pytest.mark.parametrize("rates", [CLASSICAL, FLEXIBLE, NARROW, TRIPLE], ids=["classical", "fd", "narrow", "triple"])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 8))])
def test_as_the_twin(rates: Rates, seed: int) -> None:
    frames = random_frames(6 if seed else 3, seed, fd=rates.data is not None)
    data_bitrate = None if rates.data is None else 2_000_000
    wave = waveform.synthesise(
        frames, 500_000, data_bitrate, sample_rate=RATE, clock_ppm=400, jitter_ns=20, idle_bits=seed * 1.3, seed=seed
    )
    compare(wave, rates)
    for count in (2, 8):
        compare(flipped(wave, seed, count, 30), rates)
        compare(flipped(wave, seed + 1, count, 700), rates)


@pytest.mark.slow
def test_each_status_was_met() -> None:
    met: set[str] = set()
    for seed in range(12):
        wave = waveform.synthesise(
            random_frames(4, seed), 500_000, 2_000_000, sample_rate=RATE, seed=seed, ack=seed % 3 > 0
        )
        met |= set(compare(flipped(wave, seed, 4, 900), FLEXIBLE))
    assert met >= {"OK", "STUFF_ERROR", "FORM_ERROR", "CRC_ERROR", "NOT_ACKNOWLEDGED", "ERROR_FLAG", "OVERLOAD"}
