"""python-can's messages as records and back, and in recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from can_messages import base, can
from hypothesis import given, settings
from hypothesis import strategies as st

import canal_fast as cf

# -- messages and records


@st.composite
def messages(draw: st.DrawFn) -> Any:
    extended, fd = draw(st.booleans()), draw(st.booleans())
    remote = not fd and draw(st.booleans())
    data = b"" if remote else draw(st.binary(max_size=64 if fd else 8))
    if fd and len(data) not in {*range(9), 12, 16, 20, 24, 32, 48, 64}:
        data = data[:8]
    return can.Message(
        timestamp=draw(st.integers(0, 2**33)) / 4,
        arbitration_id=draw(st.integers(0, 0x1FFFFFFF if extended else 0x7FF)),
        is_extended_id=extended,
        is_remote_frame=remote,
        is_error_frame=not remote and draw(st.booleans()),
        channel=draw(st.sampled_from(["can0", "vcan1", 7])),
        dlc=draw(st.integers(0, 8)) if remote else None,
        data=data,
        is_fd=fd,
        is_rx=draw(st.booleans()),
        bitrate_switch=fd and draw(st.booleans()),
        error_state_indicator=fd and draw(st.booleans()),
        check=True,
    )


NUMBERS = {"can0": 0, "vcan1": 1}


@settings(max_examples=30)
@given(st.lists(messages(), max_size=5))
def test_there_and_back(items: list[Any]) -> None:
    frames = cf.from_messages(items, channels={**NUMBERS, 7: 7})
    assert frames.dtype == (cf.FD_FRAME_DTYPE if any(msg.is_fd for msg in items) else cf.FRAME_DTYPE)
    back = cf.to_messages(frames, {number: label for label, number in NUMBERS.items()})
    assert len(back) == len(items)
    assert all(a.equals(b, timestamp_delta=0) for a, b in zip(items, back, strict=True))


def test_records_as_messages() -> None:
    frames = cf.make_frames([1, 2, 3], b"12345678", dlc=[8, 9, 15], timestamp_ns=1_700_000_000_123_456_789, channel=3)
    got = cf.to_messages(frames)
    assert [(msg.dlc, bytes(msg.data), msg.channel) for msg in got] == [(8, b"12345678", 3)] * 3
    assert got[0].timestamp == 1_700_000_000.123456789
    remote = cf.to_messages(cf.make_frames(1, dlc=13, flags=cf.FrameFlag.REMOTE))[0]
    assert (remote.dlc, remote.is_remote_frame, len(remote.data)) == (8, True, 0)
    assert cf.to_messages(frames[:0]) == []
    assert len(cf.from_messages([])) == 0
    with pytest.raises(TypeError):
        cf.to_messages(np.zeros(3))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (base(1, is_fd=True, data=bytes(65)), r"messages\[1\]: dlc = 65, allowed 0..64"),
        (base(1, is_remote_frame=True, is_fd=True), "remote"),
        (base(1, bitrate_switch=True), "FD"),
        (base(1, timestamp=float("nan")), "timestamp = nan"),
        (base(1, timestamp=1e10), "timestamp = 1"),
    ],
)
def test_messages_that_are_no_frames(bad: Any, words: str) -> None:
    with pytest.raises(cf.FrameError, match=words) as caught:
        cf.from_messages([base(1), bad])
    assert caught.value.index == 1
    with pytest.raises((TypeError, AttributeError)):
        cf.from_messages([None])
    with pytest.raises(TypeError):
        cf.from_messages([base("x")])  # type: ignore[arg-type]


# -- recordings


@settings(max_examples=20)
@given(st.lists(messages(), max_size=5))
def test_recording_there_and_back(tmp_path_factory: pytest.TempPathFactory, items: list[Any]) -> None:
    path = tmp_path_factory.mktemp("recording") / "x.pcapng"
    with can.Logger(path) as writer:
        for msg in items:
            writer(msg)
    writer.stop()  # again
    with can.LogReader(path) as reader:
        back = list(reader)
    assert writer.file_size() == path.stat().st_size
    assert len(back) == len(items)
    for a, b in zip(items, back, strict=True):
        assert b.channel == ("can7" if a.channel == 7 else a.channel)
        assert a.equals(b, timestamp_delta=1e-6, check_channel=False)


def test_recording_keeps_what_came_before_a_change(tmp_path: Path) -> None:
    """A program may use one message again and again."""
    msg = base(1, b"\x00")
    with can.Logger(tmp_path / "x.pcapng") as writer:
        for i in range(600):
            msg.data[0], msg.channel = i % 256, "a channel" if i % 2 else None
            writer(msg)
    frames = cf.read_log(tmp_path / "x.pcapng")
    assert frames["data"][:, 0].tolist() == [i % 256 for i in range(600)]
    assert frames["channel"].tolist() == [i % 2 for i in range(600)]
    with cf.logs.open_log(tmp_path / "x.pcapng") as log:
        list(log.batches())
        assert log.names == {0: "can0", 1: "a_channel"}


def test_recording_refuses(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with pytest.raises(ValueError, match="not appended"):
        can.Logger(path, append=True)
    assert not path.exists()
    with can.Logger(path) as writer:
        for i in range(256):
            writer(base(1, channel=f"c{i}"))
        with pytest.raises(ValueError, match="one more than 256"):
            writer(base(1, channel="c256"))
        with pytest.raises(cf.FrameError):
            writer(base(0x800, channel="c0"))
    assert len(cf.read_log(path)) == 256
