"""Frames through the SocketCAN driver, beside candump and bare sockets. They need a kernel with CAN: tests/vm/run."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from c_programs import build_c
from canal_ctypes import Message, load
from interfaces import (
    ERROR,
    EXTENDED,
    REMOTE,
    as_candump,
    bare_socket,
    candump,
    classical,
    flexible,
    interface,
    needs_can,
    needs_can_utils,
    numbers,
    receive,
)

import canal_fast as cf
from canal_fast.drivers.library import SOCKETCAN

CLASSICAL_CHANNEL = pytest.mark.filterwarnings("ignore:.* carries CAN FD")  # vcan always does
pytestmark = [needs_can, CLASSICAL_CHANNEL]
LONG = bool(os.environ.get("CANAL_FAST_LONG"))
MANY = 200_000 if LONG else 20_000
CLASSICAL = [
    classical(0x123, b"\x11\x22"),
    classical(0x7FE),
    classical(EXTENDED | 0x123, b"12345678"),
    classical(EXTENDED | 0x1FFFFFFF, b"x"),
    classical(REMOTE | 0x321, length=3),
    classical(EXTENDED | REMOTE | 0x12345678),
    classical(ERROR | 0x204, bytes([0, 8, 0, 0, 0, 0, 96, 128])),
    classical(ERROR | 0x40, bytes(8)),
]
FLEXIBLE = [
    flexible(0x123, b""),
    flexible(EXTENDED | 0x123, bytes(range(8)), 1),
    flexible(0x7FE, bytes(range(64)), 3),
    flexible(0x7FE, bytes(range(12)), 2),
]


@needs_can_utils
@pytest.mark.parametrize("fd", [False, True])
def test_every_kind_of_frame_equals_candump(fd: bool) -> None:
    with interface() as name, cf.Channel.socketcan(name, fd=fd, filters=[{"can_id": 0, "can_mask": 0}]) as channel:
        with candump(name) as lines, bare_socket(name) as bare:
            for frame in CLASSICAL + FLEXIBLE * fd:
                bare.send(frame)
        time.sleep(0.05)
        frames = channel.receive(1000, min_frames=len(CLASSICAL) + 2, timeout=10)
        frames = frames[frames["arbitration_id"] != 0x7FF]
        assert len(lines) == len(CLASSICAL) + len(FLEXIBLE) * fd
        assert as_candump(frames) == lines
        assert frames.dtype == (cf.FD_FRAME_DTYPE if fd else cf.FRAME_DTYPE)
        channel.ledger().verify()


@needs_can_utils
def test_what_is_sent_is_what_candump_shows() -> None:
    sent = cf.make_frames(
        [0x12, 0x1FFFFFFF, 0x7FE, 0x123, 0x456, 0x123, 0x12, 0x1F000000],
        [b"abc", b"12345678", b"", b"", bytes(range(48)), b"", b"x" * 64, b"1234"],
        dlc=[3, 8, 5, 0, 14, 0, 15, 4],
        flags=[0, 1, 2, 3, 0, 1, 0, 1],
        fd=True,
    )
    sent["flags"] = [0, 1, 2, 3, 8, 9, 8 | 16, 8 | 16 | 32 | 1]
    with interface() as name, cf.Channel.socketcan(name, fd=True) as channel:
        with candump(name) as lines:
            assert channel.send(sent, timeout=5) == len(sent)
        assert [line.split()[1] for line in lines] == [line.split()[1] for line in as_candump(sent)]
        assert channel.ledger().sent == len(sent)
        assert channel.statistics()["tx_frames"] == len(sent)


def test_raw_dlc_passes_both_ways() -> None:
    """A length code above 8 keeps its value; classical frames still carry 8 bytes."""
    with interface() as name, cf.Channel.socketcan(name) as channel, bare_socket(name) as bare:
        bare.send(classical(0x1, b"12345678", dlc=11))
        bare.send(classical(REMOTE | 0x2, length=8, dlc=15))
        frames = receive(channel, 2)
        assert frames["dlc"].tolist() == [11, 15]
        assert bytes(frames["data"][0]) == b"12345678"
        frames["flags"] &= np.uint16(cf.FrameFlag.REMOTE)
        channel.send(frames)
        assert bare.recv(72) == classical(0x1, b"12345678", dlc=11)
        assert bare.recv(72) == classical(REMOTE | 0x2, length=8, dlc=15)


def test_bytes_past_the_payload_are_zero() -> None:
    with interface() as name, cf.Channel.socketcan(name, fd=True) as channel, bare_socket(name) as bare:
        bare.send(classical(0x1, b"\xff" * 8, length=3))
        bare.send(flexible(0x1, b"\xff" * 9))  # no controller has 9: the code for 12
        short, odd = receive(channel, 2)
        assert bytes(short["data"]) == b"\xff" * 3 + bytes(61)
        assert (odd["dlc"], bytes(odd["data"])) == (9, b"\xff" * 9 + bytes(55))


def test_own_messages_and_loopback() -> None:
    frames = cf.make_frames([1, 2], [b"a", b"b"])
    with interface() as name, bare_socket(name) as bare:
        with cf.Channel.socketcan(name, receive_own_messages=True) as channel:
            bare.send(classical(3))
            channel.send(frames)
            back = receive(channel, 3)
            assert back["arbitration_id"].tolist() == [3, 1, 2]
            assert (back["flags"] & cf.FrameFlag.TX != 0).tolist() == [False, True, True]
            assert len(bare.recv(72)) == 16
            assert len(bare.recv(72)) == 16
        with cf.Channel.socketcan(name, local_loopback=False) as channel:
            channel.send(frames)
            bare.settimeout(0.1)
            with pytest.raises(TimeoutError):
                bare.recv(72)
            assert len(channel.receive(timeout=0.05)) == 0


def test_kernel_filters() -> None:
    sent = [classical(0x100), classical(0x1F0), classical(EXTENDED | 0x100), classical(0x200)]
    filters = [{"can_id": 0x100, "can_mask": 0x700, "extended": False}, {"can_id": 0x200, "can_mask": 0x1FFFFFFF}]
    with interface() as name, cf.Channel.socketcan(name, kernel_filters=filters) as channel, bare_socket(name) as bare:
        for frame in sent:
            bare.send(frame)
        assert receive(channel, 3)["arbitration_id"].tolist() == [0x100, 0x1F0, 0x200]
        channel.set_driver_filter(0x100, 0x7FF)
        for frame in sent:
            bare.send(frame)
        frames = receive(channel, 2)
        assert frames["arbitration_id"].tolist() == [0x100, 0x100]
        assert (frames["flags"] & 1).tolist() == [0, 1]
        assert channel.ledger().received == 5


@pytest.mark.parametrize(
    ("identifier", "data", "state", "tec", "rec"),
    [
        (0x204, [0, 0x08, 0, 0, 0, 0, 97, 3], "warning", 97, 3),
        (0x204, [0, 0x30, 0, 0, 0, 0, 130, 126], "error_passive", 130, 126),
        (0x004, [0, 0x04, 0, 0, 0, 0, 1, 99], "warning", 1, 99),  # kernels before 6.0
        (0x240, [0, 0, 0, 0, 0, 0, 255, 0], "bus_off", 255, 0),
        (0x100, [0] * 8, "error_active", 0, 0),
        (0x204, [0, 0x40, 0, 0, 0, 0, 10, 20], "error_active", 10, 20),
        (0x008, [0, 0, 4, 0, 0, 0, 0, 0], "error_active", 0, 0),
    ],
)
def test_error_frames_tell_the_state(identifier: int, data: list[int], state: str, tec: int, rec: int) -> None:
    with interface() as name, cf.Channel.socketcan(name) as channel, bare_socket(name) as bare:
        bare.send(classical(ERROR | identifier, bytes(data)))
        (frame,) = receive(channel, 1)
        assert frame["flags"] == cf.FrameFlag.ERROR_FRAME
        assert frame["arbitration_id"] == identifier
        status = channel.status()
        assert (status.state, status.tec, status.rec, status.bus_off) == (state, tec, rec, state == "bus_off")


def test_without_error_frames() -> None:
    with interface() as name, cf.Channel.socketcan(name, error_frames=False) as channel, bare_socket(name) as bare:
        bare.send(CLASSICAL[-1])
        bare.send(classical(0x1))
        assert receive(channel, 1)["flags"].tolist() == [0]


def test_any_canal_program_can_use_it() -> None:
    """Without anything of ours but the library: microseconds, status messages, waiting, FD entry points."""
    canal = load(SOCKETCAN)
    with interface() as name, bare_socket(name) as bare:
        handle = canal.CanalOpen(f"{name};own=1".encode(), 0x10)
        assert handle > 0
        slot = Message()
        assert canal.CanalReceive(handle, slot) == 8
        assert canal.CanalBlockingReceive(handle, slot, 20) == 32
        before = time.time_ns() // 1000
        bare.send(classical(EXTENDED | 0x123, b"abc"))
        assert canal.CanalBlockingReceive(handle, slot, 5000) == 0
        assert slot.row() == (1, 0x123, 3, b"abc" + bytes(5))
        assert before <= slot.timestamp <= time.time_ns() // 1000
        bare.send(classical(ERROR | 0x240, bytes([0] * 6 + [255, 7])))
        assert canal.CanalDataAvailable(handle) == 1
        assert canal.CanalReceive(handle, slot) == 0
        assert slot.row() == (4, 0, 4, bytes([4, 7, 255]) + bytes(5))
        slot = Message(2, 0, 0x55, 9, (ctypes.c_ubyte * 8)(*b"12345678"), 0)
        assert canal.CanalSend(handle, slot) == 0
        assert bare.recv(72) == classical(REMOTE | 0x55, length=8, dlc=9)
        assert canal.CanalReceive(handle, slot) == 0
        assert slot.row() == (0x80000002, 0x55, 9, bytes(8))
        bare.send(flexible(0x77, b"x" * 12, 1))
        assert canal.CanalReceive(handle, slot) == 39  # too long for this call; it stays
        long = (ctypes.c_uint32 * 22)()
        assert canal.CanalReceiveFD(handle, long) == 0
        assert (long[0], long[2], bytes(long)[23:36]) == (8 | 16, 0x77, b"\x0c" + b"x" * 12)
        assert canal.CanalSendFD(handle, long) == 0
        assert bare.recv(72) == flexible(0x77, b"x" * 12, 1 | 4)
        for bad in (Message(0, 0, 0x800, 0), Message(0, 0, 1, 16), Message(4, 0, 1, 0), Message(8, 0, 1, 0)):
            assert canal.CanalSend(handle, bad) in (5, 6)
        assert canal.CanalClose(handle) == 0
        assert canal.CanalReceive(handle, slot) == canal.CanalClose(handle) == 33


@needs_can_utils
def test_many_frames_of_cangen_in_order() -> None:
    with interface() as name, cf.Channel.socketcan(name) as channel:
        command = ["cangen", name, "-n", str(MANY), "-g", "0", "-I", "i", "-D", "i", "-L", "8"]
        with subprocess.Popen(command) as process:
            frames = receive(channel, MANY, timeout=300)
        assert process.returncode == 0
        assert (numbers(frames) == np.arange(MANY)).all()
        assert (frames["arbitration_id"] == np.arange(MANY) % 2048).all()
        ledger = channel.ledger()
        ledger.verify()
        assert ledger.received == ledger.delivered == MANY
        assert (ledger.driver_overruns, ledger.gaps) == (0, 0)


def test_many_frames_of_a_c_program_in_order_recorded(tmp_path: Path) -> None:
    """Recorded while they come: readable meanwhile, and memory does not grow with what has passed."""
    sender = build_c("can_sender", tmp_path)
    path, step, rises = tmp_path / "long.pcapng", MANY // 20, []
    buffer = np.zeros(4096, cf.FRAME_DTYPE)
    with (
        interface() as name,
        cf.Channel.socketcan(name, ring_frames=16_384) as channel,
        cf.logs.Recorder(path) as recorder,
    ):
        for first in range(0, MANY, step):
            with subprocess.Popen([sender, name, str(step), str(first)]) as process:
                left, end = step, time.monotonic() + 100
                while left and time.monotonic() < end:
                    got = channel.receive_into(buffer, timeout=1)
                    recorder.write(buffer[:got])
                    left -= got
            assert (process.returncode, left) == (0, 0)
            rises.append(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() >> 10)
            if first == MANY // 2:
                assert (numbers(cf.read_log(path)) == np.arange(first + step)).all()
                rises.clear()  # reading it took memory
        assert channel.ledger().driver_overruns == 0
    assert rises[-1] - rises[0] < 2048, f"memory rose by {rises} KiB"
    assert (numbers(cf.read_log(path)) == np.arange(MANY)).all()


@pytest.mark.parametrize("fd", [False, True])
def test_python_can_on_both_sides(fd: bool) -> None:
    """The plugin beside python-can's own socketcan interface: each receives what the other sent, as it was."""
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    kinds = [
        {"arbitration_id": 0x123, "is_extended_id": False, "data": b"\1\2\3"},
        {"arbitration_id": 0x1234567, "data": b"12345678"},
        {"arbitration_id": 0x7FF, "is_extended_id": False, "is_remote_frame": True, "dlc": 4},
    ]
    if fd:
        kinds += [{"arbitration_id": 1, "is_fd": True, "bitrate_switch": True, "data": bytes(range(64))}]
    with (
        interface() as name,
        can.Bus(interface="canal_fast", channel=f"socketcan:{name}", fd=fd) as ours,
        can.Bus(interface="socketcan", channel=name, fd=fd) as theirs,
    ):
        for kind in kinds:
            for sender, receiver in ((ours, theirs), (theirs, ours)):
                message = can.Message(**kind)
                sender.send(message)
                got = receiver.recv(10)
                assert got.equals(message, timestamp_delta=None, check_channel=False, check_direction=False), got
                assert abs(got.timestamp - time.time()) < 60


def test_fd_interfaces_are_not_taken_for_classical(tmp_path: Path) -> None:
    """Without fd the kernel leaves frames out and counts none of them: that is said, and `log` asks for them."""
    with interface() as name:
        with pytest.warns(UserWarning, match=f"{name} carries CAN FD"):
            cf.Channel.socketcan(name).close()
        path = tmp_path / "x.pcapng"
        command = [sys.executable, "-P", "-m", "canal_fast", "log", "--library", "socketcan", "--config", name]
        with subprocess.Popen([*command, "-o", str(path), "--frames", "5"]) as log, bare_socket(name) as bare:
            while not path.exists():
                assert log.poll() is None
                time.sleep(0.05)
            for frame in [CLASSICAL[0], *FLEXIBLE]:
                bare.send(frame)
            assert log.wait(20) == 0
        assert (cf.read_log(path)["flags"] & cf.FrameFlag.FD != 0).tolist() == [False, True, True, True, True]


@pytest.mark.skipif(shutil.which("canplayer") is None, reason="NOT RUN: no canplayer")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("by_way_of", [None, "pcapng", "blf"])
def test_canplayer_plays_what_is_written(by_way_of: str | None, tmp_path: Path) -> None:
    """Every kind of frame, at its time: nine decimals, which it takes for so many microseconds, would last 1000 times
    as long."""
    with interface() as name:
        with cf.Channel.socketcan(name, fd=True) as channel, bare_socket(name) as bare:
            for frame in [*CLASSICAL, *FLEXIBLE]:
                bare.send(frame)
            frames = receive(channel, len(CLASSICAL) + len(FLEXIBLE))
        frames = frames[frames["flags"] & cf.FrameFlag.ERROR_FRAME == 0]
        frames["timestamp_ns"] = 1_436_509_052_249_713_123 + 40_000_123 * np.arange(len(frames))
        frames["flags"][::2] |= int(cf.FrameFlag.TX)  # a letter at the end of the line
        path = tmp_path / "x.log"
        if by_way_of is None:
            cf.write_log(path, frames, interfaces={0: name})
        else:
            cf.write_log(tmp_path / "first", frames, interfaces={0: name}, format=by_way_of)
            cf.logs.convert(tmp_path / "first", path)
        with candump(name) as lines:
            subprocess.run(["canplayer", "-I", str(path)], check=True, timeout=60)
    assert [line.split()[1] for line in lines] == [line.split()[1] for line in as_candump(frames)]
    seconds = [float(line.split()[0].strip("()")) for line in lines]
    assert 0.9 * 0.04 * (len(frames) - 1) < seconds[-1] - seconds[0] < 4


@needs_can_utils
def test_error_frames_can_be_sent_to_virtual_interfaces() -> None:
    frames = cf.make_frames([5, 0x204, 6], [b"x", bytes(range(8)), b"y"])
    frames["flags"][1] = int(cf.FrameFlag.ERROR_FRAME)
    with (
        interface() as name,
        candump(name) as lines,
        cf.Channel.socketcan(name) as sender,
        cf.Channel.socketcan(name) as receiver,
    ):
        assert sender.send(frames) == 3
        got = receive(receiver, 3)
    assert [line.split()[1] for line in lines] == ["005#78", "20000204#0001020304050607", "006#79"]
    got["timestamp_ns"] = 0
    assert (got == frames).all()
