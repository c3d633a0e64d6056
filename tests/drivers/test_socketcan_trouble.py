"""What can go wrong with a CAN interface: every failure has a name, every loss a number."""

from __future__ import annotations

import ctypes
import errno
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_programs import build_c
from canal_ctypes import Message, load, message
from interfaces import (
    HAS_CAN,
    bare_socket,
    classical,
    interface,
    needs_can,
    numbers,
    receive,
)
from vm import netlink

import canal_fast as cf
from canal_fast._gate import canal_code_table
from canal_fast.drivers.library import SOCKETCAN
from canal_fast.errors import ChannelClosedError, DriverError, FrameError

CODES = {name: number for number, name, _ in canal_code_table()}
linux_only = pytest.mark.skipif(not SOCKETCAN.is_file(), reason="NOT RUN: SocketCAN is Linux's")

pytestmark = pytest.mark.filterwarnings("ignore:.* carries CAN FD")  # vcan always does


@linux_only
@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("", "is not an interface name"),
        ("an_interface_name_too_long", "is not an interface name of 1 to 15 bytes"),
        ("vcan0;own", "own is not key=value"),
        ("vcan0;own=2", "own=2, allowed 0..1"),
        ("vcan0;rcvbuf=-1", "rcvbuf=-1, allowed 0.."),
        ("vcan0;speed=5", "unknown key speed; known are own,"),
        ("vcan0;stamps=best", "stamps=best, allowed kernel, hardware"),
        ("vcan0;filter=12", "filter=12 is not ID:MASK"),
        ("vcan0;filter=" + "1:1," * 17, "more than 16"),
    ],
)
def test_bad_configurations(config: str, words: str) -> None:
    with pytest.raises(DriverError, match=words) as caught:
        cf.Channel("socketcan", config)
    assert caught.value.status == CODES["PARAMETER"]


@linux_only
def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="interface = 'a;b'"):
        cf.Channel.socketcan("a;b")
    with pytest.raises(ValueError, match="stamps = 'best', allowed 'kernel', 'hardware'"):
        cf.Channel.socketcan("vcan0", stamps="best")
    with pytest.raises(ValueError, match=r"receive_buffer = -1, allowed 0\.\."):
        cf.Channel.socketcan("vcan0", receive_buffer=-1)
    with pytest.raises(ValueError, match=r"kernel_filters has 9 entries, allowed 0\.\.8"):
        cf.Channel.socketcan("vcan0", kernel_filters=[{"can_id": 1, "can_mask": 1}] * 9)


@linux_only
@pytest.mark.skipif(HAS_CAN, reason="NOT RUN: this kernel has CAN")
def test_a_kernel_without_can_is_named() -> None:
    with pytest.raises(DriverError, match="this kernel has no SocketCAN") as caught:
        cf.Channel.socketcan("vcan0")
    assert caught.value.status == CODES["NO_SOCKETCAN"]


@needs_can
def test_interfaces_that_cannot_be_opened() -> None:
    def refused(name: str, code: str, words: str, **options: bool | str) -> None:
        with pytest.raises(DriverError, match=words) as caught:
            cf.Channel.socketcan(name, **options)
        assert caught.value.status == CODES[code]

    refused("nosuch0", "CONVERT_NAME_TO_INDEX", "there is no network interface nosuch0")
    refused("lo", "INTERFACE_KIND", "lo is a network interface, but not CAN")
    with interface(up=False) as name:
        refused(name, "INTERFACE_DOWN", f"{name} is down")
    with interface(mtu=netlink.CAN_MTU) as name:
        refused(name, "FD_SUPPORT", f"{name} is a classical interface .mtu 16", fd=True)
        refused(name, "NOT_SUPPORTED", f"{name} offers no hardware time stamps", stamps="hardware")
        with cf.Channel.socketcan(name) as channel:
            flexible = cf.make_frames([1], [b"x" * 12], flags=8, fd=True)
            with pytest.raises(FrameError, match=r"frames\[0\] is a CAN FD frame; this channel is classical"):
                channel.send(flexible)


DENIED = """
import ctypes, struct, sys
import canal_fast as cf
from canal_fast.errors import DriverError
program = struct.pack("=" + "HBBI" * 4, 0x20, 0, 0, 0, 0x15, 0, 1, 41, 6, 0, 0, 0x50000 | {error}, 6, 0, 0, 0x7FFF0000)
text = ctypes.create_string_buffer(program)
rules = struct.pack("@HP", 4, ctypes.addressof(text))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.c_char_p(rules), 0, 0) == 0
try:
    cf.Channel.socketcan("vcan0")
except DriverError as failure:
    print(failure.status, failure)
"""


@linux_only
@pytest.mark.skipif(sys.platform != "linux", reason="NOT RUN: a seccomp filter is Linux's")
@pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES])
def test_permission_denied_is_named(number: int, tmp_path: Path) -> None:
    """A filter of system calls that refuses socket() (41 on x86-64), as a container may."""
    import platform

    if platform.machine() != "x86_64":
        pytest.skip("NOT RUN: the filter is written for x86-64")
    code = DENIED.replace("{error}", str(number))
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    if "prctl" in run.stderr:
        pytest.skip("NOT RUN: this system takes no seccomp filter")
    assert run.stdout.startswith(f"{CODES['DENIED']} "), run.stderr
    assert "no CAN socket: " in run.stdout


def batch(canal: ctypes.CDLL, handle: int, count: int = 1000) -> Any:
    """The records, or minus the code."""
    records = np.zeros(count, cf.FRAME_DTYPE)
    got = canal.CanalReceiveBatch(handle, records.ctypes.data, records.itemsize, count, 0)
    return records[:got] if got > 0 else got


def _ended(channel: cf.Channel, code: str) -> None:
    with pytest.raises(DriverError) as caught:
        channel.receive(timeout=30)
    assert caught.value.status == CODES[code]
    assert code in str(caught.value)


def keep_busy(channel: cf.Channel, bare: socket.socket) -> None:
    """After two frames in a row the reader coalesces: it does not wait in the driver for the next."""
    for _ in range(2):
        bare.send(classical(0x7))
        receive(channel, 1)


@needs_can
def test_down_and_deleted_are_errors_after_the_last_frames() -> None:
    with interface() as name, cf.Channel.socketcan(name, coalesce_ms=200) as channel, bare_socket(name) as bare:
        keep_busy(channel, bare)
        bare.send(classical(0x1, b"a"))
        netlink.change(name, up=False)
        assert receive(channel, 1)["arbitration_id"].tolist() == [1]
        _ended(channel, "INTERFACE_DOWN")
        with pytest.raises(DriverError, match="INTERFACE_DOWN"):
            channel.send(cf.make_frames([1]))
    with interface() as name, cf.Channel.socketcan(name, coalesce_ms=200) as channel:
        with bare_socket(name) as bare:
            keep_busy(channel, bare)
            bare.send(classical(0x2))
        netlink.delete(name)
        assert receive(channel, 1)["arbitration_id"].tolist() == [2]
        _ended(channel, "INTERFACE_GONE")
        with pytest.raises(DriverError, match="INTERFACE_GONE"):
            channel.send(cf.make_frames([1]))


@needs_can
def test_a_failed_send_does_not_hide_the_failure_from_the_receiver() -> None:
    """The kernel tells of an interface's end once, to whoever calls first."""
    with interface() as name, cf.Channel.socketcan(name, coalesce_ms=1000) as channel:
        time.sleep(0.05)
        netlink.change(name, up=False)
        with pytest.raises(DriverError, match="INTERFACE_DOWN"):
            channel.send(cf.make_frames([1]))
        _ended(channel, "INTERFACE_DOWN")


@needs_can
def test_renamed_while_open() -> None:
    """Linux renames interfaces that are down: that is the error; the new name opens, the old one does not."""
    with interface() as name, cf.Channel.socketcan(name) as channel:
        netlink.change(name, up=False)
        netlink.change(name, new_name="renamed0")
        netlink.change("renamed0", up=True)
        _ended(channel, "INTERFACE_DOWN")
        with pytest.raises(DriverError, match=f"there is no network interface {name}"):
            cf.Channel.socketcan(name)
        with cf.Channel.socketcan("renamed0") as again, bare_socket("renamed0") as bare:
            bare.send(classical(0x5))
            receive(again, 1)
        netlink.delete("renamed0")


@needs_can
def test_down_and_up_between_two_looks_is_told() -> None:
    """Frames may have passed unseen meanwhile; a CANAL program that goes on receives again."""
    canal = load(SOCKETCAN)
    with interface() as name, bare_socket(name) as bare:
        handle = canal.CanalOpen(name.encode(), 0)
        netlink.change(name, up=False)
        netlink.change(name, up=True)
        slot = Message()
        assert canal.CanalReceive(handle, slot) == CODES["INTERFACE_DOWN"]
        assert canal.CanalReceive(handle, slot) == CODES["FIFO_EMPTY"]
        with pytest.raises(OSError, match="down"):
            bare.recv(16)  # told, too
        bare.send(classical(0x3))
        assert canal.CanalReceive(handle, slot) == 0
        netlink.change(name, up=False)
        for _ in range(3):
            assert canal.CanalReceive(handle, slot) == CODES["INTERFACE_DOWN"]
        canal.CanalClose(handle)


@needs_can
@pytest.mark.parametrize("learns", ["receiving", "sending"])
@pytest.mark.parametrize(("before", "after"), [(0, 1), (3, 2), (0, 256), (200, 300)])
def test_an_outage_is_told_before_what_may_have_come_after_it(before: int, after: int, learns: str) -> None:
    """What waited with it is from before or from after, and nobody knows: nothing is lost, and all of it has GAP."""
    canal = load(SOCKETCAN)
    with interface() as name, bare_socket(name) as bare:
        handle = canal.CanalOpen(name.encode(), 0)
        for i in range(before):
            bare.send(classical(i))
        netlink.change(name, up=False)
        netlink.change(name, up=True)
        with bare_socket(name) as fresh:
            for i in range(before, before + after):
                fresh.send(classical(i))
            if learns == "sending":
                assert canal.CanalSend(handle, message(1)) == CODES["INTERFACE_DOWN"]
            assert batch(canal, handle) == -CODES["INTERFACE_DOWN"]
            parts = []
            while isinstance(part := batch(canal, handle), np.ndarray):
                parts.append(part)
            assert part == -CODES["FIFO_EMPTY"]
            frames = np.concatenate(parts)
            assert frames["arbitration_id"].tolist() == list(range(before + after))
            assert (frames["flags"] == cf.FrameFlag.GAP).all()
            fresh.send(classical(0x7FF))
            assert batch(canal, handle)["flags"].tolist() == [0]
        canal.CanalClose(handle)


@needs_can
def test_frames_known_to_be_from_before_an_outage_come_first() -> None:
    """The interface was still down when they were fetched, 256 in one system call; what comes then may be new."""
    canal = load(SOCKETCAN)
    with interface() as name:
        handle = canal.CanalOpen(name.encode(), 0)
        with bare_socket(name) as bare:
            for i in range(300):
                bare.send(classical(i))
        netlink.change(name, up=False)
        assert batch(canal, handle, 100)["flags"].tolist() == [0] * 100
        netlink.change(name, up=True)
        with bare_socket(name) as bare:
            bare.send(classical(300))
        assert batch(canal, handle)["arbitration_id"].tolist() == list(range(100, 256))
        assert batch(canal, handle) == -CODES["INTERFACE_DOWN"]
        rest = batch(canal, handle)
        assert rest["arbitration_id"].tolist() == list(range(256, 301))
        assert (rest["flags"] == cf.FrameFlag.GAP).all()
        canal.CanalClose(handle)


@needs_can
def test_an_outage_after_a_whole_number_of_system_calls_is_told() -> None:
    canal = load(SOCKETCAN)
    with interface() as name:
        handle = canal.CanalOpen(name.encode(), 0)
        with bare_socket(name) as bare:
            for i in range(256):
                bare.send(classical(i))
        netlink.change(name, up=False)
        assert len(batch(canal, handle)) == 256
        netlink.change(name, up=True)
        assert [batch(canal, handle) for _ in range(2)] == [-CODES["INTERFACE_DOWN"], -CODES["FIFO_EMPTY"]]
        canal.CanalClose(handle)


@needs_can
def test_down_and_up_with_reconnect() -> None:
    with interface() as name, cf.Channel.socketcan(name, reconnect=0.02) as channel, bare_socket(name) as bare:
        bare.send(classical(0x1))
        receive(channel, 1)
        netlink.change(name, up=False)
        end = time.monotonic() + 30
        while channel.status().state != "disconnected" and time.monotonic() < end:
            time.sleep(0.01)
        netlink.change(name, up=True)
        frames = channel.receive(timeout=0)
        with bare_socket(name) as fresh:
            while not len(frames) and time.monotonic() < end:
                fresh.send(classical(0x2))
                frames = channel.receive(timeout=0.1)
        assert frames[0]["arbitration_id"] == 2
        assert frames[0]["flags"] == cf.FrameFlag.GAP
        assert channel.ledger().outages == 1


@needs_can
def test_what_the_kernel_drops_is_counted_where_it_was_dropped(tmp_path: Path) -> None:
    """A receive buffer for a few frames: after one frame more, the ledger's number is the gaps' sum."""
    sender = build_c("can_sender", tmp_path)
    count = 3000
    with interface() as name, cf.Channel.socketcan(name, receive_buffer=0, coalesce_ms=100) as channel:
        frames = channel.receive(1, timeout=0)
        subprocess.run([sender, name, str(count)], check=True)
        for _ in range(100):  # the marker, again should it be dropped
            time.sleep(0.12)
            subprocess.run([sender, name, "1", str(count)], check=True)
            count += 1
            frames = np.concatenate([frames, channel.receive(10_000, min_frames=10_000, timeout=0.3)])
            if len(frames) and numbers(frames)[-1] == count - 1:
                break
        seen, ledger = numbers(frames), channel.ledger()
        lost = np.diff(seen, prepend=-1) - 1
        assert seen[-1] == count - 1
        assert lost.sum() > 0, "nothing was lost: the test tests nothing"
        assert ledger.driver_overruns == lost.sum() == count - len(frames)
        assert ((frames["flags"] & cf.FrameFlag.GAP) != 0).tolist() == (lost > 0).tolist()
        assert ledger.gaps == (lost > 0).sum()
        assert channel.statistics()["overruns"] == lost.sum()
        ledger.verify()


@needs_can
def test_a_gap_survives_filters() -> None:
    """The frame that carries the kernel's count is filtered away: the next that is kept has GAP."""
    with interface() as name, bare_socket(name) as bare:
        wanted = [{"can_id": 0x100, "can_mask": 0x7FF}]
        with cf.Channel.socketcan(name, receive_buffer=0, coalesce_ms=300, filters=wanted) as channel:
            for _ in range(100):
                for _ in range(50):
                    bare.send(classical(0x1))
                time.sleep(0.4)
                if channel.data_available() == 0 and channel.ledger().received:
                    break
            for identifier in (0x1, 0x100, 0x100):
                bare.send(classical(identifier))
                time.sleep(0.4)
            frames = receive(channel, 2)
            assert (frames["flags"] & cf.FrameFlag.GAP != 0).tolist() == [True, False]
            assert channel.ledger().driver_overruns > 0


@needs_can
def test_closed_while_waiting() -> None:
    with interface() as name:
        channel = cf.Channel.socketcan(name)
        channel.close()
        with pytest.raises(ChannelClosedError):
            channel.receive(timeout=0)
