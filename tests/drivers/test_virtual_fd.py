"""CAN FD on the virtual bus: exact bus time at two bit rates, both kinds of entry point, and who is left out."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from canal_ctypes import Message, message
from oracle import wire_oracle as oracle
from virtual_bus import MS, REMOTE, SUCCESS, Open, drain, statistics, status

import canal_fast as cf

FD_FLAG, LOOPBACK, FD, BRS, ESI, EXTENDED = 0x10, 0x2, 0x8, 0x10, 0x20, 1
FD_SUPPORT_ENABLE, CAN_MESSAGE, PARAMETER = 41, 6, 34
MIX = "load=1;fd=0.7;brs=0.5;dlc=0-15;ext=0.3;remote=0.2;seed=4;clock=step;fifo=65536"


class FdMessage(ctypes.Structure):
    _fields_ = [
        *[(name, ctypes.c_uint32) for name in ("flags", "obid", "id", "timestamp")],
        ("reserved", ctypes.c_ubyte * 7),
        ("size", ctypes.c_ubyte),
        ("data", ctypes.c_ubyte * 64),
    ]


def drain_fd(canal: ctypes.CDLL, handle: int) -> list[FdMessage]:
    got = []
    slot = FdMessage()
    while canal.CanalReceiveFD(handle, ctypes.byref(slot)) == SUCCESS:
        got.append(slot)
        slot = FdMessage()
    return got


def as_frame(m: FdMessage) -> oracle.Frame:
    fd, remote = bool(m.flags & FD), bool(m.flags & REMOTE)
    dlc = oracle.FD_LENGTHS.index(m.size) if fd else m.size
    length = 0 if remote else m.size if fd else min(m.size, 8)
    assert bytes(m.data)[length:] == bytes(64 - length)
    flags = bool(m.flags & EXTENDED), remote, fd, bool(m.flags & BRS), bool(m.flags & ESI)
    return oracle.Frame(m.id, *flags, dlc, bytes(m.data)[:length])


@pytest.mark.parametrize(
    ("bitrate", "data_bitrate", "ms"), [(500_000, 2_000_000, 400), (800_000, 5_000_000, 250), (250_000, None, 1000)]
)
def test_every_bit_has_its_time(
    canal: ctypes.CDLL, opened: Open, bitrate: int, data_bitrate: int | None, ms: int
) -> None:
    rates = f"b;{bitrate};" + (f"data_bitrate={data_bitrate};" if data_bitrate else "")
    handle = opened(rates + MIX, FD_FLAG)
    canal.CanalVirtualStep(b"b", ms * MS)
    got = drain_fd(canal, handle)
    frames = [as_frame(m) for m in got]
    flexible = sum(f.fd for f in frames)
    assert len(got) > 400
    assert 0.65 < flexible / len(got) < 0.75
    assert 0.4 < sum(f.brs for f in frames) / flexible < 0.6
    assert {f.dlc for f in frames if f.fd} == set(range(16))
    data = data_bitrate or bitrate
    end = 0  # in bits of both rates multiplied
    for m, frame in zip(got, frames, strict=True):
        nominal, fast = oracle.length_parts(frame)
        end += nominal * data + fast * bitrate
        assert m.timestamp == end * 1_000_000 // (bitrate * data)
        end += 3 * data


def test_a_seed_gives_the_same_frames_again(canal: ctypes.CDLL, opened: Open) -> None:
    runs = []
    for name in ("b", "c"):
        handle = opened(f"{name};{MIX}", FD_FLAG)
        canal.CanalVirtualStep(name.encode(), 200 * MS)
        runs.append([as_frame(m) for m in drain_fd(canal, handle)])
    assert len(runs[0]) > 50
    assert runs[0] == runs[1]


def test_what_is_sent_comes_back(canal: ctypes.CDLL, opened: Open) -> None:
    sender, receiver = opened("b;clock=step;data_bitrate=2000000", FD_FLAG | LOOPBACK), opened("b", FD_FLAG)
    sent = []
    for dlc, length in enumerate(oracle.FD_LENGTHS):
        m = FdMessage(FD | BRS * (dlc % 2) | ESI * (dlc % 3 == 0), 0, 0x100 + dlc, 0, size=length)
        m.data[:length] = list(range(1, length + 1))
        sent.append(m)
    sent.append(FdMessage(EXTENDED | REMOTE, 0, 0x12345, 0, size=5))
    for m in sent:
        assert canal.CanalSendFD(sender, ctypes.byref(m)) == SUCCESS
    canal.CanalVirtualStep(b"b", 100 * MS)
    expected = [as_frame(m) for m in sent]
    assert [as_frame(m) for m in drain_fd(canal, receiver)] == expected
    own = drain_fd(canal, sender)
    assert [as_frame(m) for m in own] == expected
    assert all(m.flags & 0x80000000 for m in own)


def test_a_classical_handle_counts_what_passes(canal: ctypes.CDLL, opened: Open) -> None:
    handle = opened(f"b;{MIX}")
    flexible = opened("b;fifo=65536", FD_FLAG)
    canal.CanalVirtualStep(b"b", 100 * MS)
    everything = [as_frame(m) for m in drain_fd(canal, flexible)]
    passed = sum(f.fd for f in everything)
    assert len(drain(canal, handle)) == len(everything) - passed > 0
    assert statistics(canal, handle).overruns == passed > 0
    assert status(canal, handle).text == b"%d CAN FD frames passed this handle, which is classical" % passed
    assert canal.CanalSendFD(handle, ctypes.byref(FdMessage(FD, 0, 1, 0, size=1))) == FD_SUPPORT_ENABLE


def test_classical_calls_skip_and_count(canal: ctypes.CDLL, opened: Open) -> None:
    handle = opened(f"b;{MIX}", FD_FLAG)
    canal.CanalVirtualStep(b"b", 100 * MS)
    waiting = canal.CanalDataAvailable(handle)
    got = len(drain(canal, handle))
    assert 0 < got < waiting == got + statistics(canal, handle).overruns


def test_what_cannot_be_sent_is_refused(canal: ctypes.CDLL, opened: Open) -> None:
    handle = opened("b", FD_FLAG)
    for m in (FdMessage(FD, 0, 1, 0, size=9), FdMessage(FD, 0, 1, 0, size=65), FdMessage(FD | REMOTE, 0, 1, 0, size=1)):
        assert canal.CanalSendFD(handle, ctypes.byref(m)) == CAN_MESSAGE
    assert canal.CanalSendFD(handle, None) == PARAMETER
    assert canal.CanalSend(handle, message(1, b"1", flags=FD)) == CAN_MESSAGE
    assert canal.CanalReceiveBatch(handle, ctypes.byref(Message()), 24, 1, 0) == -PARAMETER


def test_bit_rates_without_a_common_measure_are_refused(canal: ctypes.CDLL) -> None:
    assert canal.CanalOpen(b"b;500000;data_bitrate=1999999", FD_FLAG) == 0
    assert b"no common measure" in canal.CanalVirtualLastError()


def test_a_channel_opens_with_fd() -> None:
    frames = cf.make_frames([1, 2], data=[b"\1" * 64, b"\2" * 8], flags=[FD | BRS, 0], fd=True)
    with cf.Channel.virtual("fdbus;data_bitrate=2000000", fd=True) as a, cf.Channel.virtual("fdbus", fd=True) as b:
        assert a.send(frames, timeout=1.0) == 2
        got = b.receive(2, min_frames=2, timeout=5.0)
    carried = ["arbitration_id", "flags", "dlc", "data"]
    assert np.array_equal(got[carried], frames[carried])


def test_fd_asks_our_drivers_for_it() -> None:
    with cf.Channel("virtual", "fdbus;fd=1;rate=1000;frames=1", fd=True) as channel:
        assert channel.receive(1, timeout=5.0)["flags"] == [FD]


def test_a_classical_channel_books_what_it_cannot_take() -> None:
    """Nothing is silently missing: the ledger calls it lost."""
    with cf.Channel.virtual("fdbus;fd=1;rate=1000;frames=5") as channel:
        assert not len(channel.receive(5, min_frames=5, timeout=0.2))
        channel.stop()
        assert channel.ledger().driver_overruns == 5
