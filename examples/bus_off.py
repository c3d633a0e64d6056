"""What a program sees when its node goes bus off, and whether it sends again: a test without hardware.

python examples/bus_off.py [COUNTERS.svg]

The virtual bus simulates error counters bit by bit; a fault hits one identifier so often that its sender is off.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import canal_fast as cf

FAULT = "id 100 crc 5 invert times 32"  # each costs the sender 8 of 256


def whole(frames: cf.FrameArray) -> bool:
    """Whether there is a frame among what was received, and not error frames only."""
    return bool(((frames["flags"] & int(cf.FrameFlag.ERROR_FRAME | cf.FrameFlag.STATUS)) == 0).any())


def send_through(frames: cf.FrameArray, faults: Path, give_up_s: float = 20.0) -> tuple[list[str], int]:
    """Send, whatever happens. Returns the states that the channel went through, and how often it was refused."""
    states: list[str] = []
    refused = 0
    end = time.monotonic() + give_up_s
    config = f"desk;20000;errors=1;faults={faults}"  # slow enough to watch
    with cf.Channel.virtual(config) as sender, cf.Channel.virtual("desk") as witness:
        while time.monotonic() < end and not whole(witness.receive(timeout=0.002)):
            try:
                sender.send(frames, timeout=0.1)
            except cf.BusOffError:
                refused += 1
            state = sender.status().state
            states += [state] * (states[-1:] != [state])
    return states, refused


def draw_counters(path: str) -> None:
    """The same fault on a simulated bus of three nodes, and the error counters over it."""
    bus = cf.simulation.Bus(500_000)
    nodes = [bus.node(name) for name in ("sender", "witness", "attacker")]
    bus.send(nodes[0], cf.make_frames([0x100], b"hello"))
    bus.inject(FAULT)
    run = bus.run(seconds=0.015)
    cf.plot.error_counters(run.events, run.nodes, run.duration_ns).savefig(path)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "faults").write_text(FAULT + "\n")
        states, refused = send_through(cf.make_frames([0x100], b"hello"), Path(folder) / "faults")
    print(" -> ".join(states))
    print(f"refused with BusOffError: {refused} times")
    if len(sys.argv) > 1:
        draw_counters(sys.argv[1])
