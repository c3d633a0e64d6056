"""Bus, Node and Run: what they tell, and what they refuse."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from bus_cases import record
from bus_scenes import BASE, FLEXIBLE, Scene, pair

import canal_fast as cf
from canal_fast import simulation
from canal_fast.errors import FrameError, SimulationError
from canal_fast.simulation import Event, NodeState, _simulation


def test_tables_are_the_headers() -> None:
    assert {event.name: int(event) for event in Event} == {name: n for n, name, _ in _simulation.event_table()}
    names = {name: n for n, name, _ in _simulation.state_table()}
    assert {state.name: int(state) for state in NodeState} == names
    assert simulation.EVENT_DTYPE.itemsize == 32
    assert len(set(simulation.FIELDS)) == 30


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clock_ppm": 100_001}, "node 'b': clock_ppm = 100001, allowed -100000..100000"),
        ({"delay_ns": -1.5}, "node 'b': delay_ns = -1.5, allowed 0..1000000"),
        ({"delay_ns": {"a": -1}}, "node 'b': delay_ns to 'a' = -1, allowed 0..1000000"),
        ({"delay_ns": {"x": 1}}, "node 'b': delay_ns to 'x', but there are 'a'"),
        ({"tdc_offset": -1}, "node 'b': tdc_offset = -1, allowed 0..65536"),
        ({"name": "a"}, "node name 'a' is taken"),
        ({"name": ""}, "must be one word without #"),
        ({"name": "two words"}, "must be one word without #"),
        ({"name": "a#b"}, "must be one word without #"),
        ({"mode": "silent"}, "mode = 'silent'"),
        ({"recovery": "never"}, "recovery = 'never'"),
        ({"fd": True}, "fd = True"),
        ({"fd_ack_bits": 3}, "fd_ack_bits = 3"),
        ({"queue": "lifo"}, "queue = 'lifo'"),
        ({"tec": 256}, "tec = 256, allowed 0..255"),
        ({"rec": -1}, "rec = -1, allowed 0..255"),
        ({"filters": [{"can_id": 1}]}, "can_mask"),
        ({"timing": cf.BitTiming(8_000_000, 1, 13, 2, 1)}, "bitrate = 500000, the bus has 250000 bit/s"),
    ],
)
def test_nodes_that_cannot_be(options: dict[str, object], message: str) -> None:
    bus = simulation.Bus(250_000)
    bus.node("a", timing=cf.BitTiming(8_000_000, 2, 13, 2, 1))
    with pytest.raises(ValueError, match=message):
        bus.node(**{"name": "b", **options})
    assert len(bus.nodes) == 1


def test_a_timing_that_differs() -> None:
    bus = simulation.Bus(250_000)
    bus.node("a", timing=cf.BitTiming(8_000_000, 2, 13, 2, 1))
    bus.node("b", timing=cf.BitTiming(8_000_000, 2, 13, 2, 1))
    bus.node("c", timing=cf.BitTiming(8_000_000, 2, 12, 3, 1))
    bus.send("a", record(BASE))
    run = bus.run(100)
    assert (run.gear, bus.gear) == ("edges", "edges")
    assert [node.received for node in bus.nodes] == [0, 1, 1]


def test_at_most_64_nodes() -> None:
    bus = simulation.Bus()
    for k in range(64):
        bus.node(f"n{k}")
    with pytest.raises(SimulationError, match="at most 64"):
        bus.node("n64")
    bus.send("n0", record(BASE))
    bus.run(100)
    assert [node.received for node in bus.nodes] == [0] + [1] * 63


def test_requests_that_cannot_be() -> None:
    bus = simulation.Bus()
    bus.node("a", fd="classical")
    bus.node("b", mode="listen_only")
    other = simulation.Bus().node("x")
    with pytest.raises(FrameError, match=r"frames\[1\] is an FD frame, node 'a' is classical"):
        bus.send("a", np.concatenate([record(BASE), record(FLEXIBLE)]))
    with pytest.raises(SimulationError, match="'b' is listen_only"):
        bus.send("b", record(BASE))
    with pytest.raises(SimulationError, match="no node 'c': there are 'a', 'b'"):
        bus.send("c", record(BASE))
    with pytest.raises(SimulationError, match="is on another bus"):
        bus.send(other, record(BASE))
    bad = record(BASE)
    bad["dlc"] = 16
    with pytest.raises(FrameError):
        bus.send("a", bad)
    with pytest.raises(ValueError, match="broadcast"):
        bus.send("a", record(BASE), at=[1, 2, 3])
    assert bus.nodes[0].pending == 0


def test_runs_that_cannot_be() -> None:
    with pytest.raises(SimulationError, match="no node"):
        simulation.Bus().run(10)
    bus = simulation.Bus()
    bus.node("a")
    for arguments in ({}, {"bits": 1, "seconds": 1.0}):
        with pytest.raises(ValueError, match="either bits or seconds"):
            bus.run(**arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"bits = 1\.5, must be a whole number"):
        bus.run(1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bits = -1"):
        bus.run(-1)
    room = min(1 << 36, sys.maxsize >> 1)
    with pytest.raises(ValueError, match=rf"bits = 10000000000000, allowed 0\.\.{room} bits with record_bits"):
        bus.run(10**13)
    asked, levels = f"seconds = 200000, {200_000 * bus.bitrate} bits", "bits with record_levels, 19 B for each"
    with pytest.raises(ValueError, match=rf"{asked}, allowed 0\.\.{room // 19} {levels}"):
        bus.run(seconds=200_000, record_levels=True)
    assert (bus.bit, bus.time_ns) == (0, 0)  # nothing was begun
    with pytest.raises(ValueError, match="bitrate = 5"):
        simulation.Bus(5)
    with pytest.raises(ValueError, match="data_bitrate = 100000"):
        simulation.Bus(500_000, 100_000)


def test_time_stamps_are_requests() -> None:
    bus = simulation.Bus(500_000)
    bus.node("a")
    bus.node("b")
    frames = np.concatenate([record(BASE)] * 2)
    frames["timestamp_ns"] = [1_000_000, 999_999_999 * 2 + 1]
    bus.send("a", frames)
    run = bus.run(seconds=2.001)
    starts = run.events["bit"][(run.events["event"] == Event.START) & (run.events["node"] == 0)]
    assert starts.tolist() == [500, 1_000_000]
    assert run.duration_ns == 2_001_000_000
    assert run.bits.sum() + (run.bits == 0).sum() == 1_000_500


def test_seconds_with_bits_at_the_data_rate() -> None:
    bus = simulation.Bus(500_000, 4_000_000)
    bus.node("a")
    bus.node("b")
    bus.send("a", cf.make_frames([1] * 20, [bytes(64)] * 20, flags=cf.FrameFlag.BITRATE_SWITCH, fd=True))
    run = bus.run(seconds=0.003)
    assert 0.003e9 - 2000 < bus.time_ns <= 0.003e9
    assert len(run.bits) > 1500


@pytest.mark.parametrize(
    ("options", "faults"),
    [
        ({}, "frame 1 data 9 invert at b"),
        ({"fd": "classical"}, ""),
        ({"integrating": True}, ""),
    ],
)
def test_the_data_phase_needs_all_in_step(options: dict[str, object], faults: str) -> None:
    bus = simulation.Bus(500_000, 2_000_000)
    bus.node("a")
    bus.node("b")
    bus.node("c", **options)  # type: ignore[arg-type]
    bus.send("a", cf.make_frames([0x55], [bytes(range(32))], flags=cf.FrameFlag.BITRATE_SWITCH, fd=True))
    bus.inject(faults)
    run = bus.run(500)
    assert (run.gear, bus.gear) == ("edges", "edges")
    assert run.handed_over is not None
    assert 10 < run.handed_over < 400
    assert len(run.bits) > 300
    assert (bus.bit, bus.time_ns) == (500, 500 * 2000 - (run.handed_over * 2000 - run.edges["time_fs"][0] // 1_000_000))


def test_one_shot_and_self_reception() -> None:
    bus = simulation.Bus()
    a = bus.node("a", one_shot=True)
    bus.node("b")
    bus.send(a, record(BASE))
    bus.inject("frame 1 data 3 invert at a")
    run = bus.run(200)
    assert a.sent == a.pending == 0
    assert Event.ABANDONED in run.events["event"]
    bus.send(a, record(BASE), one_shot=False, self_reception=True)
    run = bus.run(200)
    assert run.frames["flags"].tolist() == [0x40, 0]


def test_recovery_on_request() -> None:
    s = pair(faults="frame 1 data 3 invert at t", bits=3000, t={"tec": 248, "recovery": "on_request"})
    t = s.bus.nodes[0]
    assert (t.state, t.pending, t.field) == (NodeState.BUS_OFF, 0, "bus_off")
    t.recover()
    s.bus.run(1407)
    assert t.state == NodeState.BUS_OFF
    s.bus.run(1)
    assert (t.state, t.tec) == (NodeState.ACTIVE, 0)
    assert repr(t) == "<Node 't': ACTIVE, TEC 0, REC 0, idle>"


def test_filters_are_of_received_frames() -> None:
    bus = simulation.Bus()
    bus.node("a")
    b = bus.node("b", filters=[{"can_id": 0x100, "can_mask": 0x700, "extended": False}])
    bus.send("a", cf.make_frames([0x0FF, 0x123, 0x200], [b"x"] * 3))
    run = bus.run(500, at=b)
    assert run.frames["arbitration_id"].tolist() == [0x123]
    assert b.received == 3


def test_records_of_errors_and_states() -> None:
    """Laid out as SocketCAN's error frames and CANAL's status messages."""
    s = pair(faults="frame 1 dlc 2 invert at t\nframe 2 dlc 2 invert at t", t={"tec": 90})
    log = s.run.frames_at("t")
    assert [int(f) for f in log["flags"]] == [0x80, 0x04, 0x80, 0x40]
    error, status, second, sent = log
    assert error["arbitration_id"] == 0x288
    assert error["data"][:8].tolist() == [0, 0, 0x80 | 0x08, 0x0B, 0, 0, 98, 0]
    assert status["data"][:3].tolist() == [2, 0, 98]
    assert second["data"][6] == 106
    assert sent["arbitration_id"] == 0x2A5
    assert (np.diff(log["timestamp_ns"]) >= 0).all()
    alone = Scene({"t": {}}, {"t": [BASE]}, bits=5000)
    log = alone.run.frames
    assert (log["arbitration_id"][log["flags"] == 0x80] == 0x2A0).all()
    assert [row["data"][0] for row in log if row["flags"] == 4] == [2, 3]


def test_runs_go_on_where_the_last_ended() -> None:
    whole, parts = (pair(faults="frame 1 data 3 invert", bits=0).bus for _ in range(2))
    run = whole.run(400)
    pieces = [parts.run(count) for count in (1, 7, 92, 300)]
    for name in ("bits", "events", "levels", "fields", "logs"):
        assert (np.concatenate([getattr(piece, name) for piece in pieces]) == getattr(run, name)).all()
    assert [piece.first_bit for piece in pieces] == [0, 1, 8, 100]


def test_nothing_recorded() -> None:
    s = pair(bits=0)
    run = s.bus.run(300, record_bits=False, record_events=False, record_frames=False, record_levels=False)
    assert [len(part) for part in (run.bits, run.events, run.logs, run.levels, run.fields)] == [0] * 5
    assert s.bus.nodes[1].received == 1
    with pytest.raises(SimulationError, match="recorded no bits"):
        run.draw()


def test_runs_let_other_threads_run() -> None:
    """With a switch interval of an hour, a second thread gets on only where the GIL is given up."""
    bus = simulation.Bus(whole_frames=False)
    bus.node("a")
    bus.node("b")
    ran, go = threading.Event(), threading.Event()
    other = threading.Thread(target=lambda: (go.wait(), ran.set()))
    other.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(3600)
    try:
        go.set()
        for _ in range(200):
            bus.send("a", np.concatenate([record(BASE)] * 200))
            bus.run(20_000)
            if ran.is_set():
                break
        assert ran.is_set()
    finally:
        sys.setswitchinterval(interval)
        other.join()


def test_more_events_than_one_array_holds() -> None:
    bus = simulation.Bus()
    bus.node("a")
    bus.node("b")
    bus.send("a", np.concatenate([record(BASE)] * 10_000))
    run = bus.run(1_000_000, record_levels=False)
    assert len(run.frames) == 10_000
    assert (np.diff(run.events["bit"]) >= 0).all()


def test_draw(tmp_path: Path) -> None:
    s = pair(faults="frame 1 data 3 invert at t")
    text = s.run.draw(count=100, width=50)
    lines = text.splitlines()
    assert lines[0].split()[:2] == ["bit", "0"]
    assert lines[1].startswith("bus    0")
    assert any(line.startswith("t      0") for line in lines)
    assert "|id........" in text
    assert "t (transmitter): bit error at data 3, TEC 8 REC 0 active" in text
    assert "^" in text
    with pytest.raises(SimulationError, match=r"first = 700, the run has bits 0\.\.599"):
        s.run.draw(700)
    pytest.importorskip("matplotlib", reason="NOT RUN: needs matplotlib")
    s.run.draw(count=150, plot=tmp_path / "run.svg")
    assert "svg" in (tmp_path / "run.svg").read_text()[:200]
