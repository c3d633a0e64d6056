"""decode(synthesise(x)) is x, as far as physics allows; where it does not, the loss is reported."""

from __future__ import annotations

import numpy as np
import pytest
from wire_cases import LONG, random_frames, same_on_wire

from canal_fast import waveform
from canal_fast.waveform import Wave
from canal_fast.wire import frame_duration_ns

MILLION = 1_000_000


def displaced(wave: Wave, seconds: np.ndarray) -> Wave:
    """Exact edges, each displaced by its own time."""
    edges = wave.edges + np.rint(seconds * wave.ticks_per_second).astype(np.int64)
    return Wave(edges, wave.level, wave.ticks_per_second, wave.begin, wave.end + MILLION, wave.resolution)


def sampled(wave: Wave, rate: int) -> Wave:
    edges = np.ceil(wave.edges * (rate / wave.ticks_per_second)).astype(np.int64)
    return Wave(edges, wave.level, rate, 0, int(wave.end * (rate / wave.ticks_per_second)) + 2, 1.0)


def slack(bitrate: float, point: float, ppm: float, rate: int) -> tuple[float, float]:
    """J and J' of one rate, in seconds: half of what is left of the bit after its sample, after 10 bits of drift."""
    bit = 1 / bitrate
    rest = (1 - point / 100) * bit - 10 * bit * abs(ppm) * 1e-6
    return rest / 2 - 1 / rate, 1.1 * rest / 2 + 1 / rate


def case(fd: bool, count: int, seed: int, ppm: float, share: float) -> None:
    """Edges displaced by at most `share` of J, uniformly or by all of it in either direction."""
    rate, bitrate, data_bitrate = 100_000_000, 500_000, 2_000_000 if fd else None
    frames = random_frames(count, seed, fd)
    rng = np.random.default_rng(seed)
    wave = waveform.synthesise(frames, bitrate, data_bitrate, clock_ppm=ppm, idle_bits=rng.uniform(0, 9, count))
    least = min(slack(b, p, ppm, rate)[0] for b, p in ((bitrate, 87.5), (data_bitrate or bitrate, 75 if fd else 87.5)))
    bound = share * least
    moves = rng.choice([-bound, bound], len(wave.edges)) if seed % 2 else rng.uniform(-bound, bound, len(wave.edges))
    d = waveform.decode(sampled(displaced(wave, moves), rate), bitrate, data_bitrate, columns=False)
    assert d.valid.all()
    assert same_on_wire(d.frames, frames)


@pytest.mark.parametrize("ppm", [-1000, 0, 1000])
@pytest.mark.parametrize("fd", [False, True])
def test_displaced_edges(fd: bool, ppm: int) -> None:
    for seed in range(2):
        case(fd, 1500, seed, ppm, 0.9)


@pytest.mark.slow
def test_a_million_displaced_frames() -> None:
    """All of them with CANAL_FAST_LONG=1, else a tenth."""
    for part in range(50 if LONG else 5):
        case(part % 2 == 1, 20_000, part, 1000 if part % 3 else -1000, 0.9)


@pytest.mark.parametrize("fd", [False, True])
@pytest.mark.parametrize("ppm", [-1000, 0, 1000])
def test_too_far_displaced_edges_are_lost_and_reported(fd: bool, ppm: int) -> None:
    """Edges alternate between plus and minus J': no frame comes out, and each has a row that says where."""
    rate, bitrate, data_bitrate = 100_000_000, 500_000, 2_000_000 if fd else None
    frames = random_frames(300, 7, fd)
    wave = waveform.synthesise(frames, bitrate, data_bitrate, clock_ppm=ppm, idle_bits=30)
    bound = max(slack(b, p, ppm, rate)[1] for b, p in ((bitrate, 87.5), (data_bitrate or bitrate, 75 if fd else 87.5)))
    moves = np.where(np.arange(len(wave.edges)) % 2, -bound, bound)
    d = waveform.decode(sampled(displaced(wave, moves), rate), bitrate, data_bitrate)
    assert not d.valid.any()
    lengths = frame_duration_ns(frames, bitrate, data_bitrate) / (1 + ppm * 1e-6)
    begin = wave.edges_ns[np.diff(wave.edges, prepend=-wave.end) > 24 * MILLION]  # after 12 bits, in ps
    inside = (d.start_ns[:, None] >= begin - bound * 1e9 - 50) & (d.start_ns[:, None] < begin + lengths)
    assert inside.any(axis=0).all()  # a row for each frame sent
    assert (d.bit_index >= 0).all()


def test_small_jump_width_follows_a_clock_that_is_off() -> None:
    """sjw of just the drift of ten bits is enough; half of it is not."""
    frames = random_frames(400, 3, fd=False)
    wave = waveform.synthesise(frames, 500_000, clock_ppm=10_000)
    assert waveform.decode(wave, 500_000, sjw=10.1).valid.all()
    assert not waveform.decode(wave, 500_000, sjw=2).valid.all()


@pytest.mark.parametrize("seed", range(4))
def test_triple_sampling_outvotes_short_pulses(seed: int) -> None:
    frames = random_frames(60, seed, fd=False)
    wave = waveform.synthesise(frames, 125_000, glitches=0.02, glitch_ns=150, seed=seed)
    single, triple = (waveform.decode(wave, 125_000, sjw=3, triple=t) for t in (False, True))
    assert triple.valid.sum() >= single.valid.sum()
    assert triple.glitches is not None
    assert triple.glitches.sum() > 50


@pytest.mark.parametrize("ppm", [-1000, -300, 0, 250, 1000])
@pytest.mark.parametrize("offset", [0, 300])
def test_two_samples_a_bit(ppm: int, offset: int) -> None:
    """As NMEA 2000 (250 kbit/s) at 500 000 samples a second, from transceivers that are not symmetrical."""
    frames = random_frames(800, 11, fd=False)
    wave = waveform.synthesise(
        frames,
        250_000,
        sample_rate=500_000,
        clock_ppm=ppm,
        asymmetry_ns=offset,
        jitter_ns=offset,
        idle_bits=4.7,
        seed=ppm + 2000,
    )
    d = waveform.decode(wave, 250_000)
    assert d.valid.mean() >= 0.99
    assert waveform.detect_bitrate(wave).bitrate == 250_000
    sent = {(int(f["arbitration_id"]), int(f["dlc"]), f["data"].tobytes()) for f in frames}
    assert {(int(f["arbitration_id"]), int(f["dlc"]), f["data"].tobytes()) for f in d.frames[d.valid]} <= sent


@pytest.mark.slow
def test_345_seconds_at_two_samples_a_bit() -> None:
    rng = np.random.default_rng(5)
    count = 100_000
    frames = random_frames(count, 12, fd=False)
    wave = waveform.synthesise(
        frames, 250_000, sample_rate=500_000, clock_ppm=rng.uniform(-500, 500, count), asymmetry_ns=100, jitter_ns=150,
        idle_bits=rng.uniform(0, 1500, count), seed=1,
    )  # fmt: skip
    assert wave.duration_s > 300
    d = waveform.decode(wave)
    frames_seen = ~np.isin(d.status, (6, 7, 9))
    assert d.valid[frames_seen].mean() >= 0.99


@pytest.mark.parametrize(("samples", "bound"), [(20, 150.0), (100, 30.0)])
def test_clock_error(samples: int, bound: float) -> None:
    """The mean of 50 frames, and how often the stated uncertainty holds the truth."""
    rng = np.random.default_rng(samples)
    bad, held, total = 0, 0, 0
    runs = 200 if LONG else 60
    for seed in range(runs):
        ppm = float(rng.uniform(0, 1000))
        frames = random_frames(400, seed, fd=False)
        frames = frames[(frames["dlc"] >= 8) & ((frames["flags"] & 2) == 0)][:50]
        wave = waveform.synthesise(
            frames,
            500_000,
            sample_rate=500_000 * samples,
            clock_ppm=ppm,
            idle_bits=rng.uniform(0, 20, len(frames)),
            seed=seed,
        )
        d = waveform.decode(wave, 500_000)
        assert d.clock_ppm is not None
        assert d.clock_uncertainty_ppm is not None
        bad += abs(d.clock_ppm.mean() - ppm) > bound
        held += int((np.abs(d.clock_ppm - ppm) <= d.clock_uncertainty_ppm).sum())
        total += len(d)
    assert bad <= runs // 100
    assert held >= 0.95 * total


def test_per_frame_columns() -> None:
    """Exact edges: clock, margin and times are those that were asked for."""
    frames = random_frames(100, 9)
    ppm = np.linspace(-900, 900, 100)
    wave = waveform.synthesise(frames, 500_000, 2_000_000, clock_ppm=ppm, idle_bits=20)
    d = waveform.decode(wave, 500_000, 2_000_000)
    assert d.clock_ppm is not None
    assert d.margin_ns is not None
    assert np.abs(d.clock_ppm - ppm).max() < 1
    assert np.allclose(d.bitrate, 500_000 * (1 + ppm * 1e-6), rtol=2e-6)
    assert (d.margin_ns > 100).all()  # a quarter of 500 ns, less the drift of ten bits
    assert (d.margin_ns <= 260).all()
    lengths = frame_duration_ns(frames, 500_000, 2_000_000) - 3 * 2000  # without intermission
    assert np.abs((d.end_ns - d.start_ns) / (lengths / (1 + ppm * 1e-6)) - 1).max() < 2e-3
