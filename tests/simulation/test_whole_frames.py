"""Frames that go at once: the same as bit by bit; and what the wire's decoder reads from a run."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from bus_cases import Scenario, calm_scenario, first_difference, in_c, random_frame, random_scenario, record
from bus_foreign import foreign_scenario
from bus_scenes import BASE, FLEXIBLE

import canal_fast as cf
from canal_fast import simulation


@pytest.mark.parametrize("seeds", [range(16), pytest.param(range(16, 400), marks=pytest.mark.slow)], ids=str)
@pytest.mark.parametrize("data_bitrate", [0, 2_000_000])
@pytest.mark.parametrize("make", [calm_scenario, random_scenario, foreign_scenario])
def test_equal_to_bits(make: Callable[[int], Scenario], data_bitrate: int, seeds: range) -> None:
    for seed in seeds:
        scenario = make(seed)
        chunk = (0, 0, 77, 1)[seed % 4]
        bits = in_c(scenario, False, data_bitrate=data_bitrate)
        whole = in_c(scenario, True, chunk, data_bitrate)
        difference = first_difference(bits, whole)
        assert not difference, f"seed {seed}: {difference}"


def sent_at_random(seed: int, whole_frames: bool, fd: bool) -> simulation.Run:
    rng = np.random.default_rng(seed)
    source = random.Random(seed)
    bus = simulation.Bus(500_000, 2_000_000 if fd else None, whole_frames=whole_frames)
    for name in ("a", "b", "c"):
        bus.node(name)
        frames = np.concatenate([record(random_frame(source, fd)) for _ in range(30)])
        identifiers = frames["arbitration_id"] & ~np.uint32(3) | {"a": 0, "b": 1, "c": 2}[name]  # no two alike
        frames["arbitration_id"] = identifiers
        frames["flags"] &= ~np.uint16(0x20)
        frames["data"][np.arange(64) >= cf.payload_length(frames)[:, None]] = 0
        bus.send(name, frames, at=np.sort(rng.integers(0, 20_000, 30)))
    return bus.run(40_000, record_levels=False)


@pytest.mark.parametrize("whole_frames", [False, True])
@pytest.mark.parametrize("fd", [False, True])
def test_the_wire_decoder_reads_what_the_logger_has(fd: bool, whole_frames: bool) -> None:
    for seed in range(5):
        run = sent_at_random(seed, whole_frames, fd)
        decoded = cf.wire.decode(run.bits)
        assert (decoded.status == 0).all()
        assert len(run.frames) == 90
        for field in ("arbitration_id", "dlc"):
            assert (decoded.frames[field] == run.frames[field]).all()
        assert (decoded.frames["flags"] == run.frames["flags"] & 0x3F).all()
        width = decoded.frames["data"].shape[1]
        assert (decoded.frames["data"] == run.frames["data"][:, :width]).all()


def test_frame_times_are_those_of_the_wire() -> None:
    """The end of a frame with bit rate switch, and the next one's beginning."""
    bus = simulation.Bus(500_000, 2_000_000)
    bus.node("a")
    bus.node("b")
    frames = cf.make_frames([0x10, 0x20], [bytes(range(64)), b"\x01"], flags=cf.FrameFlag.BITRATE_SWITCH, fd=True)
    bus.send("a", frames)
    run = bus.run(2000)
    first, second = cf.wire.frame_duration_ns(frames, 500_000, 2_000_000).tolist()
    intermission = 3 * 2000  # in both
    assert run.frames["timestamp_ns"].tolist() == [first - intermission, first + second - intermission]
    assert run.duration_ns == bus.time_ns


@pytest.mark.parametrize("ack_bits", [1, 2])
def test_self_test_without_acknowledge(ack_bits: int) -> None:
    """Nobody acknowledges; the frame is as long as any."""
    frames = np.concatenate([record(BASE), record(FLEXIBLE)])
    runs = []
    for whole_frames in (False, True):
        bus = simulation.Bus(500_000, whole_frames=whole_frames)
        bus.node("t", mode="self_test", fd_ack_bits=ack_bits, queue="fifo")
        bus.node("l", mode="listen_only", fd_ack_bits=ack_bits)
        bus.send("t", frames, at=0)
        runs.append(bus.run(400, at="l"))
    bits, whole = runs
    lengths = cf.wire.frame_length_bits(frames, intermission=False).tolist()
    first, second = (whole.frames["timestamp_ns"] // 2000).tolist()
    assert [first + 1, second - first - 3] == [lengths[0], lengths[1] + (ack_bits == 2)]
    assert np.array_equal(bits.events, whole.events)
    assert np.array_equal(bits.bits, whole.bits)
    assert (cf.wire.decode(whole.bits).frames["arbitration_id"] == 0x2A5).all()
