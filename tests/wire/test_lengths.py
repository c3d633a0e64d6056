"""Lengths in all modes, extremes, durations and bus load."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import wire_oracle as oracle
from wire_cases import BRS, EXTENDED, FD, LONG, REMOTE, random_frames, to_oracle

import canal_fast as cf
from canal_fast import wire


def test_shortest_frames() -> None:
    """48 bits for data, 47 for remote frames, with intermission; base, 8 bytes: at least 111."""
    ids = np.arange(2048)
    data = wire.frame_length_bits(cf.make_frames(ids))
    assert (data.min(), data.max()) == (48, 53)
    assert data.mean() == pytest.approx(48.97, abs=0.005)
    remote = np.concatenate([wire.frame_length_bits(cf.make_frames(ids, dlc=d, flags=REMOTE)) for d in range(16)])
    assert remote.min() == 47
    assert wire.frame_length_bits(cf.make_frames(0x085, dlc=2, flags=REMOTE))[0] == 47


@pytest.mark.parametrize("n", range(9))
def test_worst_case_formulas(n: int) -> None:
    assert wire.frame_length_bits(cf.make_frames(1, bytes(n)), "worst_case")[0] == 55 + 10 * n
    assert wire.frame_length_bits(cf.make_frames(1, bytes(n), flags=EXTENDED), "worst_case")[0] == 80 + 10 * n
    assert wire.frame_length_bits(cf.make_frames(1, bytes(n)), "unstuffed", intermission=False)[0] == 44 + 8 * n


def test_worst_case_of_fd() -> None:
    assert wire.frame_length_bits(cf.make_frames(1, dlc=15, fd=True), "worst_case", intermission=False)[0] == 709
    assert wire.frame_length_bits(cf.make_frames(1, dlc=15, fd=True, flags=EXTENDED), "worst_case")[0] == 732 + 3


def climb(flags: int, size: int, fd: bool, rounds: int) -> int:
    """The longest frame that a search by small changes finds."""
    rng = np.random.default_rng(size + flags)
    dtype = cf.FD_FRAME_DTYPE if fd else cf.FRAME_DTYPE
    frames = np.zeros(2000, dtype)
    frames["flags"] = flags
    frames["dlc"] = oracle.FD_LENGTHS.index(size)
    limit = 0x1FFFFFFF if flags & EXTENDED else 0x7FF
    frames["arbitration_id"] = rng.choice([0x1F0F0F0F & limit, 0x7C1F0783 & limit, 0], len(frames))
    pattern = np.array([0xF0, 0x78, 0x3C, 0x1E, 0x0F, 0x87, 0xC3, 0xE1, 0xF8, 0x00, 0xFF], np.uint8)
    frames["data"][:, :size] = rng.choice(pattern, (len(frames), 1))  # four and four bits, as stuffing likes it
    best = 0
    for _ in range(rounds):
        lengths = wire.frame_length_bits(frames, intermission=False)
        order = np.argsort(lengths)[::-1]
        best = max(best, int(lengths[order[0]]))
        frames = frames[np.resize(order[:200], len(frames))]
        tail = frames[200:]
        if size:
            place = rng.integers(0, size, len(tail))
            tail["data"][np.arange(len(tail)), place] ^= rng.choice(pattern, len(tail))
        tail["arbitration_id"] ^= np.where(rng.random(len(tail)) < 0.3, 1 << rng.integers(0, 11, len(tail)), 0).astype(
            "u4"
        )
    worst = int(wire.frame_length_bits(frames[:1], "worst_case", intermission=False)[0])
    assert best <= worst
    return best


@pytest.mark.parametrize(
    ("flags", "size", "fd", "bound"),
    [(0, 8, False, 132), (EXTENDED, 8, False, 157), (FD, 64, True, 709), (FD | EXTENDED, 64, True, 732)],
)
def test_search_for_the_longest(flags: int, size: int, fd: bool, bound: int, record_property: object) -> None:
    best = climb(flags, size, fd, 400 if LONG else 60)
    record_property("longest_found", best)  # type: ignore[operator]
    print(f"longest found: {best} of at most {bound} bits without intermission")
    assert bound - 9 <= best <= bound


def test_parts_add_up() -> None:
    frames = random_frames(5000, 21)
    for mode in ("exact", "unstuffed", "worst_case"):
        parts = wire.frame_length_bits(frames, mode, parts=True)
        assert np.array_equal(parts["nominal"] + parts["data"], wire.frame_length_bits(frames, mode))
        assert np.array_equal(parts["data"] > 0, (frames["flags"] & BRS) != 0)
        assert parts["nominal"].min() > 0


def test_durations() -> None:
    frames = random_frames(500, 22)
    durations = wire.frame_duration_ns(frames, 500_000, 2_000_000)
    for row, duration in zip(frames, durations, strict=True):
        nominal, data = oracle.length_parts(to_oracle(row))
        assert duration == (nominal + 3) * 2000 + data * 500
    assert wire.frame_duration_ns(cf.make_frames(0x085, dlc=2, flags=REMOTE), 33_333)[0] == round(47e9 / 33_333)


def test_bus_load() -> None:
    frames = cf.make_frames([1, 2, 1, 1], timestamp_ns=[5_000_000_000, 5_400_000_000, 7_999_999_999, 6_000_000_000])
    bits = wire.frame_length_bits(frames)
    starts, load = wire.bus_load(frames, 1000)
    assert starts.tolist() == [5_000_000_000, 6_000_000_000, 7_000_000_000]
    assert load == pytest.approx([(bits[0] + bits[1]) / 1000, bits[3] / 1000, bits[2] / 1000])
    starts, load, ids = wire.bus_load(frames, 1000, per_id=True)
    assert ids["arbitration_id"].tolist() == [1, 2]
    assert load == pytest.approx(np.array([[bits[0], bits[3], bits[2]], [bits[1], 0, 0]]) / 1000)
    full = cf.make_frames(1, timestamp_ns=np.arange(1000) * 48_000)
    full["timestamp_ns"] = np.cumsum(wire.frame_duration_ns(full, 1_000_000))
    assert wire.bus_load(full, 1_000_000, window_s=0.01)[1][1:3] == pytest.approx(1.0, abs=0.01)
    both = cf.make_frames([5, 5], flags=[0, EXTENDED])
    assert wire.bus_load(both, 1e6, per_id=True)[2]["extended"].tolist() == [False, True]
    for per_id in (False, True):
        assert all(
            len(a) == 0 or a.shape[-1] == 0 for a in wire.bus_load(np.empty(0, cf.FRAME_DTYPE), 1e6, per_id=per_id)
        )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"bitrate": 0}, "bitrate = 0 bit/s, allowed 1..1e12"),
        ({"bitrate": float("nan")}, "bitrate = nan"),
        ({"bitrate": 1e6, "window_s": 0}, "window_s = 0, allowed"),
        ({"bitrate": 1e6, "window_s": 1e-9}, "take longer windows"),
        ({"bitrate": 1e6, "data_bitrate": -1}, "data_bitrate = -1"),
    ],
)
def test_bus_load_refuses(arguments: dict, words: str) -> None:
    frames = cf.make_frames([1, 2], timestamp_ns=[-(2**62), 2**62])
    with pytest.raises(ValueError, match=words):
        wire.bus_load(frames, **arguments)


def test_a_rate_that_would_overflow_is_refused() -> None:
    for rate in (1e-9, 0.5, 1e13):
        with pytest.raises(ValueError, match=r"bit/s, allowed 1\.\.1e12"):
            wire.frame_duration_ns(cf.make_frames([1]), rate)
    assert wire.frame_duration_ns(cf.make_frames([1]), 1) > 0


def test_load_by_identifier_where_indexes_are_32_bits_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 32-bit Python's numpy numbers rows with intp, which C is not given."""
    unique = np.unique

    def narrow(*args: object, **options: object) -> object:
        values, inverse = unique(*args, **options)  # type: ignore[call-overload]
        return values, inverse.astype(np.int32)

    frames = cf.make_frames([2, 1, 2], timestamp_ns=[0, 1, 2])
    expected = wire.bus_load(frames, 1e6, per_id=True)
    monkeypatch.setattr(np, "unique", narrow)
    for got, wanted in zip(wire.bus_load(frames, 1e6, per_id=True), expected, strict=True):
        assert np.array_equal(got, wanted)


def test_data_bitrate_is_needed() -> None:
    frames = cf.make_frames([1, 2], flags=[0, BRS], fd=True)
    with pytest.raises(ValueError, match=r"frames\[1\] has BITRATE_SWITCH, which needs data_bitrate"):
        wire.frame_duration_ns(frames, 500_000)
