"""What python-can's BusABC promises: one script, run against its own virtual interface and ours, observes the same."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")

LONG = 20.0  # a hang guard, never waited for
SHORT = 0.05
numbers = itertools.count()
INTERFACES = {
    "virtual": lambda name, **options: can.Bus(interface="virtual", channel=name, **options),
    "canal_fast": lambda name, **options: can.Bus(
        interface="canal_fast", channel=f"virtual:{name}", bitrate=1_000_000, **options
    ),
}
Open = Callable[..., Any]


def message(can_id: int, data: bytes = b"", extended: bool = False, **options: Any) -> Any:
    return can.Message(arbitration_id=can_id, is_extended_id=extended, data=data, **options)


BATTERY = [
    message(0x100),
    message(0x101, b"\x01"),
    message(0x7FF, b"12345678"),
    message(0x000, b"abc"),
    message(0x100, b"\xff", extended=True),
    message(0x1FFFFFFF, b"\x00\x01", extended=True),
    can.Message(arbitration_id=0x234, is_extended_id=False, is_remote_frame=True, dlc=5),
    can.Message(arbitration_id=0x18DA00F1, is_extended_id=True, is_remote_frame=True, dlc=0),
]


def fields(msg: Any) -> tuple[Any, ...] | None:
    if msg is None:
        return None
    kinds = (msg.is_extended_id, msg.is_remote_frame, msg.is_error_frame, msg.is_fd, msg.is_rx)
    return msg.arbitration_id, msg.dlc, bytes(msg.data), *kinds


def take(bus: Any, count: int) -> list[tuple[Any, ...] | None]:
    return [fields(bus.recv(LONG)) for _ in range(count)]


def waits(bus: Any, count: int) -> None:
    """Until so many messages wait in the bus."""
    deadline = time.monotonic() + LONG
    while (bus.canal.ledger().pending if hasattr(bus, "canal") else bus.queue.qsize()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def caught(call: Callable[[], object], *kinds: type[BaseException]) -> str:
    """Name of the first of the kinds that the call raises."""
    try:
        call()
    except kinds as error:
        return next(kind.__name__ for kind in kinds if isinstance(error, kind))
    return "nothing"


def kinds_of_frames(a: Any, b: Any) -> Iterator[Any]:
    for msg in BATTERY:
        a.send(msg)
    yield take(b, len(BATTERY))
    yield fields(a.recv(0))  # not one's own
    for i in range(300):
        a.send(message(i % 0x800, bytes([i % 256])), timeout=LONG)
    yield take(b, 300)
    before = time.time()
    b.send(message(1))
    got = a.recv(LONG)
    yield abs(got.timestamp - before) < LONG, isinstance(got.data, bytearray), bool(got), len(got)


def timeouts(a: Any, b: Any) -> Iterator[Any]:
    for timeout in (0, 0.0004, SHORT):
        began = time.monotonic()
        yield fields(b.recv(timeout)), time.monotonic() - began >= 0.99 * timeout
    got: list[Any] = []
    waiting = threading.Thread(target=lambda: got.append(fields(b.recv())))
    waiting.start()
    waiting.join(SHORT)
    yield waiting.is_alive()
    a.send(message(0x42))
    waiting.join(LONG)
    yield got
    a.send(message(0x43))
    a.send(message(0x44), timeout=0)
    a.send(message(0x45), timeout=1.0)
    yield take(b, 3)


FILTERS: list[Any] = [
    [{"can_id": 0x100, "can_mask": 0x7FF}],
    [{"can_id": 0x100, "can_mask": 0x7FF, "extended": False}],
    [{"can_id": 0x100, "can_mask": 0x1FFFFFFF, "extended": True}],
    [{"can_id": 0x100, "can_mask": 0x7FE}, {"can_id": 0x18DA0000, "can_mask": 0x1FFF0000, "extended": True}],
    [{"can_id": 0x7FF, "can_mask": 0}],
    [{"can_id": 0x7FF, "can_mask": 0x7FF}, {"can_id": 0x1FFFFFFF, "can_mask": 0x1FFFFFFF}],
    [{"can_id": 0x555, "can_mask": 0x7FF}],
    [],
    None,
]
LAST = message(0x555, b"last")


def filters(a: Any, b: Any) -> Iterator[Any]:
    def until_last() -> list[Any]:
        return list(
            itertools.takewhile(lambda got: got not in (None, fields(LAST)), iter(lambda: fields(b.recv(LONG)), 0))
        )

    for rows in FILTERS:
        also = rows and [*rows, {"can_id": 0x555, "can_mask": 0x7FF, "extended": False}]
        b.set_filters(also)
        yield b.filters == (also or None)
        for msg in [*BATTERY, LAST]:
            a.send(msg)
        yield until_last()
        b.set_filters(None)
        for msg in [*BATTERY, LAST]:
            a.send(msg)
        waits(b, len(BATTERY) + 1)
        b.filters = also  # with all of them queued
        yield until_last(), fields(b.recv(0))
    b.set_filters()
    yield b.filters
    only = {"can_id": 0x100, "can_mask": 0x1FFFFFFF}
    b.set_filters([only])
    a.send(message(0x101))
    began = time.monotonic()
    yield fields(b.recv(SHORT)), time.monotonic() - began >= 0.99 * SHORT  # what does not match cuts no time-out short


def iteration(a: Any, b: Any) -> Iterator[Any]:
    for msg in BATTERY:
        a.send(msg)
    yield [fields(msg) for msg in itertools.islice(b, len(BATTERY))]


def periodic(a: Any, b: Any) -> Iterator[Any]:
    for messages in ([], [message(1), message(2)], "no message"):
        yield caught(lambda messages=messages: a.send_periodic(messages, 0.01), ValueError)
    rows = [message(0x10, bytes([i])) for i in range(3)]
    task = a.send_periodic(rows, 0.01)
    yield isinstance(task, can.CyclicSendTaskABC), isinstance(task, can.ModifiableCyclicTaskABC), len(a._periodic_tasks)
    yield take(b, 8)  # one each period, in turn
    task.stop()
    yield len(a._periodic_tasks)
    b.set_filters([{"can_id": 0x11, "can_mask": 0x7FF}])
    task = a.send_periodic(message(0x11, b"\x00"), 0.005, autostart=False)
    yield fields(b.recv(SHORT))
    task.start()
    yield take(b, 4)
    yield caught(lambda: task.modify_data(message(0x12)), ValueError)
    yield caught(lambda: task.modify_data([message(0x11), message(0x11)]), ValueError)
    task.modify_data(message(0x11, b"\x07"))
    new = fields(message(0x11, b"\x07"))
    yield next(row for row in iter(lambda: fields(b.recv(LONG)), None) if row == new), take(b, 2)
    kept = a.send_periodic(message(0x13), 0.005, store_task=False)
    yield len(a._periodic_tasks)
    a.stop_all_periodic_tasks()
    yield len(a._periodic_tasks)
    kept.stop()

    def count(msg: Any) -> None:
        msg.data[0] += 1

    b.set_filters([{"can_id": 0x14, "can_mask": 0x7FF}])
    task = a.send_periodic(message(0x14, b"\x00"), 0.005, modifier_callback=count)
    yield take(b, 3)
    task.stop()
    b.set_filters([{"can_id": 0x15, "can_mask": 0x7FF}])
    a.send_periodic(message(0x15), 0.005, duration=0.05)
    time.sleep(0.5)  # ended by itself, unless the machine stood still all the time
    while b.recv(0):
        pass
    yield fields(b.recv(SHORT))


def ending(a: Any, b: Any) -> Iterator[Any]:
    a.send_periodic(message(1), 0.01)
    with a as entered:
        yield entered is a
    a.shutdown()
    a.shutdown()
    yield caught(lambda: a.recv(0), can.CanOperationError)
    yield caught(lambda: a.send(message(1)), can.CanOperationError)
    yield b.state, b.protocol, isinstance(b.channel_info, str), str(b) == b.channel_info
    yield caught(b.flush_tx_buffer, NotImplementedError)


def observed(part: Callable[[Any, Any], Iterator[Any]], open_bus: Open) -> list[Any]:
    name = f"promises{next(numbers)}"
    with open_bus(name) as a, open_bus(name) as b:
        return list(part(a, b))


@pytest.mark.parametrize("part", [kinds_of_frames, timeouts, filters, iteration, periodic, ending])
def test_same_observations(part: Callable[[Any, Any], Iterator[Any]]) -> None:
    for _ in range(3):  # python-can's own threads end late on a machine that stalls
        theirs, ours = (observed(part, open_bus) for open_bus in INTERFACES.values())
        if theirs == ours:
            break
    assert len(theirs) == len(ours) > 0
    for number, (expected, got) in enumerate(zip(theirs, ours, strict=True)):
        assert got == expected, f"observation {number}"


def test_filters_of_the_constructor() -> None:
    rows = [{"can_id": 0x100, "can_mask": 0x7FF, "extended": False}]
    seen = []
    for open_bus in INTERFACES.values():
        name = f"promises{next(numbers)}"
        with open_bus(name, can_filters=rows) as b, open_bus(name) as a:
            for msg in [message(0x101), *BATTERY]:
                a.send(msg)
            seen.append((take(b, 1), fields(b.recv(SHORT)), b.filters))
    assert seen[0] == seen[1]
