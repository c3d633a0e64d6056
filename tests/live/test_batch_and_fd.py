"""The batch entry point beside single messages, and CAN FD through CANAL's own FD entry points."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from c_programs import build_c
from canal_ctypes import load
from virtual_bus import FIFO_EMPTY, MS, NOT_OPEN, PARAMETER, TIMEOUT, drain

import canal_fast as cf
from canal_fast.errors import DriverError, FrameError

BUS = "b;1000000;clock=step;load=1;seed=3;ext=0.5;remote=0.2;dlc=0-15;t0=0xffffff00;status=50;fifo=500"


def batch(canal: ctypes.CDLL, handle: int, count: int, size: int = 24, timeout_ms: int = 0) -> cf.FrameArray | int:
    records = np.full(count, 0xA5, "V24").view(cf.FRAME_DTYPE)
    got = canal.CanalReceiveBatch(handle, records.ctypes.data, size, count, timeout_ms)
    return records[:got] if got > 0 else got


def test_a_batch_equals_single_messages(canal: ctypes.CDLL, opened: Callable[..., int]) -> None:
    single, many = opened(BUS, 8), opened("b;fifo=500", 8)
    total = 0
    for step in (1, 5 * MS, 1, 200 * MS, 3 * MS):
        canal.CanalVirtualStep(b"b", step)
        messages = drain(canal, single)
        parts = []
        while isinstance(part := batch(canal, many, 97), np.ndarray):
            parts.append(part)
        assert part == -FIFO_EMPTY or part == -TIMEOUT
        frames = np.concatenate(parts) if parts else np.empty(0, cf.FRAME_DTYPE)
        assert [m.row() for m in messages] == [
            (int(f["flags"]), int(f["arbitration_id"]), int(f["dlc"]), bytes(f["data"])) for f in frames
        ]
        assert [m.timestamp for m in messages] == frames["timestamp_ns"].tolist()
        assert not frames["channel"].any()
        total += len(frames)
    assert total > 500


def test_batches_refuse(canal: ctypes.CDLL, opened: Callable[..., int]) -> None:
    handle = opened("b;clock=step")
    assert batch(canal, handle, 1, size=80) == -PARAMETER
    assert canal.CanalReceiveBatch(handle, None, 24, 1, 0) == -PARAMETER
    assert batch(canal, handle + 1, 1) == -NOT_OPEN
    assert batch(canal, handle, 1, timeout_ms=20) == -TIMEOUT


@pytest.fixture(scope="module")
def fd_driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_c("fd_driver", tmp_path_factory.mktemp("fd"))


def test_fd_frames_through_the_fd_entry_points(fd_driver: Path) -> None:
    frames = cf.make_frames(
        [0x123, 0x1FFFFFFF, 0x7FF, 0x12, 0x55, 0x56],
        [b"", bytes(range(64)), bytes(range(12)), b"12345678", b"", b"ab"],
        flags=[0, 1, 0, 0, 2, 0],
        dlc=[0, 15, 9, 11, 4, 2],
        fd=True,
    )
    frames["flags"] = [8, 8 | 16 | 1, 8 | 16 | 32, 0, 2, 8]
    with cf.Channel(fd_driver, fd=True) as channel:
        assert channel.send(frames, timeout=10) == len(frames)
        got = channel.receive(100, min_frames=len(frames), timeout=10)
        assert got.dtype == cf.FD_FRAME_DTYPE
        for name in ("arbitration_id", "flags", "dlc", "data"):
            assert (got[name] == frames[name]).all(), name
        into = np.empty(4, cf.FD_FRAME_DTYPE)
        assert channel.receive_into(into, timeout=0) == 0
        with pytest.raises(TypeError, match="buffer must have the dtype"):
            channel.receive_into(np.empty(4, cf.FRAME_DTYPE), timeout=0)
        channel.ledger().verify()


def test_fd_messages_of_no_frame_are_counted(fd_driver: Path) -> None:
    driver = load(fd_driver)
    pushed = [
        (8, 0x1, 9),  # bytes that no dlc stands for
        (8, 0x1, 65),
        (8, 0x800, 8),
        (0, 0x1, 16),
        (8 | 2, 0x2, 8),  # remote and FD: the FD flag wins
    ]
    with cf.Channel(fd_driver, fd=True) as channel:
        for flags, identifier, size in pushed:
            message = (ctypes.c_uint32 * 22)(flags, 0, identifier)
            ctypes.memset(ctypes.addressof(message) + 23, size, 1)
            while driver.CanalSendFD(7, message):
                pass
        (frame,) = channel.receive(10, timeout=10)
        assert (frame["arbitration_id"], frame["flags"], frame["dlc"]) == (2, 8, 8)
        assert channel.ledger().malformed == 4


def test_classical_channels_and_drivers_refuse_fd(tmp_path: Path) -> None:
    classical = build_c("unplugged_driver", tmp_path)
    with pytest.raises(DriverError, match="it does not export CanalReceiveFD"):
        cf.Channel(classical, fd=True)
    mixed = cf.make_frames([1, 2], [b"a", b"x" * 12], fd=True)
    mixed["flags"][0] = 0
    with cf.Channel.virtual("b") as channel, pytest.raises(FrameError, match=r"frames\[1\] is a CAN FD frame"):
        channel.send(mixed)
