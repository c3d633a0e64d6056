"""What the tests of the virtual driver share: CANAL's numbers, and short forms of common calls."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable

from canal_ctypes import Message, Statistics, Status, message
from oracle import virtual_oracle as oracle

MS = 1_000_000
SUCCESS, BUS_OFF, CAN_ID, CAN_MESSAGE, CHANNEL, FIFO_EMPTY = 0, 2, 5, 6, 7, 8
NOT_SUPPORTED, TRM_FULL, TIMEOUT, NOT_OPEN, PARAMETER = 17, 21, 32, 33, 34
EXTENDED, REMOTE, STATUS, SEND = 1, 2, 4, 0x80000000
LISTEN_ONLY, LOOPBACK, STATUS_FRAMES = 1, 2, 8
STOPPED = 0x00800000

Open = Callable[..., int]


def drain(canal: ctypes.CDLL, handle: int) -> list[Message]:
    out: list[Message] = []
    while True:
        slot = Message()
        code = canal.CanalReceive(handle, slot)
        if code != SUCCESS:
            assert code == FIFO_EMPTY
            return out
        out.append(slot)


def statistics(canal: ctypes.CDLL, handle: int) -> Statistics:
    out = Statistics()
    assert canal.CanalGetStatistics(handle, out) == SUCCESS
    return out


def status(canal: ctypes.CDLL, handle: int) -> Status:
    out = Status()
    assert canal.CanalGetStatus(handle, out) == SUCCESS
    return out


def as_frame(m: Message) -> oracle.Frame:
    length = 0 if m.flags & REMOTE else min(m.size, 8)
    assert bytes(m.data)[length:] == bytes(8 - length)
    return oracle.Frame(m.id, bool(m.flags & EXTENDED), bool(m.flags & REMOTE), m.size, bytes(m.data)[:length])


def as_message(frame: oracle.Frame) -> Message:
    return message(
        frame.identifier, frame.data, flags=EXTENDED * frame.extended | REMOTE * frame.remote, size=frame.dlc
    )


def sequence(m: Message) -> int:
    long = not m.flags & REMOTE and m.size >= 4
    return int.from_bytes(bytes(m.data)[:4], "little") if long else m.id


def blocked(call: Callable[[], int]) -> tuple[threading.Thread, list[int]]:
    out: list[int] = []
    thread = threading.Thread(target=lambda: out.append(call()), daemon=True)
    thread.start()
    time.sleep(0.03)
    assert out == []
    return thread, out
