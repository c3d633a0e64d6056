"""Error frames to send: where the driver says that it can, refused before anything is sent elsewhere."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest
from c_programs import build_c
from canal_ctypes import load

import canal_fast as cf
from canal_fast.drivers.library import find_library

ERROR, REMOTE = int(cf.FrameFlag.ERROR_FRAME), int(cf.FrameFlag.REMOTE)
BIT_US = 2


def mixed(fd: bool = False) -> cf.FrameArray:
    """An ordinary frame, an error frame, an ordinary frame."""
    frames = cf.make_frames([5, 0x204, 6], [b"x", bytes(range(8)), b"y"], fd=fd)
    frames["flags"][1] = ERROR
    if fd:
        frames["flags"][[0, 2]] = 0
    return frames


@pytest.mark.parametrize("fd", [False, True])
def test_the_virtual_bus_carries_them(fd: bool) -> None:
    """For 20 bits: a flag, the flags that answer it, the delimiter. Time stands still until all three wait."""
    name = f"errors{fd:d};500000;clock=step"
    with (
        cf.Channel.virtual(name, fd=fd) as sender,
        cf.Channel.virtual(name, fd=fd, clock="device") as receiver,
    ):
        assert sender.send(mixed(fd)) == 3
        load(find_library("virtual")).CanalVirtualStep(f"errors{fd:d}".encode(), ctypes.c_ulonglong(10_000_000))
        got = receiver.receive(3, min_frames=3, timeout=5)
    assert got["arbitration_id"].tolist() == [5, 0x204, 6]
    assert got["flags"].tolist() == [0, ERROR, 0]
    assert got["data"][1, :8].tolist() == list(range(8))
    length = int(cf.wire.frame_length_bits(mixed(fd)[2:], intermission=False)[0])
    assert (np.diff(got["timestamp_ns"]) // 1000).tolist() == [(3 + 20) * BIT_US, (3 + length) * BIT_US]


@pytest.mark.parametrize(
    "config", ["errorbits;500000;errors=1", "erroralone;500000;ack=0"], ids=["bit by bit", "not acknowledged"]
)
def test_a_simulated_controller_cannot(config: str) -> None:
    with cf.Channel.virtual(config) as channel:
        with pytest.raises(
            cf.FrameError, match=r"frames\[1\]: a STATUS or ERROR_FRAME record is not a frame on the wire"
        ):
            channel.send(mixed())
        assert channel.ledger().sent == 0


def test_other_drivers_cannot(tmp_path: Path) -> None:
    with cf.Channel(build_c("fd_driver", tmp_path)) as channel:
        with pytest.raises(cf.FrameError, match="ERROR_FRAME record is not a frame on the wire") as caught:
            channel.send(mixed())
        assert caught.value.index == 1
        assert channel.ledger().sent == 0


def test_a_listener_cannot() -> None:
    with cf.Channel.virtual("errorlisten", listen_only=True) as channel, pytest.raises(cf.FrameError):
        channel.send(mixed())


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (
            "flags",
            ERROR | REMOTE,
            r"frames\[1\] is an error frame: flags = <FrameFlag.REMOTE\|ERROR_FRAME: 130>, allowed",
        ),
        ("dlc", 9, r"frames\[1\] is an error frame: dlc = 9, allowed 0..8"),
        ("arbitration_id", 0x20000000, r"frames\[1\] is an error frame: arbitration_id = 536870912, allowed 0..0x1fff"),
    ],
)
def test_what_is_no_error_frame(field: str, value: int, words: str) -> None:
    with cf.Channel.virtual("errormistakes") as channel:
        frames = mixed()
        frames[field][1] = value
        with pytest.raises(cf.FrameError, match=words):
            channel.send(frames)
        others = mixed()
        others["dlc"][2] = 16  # the number is that of the whole array
        with pytest.raises(cf.FrameError, match=r"frames\[2\]"):
            channel.send(others)
        assert channel.ledger().sent == 0


def test_in_a_host_process() -> None:
    with cf.Channel.virtual("errorhost", bridge="always") as channel:
        assert channel.send(mixed(), timeout=5) == 3


def test_python_can_both_ways() -> None:
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    with (
        can.Bus(interface="canal_fast", channel="virtual:errorcan") as sender,
        can.Bus(interface="canal_fast", channel="virtual:errorcan") as receiver,
    ):
        message = can.Message(is_error_frame=True, arbitration_id=0x20, is_extended_id=False, data=bytes(8))
        sender.send(message)
        got = receiver.recv(5)
    assert got.is_error_frame
    assert (got.arbitration_id, got.data) == (0x20, bytes(8))
