"""Where frames get lost, and where not: a saturated bus while Python is busy, and a ring too small."""

from __future__ import annotations

import ctypes
import itertools
import random
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from c_programs import build_c
from canal_ctypes import Message
from losses import BITRATE, HOLD, SECONDS, STALL_NS, STRESSES, HostWatch, arrivals, missing, stressed
from virtual_bus import MS, STATUS, STATUS_FRAMES, SUCCESS, Open, drain, sequence, statistics

import canal_fast as cf
from canal_fast import FrameFlag
from canal_fast.drivers.library import VIRTUAL

ROUNDS = 5
names = (f"loss{n}" for n in itertools.count())


class Round(NamedTuple):
    sequence: npt.NDArray[np.int64]  # of every frame that reached the consumer
    ledger: cf.Ledger
    fewest: int  # arrivals by the host's clock
    most: int
    pause_ns: int  # longest time for which Python did not let the consumer run


def saturate(stress: str) -> Round:
    """A saturated bus with the driver's usual queue of 1024, the interpreter stressed, one consumer."""
    config = f"{next(names)};{BITRATE};load=1;dlc=0"  # the sequence number is the identifier
    buffer = np.zeros(4096, cf.FRAME_DTYPE)
    parts = []
    pause_ns = 0
    before_open = time.monotonic_ns()
    with cf.Channel.virtual(config) as channel:
        opened = time.monotonic_ns()
        last = opened
        with stressed(STRESSES[stress], SECONDS) as thread:
            while thread.is_alive():
                parts.append(buffer["arbitration_id"][: channel.receive_into(buffer, timeout=0.01)].copy())
                now = time.monotonic_ns()
                pause_ns, last = max(pause_ns, now - last), now
        # A loss shows in the numbers once a later frame is here: wait for more than the driver's queue holds.
        enough = channel.ledger().received + 1100
        while channel.ledger().received < enough:
            time.sleep(0.001)
        before_stop = time.monotonic_ns()
        channel.stop()
        stopped = time.monotonic_ns()
        while channel.ledger().pending:
            parts.append(channel.receive(4096)["arbitration_id"])
        ledger = channel.ledger()
    numbers = np.concatenate(parts).astype(np.int64)
    return Round(numbers, ledger, arrivals(before_stop - opened), arrivals(stopped - before_open), pause_ns)


@pytest.mark.slow
@pytest.mark.parametrize("stress", STRESSES)
def test_saturated_on_the_wall_clock(stress: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The books agree always; nothing is lost in a round in which the host ran everybody in time."""
    for number in range(1, ROUNDS + 1):
        with HostWatch() as host:
            seen = saturate(stress)
        ledger, stalled = seen.ledger, host.stall_ns > STALL_NS
        with capsys.disabled():
            print(
                f"\n{stress}, round {number}: {len(seen.sequence)} delivered, {ledger.lost} lost, arrivals "
                f"{seen.fewest}..{seen.most}; longest: drain gap {ledger.longest_drain_gap_ns / 1e6:.1f} ms, "
                f"Python pause {seen.pause_ns / 1e6:.0f} ms, host stall {host.stall_ns / 1e6:.1f} ms"
                + (" - STALLED, not judged for loss" if stalled else ""),
                end="",
            )
        ledger.verify()
        assert ledger.driver_overruns is not None
        assert ledger.delivered == len(seen.sequence)
        gaps = missing(seen.sequence)
        # Only a stall at the very end can hide a loss behind the last frame.
        assert gaps == ledger.lost or (stalled and gaps < ledger.lost)
        total = ledger.delivered + ledger.lost
        assert seen.fewest * 0.999 <= total <= seen.most * 1.001
        if stress == "gil":
            assert seen.pause_ns >= HOLD / 2 * 1e9, "the GIL was not held: the test shows nothing"
        if not stalled:
            assert ledger.lost == 0
            return
    with capsys.disabled():
        print(f"\n{stress}: THE HOST STALLED IN ALL {ROUNDS} ROUNDS: LOSS NOT JUDGED ON THE WALL CLOCK", end="")


def step_through(library: ctypes.CDLL, bus: bytes, reader: int, seconds: float) -> int:
    """Steps the bus by 60 ms, under the queue's 72, once the reader has emptied the queue. Returns what
    it found there after the last."""
    waiting = 0
    for _ in range(int(seconds / 0.06)):
        library.CanalVirtualStep(bus, ctypes.c_ulonglong(60 * MS))
        for _ in range(20_000):
            waiting = library.CanalDataAvailable(ctypes.c_long(reader))
            if waiting <= 0:
                break
            library.usleep(500)
    return waiting


@pytest.mark.parametrize("stress", STRESSES)
@pytest.mark.skipif(sys.platform == "win32", reason="NOT RUN: needs usleep")
def test_saturated_on_the_stepped_clock(stress: str, canal: ctypes.CDLL, opened: Open) -> None:
    """Nothing is lost, whatever the host does: time passes only when the driver's queue is empty.

    With the GIL held, no other Python thread runs from the first step to the last.
    """
    bus = next(names)
    config = f"{bus};{BITRATE};load=1;dlc=0;clock=step"
    spectator = opened(f"{config};fifo=1")
    # PyDLL keeps the GIL in its calls, and nobody may ask for it between them.
    library = (ctypes.PyDLL if stress == "gil" else ctypes.CDLL)(str(VIRTUAL))
    library.usleep = (ctypes.PyDLL if stress == "gil" else ctypes.CDLL)(None).usleep
    interval = sys.getswitchinterval()
    with cf.Channel.virtual(config, clock="device") as channel:  # the bus outruns the host
        reader = spectator + 1  # the driver numbers its handles
        if stress == "gil":
            sys.setswitchinterval(1000)
            try:
                left = step_through(library, bus.encode(), reader, SECONDS)
            finally:
                sys.setswitchinterval(interval)
        else:
            with stressed(STRESSES[stress], SECONDS / 2):
                left = step_through(library, bus.encode(), reader, SECONDS)
        assert left == 0, f"{left} frames wait in the driver: the reader stands still"
        channel.stop()
        numbers = channel.receive(1 << 20)["arbitration_id"]
        ledger = channel.ledger()
    counted = statistics(canal, spectator)
    total = counted.rx_frames + counted.overruns
    assert total == arrivals(int(SECONDS / 0.06) * 60 * MS)
    assert numbers.tolist() == list(range(total))
    assert (ledger.received, ledger.lost, ledger.gaps) == (total, 0, 0)
    ledger.verify()


# -- a ring too small

MIX = "dlc=0-8;ext=0.3;remote=0.2;load=1"
HALF = [{"can_id": 0, "can_mask": 0x40, "extended": None}]
Row = tuple[int, int, int, bytes]


def passes(m: Message, filtered: bool) -> bool:
    return bool(m.flags & STATUS) or not filtered or m.id & 0x40 == 0


def rows(frames: cf.FrameArray) -> list[Row]:
    return [(int(f["flags"]), int(f["arbitration_id"]), int(f["dlc"]), f["data"].tobytes()) for f in frames]


class SmallRing:
    """A ring of `capacity` records, by the rule: what finds no room is dropped, the next kept one is marked."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.waiting = capacity, 0
        self.kept: list[Row] = []
        self.dropped = self.gaps = 0
        self._gap = False

    def push(self, m: Message) -> None:
        if self.waiting == self.capacity:
            self.dropped += 1
            self._gap = True
            return
        flags, *rest = m.row()
        self.kept.append((flags | FrameFlag.GAP * self._gap, *rest))
        self.gaps += self._gap
        self._gap = False
        self.waiting += 1


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("status", [0, 7])
def test_small_ring_drops_and_marks_exactly(filtered: bool, status: int, canal: ctypes.CDLL, opened: Open) -> None:
    """Stepped, so that each record's fate is known. Filtered frames are no gap; status messages count as any."""
    bus, choose = next(names), random.Random(status + filtered)
    config = f"{bus};{BITRATE};{MIX};seed={status};clock=step" + (f";status={status}" if status else "")
    spectator = opened(f"{config};fifo=65536", STATUS_FRAMES)
    model, got, total, refused = SmallRing(64), [], 0, 0
    filters = HALF if filtered else None
    with cf.Channel.virtual(config, flags=STATUS_FRAMES, ring_frames=64, filters=filters) as channel:
        for _ in range(60):
            assert canal.CanalVirtualStep(bus.encode(), choose.choice([MS, 5 * MS, 20 * MS])) == SUCCESS
            for m in drain(canal, spectator):
                total += 1
                if passes(m, filtered):
                    model.push(m)
                else:
                    refused += 1
            await_received(channel, total)
            taken = choose.choice([0, 1, 40, 64])
            got += rows(channel.receive(taken, timeout=0)) if taken else []
            model.waiting = len(model.kept) - len(got)
        channel.stop()
        got += rows(channel.receive(64)) if model.waiting else []
        ledger = channel.ledger()
    assert model.dropped > 1000
    assert model.gaps > 10
    assert got == model.kept
    assert (ledger.dropped, ledger.gaps, ledger.filtered) == (model.dropped, model.gaps, refused)
    assert ledger.status_messages == sum(flags & STATUS != 0 for flags, *_ in got)
    assert ledger.driver_overruns == 0
    assert ledger.high_water == 64
    ledger.verify()


def await_received(channel: cf.Channel, total: int) -> None:
    deadline = time.monotonic() + 20
    while channel.ledger().received < total:
        assert time.monotonic() < deadline, f"{channel.ledger()}, {total} expected"
        time.sleep(0.0005)


@pytest.mark.parametrize("filtered", [False, True])
def test_small_ring_on_the_wall_clock(filtered: bool, canal: ctypes.CDLL, opened: Open) -> None:
    """The consumer takes at random moments while the reader drops: gaps in the numbers are the marked ones."""
    choose = random.Random(filtered)
    for _ in range(ROUNDS):
        config = f"{next(names)};{BITRATE};{MIX}"
        spectator = opened(f"{config};fifo=1000000")
        parts, until = [], time.monotonic() + SECONDS / 4
        with cf.Channel.virtual(config, ring_frames=64, filters=HALF if filtered else None) as channel:
            while time.monotonic() < until:
                parts.append(channel.receive(choose.randint(1, 64), timeout=0))
                time.sleep(choose.choice([0, 0, 0.001, 0.005, 0.02]))
            channel.stop()
            while channel.ledger().pending:
                parts.append(channel.receive(64))
            ledger = channel.ledger()
        got = np.concatenate(parts)
        if ledger.driver_overruns == 0:  # else the host stalled; such a loss has no place
            break
    else:
        pytest.skip("NOT RUN: the host stalled in every round")
    ledger.verify()
    truth = [sequence(m) for m in drain(canal, spectator) if passes(m, filtered)]
    place = {number: i for i, number in enumerate(truth)}
    at = np.array([place[number_of(f)] for f in got])
    at -= at[0]  # an empty ring keeps the first; the spectator saw some before
    jumps = np.diff(at, prepend=-1) - 1
    assert ledger.dropped > 0
    assert ((got["flags"] & FrameFlag.GAP != 0) == (jumps > 0)).all()
    assert ledger.gaps == (jumps > 0).sum()
    assert ledger.dropped == jumps.sum() + (ledger.received - ledger.filtered - 1 - at[-1])


def number_of(frame: np.void) -> int:
    in_data = not frame["flags"] & FrameFlag.REMOTE and frame["dlc"] >= 4
    return int.from_bytes(frame["data"][:4].tobytes(), "little") if in_data else int(frame["arbitration_id"])


@pytest.mark.slow
@pytest.mark.posix
def test_the_driver_counts_in_32_bits_and_the_ledger_does_not(tmp_path: Path) -> None:
    path = build_c("counting_driver", tmp_path)
    with cf.Channel(path, profile="virtual") as channel:
        deadline = time.monotonic() + 60
        while (channel.ledger().driver_overruns or 0) < 1 << 32 and time.monotonic() < deadline:
            time.sleep(0.05)
    questions = ctypes.c_int.in_dll(ctypes.CDLL(str(path)), "questions").value
    assert channel.ledger().driver_overruns == questions * 0x55555555 > 1 << 32
