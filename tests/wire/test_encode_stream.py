"""Frames as one continuous stream: the same bits as one by one, and `decode` finds them again."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import wire_oracle as oracle
from wire_cases import random_frames, same_on_wire, to_oracle

import canal_fast as cf
from canal_fast import wire


@pytest.mark.parametrize("ack", [True, False])
@pytest.mark.parametrize("lead", [0, 1, 11, 40, 333])
def test_stream_is_frames_and_recessive_bits(lead: int, ack: bool) -> None:
    frames = random_frames(60, lead)
    idle = np.random.default_rng(lead).integers(0, 90, 60)
    bits, starts = wire.encode_stream(frames, idle, lead_bits=lead, ack=ack)
    expected = [1] * lead
    for frame, gap, start in zip(frames, idle.tolist(), starts.tolist(), strict=False):
        assert start == len(expected)
        expected += oracle.encode(to_oracle(frame), ack) + [1] * (3 + gap)
    assert bits.tolist() == expected
    assert starts[-1] == len(bits)
    packed, same = wire.encode_stream(frames, idle, lead_bits=lead, ack=ack, packed=True)
    assert np.array_equal(same, starts)
    assert np.array_equal(np.unpackbits(packed, count=len(bits)), bits)


@pytest.mark.parametrize("idle", [0, 1, 25])
def test_decode_finds_all(idle: int) -> None:
    frames = random_frames(2000, idle)
    bits, starts = wire.encode_stream(frames, idle)
    got = wire.decode(bits, strict=True)
    assert same_on_wire(got.frames, frames)
    assert np.array_equal(got.start, starts[:-1])


def test_none_and_mistakes() -> None:
    none, starts = wire.encode_stream(random_frames(0, 1), lead_bits=5)
    assert none.tolist() == [1] * 5
    assert starts.tolist() == [5]
    with pytest.raises(ValueError, match="0 or more"):
        wire.encode_stream(random_frames(1, 1), -1)
    with pytest.raises(ValueError, match="0 or more"):
        wire.encode_stream(random_frames(1, 1), lead_bits=-1)
    bad = random_frames(3, 1)
    bad["dlc"][1] = 16
    with pytest.raises(cf.FrameError) as error:
        wire.encode_stream(bad)
    assert error.value.index == 1
