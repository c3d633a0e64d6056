"""A virtual bus simulated bit by bit: every handle is a node, with error counters and error frames of its own."""

from __future__ import annotations

import ctypes
import json
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from oracle.virtual_oracle import generate

import canal_fast as cf
from canal_fast import FrameFlag, simulation
from canal_fast.__main__ import main
from canal_fast.simulation import Event
from canal_fast.simulation.events import ERRORS

Open = Callable[..., int]
NS = 1_000_000_000
OVERRUN, NOT_SUPPORTED, CHANNEL, PARAMETER = 18, 17, 7, 34
BUS_OFF, RESTARTED, CONTROLLER, PROTOCOL = 0x40, 0x100, 0x04, 0x08


def inject(canal: ctypes.CDLL, bus: str, line: str) -> int:
    return int(canal.CanalVirtualInject(bus.encode(), line.encode()))


def step(canal: ctypes.CDLL, bus: str, bits: int, bitrate: int = 500_000) -> None:
    assert canal.CanalVirtualStep(bus.encode(), ctypes.c_ulonglong(-(-bits * NS // bitrate))) == 0


def events(canal: ctypes.CDLL, bus: str) -> np.ndarray:
    found = np.zeros(1 << 16, simulation.EVENT_DTYPE)
    got = int(canal.CanalVirtualEvents(bus.encode(), found.ctypes.data_as(ctypes.c_void_p), len(found)))
    assert got >= 0
    return found[:got]


def test_a_handle_has_counters_of_its_own(canal: ctypes.CDLL, bus: str) -> None:
    with cf.Channel.virtual(f"{bus};clock=step;errors=1") as a, cf.Channel.virtual(f"{bus};errors=1") as b:
        assert inject(canal, bus, "id 123 crc 5 invert by handle1 times 3") == 0
        assert a.send(cf.make_frames([0x123, 0x124], [b"abc", b"de"])) == 2
        step(canal, bus, 2000)
        assert b.receive(100, min_frames=2, timeout=5)["arbitration_id"][-1] == 0x124
        assert (a.status().tec, a.status().rec) == (3 * 8 - 2, 0)
        assert (b.status().tec, b.status().rec) == (0, 3 - 2)


def test_error_frames_stand_between_the_frames_they_fell_between(canal: ctypes.CDLL, bus: str) -> None:
    with cf.Channel.virtual(f"{bus};clock=step;errors=1") as a, cf.Channel.virtual(f"{bus};errors=1") as b:
        assert inject(canal, bus, "frame 2 data 5 invert at handle2") == 0
        a.send(cf.make_frames([1, 2, 3], [b"abcd"] * 3))
        step(canal, bus, 3000)
        heard = b.receive(100, min_frames=4, timeout=5)
        error = (heard["flags"] & FrameFlag.ERROR_FRAME) != 0
        assert error.tolist() == [False, True, False, False]
        assert heard["arbitration_id"][~error].tolist() == [1, 2, 3]
        assert heard["arbitration_id"][1] & PROTOCOL
        assert heard["data"][1, 6:].tolist() == [b.status().tec, 1]  # as they were then
        assert (np.diff(heard["timestamp_ns"]) >= 0).all()
        sent = a.receive(100, min_frames=1, timeout=5)
        assert (sent["flags"] & FrameFlag.ERROR_FRAME).all()
        assert sent["data"][0, 2] & 0x80  # by the transmitter


@pytest.mark.parametrize("recovery", ["automatic", "request"])
def test_bus_off_and_the_way_back(canal: ctypes.CDLL, bus: str, recovery: str) -> None:
    config = f"{bus};clock=step;errors=1;recovery={recovery}"
    with cf.Channel.virtual(config) as a, cf.Channel.virtual(f"{bus};errors=1") as b:
        assert inject(canal, bus, "bus_off_attack 123") == 0
        a.send(cf.make_frames([0x123], b"12345678"))
        step(canal, bus, 2000)
        records = a.receive(1000, min_frames=35, timeout=5)  # 32 errors, warning, passive, off
        assert records["arbitration_id"][-1] & BUS_OFF
        assert a.status().bus_off
        assert not b.status().bus_off
        with pytest.raises(cf.BusOffError):
            a.send(cf.make_frames([0x124], b""))
        step(canal, bus, 129 * 11)
        back = a.receive(1000, timeout=0.2)
        assert bool((back["arbitration_id"] & RESTARTED).any()) == (recovery == "automatic")
        if recovery == "request":
            assert a.status().bus_off
            assert canal.CanalVirtualSetErrors(bus.encode(), 0, 0) == 0
            step(canal, bus, 129 * 11)
            assert (a.receive(1000, min_frames=1, timeout=5)["arbitration_id"] & RESTARTED).any()
        assert not a.status().bus_off


def test_alone_without_acknowledge(canal: ctypes.CDLL, bus: str) -> None:
    """A transmitter that nobody acknowledges becomes error passive, and never off."""
    with cf.Channel.virtual(f"{bus};clock=step;ack=0") as alone:
        alone.send(cf.make_frames([1], b""))
        step(canal, bus, 100_000)
        assert alone.status().tec == 128
        with cf.Channel.virtual(bus) as other:
            step(canal, bus, 1000)
            assert other.receive(10, min_frames=1, timeout=5)["arbitration_id"].tolist() == [1]
    with cf.Channel.virtual(f"{bus};clock=step;errors=1") as alone:  # others acknowledge
        alone.send(cf.make_frames([1], b""))
        step(canal, bus, 1000)
        assert alone.status().tec == 0
        assert alone.receive(10, timeout=0.1).size == 0


def test_status_messages_and_loopback(canal: ctypes.CDLL, bus: str) -> None:
    loopback, status_frames = 0x2, 0x8
    flags = status_frames | loopback
    with cf.Channel.virtual(f"{bus};clock=step;ack=0", flags=flags) as a:
        a.send(cf.make_frames([0x10], b"x"))
        step(canal, bus, 20_000)
        with cf.Channel.virtual(bus):
            step(canal, bus, 1000)
            records = a.receive(1000, min_frames=3, timeout=5)
    status = records[(records["flags"] & FrameFlag.STATUS) != 0]
    assert status["data"][:, 0].tolist()[:2] == [2, 3]  # warning, passive
    sent = records[(records["flags"] & FrameFlag.TX) != 0]
    assert sent["arbitration_id"].tolist() == [0x10]


def test_one_shot(canal: ctypes.CDLL, bus: str) -> None:
    with cf.Channel.virtual(f"{bus};clock=step;errors=1", flags=4) as a, cf.Channel.virtual(bus) as b:
        assert inject(canal, bus, "frame 1 crc 5 invert by handle1") == 0
        a.send(cf.make_frames([0x123, 0x124], b"x"))
        step(canal, bus, 2000)
        assert b.receive(10, min_frames=1, timeout=5)["arbitration_id"].tolist() == [0x124]


@pytest.mark.parametrize("seed", range(5))
def test_events_are_those_of_the_simulation(canal: ctypes.CDLL, bus: str, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lines = [f"frame {n} {field} {rng.integers(1, most + 1)} {what} at handle2"
             for n, (field, most, what) in enumerate(
                 [("data", 8, "invert"), ("crc", 15, "invert"), ("end_of_frame", 6, "dominant"), ("dlc", 4, "invert"),
                  ("ack_slot", 1, "recessive"), ("delimiter", 8, "dominant")], 2)]  # fmt: skip
    lines += ["id 4c crc 4 invert by handle1 times 40", "no_ack 12", "prolonged_flag 20"]
    faults = tmp_path / "faults.txt"
    faults.write_text("# as the other one has them\n" + "\n".join(lines) + "\n")
    ids = rng.permutation(40).astype(np.uint32) * 2
    payload = [rng.bytes(rng.integers(1, 9)) for _ in ids]
    first, second = cf.make_frames(ids, payload), cf.make_frames(ids + 1, payload[::-1])
    with cf.Channel.virtual(f"{bus};clock=step;faults={faults}") as a, cf.Channel.virtual(bus) as b:
        assert a.send(first) == len(ids)
        assert b.send(second) == len(ids)
        step(canal, bus, 30_000)
        found = events(canal, bus)
    twin = simulation.Bus(500_000)
    for name in ("generator", "others", "handle1", "handle2"):
        twin.node(name, queue="fifo", mode="listen_only" if name == "generator" else "normal")
    twin.inject(lines)
    twin.send("handle1", first, at=0)
    twin.send("handle2", second, at=0)
    expected = twin.run(bits=30_000).events
    expected = expected[expected["node"] != 0]  # without traffic there is no generator
    assert len(expected) > 400
    assert (expected["event"] == simulation.Event.BUS_OFF).any()
    assert np.array_equal(found, expected)


def test_old_events_are_lost_and_said_so(canal: ctypes.CDLL, bus: str) -> None:
    with cf.Channel.virtual(f"{bus};1000000;clock=step;load=1;dlc=0-0;errors=1;fifo=1048576"):
        step(canal, bus, 2_000_000, 1_000_000)
        one = np.zeros(1, simulation.EVENT_DTYPE)
        at = one.ctypes.data_as(ctypes.c_void_p)
        assert canal.CanalVirtualEvents(bus.encode(), at, 1) == -OVERRUN
        assert canal.CanalVirtualEvents(bus.encode(), at, 1) == 1
        assert canal.CanalVirtualEvents(bus.encode(), None, 1) == -PARAMETER


def test_bad_input(canal: ctypes.CDLL, bus: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_text("\n# comment\nframe 2 nonsense 5 invert\n")
    for config, words in [
        (f"faults={bad}", "faults, line 3, column 9"),
        ("faults=/nowhere/f.txt", "faults=/nowhere/f.txt cannot be opened"),
        ("errors=2", "errors=2 is outside 0..1"),
        ("recovery=never", "recovery=never is neither automatic nor request"),
        ("errors=1;data_bitrate=2000000", "has one bit rate, here 500000"),
        (f"errors=1;replay={bad}", "replay= goes with none of"),
    ]:
        with pytest.raises(cf.DriverError, match=words.replace("?", ".")):
            cf.Channel.virtual(f"{bus};{config}")
    with cf.Channel.virtual(bus):
        with pytest.raises(cf.DriverError, match="not simulated bit by bit"):
            cf.Channel.virtual(f"{bus};errors=1")
        assert inject(canal, bus, "bit 5 dominant") == NOT_SUPPORTED
        assert inject(canal, "nobody", "bit 5 dominant") == CHANNEL
    with cf.Channel.virtual(f"{bus};errors=1;clock=step"):
        step(canal, bus, 100)
        assert inject(canal, bus, "bit 5 dominant") == PARAMETER
        canal.CanalVirtualLastError.restype = ctypes.c_char_p
        assert b"bit 5 is over" in canal.CanalVirtualLastError()
        assert inject(canal, bus, "bit 500 dominant at nobody") == PARAMETER
        assert inject(canal, bus, "# nothing") == 0


def gather(canal: ctypes.CDLL, bus: str, into: list[np.ndarray], over: threading.Event) -> None:
    """Events of a bus, from the time it is there until it is gone."""
    found = np.zeros(1 << 16, simulation.EVENT_DTYPE)
    at = found.ctypes.data_as(ctypes.c_void_p)
    while not over.is_set():
        got = int(canal.CanalVirtualEvents(bus.encode(), at, len(found)))
        assert got >= 0 or got == -CHANNEL
        if got > 0:
            into.append(found[:got].copy())
        over.wait(0.005)


@pytest.mark.slow
def test_a_logger_through_ten_thousand_errors(
    canal: ctypes.CDLL, bus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """10,000 errors of a sender that goes off again and again: nothing is lost, all is told in order."""
    faults, out = tmp_path / "faults.txt", tmp_path / "out.pcapng"
    faults.write_text("any crc 5 invert by generator times 10000\n")
    config = f"{bus};1000000;load=0.5;seed=3;errors=1;faults={faults};fifo=65536"
    parts: list[np.ndarray] = []
    over = threading.Event()
    watcher = threading.Thread(target=gather, args=(canal, bus, parts, over))
    watcher.start()
    try:
        command = ["log", "--library", "virtual", "--config", config, "--bridge", "never", "--json"]
        assert main([*command, "--duration", "4", "-o", str(out)]) == 0
    finally:
        over.set()
        watcher.join()
    end = json.loads(capsys.readouterr().out.splitlines()[-1])
    ledger = end["ledger"]
    records = cf.read_log(out)
    assert end["frames_written"] == ledger["received"] == ledger["delivered"] == len(records)
    assert ledger["dropped"] == ledger["malformed"] == ledger["filtered"] == ledger["driver_overruns"] == 0
    error = (records["flags"] & FrameFlag.ERROR_FRAME) != 0
    assert np.count_nonzero(records["arbitration_id"][error] & PROTOCOL) == 10_000
    sequence = records[~error]["data"][:, :4].copy().view("<u4").ravel()
    assert sequence.tolist() == list(range(len(sequence)))
    assert len(sequence) > 1000
    assert (np.diff(records["timestamp_ns"]) >= 0).all()

    seen = np.concatenate(parts)
    twin = simulation.Bus(1_000_000)
    for name in ("generator", "others", "handle1"):
        twin.node(name, queue="fifo")
    twin.inject(faults.read_text())
    traffic = generate(30_000, bitrate=1_000_000, load=Fraction(1, 2), seed=3)
    ids, data = np.array([f.identifier for _, f in traffic], np.uint32), [f.data for _, f in traffic]
    twin.send("generator", cf.make_frames(ids, data), at=[ready for ready, _ in traffic])
    events = twin.run(int(seen["bit"][-1]) + 1, record_levels=False, record_bits=False).events
    assert np.array_equal(seen, events[: len(seen)])
    assert np.count_nonzero(seen["event"] == Event.BUS_OFF) == 10_000 // 32  # of the sender

    mine = seen[seen["node"] == 2]
    told = {Event.RECEIVED: "frame", Event.STATE: "state"} | dict.fromkeys(ERRORS, "error")
    story = [told[Event(kind)] for kind in mine["event"] if kind in told]
    kinds = np.where(~error, "frame", np.where(records["arbitration_id"] & PROTOCOL, "error", "state"))
    assert {"frame", "state", "error"} == {*story}
    assert kinds[: len(story)].tolist() == story[: len(kinds)]


def test_python_can_sees_the_state(canal: ctypes.CDLL, bus: str) -> None:
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not there")
    a = can.Bus(interface="canal_fast", channel=f"virtual:{bus};clock=step;errors=1")
    with a, cf.Channel.virtual(bus):
        assert a.state is can.BusState.ACTIVE
        assert inject(canal, bus, "id 123 crc 5 invert by handle1 times 17") == 0
        a.send(can.Message(arbitration_id=0x123, is_extended_id=False))
        step(canal, bus, 1400)
        assert a.recv(5).is_error_frame
        assert a.state is can.BusState.PASSIVE
        assert inject(canal, bus, "bus_off_attack 124") == 0
        a.send(can.Message(arbitration_id=0x124, is_extended_id=False))
        step(canal, bus, 1800)
        assert a.state is can.BusState.ERROR
