"""Durations and bus load of long arrays: kernels for classical frames, identifiers without sorting."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from oracle import wire_oracle as oracle
from wire_cases import BRS, EXTENDED, random_frames, to_oracle

import canal_fast as cf
from canal_fast import wire
from canal_fast.errors import FrameError
from canal_fast.wire import lengths

MANY = lengths._SOME + 1500


def widened(frames: cf.FrameArray) -> cf.FrameArray:
    """Classical frames as FD records, field by field."""
    wide: cf.FrameArray = np.zeros(len(frames), cf.FD_FRAME_DTYPE)
    for name in ("timestamp_ns", "arbitration_id", "flags", "channel", "dlc"):
        wide[name] = frames[name]
    wide["data"][:, :8] = frames["data"]
    return wide


def loads_by_dict(frames: cf.FrameArray, bitrate: int, window_ns: int) -> dict[tuple[bool, int], dict[int, Fraction]]:
    """The twin: frame after frame, whole numbers."""
    found: dict[tuple[bool, int], dict[int, Fraction]] = {}
    first = int(frames["timestamp_ns"].min())
    for row in frames:
        nominal, _ = oracle.length_parts(to_oracle(row))
        share = Fraction((nominal + 3) * 10**9, bitrate * window_ns)
        windows = found.setdefault((bool(row["flags"] & EXTENDED), int(row["arbitration_id"])), {})
        window = (int(row["timestamp_ns"]) - first) // window_ns
        windows[window] = windows.get(window, Fraction(0)) + share
    return found


@pytest.mark.parametrize("count", [0, 1, 63, 600, MANY])
def test_classical_frames_in_either_record(count: int) -> None:
    frames = random_frames(count, 3, fd=False)
    wide = widened(frames)
    parts = wire.frame_length_bits(wide, parts=True)
    assert np.array_equal(parts["nominal"], wire.frame_length_bits(frames))
    assert not parts["data"].any()
    assert np.array_equal(parts, wire.frame_length_bits(frames, parts=True))
    durations = wire.frame_duration_ns(frames, 33_333)
    assert np.array_equal(durations, wire.frame_duration_ns(wide, 33_333))
    some = slice(None, None, max(count // 50, 1))
    for row, bits, duration in zip(frames[some], parts["nominal"][some], durations[some], strict=True):
        nominal, _ = oracle.length_parts(to_oracle(row))
        assert bits == nominal + 3
        assert duration == int(Fraction((nominal + 3) * 10**9, 33_333) + Fraction(1, 2))


def test_one_fd_frame_among_many() -> None:
    """It makes all of them take the other way, which gives the same."""
    wide = widened(random_frames(MANY, 4, fd=False))
    before = wire.frame_duration_ns(wide, 500_000)
    wide[-1] = cf.make_frames(0x123, bytes(64), flags=BRS, fd=True)[0]
    after = wire.frame_duration_ns(wide, 500_000, 2_000_000)
    assert np.array_equal(before[:-1], after[:-1])
    nominal, data = oracle.length_parts(to_oracle(wide[-1]))
    assert after[-1] == (nominal + 3) * 2000 + data * 500
    with pytest.raises(ValueError, match=rf"frames\[{MANY - 1}\] has BITRATE_SWITCH"):
        wire.frame_duration_ns(wide, 500_000)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("index", [0, lengths._SOME - 1, lengths._SOME, MANY - 1])
def test_a_record_that_is_no_frame_is_named_by_its_index(wide: bool, index: int) -> None:
    frames = random_frames(MANY, 5, fd=False)
    frames["arbitration_id"][index], frames["flags"][index] = 0x800, 0
    with pytest.raises(FrameError, match=rf"frames\[{index}\]: arbitration_id") as caught:
        wire.frame_duration_ns(widened(frames) if wide else frames, 500_000)
    assert caught.value.index == index


@pytest.mark.parametrize("bad", [[1, 2], np.zeros(3), widened(random_frames(4, 1, fd=False))[::2]])
def test_what_is_no_array_of_frames_in_a_row_is_refused(bad: Any) -> None:
    for call in (wire.frame_length_bits, lambda frames: wire.frame_duration_ns(frames, 500_000)):
        with pytest.raises((TypeError, ValueError), match="frames"):
            call(bad)


def test_load_by_identifier() -> None:
    """More identifiers than the first table holds; windows that go back and forth."""
    rng = np.random.default_rng(6)
    frames = random_frames(3000, 6, fd=False)
    frames["timestamp_ns"] = 10**18 + rng.integers(0, 50, len(frames)) * 10**7 + rng.integers(0, 3, len(frames))
    twin = loads_by_dict(frames, 500_000, 10**7)
    assert len(twin) > 2 * lengths._FIRST_IDS
    starts, load, ids = wire.bus_load(frames, 500_000, window_s=0.01, per_id=True)
    keys = [(bool(row["extended"]), int(row["arbitration_id"])) for row in ids]
    assert keys == sorted(twin)
    assert starts[0] == frames["timestamp_ns"].min()
    expected = [[float(twin[key].get(window, 0)) for window in range(len(starts))] for key in keys]
    assert load == pytest.approx(np.array(expected))
    assert wire.bus_load(frames, 500_000, window_s=0.01)[1] == pytest.approx(load.sum(axis=0))


def test_load_at_the_ends_of_time() -> None:
    frames = cf.make_frames([1, 2, 1], timestamp_ns=[-(2**63), 2**63 - 1, 0])
    bits = wire.frame_length_bits(frames)
    starts, load = wire.bus_load(frames, 1e6, window_s=8e9)
    assert starts.tolist() == [-(2**63) + number * 8 * 10**18 for number in range(3)]
    assert load == pytest.approx(bits[[0, 2, 1]] * 1000 / 8e18)


def test_base_and_extended_identifiers_and_channels() -> None:
    frames = cf.make_frames([7, 7, 7, 6], flags=[EXTENDED, 0, 0, EXTENDED], channel=[0, 1, 2, 3])
    _, load, ids = wire.bus_load(frames, 500_000, per_id=True)
    assert ids.tolist() == [(7, False), (6, True), (7, True)]
    assert load[0, 0] == pytest.approx(2 * wire.frame_length_bits(frames)[1] / 500_000)
