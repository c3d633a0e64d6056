"""What the tests of the SocketCAN driver share: interfaces, bare sockets and can-utils as the other party."""

from __future__ import annotations

import contextlib
import itertools
import select
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from vm import netlink

import canal_fast as cf

HAS_CAN = hasattr(socket, "CAN_RAW")
if HAS_CAN:
    try:
        socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW).close()
    except OSError:
        HAS_CAN = False
NOT_RUN = "NOT RUN: no CAN in this kernel; tests/vm/run .venv/bin/python -P -m pytest tests/drivers/test_socketcan*.py"
needs_can = pytest.mark.skipif(not HAS_CAN, reason=NOT_RUN)
needs_can_utils = pytest.mark.skipif(shutil.which("candump") is None, reason="NOT RUN: can-utils is not installed")
HERE = Path(__file__).resolve().parents[1]
EXTENDED, REMOTE, ERROR = 0x80000000, 0x40000000, 0x20000000  # linux/can.h
_numbers = itertools.count()


@contextlib.contextmanager
def interface(**options: object) -> Iterator[str]:
    """A virtual interface of the test's own, up."""
    name = f"cftest{next(_numbers)}"
    try:
        netlink.add(name, **options)
    except PermissionError:
        pytest.skip("NOT RUN: making interfaces needs CAP_NET_ADMIN; tests/vm/run gives it")
    try:
        yield name
    finally:
        with contextlib.suppress(OSError):
            netlink.delete(name)


@contextlib.contextmanager
def bare_socket(name: str, *, fd: bool = True) -> Iterator[socket.socket]:
    with socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as bare:
        bare.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FD_FRAMES, fd)
        bare.settimeout(10)
        bare.bind((name,))
        yield bare


def classical(identifier: int, data: bytes = b"", *, dlc: int = 0, length: int | None = None) -> bytes:
    """struct can_frame; `dlc` is the raw one above 8, or 0."""
    return struct.pack("=IBBBB8s", identifier, len(data) if length is None else length, 0, 0, dlc, data)


def flexible(identifier: int, data: bytes, flags: int = 0) -> bytes:
    """struct canfd_frame."""
    return struct.pack("=IBBBB64s", identifier, len(data), flags, 0, 0, data)


@contextlib.contextmanager
def candump(name: str) -> Iterator[list[str]]:
    """Runs candump; the list holds its lines, without interface and direction, after the context."""
    lines: list[str] = []
    command = ["stdbuf", "-oL", "candump", "-L", "-x", f"{name},0:0,#FFFFFFFF"]
    with bare_socket(name) as bare, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(200):  # until candump listens, which it does not tell
            bare.send(classical(0x7FF, b"?"))
            if select.select([process.stdout], [], [], 0.05)[0]:
                break
        else:
            process.kill()
            raise RuntimeError("candump says nothing")
        yield lines
        bare.send(classical(0x7FF, b"end"))
        for line in process.stdout:
            moment, _, frame = line.split()[:3]
            if frame == "7FF#656E64":
                break
            if frame != "7FF#3F":
                lines.append(f"{moment} {frame}")
        process.terminate()


def as_candump(frames: cf.FrameArray) -> list[str]:
    """The same lines, from records."""
    lines = []
    for frame in frames:
        flags, length = int(frame["flags"]), int(cf.payload_length(frame.reshape(1))[0])
        seconds, rest = divmod(int(frame["timestamp_ns"]), 10**9)
        long = flags & (cf.FrameFlag.EXTENDED_ID | cf.FrameFlag.ERROR_FRAME)
        identifier = int(frame["arbitration_id"]) | ERROR * bool(flags & cf.FrameFlag.ERROR_FRAME)
        text = f"{identifier:0{8 if long else 3}X}#"
        if flags & cf.FrameFlag.FD:
            digit = flags >> 4 & 3  # BITRATE_SWITCH, ERROR_STATE_INDICATOR
            text += f"#{4 | digit:X}"  # bit 2: Linux marks every FD frame since 6.0
        dlc = int(frame["dlc"])
        data = bytes(frame["data"][:length]).hex().upper()
        text += "R" + f"{dlc}" * (dlc > 0) if flags & cf.FrameFlag.REMOTE else data
        lines.append(f"({seconds:010}.{rest // 1000:06}) {text}")
    return lines


def receive(channel: cf.Channel, count: int, timeout: float = 30) -> cf.FrameArray:
    """Exactly so many frames."""
    parts, end = [channel.receive(1, timeout=0)], time.monotonic() + timeout
    while (left := count - sum(map(len, parts))) > 0 and time.monotonic() < end:
        parts.append(channel.receive(left, timeout=1))
    frames = np.concatenate(parts)
    assert len(frames) == count, channel.ledger()
    return frames


def numbers(frames: cf.FrameArray) -> np.ndarray:
    """Of can_sender.c and of cangen -D i."""
    return np.ascontiguousarray(frames["data"][:, :8]).view("<u8")[:, 0].astype(np.int64)
