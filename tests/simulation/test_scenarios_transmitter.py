"""Scenarios 33 to 54 in the manner of ISO 16845-1: a transmitter, T, under test."""

from __future__ import annotations

import numpy as np
import pytest
from bus_cases import record
from bus_scenes import BASE, FLEXIBLE, Scene, levels, pair
from oracle.wire_oracle import Frame

from canal_fast import simulation

TEN = {"tec": 10}
PASSIVE = {"tec": 130}
EXTENDED = Frame(0x0A5 << 18 | 0x15555, extended=True, dlc=1, data=b"\x5a")
ONES = BASE._replace(arbitration_id=0x7FF)
LATE_ONES = EXTENDED._replace(arbitration_id=0x0A5 << 18 | 0x3FFFF)
DELIMITER = "frame 1 crc_delimiter 1 dominant\n"


@pytest.mark.parametrize(
    ("mine", "other", "field", "index"),
    [
        *((ONES, ONES._replace(arbitration_id=0x7FF ^ 1 << k), "id", 11 - k) for k in range(11)),
        (Frame(0x123, remote=True, dlc=1), Frame(0x123, dlc=1, data=b"\x55"), "rtr", 1),
        (EXTENDED, Frame(0x0A5, dlc=1, data=b"\x55"), "rtr", 1),
        (EXTENDED, Frame(0x0A5, remote=True, dlc=1), "ide", 1),
        *(
            (LATE_ONES, LATE_ONES._replace(arbitration_id=LATE_ONES.arbitration_id ^ 1 << k), "id_extension", 18 - k)
            for k in (0, 9, 17)
        ),
        (EXTENDED._replace(remote=True), EXTENDED, "rtr_extended", 1),
    ],
)  # fmt: skip
def test_33_arbitration_lost(mine: Frame, other: Frame, field: str, index: int) -> None:
    s = Scene({"t": TEN, "h": {}}, {"t": [mine], "h": [other]})
    lost = next(event for event in s.events if event[:2] == ("t", "ARBITRATION_LOST"))
    assert lost[2:4] == (field, index)
    assert s.frames("t") == [other.arbitration_id]
    assert s.frames("h") == [mine.arbitration_id]
    assert s.starts("t")[1] == s.bits_of("h", "SENT")[0] + 4  # right after the intermission
    assert s.story("t") == []
    acknowledged = s.bits_of("t", "ACKNOWLEDGED")[0]
    assert s.drives("t", acknowledged, 1) == "0"


def test_34_lost_and_that_frame_has_an_error() -> None:
    s = Scene({"t": TEN, "h": {}}, {"t": [BASE], "h": [BASE._replace(arbitration_id=1)]}, DELIMITER)
    assert s.rec("t")[:2] == [0, 1]
    assert s.tec("t")[0] == 10
    assert s.tec("t")[1:] == [9]  # its own frame, later


@pytest.mark.parametrize("place", ["sof 1", "id 1", "id 5"])
def test_35_dominant_bit_of_sof_or_identifier_read_recessive(place: str) -> None:
    s = pair(faults=f"frame 1 {place} recessive at t", t=TEN)
    field, index = place.split()
    assert s.story("t")[0] == ("BIT_ERROR", field, int(index))
    assert s.tec("t") == [10, 18, 17]
    assert s.drives("t", s.bits_of("t", "BIT_ERROR")[0] + 1, 7) == "0000001"


@pytest.mark.parametrize("place", ["dlc 3", "data 3", "data 16", "crc 1", "crc 4", "crc 8"])
def test_36_recessive_bit_outside_arbitration_read_dominant(place: str) -> None:
    frame = Frame(0x2A5, dlc=2, data=b"\x3c\x5b")
    field, index = place.split()
    s = pair(frame, f"frame 1 {place} dominant at t", t=TEN)
    if not s.story("t"):  # a bit that is dominant anyway
        s = pair(frame, f"frame 1 {place} recessive at t", t=TEN)
    assert s.story("t")[0] == ("BIT_ERROR", field, int(index))
    assert s.tec("t") == [10, 18, 17]


def test_37_recessive_stuff_bit_in_arbitration_read_dominant() -> None:
    s = pair(Frame(0x012, dlc=0), "frame 1 stuff 1 dominant at t", t=TEN)
    assert s.story("t")[0] == ("STUFF_ERROR", "id", 4)
    assert s.tec("t") == [10, 9]
    assert len(s.starts("t")) == 2
    after_rtr = pair(Frame(0x7F0, dlc=1, data=b"\x55"), "frame 1 stuff 2 dominant at t", t=TEN)
    assert after_rtr.story("t")[0] == ("BIT_ERROR", "rtr", 1)  # the exception ends before the RTR bit
    assert after_rtr.tec("t") == [10, 18, 17]


def test_38_dominant_stuff_bit_in_arbitration_read_recessive() -> None:
    s = pair(Frame(0x3E0, dlc=0), "frame 1 stuff 1 recessive at t", t=TEN)
    assert s.story("t")[0] == ("BIT_ERROR", "id", 6)
    assert s.tec("t") == [10, 18, 17]


@pytest.mark.parametrize(
    "place", ["crc_delimiter 1", "ack_delimiter 1", "end_of_frame 1", "end_of_frame 4", "end_of_frame 7"]
)
def test_39_fixed_form_read_dominant(place: str) -> None:
    s = pair(faults=f"frame 1 {place} dominant at t", t=TEN)
    field, index = place.split()
    assert s.story("t")[0] == ("FORM_ERROR", field, int(index))
    assert s.tec("t") == [10, 18, 17]
    assert len(s.starts("t")) == 2
    assert s.drives("t", s.bits_of("t", "FORM_ERROR")[0], 8) == "10000001"


@pytest.mark.parametrize(("frame", "index"), [(BASE, 1), (FLEXIBLE, 2)])
def test_40_no_ack(frame: Frame, index: int) -> None:
    s = Scene({"t": TEN}, {"t": [frame]}, bits=150)
    assert s.story("t")[0] == ("ACK_ERROR", "ack_slot", index)
    assert s.tec("t")[:2] == [10, 18]
    assert s.drives("t", s.bits_of("t", "ACK_ERROR")[0], 8) == "10000001"


def test_41_no_ack_passive_silent_bus() -> None:
    s = Scene({"t": PASSIVE}, {"t": [BASE]}, bits=3000)
    assert len(s.bits_of("t", "ACK_ERROR")) > 10
    assert s.tec("t") == [130]
    assert s.fields("t").count("active_flag") == 0


def test_42_no_ack_passive_dominant_bit_in_the_flag() -> None:
    s = Scene({"t": PASSIVE}, {"t": [BASE]}, "any passive_flag 6 dominant", bits=200)
    assert s.story("t")[:2] == [("ACK_ERROR", "ack_slot", 1), ("DOMINANT", "passive_flag", 6)]
    assert s.tec("t")[:2] == [130, 138]


def test_43_dominant_intermission_bit_1() -> None:
    s = pair(faults="any intermission 1 dominant", t=TEN)
    assert s.story("t") == [("OVERLOAD", "intermission", 1)]
    assert s.tec("t") == [10, 9]
    assert len(s.starts("t")) == 1
    assert s.bus.nodes[0].sent == 1


@pytest.mark.parametrize(("count", "more"), [(7, 0), (8, 8), (16, 16), (23, 16)])
def test_44_own_flag_prolonged(count: int, more: int) -> None:
    s = pair(faults=DELIMITER + f"any flag_end 1 dominant for {count}", t=TEN)
    assert max(s.tec("t")) == 18 + more


@pytest.mark.parametrize("index", [1, 4, 6])
def test_45_own_flag_disturbed(index: int) -> None:
    s = pair(faults=DELIMITER + f"any active_flag {index} recessive at t", t=TEN)
    assert s.story("t")[1] == ("BIT_ERROR", "active_flag", index)
    assert s.tec("t")[:3] == [10, 18, 26]
    assert s.drives("t", s.bits_of("t", "BIT_ERROR")[0] + 1, 7) == "0000001"


def test_46_passive_overlaid_prolonged_disturbed() -> None:
    overlaid = pair(faults=DELIMITER, t=PASSIVE)  # by the others' active flags, from its first bit
    fields, begin = overlaid.fields("t"), overlaid.bits_of("t", "FORM_ERROR")[0] + 1
    assert fields[begin : begin + 8] == ["passive_flag"] * 6 + ["flag_end", "delimiter"]
    assert overlaid.tec("t")[:2] == [130, 138]
    for count, more in ((7, 0), (8, 8)):
        prolonged = pair(faults=DELIMITER + f"any flag_end 1 dominant for {count}", t=PASSIVE)
        assert max(prolonged.tec("t")) == 138 + more
    for index in (2, 7):
        disturbed = pair(faults=DELIMITER + f"any delimiter {index} dominant at t", t=PASSIVE)
        assert disturbed.story("t")[1] == ("FORM_ERROR", "delimiter", index)
        assert disturbed.tec("t")[:3] == [130, 138, 146]


@pytest.mark.parametrize("faults", ["", DELIMITER, "any intermission 1 dominant"])
def test_47_suspended_behind_frame_error_and_overload(faults: str) -> None:
    second = []
    for tec in (0, 200):
        s = Scene({"t": {"tec": tec}, "h": {}}, {"t": [BASE, BASE]}, faults)
        second.append(s.starts("t")[1])
    assert second[1] - second[0] == 8


@pytest.mark.parametrize("index", [1, 4, 8])
def test_48_foreign_sof_while_suspended(index: int) -> None:
    length = len(levels(BASE))
    begin = length + 3 + index - 1
    foreign = levels(BASE._replace(arbitration_id=0x155))
    s = Scene({"t": PASSIVE, "h": {}}, {"t": [BASE, BASE]}, f"bit {begin} drive {foreign}", 400)
    assert s.frames("t") == [0x155]
    assert s.bits_of("t", "START")[1] == begin
    assert s.drives("t", begin, len(foreign)).count("0") == 1  # its ACK
    assert s.starts("t")[1] == begin + len(foreign) + 3


def test_49_passive_loser_is_not_suspended() -> None:
    s = Scene({"t": PASSIVE, "h": {}}, {"t": [BASE], "h": [BASE._replace(arbitration_id=1)]})
    assert s.starts("t")[1] == s.bits_of("h", "SENT")[0] + 4


@pytest.mark.parametrize("offset", [2, 3, 6])
def test_50_suspended_transmitter_does_not_join(offset: int) -> None:
    begin = len(levels(BASE)) + offset  # intermission bit 3, or suspend
    foreign = levels(BASE._replace(arbitration_id=0x7F0))
    s = Scene({"t": PASSIVE, "h": {}}, {"t": [BASE, BASE]}, f"bit {begin} drive {foreign}", 400)
    assert s.frames("t") == [0x7F0]
    assert begin not in s.starts("t")


def test_51_active_transmitter_joins_in_intermission_bit_3() -> None:
    begin = len(levels(BASE)) + 2
    length = len(levels(Frame(0x07F, dlc=0)))
    s = Scene({"t": {"queue": "fifo"}, "h": {}}, {"t": [BASE, Frame(0x07F, dlc=0)]}, f"bit {begin} drive 0", 300)
    assert begin in s.starts("t")
    assert s.drives("t", begin, 8) == "1" + "0000" + "1" + "11"  # no SOF of its own; four dominant, a stuff bit
    assert s.bits_of("t", "SENT")[1] == begin + length - 1
    assert s.story("t") == []


def test_52_bus_off_and_back() -> None:
    s = Scene({"t": {"tec": 248}, "h": {}}, {"t": [BASE]}, "frame 1 data 3 invert at t", 2000)
    off = s.bits_of("t", "BUS_OFF")[0]
    back = s.bits_of("t", "RECOVERED")[0]
    assert s.drives("t", off + 1, back - off) == "1" * (back - off)
    assert s.tec("t")[:3] == [248, 256, 0]
    assert s.starts("t")[1] == back + 1
    assert s.frames("h") == [0x2A5]


def test_53_sequences_of_eleven() -> None:
    bus = simulation.Bus(500_000)
    t = bus.node("t", tec=248)
    bus.node("h", mode="listen_only")
    bus.send(t, record(BASE))
    bus.inject("frame 1 data 3 invert at t")
    while t.state != simulation.NodeState.BUS_OFF:
        bus.run(1)
    pattern = "1" * 10 + "0" + "1" * 21 + "0"
    for _ in range(126):
        pattern += "1" * 11 + "0"
    pattern += "1" * 10
    start = bus.bit
    bus.inject([f"bit {start + k} force {pattern[k : k + 1000]}" for k in range(0, len(pattern), 1000)])
    bus.run(len(pattern))
    assert t.state == simulation.NodeState.BUS_OFF
    events = bus.run(1).events
    assert simulation.Event.RECOVERED in events["event"]
    assert t.state == simulation.NodeState.ACTIVE


def test_54_dominant_bits_behind_a_passive_flag() -> None:
    faults = "frame 1 crc 4 invert at t\nany flag_end 1 dominant for 6 at t"
    s = Scene({"t": PASSIVE, "h": {"mode": "listen_only"}}, {"t": [BASE]}, faults, 400)
    error = s.bits_of("t", "BIT_ERROR")[0]
    assert s.starts("t")[1] == error + 32  # the 32nd bit counted from the error's own: 31 behind it
    assert np.all(s.run.levels[error + 1 : error + 32, 0] == 1)
