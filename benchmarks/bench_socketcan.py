"""Receiving from a CAN interface, beside a bare C recvmmsg loop and python-can's socketcan backend.

It needs an interface vcan0 that is up: `tests/vm/run .venv/bin/python benchmarks/check.py --only socketcan-batch`.
System calls are dear in that guest: only ratios mean anything.
"""

from __future__ import annotations

import ctypes
import socket
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import peers
import pytest

import canal_fast as cf

NAME = "vcan0"
RING = 16_384
BATCH = 1024
PRELOAD = 65_536  # frames that wait in the kernel at the beginning of a round
RCVBUF = 64 << 20
SECONDS = 2.0  # at least so long on each side
PEER, PEER_ROUNDS = 200, 20  # its socket buffer holds no more


def why_not() -> str:
    """Why there is nothing to measure here; empty when there is."""
    try:
        socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW).close()
        socket.if_nametoindex(NAME)
    except (OSError, AttributeError):
        return f"not run: no {NAME} in this kernel (tests/vm/run has it)"
    return ""


class Loop:
    """The bare C program."""

    def __init__(self, folder: Path) -> None:
        self.c = ctypes.CDLL(str(peers.compile_c("recvmmsg_loop", folder)))
        u64 = ctypes.c_uint64
        self.c.bare_drain.argtypes = [ctypes.c_int, ctypes.c_void_p, u64, ctypes.POINTER(u64)]
        self.c.bare_drain.restype = u64
        self.sender = self.c.bare_open(NAME.encode(), 0)
        self.receiver = self.c.bare_open(NAME.encode(), RCVBUF)
        self.rows = np.zeros(RING, cf.FRAME_DTYPE)

    def send(self, count: int) -> None:
        assert self.c.bare_send(self.sender, count) == count

    def drain(self) -> tuple[int, int]:
        """(nanoseconds, frames)."""
        count = ctypes.c_uint64()
        took = self.c.bare_drain(self.receiver, self.rows.ctypes.data, RING - 1, count)
        return took, count.value

    def close(self) -> None:
        self.c.bare_close(self.sender)
        self.c.bare_close(self.receiver)


def ours(channel: cf.Channel, buffer: cf.FrameArray, count: int) -> int:
    """Nanoseconds to take `count` frames that wait, 1024 a call."""
    before, left = time.perf_counter_ns(), count
    while left:
        left -= channel.receive_into(buffer, min_frames=min(BATCH, left), timeout=10)
    return time.perf_counter_ns() - before


def python_can(loop: Loop) -> float:
    """ns per frame of recv(0)."""
    import can

    taken = 0
    with can.Bus(interface="socketcan", channel=NAME) as bus:
        for _ in range(PEER_ROUNDS):
            loop.send(PEER)
            before = time.perf_counter_ns()
            for _ in range(PEER):
                assert bus.recv(0) is not None
            taken += time.perf_counter_ns() - before
    loop.drain()
    return taken / (PEER * PEER_ROUNDS)


def measure() -> dict[str, float | str]:
    if reason := why_not():
        return {"socketcan-batch": reason, "socketcan-python-can": reason}
    buffer = np.zeros(BATCH, cf.FRAME_DTYPE)
    bare: list[int] = []  # ns of each round
    own: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        loop = Loop(Path(folder))
        peer = python_can(loop)
        # The channel's thread stops draining while its ring is full: the kernel keeps the rest of what is sent.
        with cf.Channel.socketcan(NAME, ring_frames=RING, ring_full="wait", receive_buffer=RCVBUF) as channel:
            while min(sum(bare), sum(own)) < SECONDS * 1e9:
                loop.send(PRELOAD)
                took, count = loop.drain()
                assert count == PRELOAD, "frames were lost"
                bare.append(took)
                time.sleep(0.05)  # until the ring is full
                own.append(ours(channel, buffer, PRELOAD))
            assert channel.ledger().driver_overruns == 0, "frames were lost"
        loop.close()
    there = statistics.median(bare) / PRELOAD
    here = statistics.median(own) / (PRELOAD - RING)  # the ring's were read before the clock ran
    print(
        f"   ns per frame, median of {len(own)} rounds, {sum(own) / 1e9:.1f} s: bare {there:.0f}, ours {here:.0f}, "
        f"python-can recv(0) {peer:.0f}"
    )
    # Round by round: the machine's pace changes from one to the next.
    ratio = statistics.median(a / b for a, b in zip(own, bare, strict=True)) * PRELOAD / (PRELOAD - RING)
    return {"socketcan-batch": ratio, "socketcan-python-can": peer / here}


def test_measures() -> None:
    reason = why_not()
    if reason:
        pytest.skip(reason.replace("not run", "NOT RUN"))
    assert measure()["socketcan-batch"] > 0
