"""Bus load of messages, beside the load of their traffic."""

from __future__ import annotations

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import wire
from canal_fast.analysis import Message, Statistics, forecast_load
from canal_fast.frames import FrameFlag

MS = 1_000_000
START = 1_700_000_000_000_000_000


def messages(fd: bool) -> list[Message]:
    found = [
        Message("a", 0x10, 8, 10 * MS),
        Message("b", 0x400, 3, 5 * MS),
        Message("c", 0x12345678, 8, 20 * MS, is_extended=True),
        Message("d", 0x7F0, 0, 50 * MS, is_remote=True),
    ]
    if fd:
        found += [Message("e", 0x20, 48, 25 * MS, is_fd=True), Message("f", 0x21, 12, 10 * MS, 0, None, False, True)]
    return found


def generated(rows: list[Message], fd: bool, seconds: int = 20) -> cf.FrameArray:
    """Random payloads, random offsets, some jitter."""
    rng = np.random.default_rng(2)
    parts = []
    for m in rows:
        times = rng.integers(0, m.period_ns) + np.arange(seconds * 10**9 // m.period_ns, dtype=np.int64) * m.period_ns
        times = START + times + rng.integers(0, m.period_ns // 10, len(times))
        flags = FrameFlag.EXTENDED_ID * m.is_extended | FrameFlag.REMOTE * m.is_remote
        flags |= FrameFlag.BITRATE_SWITCH * m.is_fd
        data = b"" if m.is_remote else rng.integers(0, 256, (len(times), m.length), np.uint8)
        frames = cf.make_frames(m.arbitration_id, data, timestamp_ns=times, flags=flags, fd=fd)
        if not m.is_fd:
            frames["flags"] &= ~np.uint16(FrameFlag.FD)
        parts.append(frames)
    joined = np.concatenate(parts)
    return joined[np.argsort(joined["timestamp_ns"], kind="stable")]


@pytest.mark.parametrize("fd", [False, True])
def test_forecast_and_measured_load_agree(fd: bool) -> None:
    rows = messages(fd)
    frames = generated(rows, fd)
    forecast = forecast_load(rows[::-1], 500_000, 2_000_000 if fd else None)
    measured = forecast.measure(frames)
    print(
        f"\nforecast {forecast.expected:.5f} ({forecast.best:.5f}..{forecast.worst:.5f}), measured {measured.total:.5f}"
    )
    assert measured.total == pytest.approx(forecast.expected, rel=0.01)
    assert forecast.best < measured.total < forecast.worst
    assert measured.foreign == 0
    assert sum(measured.rows) == pytest.approx(measured.total)
    for row, share in zip(forecast.rows, measured.rows, strict=True):
        assert share == pytest.approx(row.expected, rel=0.01)
    statistics = Statistics(500_000, 2_000_000 if fd else None)
    statistics.add(frames)
    assert measured.total == pytest.approx(statistics.summary()["channels"][0]["load"], rel=1e-3)


def test_by_hand() -> None:
    forecast = forecast_load([Message("a", 0x555, 8, 10 * MS)], 500_000)
    (row,) = forecast.rows
    # 8 bytes, no stuff bits: 44 + 64 + 3; all of them: 55 + 80
    assert row.best == pytest.approx(111 * 2e-6 / 10e-3)
    assert row.worst == pytest.approx(135 * 2e-6 / 10e-3)
    data = np.random.default_rng(5).integers(0, 256, (20_000, 8), np.uint8)
    mean = wire.frame_length_bits(cf.make_frames(0x555, data)).mean()
    assert row.expected == pytest.approx(mean * 2e-6 / 10e-3, rel=0.005)


def test_measured_beside_foreign_frames() -> None:
    frames = cf.make_frames([1, 2, 3, 1], b"", timestamp_ns=[START, START + MS, START + 2 * MS, START + 10 * MS])
    bits = wire.frame_length_bits(frames)
    measured = forecast_load([Message("a", 1, 8, MS), Message("b", 2, 8, MS)], 500_000).measure(frames)
    assert measured.seconds == 0.01
    assert measured.rows == pytest.approx((bits[3] * 2e-6 / 0.01, bits[1] * 2e-6 / 0.01))
    assert measured.foreign == pytest.approx(bits[2] * 2e-6 / 0.01)


def test_mistakes() -> None:
    forecast = forecast_load([Message("a", 1, 8, MS)], 500_000)
    with pytest.raises(ValueError, match="1 frames, all at one time: a load needs a length of time"):
        forecast.measure(cf.make_frames(1))
    with pytest.raises(ValueError, match="frames of channels 0, 1"):
        forecast.measure(cf.make_frames(1, channel=[0, 1], timestamp_ns=[0, 5]))
    with pytest.raises(ValueError, match="two messages have the name 'a'"):
        forecast_load([Message("a", 1, 8, MS), Message("a", 2, 8, MS)], 500_000)
    with pytest.raises(ValueError, match="data_bitrate = 0 bit/s, allowed"):
        forecast_load([Message("a", 1, 8, MS)], 500_000, 0)
    assert forecast_load([Message("a", 1, 8, 1000)], 500_000).worst > 1
