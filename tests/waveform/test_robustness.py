"""Damaged waveforms: no frame that was not sent, the damage where it is, and the first whole frame after it."""

from __future__ import annotations

import numpy as np
import pytest
from wire_cases import LONG, random_frames, to_oracle

from canal_fast import waveform
from canal_fast.frames import FRAME_DTYPE
from canal_fast.waveform import Wave, WaveStatus, _waveform

BITRATE, DATA = 500_000, 2_000_000
BIT_NS = 2_000


def sent(frames: np.ndarray) -> set:
    return {to_oracle(frame) for frame in frames}


def read(wave: Wave) -> waveform.Decoded:
    return waveform.decode(wave, BITRATE, DATA)


def made(seed: int, count: int = 20, fd: bool = True, rate: int | None = 40_000_000) -> tuple[np.ndarray, Wave]:
    frames = random_frames(count, seed, fd)
    rng = np.random.default_rng(seed)
    return frames, waveform.synthesise(
        frames, BITRATE, DATA, sample_rate=rate, clock_ppm=300, idle_bits=rng.uniform(0, 12, count), seed=seed
    )


def frame_starts(wave: Wave) -> np.ndarray:
    """SOF edges: the falling ones after eleven bits."""
    gaps = np.diff(wave.edges_ns, prepend=-(10**9))
    return wave.edges_ns[gaps > 10.2 * BIT_NS]


@pytest.mark.parametrize("fd", [False, True])
def test_every_beginning(fd: bool) -> None:
    """From any time on: only frames sent, and all that begin after 11 recessive bits."""
    frames, wave = made(3, 8, fd)
    known, starts = sent(frames), frame_starts(wave)
    for begin in np.linspace(0, wave.duration_s * 1e9, 900 if not LONG else 20_000):
        d = read(wave.between(begin, wave.duration_s * 1e9))
        assert sent(d.frames[d.valid]) <= known
        whole = starts[starts > begin + 11.2 * BIT_NS]
        expected = [
            s for s in whole if not np.any((wave.edges_ns > s - 11 * BIT_NS) & (wave.edges_ns < s - 8.2 * BIT_NS))
        ]
        if expected:  # the first frame with an idle bus before it, and all after
            first = min(expected)
            assert np.isin(starts[starts >= first], d.start_ns[d.valid]).all()


def test_every_prefix() -> None:
    frames, wave = made(4, 6)
    known = sent(frames)
    full = read(wave)
    for end in np.linspace(1, wave.duration_s * 1e9, 900):
        part = wave.between(0, end)
        d = read(part)
        assert sent(d.frames[d.valid]) <= known
        complete = full.end_ns[full.valid] + 0.2 * BIT_NS < end
        assert d.valid.sum() >= complete.sum()
        assert set(d.status[~d.valid].tolist()) <= {WaveStatus.TRUNCATED}


def toggled(wave: Wave, places: np.ndarray) -> Wave:
    times, counts = np.unique(np.concatenate([wave.edges, places]), return_counts=True)
    return Wave(times[counts % 2 == 1], wave.level, wave.ticks_per_second, 0, wave.end, wave.resolution)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["samples", "bursts", "dropped", "glitches"])
def test_noise(kind: str, seed: int) -> None:
    frames, wave = made(seed, 150)
    rng = np.random.default_rng(seed)
    if kind == "samples":  # single samples flipped
        places = rng.choice(wave.end - 1, 400, replace=False)
        noisy = toggled(wave, np.concatenate([places, places + 1]))
    elif kind == "bursts":
        noisy = toggled(wave, rng.choice(wave.end, 300, replace=False))
    elif kind == "dropped":  # a probe that loses 1 to 300 samples at a time
        edges = wave.edges.copy()
        for place in rng.integers(0, wave.end, 40):
            lost = int(rng.integers(1, 300))
            edges = np.where(edges > place + lost, edges - lost, np.minimum(edges, place))
        times, counts = np.unique(edges, return_counts=True)
        noisy = Wave(times[counts % 2 == 1], 1, wave.ticks_per_second, 0, wave.end, 1.0)
    else:
        starts = np.sort(rng.choice(wave.end, 2000, replace=False))
        noisy = toggled(wave, np.concatenate([starts, starts + rng.integers(1, 4, len(starts))]))
    d = read(noisy)
    assert sent(d.frames[d.valid]) <= sent(frames)
    assert d.valid.sum() >= 5
    assert (np.diff(d.start_ns) >= 0).all()
    assert (d.end_ns >= d.start_ns).all()


@pytest.mark.parametrize("seed", range(3))
def test_one_wrong_bit_is_found_where_it_is(seed: int) -> None:
    """A bit inverted in frame 1 of 3: reported at or after the place, never before; the others are read."""
    frames = random_frames(3, 40 + seed, fd=False)
    wave = waveform.synthesise(frames, BITRATE, idle_bits=40, seed=1)
    bits = np.round((waveform.decode(wave, BITRATE).end_ns[1] - waveform.decode(wave, BITRATE).start_ns[1]) / BIT_NS)
    start = int(frame_starts(wave)[1]) * 1000
    for bit in range(1, int(bits) - 10):
        place = start + bit * BIT_NS * 1000
        d = waveform.decode(toggled(wave, np.array([place, place + BIT_NS * 1000])), BITRATE)
        assert d.valid[d.start_ns == d.start_ns[0]].all()
        row = int(np.flatnonzero(d.start_ns == start // 1000)[0])
        assert not d.valid[row]
        assert d.status[row] in (
            WaveStatus.STUFF_ERROR,
            WaveStatus.FORM_ERROR,
            WaveStatus.CRC_ERROR,
            WaveStatus.PROTOCOL_EXCEPTION,
        )
        assert d.bit_index[row] >= bit or d.status[row] == WaveStatus.CRC_ERROR
        assert to_oracle(d.frames[-1]) == to_oracle(frames[2])


@pytest.mark.parametrize("level", [0, 1])
def test_stuck_lines(level: int) -> None:
    """Dominant for a millisecond before, inside and after frames, and for the whole capture."""
    frames, wave = made(5, 2, fd=False, rate=None)
    second = 10**12
    ms = second // 1000
    stuck = Wave(np.empty(0, np.int64), level, second, 0, ms, 0)
    d = waveform.decode(stuck, BITRATE)
    assert d.status.tolist() == ([] if level else [WaveStatus.STUCK])
    if not level:
        assert (d.start_ns[0], d.end_ns[0]) == (0, 1_000_000)
    edges = np.concatenate([[5 * ms, 6 * ms], wave.edges + 7 * ms])
    d = waveform.decode(Wave(edges, 1, second, 0, wave.end + 8 * ms, 0), BITRATE)
    assert d.status.tolist() == [WaveStatus.STUCK, 0, 0]
    assert (d.start_ns[0], d.end_ns[0]) == (5_000_000, 6_000_000)
    assert sent(d.frames[1:]) == sent(frames)
    cut = int(np.searchsorted(wave.edges, wave.edges[0] + 60 * BIT_NS * 1000)) // 2 * 2 + 1  # dominant from here on
    half = Wave(wave.edges[:cut], 1, second, 0, int(wave.edges[cut - 1]) + 3 * ms, 0)
    d = waveform.decode(half, BITRATE)
    assert d.status.tolist() == [WaveStatus.STUFF_ERROR, WaveStatus.STUCK]
    assert d.end_ns[1] - d.start_ns[1] == 3_000_000
    d = waveform.decode(Wave(np.array([2 * ms]), 0, second, 0, 5 * ms, 0), BITRATE)
    assert [(s, a, b) for s, a, b in zip(d.status, d.start_ns, d.end_ns, strict=True)] == [(9, 0, 2_000_000)]


def test_random_edges_hold_no_frames() -> None:
    rng = np.random.default_rng(1)
    for scale in (200, 900, 4000, 30_000):
        edges = np.cumsum(rng.integers(1, scale, 60_000))
        d = read(Wave(edges, 1, 40_000_000, 0, int(edges[-1]) + 5))
        assert not d.valid.any()


def test_bad_rates_say_so() -> None:
    _, wave = made(1, 3, rate=5_000_000)
    for arguments, text in [
        ({"bitrate": 3_000_000}, "at least 2 are needed: sample at 6000000"),
        ({"bitrate": 500_000, "data_bitrate": 4_000_000}, "data_bitrate = 4000000"),
        ({"bitrate": 10}, "bitrate = 10, allowed 100"),
        ({"bitrate": 500_000, "data_bitrate": 2e6, "sample_point": 101}, "sample_point = 101"),
        ({"bitrate": 500_000, "data_bitrate": 2e6, "sjw": 13}, r"sjw = 13, allowed 0..12.5"),
    ]:
        with pytest.raises(ValueError, match=text):
            waveform.decode(wave, **arguments)
    with pytest.raises(ValueError, match="too few for any bit rate"):
        waveform.decode(Wave(np.arange(1000) * 7, 1, 1000, 0, 7000))
    with pytest.raises(ValueError, match="bit rate cannot be told"):
        waveform.decode(Wave(np.arange(1000) * 7, 1, 10**6, 0, 7000))
    with pytest.raises(ValueError, match="invert=True"):
        waveform.decode(wave.inverted())
    with pytest.raises(ValueError, match="BITRATE_SWITCH need data_bitrate"):
        waveform.synthesise(random_frames(50, 1), 500_000)
    with pytest.raises(ValueError, match="displace edges"):
        waveform.synthesise(random_frames(50, 1, fd=False), 500_000, jitter_ns=3000, seed=1)


@pytest.mark.parametrize("given", [0, 3, 10])
def test_the_decoder_wants_its_columns(given: int) -> None:
    """The kernel writes the first four always."""
    fields = np.full(_waveform.TIMING_FIELDS, 1 << 20, np.int64)
    fields[8:11] = 0
    decoder = _waveform.Decoder(fields, 1.0, False)
    columns = [np.empty(1, np.uint8)] * given
    with pytest.raises(ValueError, match=f"{given} columns, allowed 4..9"):
        decoder.read(np.empty(0, np.int64), 1, 0, 0, True, np.empty(1, FRAME_DTYPE), columns)
