"""Channel: open, receive, send, filter, end; and the mistakes a person makes."""

from __future__ import annotations

import ctypes
import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import FrameFlag
from canal_fast.drivers.library import VIRTUAL

FRAMES = cf.make_frames([0x100, 0x101, 0x7FF], [b"\x01", b"\x02\x03", b"12345678"])


def step(bus: str, ns: int) -> None:
    function = ctypes.CDLL(str(VIRTUAL)).CanalVirtualStep
    function.argtypes = [ctypes.c_char_p, ctypes.c_ulonglong]
    assert function(bus.encode(), ns) == 0


def collect(channel: cf.Channel, count: int, timeout: float = 5.0) -> cf.FrameArray:
    frames = channel.receive(count, min_frames=count, timeout=timeout)
    assert len(frames) == count
    return frames


def test_frames_cross_the_bus(pair: tuple[cf.Channel, cf.Channel]) -> None:
    a, b = pair
    sent = cf.make_frames(
        [0x7FF, 0x1FFFFFFF, 0x123, 0x0],
        [b"12345678", b"", b"", b"x"],
        dlc=[15, 0, 5, 1],
        flags=[0, FrameFlag.EXTENDED_ID, FrameFlag.REMOTE, 0],
    )
    assert a.send(sent, timeout=1.0) == 4
    got = collect(b, 4)
    for field in ("arbitration_id", "flags", "dlc", "data"):
        assert np.array_equal(got[field], sent[field])
    assert (np.diff(got["timestamp_ns"]) >= 0).all()
    assert abs(got["timestamp_ns"][0] / 1e9 - time.time()) < 5
    assert a.ledger().sent == 4
    ledger = b.ledger()
    ledger.verify()
    assert (ledger.received, ledger.delivered, ledger.pending) == (4, 4, 0)


def test_channel_number(bus: str) -> None:
    with cf.Channel.virtual(bus) as a, cf.Channel.virtual(bus, channel=7) as b:
        a.send(FRAMES)
        assert collect(b, 3)["channel"].tolist() == [7, 7, 7]


def test_loopback_marks_tx(bus: str) -> None:
    with cf.Channel.virtual(bus, flags=2) as ch:
        ch.send(FRAMES)
        assert (collect(ch, 3)["flags"] == FrameFlag.TX).all()


def test_time_out_gives_an_empty_array(pair: tuple[cf.Channel, cf.Channel]) -> None:
    frames = pair[0].receive(timeout=0.01)
    assert frames.shape == (0,)
    assert frames.dtype == cf.FRAME_DTYPE
    assert len(pair[0].receive(timeout=0)) == 0
    assert len(pair[0].receive(min_frames=0)) == 0


def test_min_frames_at_time_out_gives_what_is_there(pair: tuple[cf.Channel, cf.Channel]) -> None:
    pair[0].send(FRAMES)
    assert len(pair[1].receive(min_frames=100, timeout=0.2)) == 3


def test_max_frames_leaves_the_rest(pair: tuple[cf.Channel, cf.Channel]) -> None:
    pair[0].send(FRAMES)
    first = pair[1].receive(2, min_frames=2, timeout=5)
    rest = collect(pair[1], 1)
    assert np.array_equal(np.concatenate([first, rest])["arbitration_id"], FRAMES["arbitration_id"])


def test_receive_into(pair: tuple[cf.Channel, cf.Channel]) -> None:
    buffer = np.zeros(5, cf.FRAME_DTYPE)
    pair[0].send(FRAMES)
    assert pair[1].receive_into(buffer, min_frames=3, timeout=5) == 3
    assert np.array_equal(buffer["arbitration_id"][:3], FRAMES["arbitration_id"])
    assert pair[1].receive_into(buffer, timeout=0) == 0


def test_batches_end_when_stopped(bus: str) -> None:
    with cf.Channel.virtual(f"{bus};load=1;frames=500") as ch:
        threading.Timer(0.5, ch.stop).start()
        batches = list(ch.batches(100, timeout=0.05))
    assert sum(map(len, batches)) == 500
    assert max(map(len, batches)) <= 100


def test_stop_keeps_what_came(bus: str) -> None:
    with cf.Channel.virtual(f"{bus};clock=step;load=1;fifo=100") as ch:
        step(bus, 5_000_000)
        ch.stop()
        ledger = ch.ledger()
        assert ledger.pending == ledger.received > 10
        assert len(ch.receive()) == ledger.pending
        with pytest.raises(cf.ChannelClosedError):
            ch.receive()
        ch.stop()


def test_close_keeps_the_ledger(bus: str) -> None:
    ch = cf.Channel.virtual(f"{bus};clock=step;load=1")
    step(bus, 5_000_000)
    ch.stop()
    before = ch.ledger()
    ch.close()
    ch.close()
    assert ch.ledger() == dataclasses.replace(before, discarded=0)
    before.verify()
    for call in (ch.receive, ch.status, ch.statistics, lambda: ch.send(FRAMES)):
        with pytest.raises(cf.ChannelClosedError):
            call()


def test_close_wakes_a_waiting_thread(pair: tuple[cf.Channel, cf.Channel]) -> None:
    seen: list[object] = []

    def wait() -> None:
        try:
            seen.append(pair[0].receive())
        except cf.ChannelClosedError as error:
            seen.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    pair[0].close()
    thread.join(5)
    assert not thread.is_alive()
    assert isinstance(seen[0], cf.ChannelClosedError)


def test_two_consumers_share_without_loss(bus: str) -> None:
    count = 20_000
    parts: list[list[np.ndarray]] = [[], []]
    with cf.Channel.virtual(f"{bus};1000000;clock=step;load=1;frames={count};fifo={count}") as ch:

        def consume(number: int) -> None:
            for batch in ch.batches(64, timeout=0.01):
                parts[number].append(batch)

        threads = [threading.Thread(target=consume, args=(n,)) for n in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(300):
            step(bus, 10_000_000)
        while ch.ledger().received < count:
            time.sleep(0.01)
        ch.stop()
        for thread in threads:
            thread.join(10)
        ledger = ch.ledger()
    ledger.verify()
    assert ledger.delivered == count
    numbers = [np.concatenate(p)["data"][:, :4].copy().view("<u4")[:, 0] for p in parts]
    for own in numbers:
        assert (np.diff(own.astype(np.int64)) > 0).all()
    assert np.array_equal(np.sort(np.concatenate(numbers)), np.arange(count))


# -- filters


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([{"can_id": 0x100, "can_mask": 0x7FE}], [0x100, 0x101, 0x100 | 1 << 20]),
        ([{"can_id": 0x100, "can_mask": 0x7FF, "extended": False}], [0x100]),
        ([{"can_id": 0x101, "can_mask": 0x1FFFFFFF}, {"can_id": 0x7FF, "can_mask": 0x7FF, "extended": True}], [0x101]),
        ([{"can_id": 0x100, "can_mask": 0x7FF, "extended": True}], [0x100 | 1 << 20]),
        ([], [0x100, 0x101, 0x7FF, 0x100 | 1 << 20]),
        (None, [0x100, 0x101, 0x7FF, 0x100 | 1 << 20]),
    ],
)
def test_filters_as_in_python_can(bus: str, filters: list | None, expected: list[int]) -> None:
    can = pytest.importorskip("can")
    frames = cf.make_frames([0x100, 0x101, 0x7FF, 0x100 | 1 << 20], flags=[0, 0, 0, FrameFlag.EXTENDED_ID])
    messages = [
        can.Message(arbitration_id=int(f["arbitration_id"]), is_extended_id=bool(f["flags"] & 1)) for f in frames
    ]
    with can.Bus(interface="virtual", channel=bus, can_filters=filters) as reference:
        theirs = [m.arbitration_id for m in messages if reference._matches_filters(m)]
    with cf.Channel.virtual(bus) as a, cf.Channel.virtual(bus, filters=filters) as b:
        a.send(frames)
        deadline = time.monotonic() + 5
        while b.ledger().received < 4 and time.monotonic() < deadline:
            time.sleep(0.01)
        ours = b.receive(timeout=0)["arbitration_id"].tolist()
        b.ledger().verify()
        assert b.ledger().filtered == 4 - len(expected)
    assert ours == theirs == expected


def test_status_messages_pass_the_filters(bus: str) -> None:
    nothing = [{"can_id": 0x7FF, "can_mask": 0x7FF}]
    with cf.Channel.virtual(f"{bus};load=1;frames=20;ids=0x100;status=10", flags=8, filters=nothing) as ch:
        frames = collect(ch, 2)
        assert (frames["flags"] == FrameFlag.STATUS).all()
        assert ch.ledger().status_messages == 2
        assert ch.ledger().filtered == 20


def test_filters_can_be_changed(pair: tuple[cf.Channel, cf.Channel]) -> None:
    a, b = pair
    b.set_filters([{"can_id": 0x7FF, "can_mask": 0x7FF}])
    a.send(FRAMES)
    assert collect(b, 1)["arbitration_id"][0] == 0x7FF
    b.set_filters(None)
    a.send(FRAMES)
    collect(b, 3)


# -- asking


def test_driver_info(pair: tuple[cf.Channel, cf.Channel]) -> None:
    info = pair[0].driver
    assert info.profile == "virtual"
    assert info.level == 1
    assert "virtual" in info.vendor
    assert "CanalReceive" in info.capabilities
    assert Path(info.path) == VIRTUAL


def test_status_and_statistics(pair: tuple[cf.Channel, cf.Channel]) -> None:
    a, b = pair
    a.send(FRAMES)
    collect(b, 3)
    status = b.status()
    assert (status.state, status.tec, status.rec, status.bus_off) == ("error_active", 0, 0, False)
    assert b.statistics()["rx_frames"] == 3
    assert a.statistics()["tx_frames"] == 3
    assert b.data_available() <= 3


def test_refusals_of_the_driver_name_the_code(pair: tuple[cf.Channel, cf.Channel]) -> None:
    with pytest.raises(cf.DriverError, match=r"CanalSetBaudrate failed: CANAL code 17 \(NOT_SUPPORTED") as caught:
        pair[0].set_driver_baudrate(3)
    assert (caught.value.status, caught.value.operation) == (17, "CanalSetBaudrate")


def test_listen_only_refuses_to_send(bus: str) -> None:
    with cf.Channel.virtual(bus, flags=1) as ch:
        with pytest.raises(cf.DriverError, match="CanalSend failed") as caught:
            ch.send(FRAMES)
        assert caught.value.accepted == 0
        assert ch.ledger().send_rejected == 3


def test_send_reports_what_was_accepted(bus: str) -> None:
    many = cf.make_frames(np.arange(100), b"12345678")
    with cf.Channel.virtual(f"{bus};10000;txqueue=10") as a, cf.Channel.virtual(bus):
        accepted = a.send(many)
        assert 10 <= accepted < 20
        assert a.send(many[accepted:], timeout=0.1) < 80
        ledger = a.ledger()
        assert ledger.send_rejected > 0
        assert ledger.sent >= accepted


def test_a_long_send_leaves_others_their_turn(bus: str) -> None:
    """Sending into a full queue holds up neither questions nor other senders for long."""
    with cf.Channel.virtual(f"{bus};10000;txqueue=5") as a, cf.Channel.virtual(bus):
        sender = threading.Thread(
            target=a.send, args=(cf.make_frames(np.arange(60), b"12345678"),), kwargs={"timeout": 5}
        )
        sender.start()
        longest = 0.0
        while sender.is_alive():
            begin = time.monotonic()
            a.status()
            longest = max(longest, time.monotonic() - begin)
            time.sleep(0.005)
        sender.join()
        assert a.ledger().sent == 60
        print(f"longest wait of status() beside a blocked send: {longest * 1e3:.1f} ms")


# -- clocks


def test_device_clock_gives_the_device_time(bus: str) -> None:
    with cf.Channel.virtual(
        f"{bus};1000000;clock=step;rate=1000;t0=4294000000;frames=2000;fifo=4096", clock="device"
    ) as ch:
        step(bus, 3_000_000_000)
        stamps = collect(ch, 2000)["timestamp_ns"]
    assert np.abs(np.diff(stamps) - 1_000_000).max() < 50_000  # through a wrap of the 32-bit counter
    assert stamps[0] >= 4_294_000_000_000


@pytest.mark.slow
def test_epoch_stamps_follow_the_bus(bus: str) -> None:
    with cf.Channel.virtual(f"{bus};1000000;rate=1000;frames=2500") as ch:
        stamps = collect(ch, 2500)["timestamp_ns"]
    steps = np.diff(stamps)
    assert steps.min() >= 0
    assert np.abs(steps[1500:] - 1_000_000).max() < 100_000  # once the clock has settled
    assert abs(stamps[-1] / 1e9 - time.time()) < 1


# -- processes


@pytest.mark.posix
def test_fork(pair: tuple[cf.Channel, cf.Channel]) -> None:
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # "multi-threaded, use of fork() may lead to deadlocks"
        child = os.fork()
    if child == 0:
        said = b"nothing"
        try:
            pair[0].receive(timeout=0)
        except cf.ChannelClosedError as error:
            said = str(error).encode()
        pair[0].close()
        os.write(writing, said)
        os._exit(0)
    os.waitpid(child, 0)
    assert b"forked" in os.read(reading, 200)
    os.close(reading)
    os.close(writing)
    pair[0].send(FRAMES)
    collect(pair[1], 3)


def run(code: str, timeout: float = 20) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-X", "dev", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def test_interpreter_exit_closes_channels() -> None:
    result = run("""
        import canal_fast as cf, threading
        ch = cf.Channel.virtual("bus;load=1")
        def consume():
            while True:
                ch.receive()
        threading.Thread(target=consume, daemon=True).start()
        print(len(ch.receive(timeout=1)) > 0)
        """)
    assert result.stdout == "True\n", result.stderr
    assert result.returncode == 0, result.stderr


def test_ctrl_c_ends_a_wait_and_loses_nothing() -> None:
    result = run("""
        import canal_fast as cf, os, signal, threading, time
        a, b = cf.Channel.virtual("bus"), cf.Channel.virtual("bus")
        def interrupt():
            os.kill(os.getpid(), signal.SIGINT) if os.name == "posix" else signal.raise_signal(signal.SIGINT)
        threading.Timer(0.3, interrupt).start()
        try:
            b.receive()
        except KeyboardInterrupt:
            a.send(cf.make_frames([1, 2, 3]))
            print(len(b.receive(min_frames=3, timeout=5)))
        a.close(); b.close()
        """)
    assert result.stdout == "3\n", result.stderr
    assert signal.SIGINT not in (result.returncode, -result.returncode)
