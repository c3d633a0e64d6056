"""The python-can plugin: what BusABC leaves open."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from can_messages import base, can

import canal_fast as cf

LONG = 20.0
numbers = itertools.count()


def name(keys: str = "1000000") -> str:
    return f"virtual:plugin{next(numbers)};{keys}"


def bus(channel: str | None = None, **options: Any) -> Any:
    return can.Bus(interface="canal_fast", channel=channel, **options)


# -- opening


def test_both_names_and_no_import_before() -> None:
    assert {"canal_fast", "canal"} <= can.VALID_INTERFACES
    with can.Bus(interface="canal", channel=name()) as opened:
        assert opened.channel_info.startswith("canal_fast canal_fast virtual bus: virtual:plugin")
    code = "import canal_fast, sys; assert not [m for m in sys.modules if m == 'can' or 'python_can' in m]"
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


@pytest.mark.filterwarnings("ignore:Adjusted f_clock")
@pytest.mark.parametrize(
    ("options", "config"),
    [
        ({"channel": "ED000200"}, "ED000200;500"),
        ({"channel": "ed-000200", "bitrate": 125_000}, "ED000200;125"),
        ({"channel": "usb2can:ED000200,bitrate=125000,name=body", "bitrate": 250_000}, "ED000200;125"),
        ({"channel": "other", "serial": "ED000200"}, "ED000200;500"),
        ({"channel": "ED000200", "bitrate": 83_333}, "ED000200;0;"),
        ({"channel": "ED000200", "timing": can.BitTiming(32_000_000, 4, 13, 2, 1)}, "ED000200;0;13;2;1;4"),
        ({"channel": "ED000200", "timing": can.BitTiming(16_000_000, 2, 13, 2, 1)}, "ED000200;0;13;2;1;4"),
    ],
)
def test_arguments_of_the_built_in_backend(options: dict[str, Any], config: str) -> None:
    """The virtual driver refuses such strings, and the error quotes what it was given."""
    for library in ({"dll": "virtual"}, {"library": "virtual"}):
        with pytest.raises(can.CanInitializationError, match=f"did not open '{config}"):
            bus(flags=0x8, **options, **library)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"channel": "ED000200"}, can.CanInterfaceNotImplementedError, "no driver library called usb2can.dll"),
        ({"channel": "usb2can:ED000200"}, can.CanInterfaceNotImplementedError, "no driver library called usb2can.dll"),
        ({"channel": "library=no.so;0;500"}, can.CanInterfaceNotImplementedError, "no driver library called no.so"),
        ({"channel": "virtual:x,bitrate=5"}, ValueError, "source 'virtual:x,bitrate=5': bitrate = 5, allowed 1000.."),
        ({"channel": "socketcan:"}, ValueError, "source 'socketcan:' names no interface"),
        ({"channel": "usb2can:X"}, ValueError, "serial = 'X': must have exactly eight letters and digits"),
        ({"channel": "ED0002"}, ValueError, "eight letters and digits"),
        (
            {"channel": "can0"},
            ValueError,
            'a bus that is no USB2CAN adapter is given as channel="socketcan:can0" or "vi',
        ),
        ({"channel": "ED000200", "bitrate": 83_000}, ValueError, "83,000"),
        ({"library": "virtual", "config": "x;500000;nonsense=1"}, can.CanInitializationError, "nonsense"),
        ({"channel": "ED000200", "receive_own_messages": True}, can.CanInitializationError, "no such mode"),
        ({"channel": "virtual:x", "one_shot": True}, can.CanInitializationError, "one_shot = True: this driver has"),
        ({"library": "x.so", "config": "", "loopback": True}, can.CanInitializationError, "loopback"),
        ({"channel": "virtual:x", "ring_frames": 0}, ValueError, "ring_frames = 0"),
        ({"channel": "virtual:x", "can_filters": [{"can_id": 1}]}, ValueError, "can_mask"),
        (
            {
                "channel": "ED000200",
                "timing": can.BitTimingFd(80_000_000, 1, 119, 40, 40, 1, 29, 10, 10),
            },
            NotImplementedError,
            "CAN FD",
        ),
    ],
)
def test_what_does_not_open(options: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        bus(**options)


def test_any_library_and_options_of_the_channel(caplog: pytest.LogCaptureFixture) -> None:
    silent = {"single_handle": True, "receive_own_messages": False, "data_bitrate": None}
    with bus(library="virtual", config=name()[8:], ring_frames=16, clock="device", tty_baudrate=1, **silent) as opened:
        assert opened.canal.driver.profile == "virtual"
        assert opened.canal.clock().source == "device"
    assert [record.getMessage() for record in caplog.records] == ["canal_fast has no use for tty_baudrate"]


@pytest.mark.parametrize("way", ["prefix", "library"])
def test_own_messages_come_back(way: str) -> None:
    options = {"channel": name()} if way == "prefix" else {"library": "virtual", "config": name()[8:]}
    with bus(receive_own_messages=True, **options) as opened:
        opened.send(can.Message(arbitration_id=0x123, data=b"1"))
        own = opened.recv(20)
        assert (own.arbitration_id, own.is_rx) == (0x123, False)


def test_fd_messages_at_their_rates() -> None:
    channel = name()
    timing = can.BitTimingFd.from_sample_point(80_000_000, 500_000, 80, 2_000_000, 80)
    with bus(channel=channel, fd=True, timing=timing) as a, bus(channel=channel, fd=True, data_bitrate=2_000_000) as b:
        a.send(can.Message(arbitration_id=1, is_fd=True, bitrate_switch=True, data=bytes(64)))
        got = b.recv(20)
        assert (got.is_fd, got.bitrate_switch, got.dlc, len(got.data)) == (True, True, 64, 64)


def test_detection_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    from canal_fast.python_can import opening

    assert isinstance(can.detect_available_configs("canal_fast"), list)
    devices = [cf.Device("ED000200", "USB2CAN converter", "1-1", interface) for interface in (None, "can0")]
    monkeypatch.setattr(opening, "list_devices", lambda: devices)
    found = can.detect_available_configs(["canal_fast"])
    assert found == [{"interface": "canal_fast", "channel": name} for name in ("ED000200", "socketcan:can0")]
    monkeypatch.setattr(opening, "list_devices", lambda: 1 / 0)
    assert can.detect_available_configs("canal_fast") == []


# -- receiving


def test_status_messages_are_error_frames() -> None:
    with bus(name("1000000;rate=1000;status=3"), flags=8) as opened:
        got = [opened.recv(LONG) for _ in range(20)]
        opened.set_filters([{"can_id": 0x123, "can_mask": 0x7FF, "extended": False}])
        later = opened.recv(LONG)
    assert [msg.is_error_frame for msg in got].count(True) >= 4
    assert all(len(msg.data) == 4 for msg in got if msg.is_error_frame)
    assert later.is_error_frame  # they have no identifier to be filtered by


def test_time_stamps_are_epoch_seconds() -> None:
    channel = name()
    with bus(channel) as a, bus(channel) as b:
        before = time.time()
        a.send(base(1))
        got = b.recv(LONG)
        assert before - 1 < got.timestamp < time.time() + 1


def test_filtered_while_waiting_are_in_the_ledger() -> None:
    channel = name()
    with bus(channel) as a, bus(channel) as b:
        for i in range(100):
            a.send(base(i))
        while b.canal.ledger().pending < 100:
            time.sleep(0.001)
        b.set_filters([{"can_id": 0, "can_mask": 1}])
        frames = b.receive_frames(1000, timeout=0)
        assert frames["arbitration_id"].tolist() == list(range(0, 100, 2))
        ledger = b.canal.ledger()
        ledger.verify()
        assert (ledger.received, ledger.delivered, ledger.filtered, ledger.pending) == (100, 50, 50, 0)
        b.set_filters(None)
        a.send(base(1))
        assert b.recv(LONG).arbitration_id == 1


def test_arrays_and_messages_from_one_bus() -> None:
    channel = name()
    with bus(channel) as a, bus(channel) as b:
        for i in range(10):
            a.send(base(i))
        assert b.recv(LONG).arbitration_id == 0
        frames = b.receive_frames(9, min_frames=9, timeout=LONG)
        assert frames.dtype == cf.FRAME_DTYPE
        assert frames["arbitration_id"].tolist() == list(range(1, 10))
    with pytest.raises(can.CanOperationError, match="closed"):
        b.receive_frames()


def test_waiting_for_ever_sleeps() -> None:
    """The built-in backend spins: BlockingReceive(0) polls."""
    with bus(name()) as opened:
        used: list[float] = []

        def wait() -> None:
            before = time.thread_time()
            with pytest.raises(can.CanOperationError, match="closed"):
                opened.recv()
            used.append(time.thread_time() - before)

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.5)
        opened.shutdown()  # ends the wait
        thread.join(LONG)
    assert used[0] < 0.1


def test_time_outs_ignore_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is set back an hour: python-can's own recv would wait an hour."""
    clock = itertools.count(time.time(), -3600.0)
    monkeypatch.setattr("can.bus.time", lambda: next(clock))
    got: list[Any] = []
    with bus(name()) as opened:
        thread = threading.Thread(target=lambda: got.append(opened.recv(0.02)), daemon=True)
        thread.start()
        thread.join(LONG)
    assert got == [None]


def test_received_messages_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    channel = name()
    caplog.set_level(can.BusABC.RECV_LOGGING_LEVEL, "can.bus")
    with bus(channel) as a, bus(channel) as b:
        a.send(base(0x42))
        b.recv(LONG)
    assert any("Received: " in row.message and "042" in row.message for row in caplog.records)


# -- sending


def test_a_full_queue_is_a_time_out() -> None:
    """The others on the bus keep it busy: what is sent stays in the queue."""
    with bus(name("1000;txqueue=1")) as opened:

        def fill() -> None:
            for _ in range(5):
                opened.send(base(1, b"12345678"), timeout=0)

        with pytest.raises(can.CanTimeoutError, match=r"within 0 s") as caught:
            fill()
        assert isinstance(caught.value, can.CanOperationError)
        opened.send(base(1), timeout=LONG)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (base(0x800), "arbitration_id"),
        (base(-1), "arbitration_id"),
        (base(1 << 40), "arbitration_id"),
        (base(1, b"12", dlc=3), "data has 2 bytes, but dlc is 3"),
        (base(1, dlc=9, data=b"123456789"), "dlc = 9, allowed 0..8"),
        (base(1, is_error_frame=True, dlc=9, data=b"123456789"), "dlc = 9, allowed 0..8"),
        (base(1, is_fd=True), "FD"),
    ],
)
def test_what_no_controller_could_send(message: Any, words: str) -> None:
    with bus(name()) as opened:
        with pytest.raises(can.CanOperationError, match=words):
            opened.send(message)
        with pytest.raises(can.CanOperationError, match=words):
            opened.send_periodic(message, 0.01)
        assert opened.canal.ledger().sent == 0


def test_state() -> None:
    with bus(name()) as opened:
        assert opened.state is can.BusState.ACTIVE
        opened.state = can.BusState.ACTIVE
        with pytest.raises(NotImplementedError, match="flags"):
            opened.state = can.BusState.PASSIVE
    with pytest.raises(can.CanOperationError):
        _ = opened.state


def test_periodic_is_native_and_counted() -> None:
    channel = name("1000000;fifo=8192")
    with bus(channel) as a, bus(channel) as b:
        before = threading.active_count()
        task = a.send_periodic([base(1, bytes([i])) for i in range(3)], 0.002, duration=0.05)
        assert threading.active_count() == before
        while task.statistics().active:
            time.sleep(0.005)
        books = task.statistics()
        assert books.periods + books.missed == 25
        got = b.receive_frames(books.sent, min_frames=books.sent, timeout=LONG)
        assert got["data"][:, 0].tolist() == [i % 3 for i in range(books.sent)]
        assert len(b.receive_frames(timeout=0.02)) == 0


def test_channel_tasks_in_turn_end_by_themselves() -> None:
    config = name()[8:]
    with cf.Channel.virtual(config) as a, cf.Channel.virtual(config) as b:
        tasks = [a.send_periodic(cf.make_frames([1, 2]), 0.001, times=n) for n in (1, 7)]
        tasks.append(a.send_periodic(cf.make_frames([3, 4, 5]), 0.001, in_turn=True, times=5))
        while any(task.statistics().active for task in tasks):
            time.sleep(0.005)
        books = [task.statistics() for task in tasks]
        assert [row.periods + row.missed for row in books] == [1, 7, 5]
        total = sum(row.sent for row in books)
        got = b.receive(total, min_frames=total, timeout=LONG)["arbitration_id"]
        assert got[got > 2].tolist() == [3, 4, 5, 3, 4][: books[2].sent]
        for times in (0, -1, 1 << 63):
            with pytest.raises(ValueError, match="times"):
                a.send_periodic(cf.make_frames(1), 0.001, times=times)
