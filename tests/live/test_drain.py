"""Closing waits for what was sent, where the driver tells how much waits, and for nothing that will not go."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from c_programs import build_c
from canal_ctypes import load

import canal_fast as cf
from canal_fast.drivers.library import find_library

FRAMES = cf.make_frames(range(0x100, 0x200), b"12345678")


def test_close_waits_until_all_is_sent() -> None:
    many = cf.make_frames([0x123] * 3000, b"12345678")
    receiver = cf.Channel.virtual("drain;1000000;fifo=4096")
    sender = cf.Channel.virtual("drain")
    assert sender.send(many, timeout=None) == 3000
    sender.close()
    assert sender.ledger().discarded == 0
    assert len(receiver.receive(3000, min_frames=3000, timeout=20)) == 3000
    receiver.close()


def test_drain_tells_what_is_left() -> None:
    with cf.Channel.virtual("drain;10000") as channel:  # 13 ms a frame
        channel.send(FRAMES)
        assert 0 < channel.drain(0.05) < len(FRAMES)
        assert channel.ledger().discarded is None
        channel.set_filters(None)
        assert channel.drain(20) == 0
        assert channel.drain() == 0


def test_close_waits_no_longer_than_told() -> None:
    channel = cf.Channel.virtual("drain;10000", drain=0.1)
    channel.send(FRAMES)
    before = time.monotonic()
    channel.close()
    assert time.monotonic() - before < 1
    left = channel.ledger().discarded
    assert left is not None
    assert 0 < left < len(FRAMES)


@pytest.mark.parametrize("why", ["stepped clock", "bus off", "no wait"])
def test_nothing_is_waited_for_that_will_not_go(why: str) -> None:
    config = "drain;10000" + (";clock=step" if why == "stepped clock" else "")
    channel = cf.Channel.virtual(config, drain=0 if why == "no wait" else 60)
    channel.send(FRAMES)
    if why == "bus off":
        load(find_library("virtual")).CanalVirtualSetErrors(b"drain", 256, 0)
        time.sleep(0.1)  # what is on the wire ends
    before = time.monotonic()
    channel.close()
    assert time.monotonic() - before < 1
    assert channel.ledger().discarded > 200


def test_a_stalled_queue_ends_the_wait() -> None:
    """Something that wins every arbitration keeps the bus."""
    with cf.Channel.virtual("drain;1000000;load=1;ids=0"):
        channel = cf.Channel.virtual("drain", drain=60)
        channel.send(FRAMES)
        before = time.monotonic()
        channel.close()
        assert time.monotonic() - before < 10
        assert channel.ledger().discarded == len(FRAMES)


def test_a_driver_that_does_not_tell_is_not_waited_for(tmp_path: Path) -> None:
    channel = cf.Channel(build_c("fd_driver", tmp_path))
    assert channel.drain() is None
    channel.close()
    assert channel.ledger().discarded is None


def test_the_interpreter_ends_without_waiting() -> None:
    script = """
import canal_fast as cf, time, atexit, sys
atexit.register(lambda: sys.stdout.write(f"{time.monotonic() - end}"))
channel = cf.Channel.virtual("drain;10000", drain=60)
channel.send(cf.make_frames(range(256), b"12345678"))
end = time.monotonic()
"""
    script = script.replace("import canal_fast as cf, time", "import time").replace(
        "\nchannel", "\nimport canal_fast as cf\nchannel", 1
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) < 30
