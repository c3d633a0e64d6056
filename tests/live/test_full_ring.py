"""The reader and a ring that was full: what comes once there is room again is never dropped."""

from __future__ import annotations

import ctypes
import itertools
import time

from virtual_bus import MS

import canal_fast as cf
from canal_fast.drivers.library import VIRTUAL

CAPACITY = 64
names = (f"room{n}" for n in itertools.count())


def test_frames_that_find_room_are_kept() -> None:
    """The ring is full, the bus idle for longer than the reader polls; the consumer empties the ring, and 17 frames
    come at once. A reader that made up its mind where to put them before it waited counts all 17 as dropped."""
    bus = next(names)
    step = ctypes.CDLL(str(VIRTUAL)).CanalVirtualStep
    with cf.Channel.virtual(f"{bus};500000;rate=1000;seed=1;clock=step", ring_frames=CAPACITY) as channel:
        step(bus.encode(), ctypes.c_ulonglong((CAPACITY + 3) * MS))
        while channel.ledger().dropped == 0:
            time.sleep(0.01)
        time.sleep(0.1)  # the reader waits in the driver by now, if it does
        full = channel.ledger()
        assert (full.pending, full.dropped) == (CAPACITY, full.received - CAPACITY)
        assert len(channel.receive(CAPACITY)) == CAPACITY
        step(bus.encode(), ctypes.c_ulonglong(20 * MS))
        rest = channel.receive(CAPACITY, min_frames=17, timeout=2)
        ledger = channel.ledger()
        assert len(rest) == ledger.received - full.received >= 17
        assert ledger.dropped == full.dropped
        assert (rest["flags"] & cf.FrameFlag.GAP != 0).tolist() == [True] + [False] * (len(rest) - 1)
