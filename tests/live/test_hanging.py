"""Drivers that do not return: noticed, named, given up in time, in this process and in a host; and what is no hang."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from beside import Beside, process_state
from fake_table import FRAMES, LP64, Row, build, expected

import canal_fast as cf

pytestmark = [
    pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems"),
    pytest.mark.skipif(sys.platform != "linux", reason="NOT RUN: needs signals of POSIX"),
]
BRIDGES = ["never", "always"]
slow = pytest.mark.slow
RECEIVE_S, OPEN_S = 5, 20
GAP = cf.FrameFlag.GAP


def drain(channel: cf.Channel, seconds: float) -> tuple[cf.FrameArray, cf.DriverError | None]:
    parts = [np.empty(0, cf.FRAME_DTYPE)]
    with Beside() as beside:
        while (left := seconds - beside.seconds) > 0:
            try:
                parts.append(channel.receive(timeout=left))
            except cf.DriverError as error:
                return np.concatenate(parts), error
    return np.concatenate(parts), None


def drain_or_raise(channel: cf.Channel) -> None:
    _, error = drain(channel, 15)
    if error is not None:
        raise error


def alive(process: int) -> bool:
    return process_state(process) not in ("Z", "")


def stop(process: int) -> None:
    """SIGSTOP, which takes hold some time after kill returned: until then it may still answer."""
    os.kill(process, signal.SIGSTOP)
    with Beside() as beside:
        while process_state(process) != "T":
            assert beside.seconds < 10
            time.sleep(0.002)


def test_time_beside_is_the_clock_s_but_for_stops(tree: Path) -> None:
    """What judges limits below: 0.2 s of running and 0.4 s of being stopped are 0.2 s."""
    script = """
import sys, time
from beside import Beside
with Beside() as beside:
    begun = time.monotonic()
    print("ready", flush=True)
    time.sleep(0.05)
    sys.stdin.readline()
    time.sleep(0.15)
    print(beside.seconds, time.monotonic() - begun)
"""
    environment = {**os.environ, "PYTHONPATH": str(tree / "tests" / "support")}
    program = subprocess.Popen(
        [sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    stopped_for(program.pid, 0.4)
    out, _ = program.communicate("\n", timeout=60)
    beside, clock = map(float, out.split())
    assert clock > 0.55
    assert 0 < beside < clock - 0.3


@slow
@pytest.mark.parametrize("bridge", BRIDGES)
def test_receive_that_hangs_is_noticed(bridge: str, fakes: Path) -> None:
    channel = cf.Channel(build(Row("hangs"), fakes), "hang=100", bridge=bridge)
    begun = time.monotonic()
    with Beside() as beside:
        frames, error = drain(channel, 15)
    assert isinstance(error, cf.ChannelTimeoutError), error
    assert error.operation == "CanalReceive", error
    assert time.monotonic() - begun > RECEIVE_S - 1
    assert beside.seconds < RECEIVE_S + 1.5
    assert len(frames) == 100
    channel.ledger().verify()
    with Beside() as beside, pytest.raises(cf.DriverError, match="hangs in CanalReceive"):
        channel.close()
    assert beside.seconds < 3


@slow
@pytest.mark.parametrize("bridge", BRIDGES)
@pytest.mark.parametrize(
    ("key", "name"), [("send", "CanalSend"), ("status", "CanalGetStatus"), ("close", "CanalClose")]
)
def test_calls_that_hang_are_named(key: str, name: str, bridge: str, fakes: Path) -> None:
    channel = cf.Channel(build(Row(f"hangs in {key}"), fakes), f"hang_{key}=1", bridge=bridge)
    limit = {"close": 8}.get(key, 5)
    calls = {"send": lambda: channel.send(expected(1)), "status": channel.status, "close": channel.close}
    begun = time.monotonic()
    with Beside() as beside, pytest.raises(cf.DriverError) as caught:
        calls[key]()
    assert caught.value.operation == name
    assert time.monotonic() - begun > limit - 1
    assert beside.seconds < limit + 1
    with Beside() as beside, contextlib.suppress(cf.DriverError):
        channel.close()
    assert beside.seconds < 3


def interrupted(script: str, after: float, fakes: Path, config: str, bridge: str) -> tuple[float, str]:
    """Seconds from Ctrl-C to the end of a program that runs `script` on a channel, and what it printed."""
    path = build(Row("hangs"), fakes)
    text = f"""
import sys, canal_fast as cf
channel = cf.Channel({str(path)!r}, {config!r}, bridge={bridge!r})
print("ready", flush=True)
try:
    {script}
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    program = subprocess.Popen(
        [sys.executable, "-P", "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    time.sleep(after)
    with Beside() as beside:
        program.send_signal(signal.SIGINT)
        out, _ = program.communicate(timeout=60)
    return beside.seconds, out


@slow
@pytest.mark.parametrize("bridge", BRIDGES)
@pytest.mark.parametrize(
    ("script", "config"),
    [("channel.close()", "hang_close=1"), ("channel.status()", "hang_status=1"), ("channel.close()", "hang=0")],
)
def test_ctrl_c_always_works(script: str, config: str, bridge: str, fakes: Path) -> None:
    """And the interpreter's exit, which closes once more, takes its two seconds at most."""
    took, out = interrupted(script, 0.5, fakes, config, bridge)
    assert out == "interrupted\n"
    assert took < 4


@slow
@pytest.mark.parametrize("bridge", BRIDGES)
def test_exit_takes_two_seconds_for_all_together(bridge: str, fakes: Path) -> None:
    paths = [build(Row(f"hangs at exit {i}"), fakes) for i in range(4)]
    script = f"""
import canal_fast as cf
channels = [cf.Channel(path, "hang_close=1", bridge={bridge!r}) for path in {list(map(str, paths))!r}]
good = cf.Channel.virtual("bus0;500000;rate=100")
print("ends", flush=True)
"""
    program = subprocess.Popen(
        [sys.executable, "-P", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "ends\n"
    with Beside() as beside:
        _, said = program.communicate(timeout=60)
    assert beside.seconds < 4, said
    assert "hangs in CanalClose" in said or bridge == "always"


def stopped_for(process: int, seconds: float) -> None:
    stop(process)
    time.sleep(seconds)
    os.kill(process, signal.SIGCONT)


@slow
@pytest.mark.parametrize("bridge", BRIDGES)
def test_a_stopped_program_is_no_hang(bridge: str, fakes: Path) -> None:
    """Ctrl-Z for 10 s, and fg: with a driver that takes 1.5 s for every receive, whose limit is 5."""
    path = build(Row("slow receive"), fakes)
    script = f"""
import sys, canal_fast as cf
with cf.Channel({str(path)!r}, "frames=4;bursts=1;slow=1500000", bridge={bridge!r}) as channel:
    print("ready", flush=True)
    print(len(channel.receive(4, min_frames=4, timeout=20)), flush=True)
"""
    program = subprocess.Popen([sys.executable, "-P", "-c", script], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    time.sleep(1)
    stopped_for(program.pid, 10)
    out, _ = program.communicate(timeout=60)
    assert (out, program.returncode) == ("4\n", 0)


@slow
def test_a_busy_machine_is_no_hang(fakes: Path) -> None:
    """Twenty others that want the processors."""
    busy = [subprocess.Popen([sys.executable, "-S", "-E", "-c", "while True: pass"]) for _ in range(20)]
    try:
        with cf.Channel(build(Row("loaded"), fakes), "frames=400;bursts=100;pause=100") as channel:
            frames, end = 0, time.monotonic() + 12  # by the clock: it is the machine's stalls that are to pass
            while time.monotonic() < end:
                frames += len(channel.receive(timeout=0.5))
            assert frames == FRAMES
            channel.status()
    finally:
        for program in busy:
            program.kill()
            program.wait()


@contextlib.contextmanager
def hosted(fakes: Path, name: str, config: str) -> Iterator[tuple[cf.Channel, int]]:
    channel = cf.Channel(build(Row(name), fakes), config, bridge="always", reconnect=0.2)
    host = channel.driver.host
    assert host is not None
    try:
        yield channel, host
    finally:
        with contextlib.suppress(cf.DriverError):
            channel.close()


@pytest.mark.parametrize(
    "how", [signal.SIGKILL, pytest.param(signal.SIGSEGV, marks=slow), pytest.param(signal.SIGSTOP, marks=slow)]
)
def test_a_host_that_ends_is_replaced(how: signal.Signals, fakes: Path) -> None:
    """The frames go on in the same ring and the same books, the first of the new host's with GAP."""
    with hosted(fakes, "replaced", "frames=4000;bursts=1000;pause=5") as (channel, host):
        before, error = drain(channel, 0.3)
        assert error is None
        assert len(before)
        os.kill(host, how)
        after, error = drain(channel, 5 if how == signal.SIGSTOP else 2)
        assert error is None, error
        ledger = channel.ledger()
        ledger.verify()
        assert ledger.outages == 1
        assert ledger.outage_ns > 0.1e9
        frames = np.concatenate([before, after])
        gaps = np.flatnonzero(frames["flags"] & GAP)
        assert len(gaps) == 1
        assert frames["arbitration_id"][gaps[0]] == 0
        assert (np.diff(frames["timestamp_ns"].astype(np.int64)) >= 0).all()
        assert channel.status().state == "error_active"
    assert not alive(host)


@slow
def test_a_host_whose_driver_hangs_is_replaced(fakes: Path) -> None:
    with hosted(fakes, "hangs and is replaced", "bursts=40;pause=5;hang=100") as (channel, _):
        frames, error = drain(channel, RECEIVE_S + 2.5)
        assert error is None
        assert len(frames) > 150
        assert channel.ledger().outages >= 1
        assert frames["flags"][100] & GAP


@slow
def test_what_hangs_after_a_host_was_killed_in_the_driver_is_noticed(fakes: Path) -> None:
    """The host that takes over finds the books of one that never came back from its call."""
    with hosted(fakes, "killed inside", "bursts=40;pause=5;hang=100") as (channel, host):
        before, error = drain(channel, 1.5)
        assert error is None
        os.kill(host, signal.SIGKILL)
        after = 0
        with Beside() as beside:
            while after <= 100 and beside.seconds < RECEIVE_S + 8:  # the second host gives 100, too
                frames, error = drain(channel, 0.5)
                assert error is None
                after += len(frames)
        assert len(before)
        assert (after > 100, channel.ledger().outages) == (True, 2)


@slow
def test_a_hang_in_this_process_ends_the_channel_whatever_reconnect_says(fakes: Path) -> None:
    """Its thread cannot be replaced."""
    channel = cf.Channel(build(Row("hangs for good"), fakes), "bursts=1;hang=100", reconnect=0.1)
    frames, error = drain(channel, RECEIVE_S + 5)
    assert isinstance(error, cf.ChannelTimeoutError), error
    assert (error.operation, len(frames)) == ("CanalReceive", 100)
    with pytest.raises(cf.DriverError, match="hangs in CanalReceive"):
        channel.close()


UNPLUGGED = "bursts=1;unplug=50"  # usb2can.dll's way: CanalGetStatus tells


@slow
@pytest.mark.parametrize("bridge", BRIDGES)
def test_an_open_that_hangs_while_reconnecting(bridge: str, fakes: Path) -> None:
    """Named after its own, longer limit in this process; a host is replaced, and the next one's open is a first one."""
    path = build(Row(f"never opens again {bridge}", file="usb2can.so"), fakes)
    channel = cf.Channel(path, f"{UNPLUGGED};hang_again=1", profile="usb2can", bridge=bridge, reconnect=0.05)
    begun, frames, error = time.monotonic(), 0, None
    with Beside() as beside:
        while error is None and frames <= 50 and beside.seconds < OPEN_S + 10:
            more, error = drain(channel, 0.5)
            frames += len(more)
    assert time.monotonic() - begun > OPEN_S - 1
    assert beside.seconds < OPEN_S + 5
    if bridge == "always":
        assert (error, frames, channel.ledger().outages) == (None, 100, 2)
        channel.close()
        return
    assert isinstance(error, cf.ChannelTimeoutError), error
    assert (error.operation, frames) == ("CanalOpen", 50)
    with pytest.raises(cf.DriverError, match="hangs in CanalOpen"):
        channel.close()


@slow
@pytest.mark.parametrize("bridge", BRIDGES)
def test_an_open_may_take_its_time_while_reconnecting(bridge: str, fakes: Path) -> None:
    """can4vscp needs 3.3 s."""
    path = build(Row(f"opens slowly {bridge}", file="usb2can.so"), fakes)
    options: dict[str, Any] = {"profile": "usb2can", "bridge": bridge, "reconnect": 0.05}
    with cf.Channel(path, f"{UNPLUGGED};open_ms=3300", **options) as channel:
        frames, error = drain(channel, 6)
        assert error is None
        assert (len(frames), channel.ledger().outages) == (50 + FRAMES, 1)
        assert frames["flags"][50] & GAP


@slow
@pytest.mark.parametrize("call", ["receive", "status"])
def test_a_stopped_host_is_named_and_ended(call: str, fakes: Path) -> None:
    channel = cf.Channel(build(Row("stopped"), fakes), "", bridge="always")
    drain(channel, 0.3)
    host = channel.driver.host or 0
    stop(host)
    with Beside() as beside:
        with pytest.raises(cf.ChannelTimeoutError, match="host process does not answer"):
            {"receive": lambda: drain_or_raise(channel), "status": channel.status}[call]()
        channel.close()
    assert beside.seconds < 6
    assert not alive(host)


@slow
def test_a_stopped_host_is_closed_within_the_limit(fakes: Path) -> None:
    """By its end: the system gives back what it held."""
    channel = cf.Channel(build(Row("stopped"), fakes), "", bridge="always")
    host = channel.driver.host or 0
    stop(host)
    with Beside() as beside:
        channel.close()
    assert beside.seconds < 9
    assert not alive(host)


def test_while_a_host_is_replaced_calls_say_so(fakes: Path) -> None:
    """And closing does not wait for a driver that never opens again."""
    path = build(Row("gone for good"), fakes)
    channel = cf.Channel(path, "frames=10", bridge="always", reconnect=30)
    host = channel.driver.host
    assert host is not None
    os.kill(host, signal.SIGKILL)
    with Beside() as beside:
        while channel.ledger().outages == 0 and beside.seconds < 3:
            time.sleep(0.02)
    assert channel.status().state == "disconnected"
    with pytest.raises(cf.DriverError, match="waits to open it again"):
        channel.send(expected(1))
    with Beside() as beside:
        channel.close()
    assert beside.seconds < 2
