"""A python-can program on canal_fast: one word changes, and a thread no longer has to be quick.

    pip install 'canal_fast[can]'
    python examples/python_can_drop_in.py

With an adapter: can.Bus(interface="canal_fast", channel="ED000200", bitrate=500000).
"""

from __future__ import annotations

import can

import canal_fast as cf
from canal_fast.python_can.bus import CanalBus


def talk(name: str = "virtual:desk") -> list[can.Message]:
    """Two buses of python-can: one sends, the other receives."""
    received: list[can.Message] = []
    with (
        can.Bus(interface="canal_fast", channel=name, bitrate=500_000) as sender,
        can.Bus(interface="canal_fast", channel=name, bitrate=500_000) as listener,
    ):
        for number in range(10):
            sender.send(can.Message(arbitration_id=0x100 + number, data=[number], is_extended_id=False))
        while len(received) < 10 and (message := listener.recv(timeout=2)) is not None:
            received.append(message)
    return received


def in_batches(name: str = "virtual:desk2;500000;load=1;frames=2000;seed=1") -> cf.FrameArray:
    """The same bus, as arrays: no object per frame."""
    with can.Bus(interface="canal_fast", channel=name, bitrate=500_000) as bus:
        assert isinstance(bus, CanalBus)
        return bus.receive_frames(max_frames=2000, min_frames=2000, timeout=10)


if __name__ == "__main__":
    for message in talk():
        print(message)
    frames = in_batches()
    print(f"{len(frames)} frames in one array, {cf.payload_length(frames).sum()} bytes of payload")
