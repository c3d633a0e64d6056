"""A CAN interface that changes under open channels: two of them on one, away and back under reconnect=, bus off."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from interfaces import ERROR, bare_socket, classical, flexible, interface, needs_can, receive
from vm import netlink

import canal_fast as cf

BRIDGES = ["never", "always"]
PATIENCE_S = 30

pytestmark = [needs_can, pytest.mark.filterwarnings("ignore:.* carries CAN FD")]  # vcan always does


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def disconnected(channel: cf.Channel) -> bool:
    return channel.status().state == "disconnected"


def opened_again(channel: cf.Channel, reconnect: float) -> bool:
    """After its first outage: until then what comes may still come through the socket it had."""
    return channel.ledger().outage_ns >= reconnect * 1e9 and not disconnected(channel)


def back(channel: cf.Channel, name: str, frame: bytes) -> cf.FrameArray:
    """The first frames after an outage, one of which is sent until it comes."""
    end = time.monotonic() + PATIENCE_S
    with bare_socket(name, fd=len(frame) > 16) as bare:
        while time.monotonic() < end:
            bare.send(frame)
            if len(frames := channel.receive(timeout=0.1)):
                return frames
    raise AssertionError(f"nothing came back: {channel.ledger()}")


def books_close(channel: cf.Channel, outages: int) -> None:
    ledger = channel.ledger()
    ledger.verify()
    assert (ledger.outages, ledger.outage_ns > 0) == (outages, outages > 0)


@pytest.mark.parametrize("bridge", BRIDGES)
def test_two_channels_on_one_interface(bridge: str) -> None:
    """Each gets everything and filters for itself; what one sends the other receives; one's end is not the other's."""
    count = 500
    with interface() as name, bare_socket(name) as bare:
        wanted = [{"can_id": 0x100, "can_mask": 0x700}]
        one = cf.Channel.socketcan(name, bridge="never", channel=1, receive_own_messages=True)
        with one, cf.Channel.socketcan(name, bridge=bridge, channel=2, filters=wanted) as two:
            for i in range(count):
                bare.send(classical(0x100 + i % 2 * 0x100, bytes([i % 256])))
            assert receive(one, count)["data"][:, 0].tolist() == [i % 256 for i in range(count)]
            frames = receive(two, count // 2)
            assert (frames["arbitration_id"] == 0x100).all()
            assert two.ledger().filtered == count // 2

            assert one.send(cf.make_frames([0x101])) == 1
            assert two.send(cf.make_frames([0x102])) == 1
            own, other = receive(one, 2), receive(two, 1)
            assert own[["channel", "arbitration_id", "flags"]].tolist() == [(1, 0x101, 64), (1, 0x102, 0)]
            assert other[["channel", "arbitration_id", "flags"]].tolist() == [(2, 0x101, 0)]
            books_close(two, 0)
            two.close()
            bare.send(classical(0x123))
            assert receive(one, 1)["arbitration_id"].tolist() == [0x123]
            books_close(one, 0)


def test_two_channels_of_which_one_is_flexible() -> None:
    with (
        interface() as name,
        bare_socket(name) as bare,
        cf.Channel.socketcan(name) as old,
        cf.Channel.socketcan(name, fd=True) as new,
    ):
        bare.send(classical(0x1))
        bare.send(flexible(0x2, b"x" * 12))
        bare.send(classical(0x3))
        assert receive(new, 3)["arbitration_id"].tolist() == [1, 2, 3]
        assert receive(old, 2)["arbitration_id"].tolist() == [1, 3]


@pytest.mark.parametrize("seen", [True, False], ids=["seen", "up at once"])
@pytest.mark.parametrize("bridge", BRIDGES)
def test_both_channels_survive_an_outage_of_their_interface(bridge: str, seen: bool) -> None:
    with interface() as name:
        one = cf.Channel.socketcan(name, reconnect=0.02)
        with one, cf.Channel.socketcan(name, reconnect=0.02, bridge=bridge) as two:
            netlink.change(name, up=False)
            if seen:
                until(lambda: disconnected(one) and disconnected(two))
            netlink.change(name, up=True)
            for channel in (one, two):
                frames = back(channel, name, classical(0x7))
                assert frames[["arbitration_id", "flags"]][0].tolist() == (7, cf.FrameFlag.GAP)
                books_close(channel, 1)


@pytest.mark.parametrize("reconnect", [0.02, None])
@pytest.mark.parametrize("bridge", BRIDGES)
def test_down_and_up_while_the_reader_looks_elsewhere(bridge: str, reconnect: float | None) -> None:
    """It waits for room in the ring: the frame after the outage lies in the socket before anybody saw the outage."""
    ring, held, new = 16, 5, 3
    options = {"bridge": bridge, "ring_frames": ring, "ring_full": "wait"}
    with interface() as name, cf.Channel.socketcan(name, reconnect=reconnect, **options) as channel:
        with bare_socket(name) as bare:
            for i in range(ring + held):
                bare.send(classical(i))
            until(lambda: channel.ledger().pending == ring)
        netlink.change(name, up=False)
        netlink.change(name, up=True)
        with bare_socket(name) as bare:
            for i in range(new):
                bare.send(classical(0x100 + i))
        frames = receive(channel, ring + held + 1)
        if reconnect is not None:
            books_close(channel, 1)
        frames = np.concatenate([frames, receive(channel, new - 1)])
        assert frames["arbitration_id"].tolist() == [*range(ring + held), *range(0x100, 0x100 + new)]
        sure = frames["flags"].tolist().index(cf.FrameFlag.GAP)  # what the driver had fetched by then is none of it
        assert ring <= sure <= ring + held
        assert frames["flags"].tolist() == [0] * sure + [cf.FrameFlag.GAP] * (ring + held + new - sure)
        if reconnect is None:
            with pytest.raises(cf.DriverError, match="INTERFACE_DOWN"):
                channel.receive(timeout=PATIENCE_S)
            books_close(channel, 0)
        else:
            until(lambda: opened_again(channel, reconnect))
            assert back(channel, name, classical(0x7))["flags"][0] == cf.FrameFlag.GAP
            books_close(channel, 1)


@pytest.mark.parametrize("bridge", BRIDGES)
def test_stopped_behind_an_outage(bridge: str) -> None:
    """What waits in the socket when the channel is stopped is received, from before the outage and from after it."""
    with interface() as name, cf.Channel.socketcan(name, reconnect=1, bridge=bridge, coalesce_ms=1000) as channel:
        with bare_socket(name) as bare:
            for i in range(2):  # from now on the reader sleeps for a second at a time
                bare.send(classical(i))
                receive(channel, 1)
            bare.send(classical(2))
        netlink.change(name, up=False)
        netlink.change(name, up=True)
        with bare_socket(name) as bare:
            bare.send(classical(3))
        channel.stop()
        frames = channel.receive(10, min_frames=0, timeout=0)
        assert frames["arbitration_id"].tolist() == [2, 3]
        assert frames["flags"][-1] == cf.FrameFlag.GAP
        channel.ledger().verify()


@pytest.mark.parametrize("bridge", BRIDGES)
def test_unplugged_and_back_while_the_reader_looks_elsewhere(bridge: str) -> None:
    """The new interface of that name is another one to the kernel: the old socket holds what came before, no more."""
    ring, held = 16, 5
    with interface() as name:
        options = {"bridge": bridge, "ring_frames": ring, "ring_full": "wait"}
        with cf.Channel.socketcan(name, reconnect=0.02, **options) as channel:
            with bare_socket(name) as bare:
                for i in range(ring + held):
                    bare.send(classical(i))
                until(lambda: channel.ledger().pending == ring)
            netlink.delete(name)
            netlink.add(name)
            frames = receive(channel, ring + held)
            assert frames[["arbitration_id", "flags"]].tolist() == [(i, 0) for i in range(ring + held)]
            frames = back(channel, name, classical(0x100))
            assert frames[["arbitration_id", "flags"]][0].tolist() == (0x100, cf.FrameFlag.GAP)
            books_close(channel, 1)


@pytest.mark.parametrize("bridge", BRIDGES)
def test_renamed_and_named_back(bridge: str) -> None:
    """Under its other name it is not this channel's interface, though it be up."""
    with interface() as name, cf.Channel.socketcan(name, reconnect=0.02, bridge=bridge) as channel:
        netlink.change(name, up=False)
        netlink.change(name, new_name="renamed1")
        netlink.change("renamed1", up=True)
        try:
            until(lambda: disconnected(channel))
            with bare_socket("renamed1") as bare:
                bare.send(classical(0x5))
            assert len(channel.receive(timeout=0.2)) == 0
            assert disconnected(channel)
            with pytest.raises(cf.DriverError, match="waits to open it again"):
                channel.send(cf.make_frames([1]))
            netlink.change("renamed1", up=False)
        finally:
            netlink.change("renamed1", new_name=name)
        netlink.change(name, up=True)
        frames = back(channel, name, classical(0x6))
        assert frames[["arbitration_id", "flags"]][0].tolist() == (6, cf.FrameFlag.GAP)
        assert channel.send(cf.make_frames([1])) == 1
        books_close(channel, 1)


@pytest.mark.parametrize("bridge", BRIDGES)
@pytest.mark.parametrize("fd", [False, True])
def test_another_mtu(fd: bool, bridge: str) -> None:
    """A classical channel does with either; a flexible one waits until the interface carries CAN FD again."""
    frame = flexible(0x8, b"y" * 64) if fd else classical(0x8, b"y" * 8)
    with interface() as name, cf.Channel.socketcan(name, fd=fd, reconnect=0.02, bridge=bridge) as channel:
        netlink.change(name, up=False)
        netlink.change(name, mtu=netlink.CAN_MTU)
        netlink.change(name, up=True)
        if fd:
            until(lambda: disconnected(channel))
            with bare_socket(name, fd=False) as bare:
                bare.send(classical(0x1))
            assert len(channel.receive(timeout=0.2)) == 0
            netlink.change(name, up=False)
            netlink.change(name, mtu=netlink.CANFD_MTU)
            netlink.change(name, up=True)
        frames = back(channel, name, frame)
        assert frames[["arbitration_id", "flags"]][0].tolist() == (8, cf.FrameFlag.GAP | (0x8 if fd else 0))
        assert bytes(frames["data"][0]) == b"y" * (64 if fd else 8)
        books_close(channel, 1)


@pytest.mark.parametrize("bridge", BRIDGES)
def test_bus_off_and_restart_are_states_and_no_outage(bridge: str) -> None:
    """As a controller with restart-ms tells them: warning, passive, bus off, restarted, active; frames in between."""
    told = [
        (0x204, [0, 0x08, 0, 0, 0, 0, 104, 0], "warning"),
        (0x204, [0, 0x20, 0, 0, 0, 0, 136, 0], "error_passive"),
        (0x240, [0, 0, 0, 0, 0, 0, 248, 0], "bus_off"),
        (0x100, [0] * 8, "error_active"),
        (0x204, [0, 0x40, 0, 0, 0, 0, 0, 0], "error_active"),
    ]
    with interface() as name, cf.Channel.socketcan(name, reconnect=0.02, bridge=bridge) as channel:
        with bare_socket(name) as bare:
            for round_ in range(3):
                for identifier, data, state in told:
                    bare.send(classical(ERROR | identifier, bytes(data)))
                    bare.send(classical(0x55))
                    frames = receive(channel, 2)
                    assert frames["flags"].tolist() == [cf.FrameFlag.ERROR_FRAME, 0]
                    assert frames["arbitration_id"].tolist() == [identifier, 0x55]
                    status = channel.status()
                    assert (status.state, status.bus_off) == (state, state == "bus_off")
                    if identifier & 0x200:
                        assert (status.tec, status.rec) == (data[6], data[7])
                assert channel.statistics()["bus_off"] == round_ + 1
        assert channel.send(cf.make_frames([1])) == 1
        books_close(channel, 0)
        assert not np.any(channel.ledger().gaps)


@pytest.mark.skip(reason="NOT RUN: restart-ms is a controller's own, and virtual interfaces have none")
def test_a_controller_restarts_after_restart_ms() -> None:
    """`ip link set can0 type can restart-ms 100`, CAN_H and CAN_L shorted a second: bus off, active again."""
