"""The text of faults: what each line does, and what is wrong with bad ones."""

from __future__ import annotations

import pytest
from bus_cases import record
from bus_scenes import BASE, FLEXIBLE, Scene, pair
from oracle.wire_oracle import Frame

from canal_fast import simulation
from canal_fast.errors import SimulationError


@pytest.mark.parametrize(
    ("line", "column", "word"),
    [
        ("frobnicate", 1, "'frobnicate': expected bit, time, frame, id or any"),
        ("bit", 4, "the line ends: expected the number of a bit"),
        ("bit x dominant", 5, "'x': expected the number of a bit, from 0"),
        ("bit -1 dominant", 5, "'-1'"),
        ("bit 99999999999999999999 dominant", 5, "expected the number of a bit"),
        ("bit 5", 6, "the line ends: expected dominant, recessive, invert, drive or force"),
        ("bit 5 dominant for 0", 20, "'0': expected a number of bits"),
        ("bit 5 dominant times 2", 16, "'times': not expected here"),
        ("bit 5 dominant at nobody", 19, "'nobody': expected the name of a node"),
        ("bit 5 dominant at r at t", 21, "'at': not expected here"),
        ("bit 5 drive 0012", 13, "'0012': expected 1 to 1024 levels"),
        ("bit 5 drive", 12, "the line ends: expected 1 to 1024 levels"),
        ("bit 5 drive 01 at r", 16, "'at': not expected here"),
        ("bit 5 drive 01 for 3", 16, "'for': not expected here"),
        ("time 5 dominant", 8, "'dominant': expected a time"),
        ("time 1.2.3 ms dominant", 9, "expected a time"),
        ("time 5 h dominant", 8, "'h': expected a time"),
        ("frame 0 crc 1 dominant", 7, "'0': expected the number of a frame, from 1"),
        ("frame 1 cnc 1 dominant", 9, "'cnc': expected a field"),
        ("frame 1 dlc 5 dominant", 13, "'5': expected the number of a bit of the field"),
        ("frame 1 dlc 0 dominant", 13, "'0'"),
        ("frame 1 dlc 1 dominant times 2", 24, "'times': not expected here"),
        ("id 800 dlc 1 dominant", 4, "'800': expected an identifier"),
        ("id 20000000 dlc 1 dominant", 4, "'20000000': expected an identifier"),
        ("id 123 id 1 dominant", 8, "'id': an identifier is known from field fdf on"),
        ("error_attack", 13, "the line ends: expected an identifier"),
        ("no_ack x", 8, "'x': expected the number of a frame"),
        ("  bit 5 dominant foo  # why", 18, "'foo': not expected here"),
    ],
)
def test_bad_lines(line: str, column: int, word: str) -> None:
    bus = simulation.Bus()
    bus.node("r")
    bus.node("t")
    with pytest.raises(SimulationError) as caught:
        bus.inject(["# fine", "bit 3 invert", line])
    assert (caught.value.line_number, caught.value.column) == (3, column)
    assert f"line 3, column {column}: " in str(caught.value)
    assert word in str(caught.value)
    bus.run(2)  # the good line was not taken either


@pytest.mark.parametrize(
    "line",
    [
        "BIT 5 Dominant FOR 3 AT r", "bit 5 invert#comment", "\tbit 5 recessive for ever by r \r", "time 1.5ms invert",
        "time 20us invert", "time 0.001 s invert", "any stuff 3 invert times ever", "id 12345678 data 64 invert",
        "id 0x7ff eof 1 dominant", "frame 12 fixed 4 invert", "bus_off_attack 123", "error_attack 1FFFFFFF times 3",
        "double_receive 4", "no_ack 2 at r", "prolonged_flag 7 times 2", "recessive_override bit 30 for 4",
        "stuck_dominant time 2 ms by r", "bit 9 drive 0101", "bit 9 force 1 at r", "any idle 1 dominant",
    ],
)  # fmt: skip
def test_good_lines(line: str) -> None:
    bus = simulation.Bus()
    bus.node("r")
    assert bus.inject(["", "# nothing", line]) == 1


@pytest.mark.parametrize("line", ["bit 1000 invert", "time 2 ms invert", "time 1s invert"])
def test_outside_the_run(line: str) -> None:
    bus = simulation.Bus(500_000)
    bus.node("a")
    bus.inject(line)
    with pytest.raises(SimulationError, match="is outside the run, which ends at bit 1000, 2000000 ns"):
        bus.run(1000)
    with pytest.raises(SimulationError, match=r"outside the run, which ends at bit 500, 1000000 ns"):
        bus.run(seconds=0.001)


def test_passed_already() -> None:
    bus = simulation.Bus(500_000)
    bus.node("a")
    bus.run(100)
    for line in ("bit 99 invert", "time 199999 ns invert"):
        with pytest.raises(SimulationError, match="has passed: the bus is at bit 100, 200000 ns") as caught:
            bus.inject(f"# first\n{line}")
        assert caught.value.line_number == 2
    bus.inject("bit 100 dominant")
    assert bus.run(10).bits.tolist() == [0] + [1] * 6 + [0] * 3  # an SOF, six equal bits, an error flag


def test_time() -> None:
    bus = simulation.Bus(500_000)
    bus.node("a", mode="listen_only")
    bus.inject("time 41 us dominant for 2")
    assert bus.run(40).bits.tolist() == [1] * 20 + [0, 0] + [1] * 18


def test_seen_and_driven() -> None:
    seen = pair(faults="bit 30 dominant for ever at r", bits=60)
    assert seen.run.levels[30:, 0].any()
    stuck = Scene({"r": {}, "t": {}}, {"t": [BASE]}, "bit 30 dominant for ever by r", 60)
    assert not stuck.run.bits[30:].any()
    assert not stuck.run.levels[30:, 0].any()


def test_every_frame_with_an_identifier() -> None:
    frames = [Frame(0x123, dlc=1, data=b"\x11"), Frame(0x124, dlc=1, data=b"\x22"), Frame(0x123, dlc=1, data=b"\x33")]
    s = Scene({"t": {"queue": "fifo"}, "r": {}}, {"t": frames}, "id 123 end_of_frame 7 dominant times ever at r", 1200)
    assert [kind for kind, _, _ in s.story("r")].count("OVERLOAD") == 2
    assert s.frames("r") == [0x123, 0x124, 0x123]
    extended = Scene(
        {"t": {}, "r": {}}, {"t": [Frame(0x123, True, dlc=1, data=b"\x11")]},
        "id 123 eof 7 dominant at r\nid 00000123 eof 6 dominant at r", 300,
    )  # fmt: skip
    assert extended.story("r")[0] == ("FORM_ERROR", "end_of_frame", 6)


def test_error_attack_hits_so_many_frames() -> None:
    s = pair(faults="error_attack 2A5 times 3", bits=600)
    assert len(s.bits_of("t", "BIT_ERROR")) == 3
    assert s.frames("r") == [0x2A5]


def test_bus_off_attack() -> None:
    s = pair(faults="bus_off_attack 2A5", bits=4000, t={"recovery": "on_request"})
    assert s.bus.nodes[0].state == simulation.NodeState.BUS_OFF
    assert len(s.bits_of("t", "BIT_ERROR")) == 32
    assert s.frames("r") == []


def test_double_receive() -> None:
    s = pair(faults="double_receive 1")
    assert s.frames("r") == [0x2A5, 0x2A5]
    assert s.bus.nodes[0].sent == 1


@pytest.mark.parametrize("frame", [BASE, FLEXIBLE])
def test_no_ack(frame: Frame) -> None:
    s = pair(frame, faults="no_ack 1 at t")
    assert s.story("t")[0][0] == "ACK_ERROR"
    assert s.bus.nodes[0].sent == 1


def test_recessive_override() -> None:
    """CAN injection: dominant bits of others are overridden."""
    s = pair(faults="recessive_override bit 20 for 5")
    assert s.run.bits[20:25].all()
    assert s.story("t")[0][0] == "BIT_ERROR"


def test_stuck_dominant() -> None:
    s = pair(faults="stuck_dominant bit 25 by r", bits=3000)
    assert s.bus.nodes[0].state == simulation.NodeState.BUS_OFF
    assert not s.run.bits[25:].any()


def test_prolonged_flag() -> None:
    s = pair(faults="frame 1 crc_delimiter 1 dominant\nprolonged_flag 8", t={"tec": 10})
    assert max(s.tec("t")) == 26


def test_frames_are_counted_over_runs() -> None:
    bus = simulation.Bus()
    bus.node("t")
    bus.node("r")
    bus.send("t", record(BASE))
    bus.run(300)
    bus.send("t", record(BASE))
    bus.inject("frame 2 end_of_frame 7 dominant")
    bus.run(300)
    assert bus.nodes[1].received == 3
