"""Scenarios 1 to 32 in the manner of ISO 16845-1: a receiver, R, under test. T sends, H helps."""

from __future__ import annotations

import pytest
from bus_scenes import BASE, FLEXIBLE, Scene, levels, lone, pair
from oracle.wire_oracle import Frame

TEN = {"rec": 10}
DELIMITER = "frame 1 crc_delimiter 1 dominant\n"  # an error that all find at once
STUFFED = Frame(0x20F, dlc=4, data=b"\x00\x00\xff\x83")


def flagged(scene: Scene, bit: int, node: str = "r") -> bool:
    """An active flag begins right behind `bit`."""
    return scene.drives(node, bit, 7) == "1000000"


def test_01_dominant_last_eof_bit() -> None:
    s = pair(faults="frame 1 end_of_frame 7 dominant at r", r=TEN)
    assert s.story("r")[0] == ("OVERLOAD", "end_of_frame", 7)
    assert s.rec("r") == [10, 9]
    assert s.frames("r") == [0x2A5]
    assert flagged(s, s.bits_of("r", "OVERLOAD")[0])


def late_error(index: int) -> None:
    s = pair(faults=f"frame 1 end_of_frame {index} dominant at r", r=TEN)
    assert s.story("r")[0] == ("FORM_ERROR", "end_of_frame", index)
    error = s.bits_of("r", "FORM_ERROR")[0]
    assert s.rec("r")[:3] == [10, 9, 10]
    assert min(s.bits_of("r", "RECEIVED")) > error
    assert flagged(s, error)


def test_02_dominant_eof_bit_6() -> None:
    late_error(6)


@pytest.mark.parametrize("index", [1, 2, 3, 4, 5])
def test_03_dominant_eof_bit_1_to_5(index: int) -> None:
    late_error(index)


def test_04_dominant_ack_delimiter() -> None:
    s = pair(faults="frame 1 ack_delimiter 1 dominant at r", r=TEN)
    assert s.story("r")[0] == ("FORM_ERROR", "ack_delimiter", 1)
    assert s.rec("r")[:3] == [10, 9, 10]
    assert flagged(s, s.bits_of("r", "FORM_ERROR")[0])


def test_05_dominant_crc_delimiter() -> None:
    s = pair(faults="frame 1 crc_delimiter 1 dominant at r", r=TEN)
    assert s.story("r")[0] == ("FORM_ERROR", "crc_delimiter", 1)
    assert s.rec("r")[:2] == [10, 11]
    assert flagged(s, s.bits_of("r", "FORM_ERROR")[0])


@pytest.mark.parametrize(("frame", "distance"), [(BASE, 2), (FLEXIBLE, 3)])
def test_06_wrong_crc(frame: Frame, distance: int) -> None:
    s = pair(frame, "frame 1 crc 2 invert at r", r=TEN)
    assert s.story("r")[0] == ("CRC_ERROR", "ack_delimiter", 1)
    assert s.rec("r")[:2] == [10, 11]
    error = s.bits_of("r", "CRC_ERROR")[0]
    assert s.fields("r")[error - distance] == "crc_delimiter"
    assert s.drives("r", error - distance, distance + 8) == "1" * (distance + 1) + "000000" + "1"


def test_07_wrong_crc_and_dominant_delimiter() -> None:
    s = pair(faults="frame 1 crc 2 invert at r\nframe 1 crc_delimiter 1 dominant at r", r=TEN)
    assert s.story("r") == [("FORM_ERROR", "crc_delimiter", 1), ("DOMINANT", "flag_end", 1)]
    assert flagged(s, s.bits_of("r", "FORM_ERROR")[0])


def test_08_own_ack_forced_recessive() -> None:
    s = pair(faults="frame 1 ack_slot 1 recessive at r", r=TEN)
    assert s.story("r")[0] == ("BIT_ERROR", "ack_slot", 1)
    assert s.rec("r")[:2] == [10, 11]
    assert s.drives("r", s.bits_of("r", "BIT_ERROR")[0], 8) == "00000001"


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("frame", [STUFFED, STUFFED._replace(extended=True, arbitration_id=0x1F07C1F0)])
def test_09_stuff_bit_inverted(frame: Frame, number: int) -> None:
    s = pair(frame, f"frame 1 stuff {number} invert at r", r=TEN)
    assert s.story("r")[0][0] == "STUFF_ERROR"
    assert s.rec("r")[:2] == [10, 11]
    assert flagged(s, s.bits_of("r", "STUFF_ERROR")[0])


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
def test_10_fixed_stuff_bit_inverted(number: int) -> None:
    s = pair(FLEXIBLE, f"frame 1 fixed {number} invert at r", r=TEN)
    assert s.story("r")[0][0] == "FORM_ERROR"
    assert s.rec("r")[:2] == [10, 11]
    assert flagged(s, s.bits_of("r", "FORM_ERROR")[0])


def test_11_wrong_stuff_count_under_a_right_crc() -> None:
    good = lone(levels(FLEXIBLE), **TEN)
    assert good.frames("r") == [0x2A5]
    assert good.rec("r") == [10, 9]
    bad = lone(levels(FLEXIBLE, stuff_count=5), **TEN)
    assert bad.story("r") == [("CRC_ERROR", "ack_delimiter", 1)]
    assert bad.rec("r") == [10, 11]
    parity = pair(FLEXIBLE, "frame 1 stuff_count 2 invert at r", r=TEN)
    assert parity.story("r")[0] == ("CRC_ERROR", "ack_delimiter", 1)


@pytest.mark.parametrize("dlc", [9, 12, 15])
def test_12_classical_dlc_above_8(dlc: int) -> None:
    s = pair(Frame(0x123, dlc=dlc, data=b"12345678"))
    row = s.run.frames_at("r")[0]
    assert row["dlc"] == dlc
    assert bytes(row["data"][:9]) == b"12345678\0"


@pytest.mark.parametrize(
    ("frame", "changed", "fd"),
    [
        (Frame(0x1555AAAA, extended=True, dlc=1, data=b"x"), {"SRR": 0}, "classical"),
        (Frame(0x155, dlc=1, data=b"x"), {"r0": 1}, "classical"),
        (Frame(0x1555AAAA, extended=True, dlc=1, data=b"x"), {"r0": 1}, "classical"),
        (Frame(0x1555AAAA, extended=True, dlc=1, data=b"x"), {"r1": 1}, "classical"),
        (Frame(0x1555AAAA, extended=True, dlc=1, data=b"x"), {"r1": 1, "r0": 1}, "classical"),
        (Frame(0x155, fd=True, dlc=1, data=b"x"), {"RRS": 1}, "enabled"),
        (Frame(0x1555AAAA, extended=True, fd=True, dlc=1, data=b"x"), {"RRS": 1}, "enabled"),
    ],
)
def test_13_srr_reserved_bits_and_rrs_of_either_level(frame: Frame, changed: dict[str, int], fd: str) -> None:
    s = lone(levels(frame, **changed), fd=fd, **TEN)
    assert s.story("r") == []
    assert s.frames("r") == [frame.arbitration_id]
    assert s.rec("r") == [10, 9]
    assert not s.run.frames_at("r")["flags"][0] & 2  # not remote


@pytest.mark.parametrize(("fd", "changed"), [("enabled", {"res": 1}), ("tolerant", {})])
def test_14_protocol_exception(fd: str, changed: dict[str, int]) -> None:
    late = levels(BASE)
    s = lone(levels(FLEXIBLE, **changed) + "111" + late, fd=fd, **TEN)
    assert s.story("r") == []
    assert len(s.bits_of("r", "PROTOCOL_EXCEPTION")) == 1
    assert s.frames("r") == [0x2A5]  # CRC delimiter to intermission are more than 11 recessive bits
    assert s.rec("r") == [10, 9]
    assert s.drives("r", 0, len(levels(FLEXIBLE))) == "1" * len(levels(FLEXIBLE))
    strict = lone(levels(FLEXIBLE, res=1), protocol_exception=False, **TEN)
    assert strict.story("r")[0] == ("FORM_ERROR", "res", 1)


def test_15_sof_in_intermission_bit_3() -> None:
    second = BASE._replace(arbitration_id=0x155)
    s = lone(levels(BASE) + "11" + levels(second), **TEN)
    assert s.frames("r") == [0x2A5, 0x155]
    assert s.rec("r") == [10, 9, 8]
    assert s.story("r") == []


def test_16_integration_broken_by_an_early_sof() -> None:
    exception = levels(FLEXIBLE, res=1, tail="0111111")  # 6 recessive bits and 2 of intermission
    s = lone(exception + "11" + levels(BASE) + "111" + levels(BASE._replace(arbitration_id=0x155)), **TEN)
    assert s.frames("r") == [0x155]
    assert s.story("r") == []


@pytest.mark.parametrize("count", [1, 4, 7])
def test_17_error_flag_prolonged(count: int) -> None:
    s = pair(faults=DELIMITER + f"any flag_end 1 dominant for {count} at r", r=TEN)
    assert s.story("r")[:2] == [("FORM_ERROR", "crc_delimiter", 1), ("DOMINANT", "flag_end", 1)]
    assert s.rec("r")[:3] == [10, 11, 19]


@pytest.mark.parametrize(("count", "values"), [(8, [10, 11, 19, 27]), (16, [10, 11, 19, 27, 35])])
def test_18_error_flag_prolonged_by_eights(count: int, values: list[int]) -> None:
    s = pair(faults=DELIMITER + f"any flag_end 1 dominant for {count} at r", r=TEN)
    assert s.rec("r")[: len(values)] == values
    assert s.story("r")[2] == ("DOMINANT", "flag_end", 8)


@pytest.mark.parametrize("index", [1, 3, 6])
def test_19_own_active_flag_disturbed(index: int) -> None:
    s = pair(faults=DELIMITER + f"any active_flag {index} recessive at r", r=TEN)
    assert s.story("r")[1] == ("BIT_ERROR", "active_flag", index)
    assert s.rec("r")[:3] == [10, 11, 19]
    assert s.drives("r", s.bits_of("r", "BIT_ERROR")[0] + 1, 7) == "0000001"


@pytest.mark.parametrize("index", [2, 4, 7])
def test_20_delimiter_disturbed(index: int) -> None:
    s = pair(faults=DELIMITER + f"any delimiter {index} dominant at r", r=TEN)
    assert s.story("r")[1] == ("FORM_ERROR", "delimiter", index)
    assert s.rec("r")[:3] == [10, 11, 12]
    assert flagged(s, s.bits_of("r", "FORM_ERROR")[1])


def test_21_dominant_delimiter_bit_8() -> None:
    s = pair(faults=DELIMITER + "any delimiter 8 dominant at r", r=TEN)
    assert s.story("r")[1] == ("OVERLOAD", "delimiter", 8)
    assert s.rec("r")[:2] == [10, 11]
    assert flagged(s, s.bits_of("r", "OVERLOAD")[0])


@pytest.mark.parametrize("index", [1, 2])
def test_22_dominant_intermission_bit_1_or_2(index: int) -> None:
    s = pair(faults=f"any intermission {index} dominant at r", r=TEN)
    assert s.story("r")[0] == ("OVERLOAD", "intermission", index)
    assert s.rec("r") == [10, 9]
    assert flagged(s, s.bits_of("r", "OVERLOAD")[0])


def test_23_dominant_intermission_bit_3() -> None:
    s = pair(faults="any intermission 3 dominant at r", r=TEN)
    assert len(s.bits_of("r", "START")) == 2
    assert s.story("r")[0][0] == "STUFF_ERROR"  # of the frame that nobody sends


@pytest.mark.parametrize("index", [1, 3, 6])
def test_24_own_overload_flag_disturbed(index: int) -> None:
    s = pair(faults=f"any intermission 1 dominant\nany overload_flag {index} recessive at r", r=TEN)
    assert s.story("r")[1] == ("BIT_ERROR", "overload_flag", index)
    assert s.rec("r")[:3] == [10, 9, 17]
    bit = s.bits_of("r", "BIT_ERROR")[0]
    assert s.fields("r")[bit + 1] == "active_flag"


@pytest.mark.parametrize("index", [2, 4, 7, 8])
def test_25_overload_delimiter_disturbed(index: int) -> None:
    s = pair(faults=f"any intermission 1 dominant\nany overload_delimiter {index} dominant at r", r=TEN)
    overloaded = index == 8
    expected = "OVERLOAD" if overloaded else "FORM_ERROR"
    assert s.story("r")[1] == (expected, "overload_delimiter", index)
    assert s.rec("r")[:3] == ([10, 9] if overloaded else [10, 9, 10])
    bit = s.bits_of("r", expected)[int(overloaded)]
    assert s.fields("r")[bit + 1] == ("overload_flag" if overloaded else "active_flag")


@pytest.mark.parametrize(("count", "values"), [(7, [10, 9]), (8, [10, 9, 17])])
def test_26_overload_flag_prolonged(count: int, values: list[int]) -> None:
    s = pair(faults=f"any intermission 1 dominant\nany overload_end 1 dominant for {count} at r", r=TEN)
    assert s.rec("r") == values


PASSIVE = {"rec": 130}
STUFF_ERROR = "01" + "000000"  # SOF, and six dominant bits: the error is in bit 7


@pytest.mark.parametrize("index", [1, 3, 6])
def test_27_passive_flag_overlaid(index: int) -> None:
    s = lone(STUFF_ERROR + "1" * (index - 1) + "000000" + "1" * 10 + levels(BASE), **PASSIVE)
    assert s.story("r")[0][0] == "STUFF_ERROR"
    end = 7 + (index - 1) + 6
    assert s.fields("r")[end : end + 2] == ["passive_flag", "flag_end"]
    assert s.frames("r") == [0x2A5]
    assert "0" in s.drives("r", end, len(levels(BASE)) + 20)  # its ACK


def test_28_passive_flag_restarts() -> None:
    s = lone(STUFF_ERROR + "00000" + "1" * 6 + "1" * 8, **PASSIVE)
    assert s.fields("r")[8:19] == ["passive_flag"] * 11
    assert s.fields("r")[19] == "flag_end"
    assert s.fields("r")[20:28] == ["delimiter"] * 7 + ["intermission"]


@pytest.mark.parametrize("count", [1, 7])
def test_29_dominant_bits_behind_a_passive_flag(count: int) -> None:
    s = lone(STUFF_ERROR + "1" * 6 + "0" * count + "1" * 12, **PASSIVE)
    assert [kind for kind, _, _ in s.story("r")] == ["STUFF_ERROR", "DOMINANT"]


def test_30_a_passive_receiver_never_flags_actively() -> None:
    s = lone((STUFF_ERROR + "1" * 6 + "1" * 3 + "0" + "1" * 20) * 8, **PASSIVE)
    assert len(s.bits_of("r", "STUFF_ERROR")) + len(s.bits_of("r", "FORM_ERROR")) > 8
    assert not (s.run.levels == 0).any()


def test_31_seventeen_recessive_bits_on_the_own_flag() -> None:
    s = pair(faults=DELIMITER + "any active_flag 1 recessive for 17 at r")
    assert s.rec("r")[:18] == [0, 1, *range(9, 137, 8)][:18]
    seventeenth = s.bits_of("r", "BIT_ERROR")[16]
    assert s.fields("r")[seventeenth : seventeenth + 2] == ["active_flag", "passive_flag"]


def test_32_a_good_frame_at_rec_130() -> None:
    s = pair(r=PASSIVE)
    assert s.rec("r") == [130, 127]
