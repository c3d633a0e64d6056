"""Files that are no recordings, or in formats of other programs: the error says what they are."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

import canal_fast as cf
from canal_fast.logs import read_log

FOREIGN = [
    (b"PK\x03\x04" + bytes(30), "a ZIP archive"),
    (b"\xfd7zXZ\x00" + bytes(30), "an xz file"),
    (b"MDF     3.30" + bytes(60), "an MDF 3 file"),
    (b"drive.asc".ljust(257, b"\0") + b"ustar" + bytes(250) + b"date Sat Sep 30 10:06:13 2017\n", "a tar archive"),
    (b"\x34\xcd\xb2\xa1" + bytes(60), "pcap of a patched libpcap"),
    (b"\x7fELF" + bytes(60), "a program"),
    (b"PAR1" + bytes(60), "a Parquet file"),
    (bytes(range(1, 200)) + bytes(9), r"no recording: it begins with 01 02 03"),
    (bytes(4096), r"no recording: its first 4096 bytes are all 0, room that was never written to"),
]


@pytest.mark.parametrize(("data", "words"), FOREIGN)
def test_a_foreign_file_is_named(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.blf"
    path.write_bytes(data)
    with pytest.raises(cf.LogFormatError, match=words) as caught:
        read_log(path)
    assert str(path) in str(caught.value)
    assert caught.value.offset == 0
    assert "blf" in str(caught.value)


FOREIGN_TEXT = [
    ("Time Stamp;ID;Extended;Bus;LEN;D1\n1;2;FALSCH;0;1;7\n", "this is CSV that a spreadsheet has saved anew ("),
    ("Time Stamp\tID\tExtended\tDir\tBus\tLEN\n", "this is CSV that a spreadsheet has saved anew ("),
    ("timestamp;arbitration_id;extended\n0,5;0x12;0\n", "this is CSV that a spreadsheet has saved anew ("),
    ("timestamp\tarbitration_id\textended\n", "this is CSV that a spreadsheet has saved anew ("),
    ("hello world\nthis is prose\n", "this is no recording: line 1 is 'hello world'; formats that are read: pcapng, "),
    ('{"a": 1,\n"b": 2}\n', "this is a JSON document: line 1 is '{\"a\": 1,'"),
    ('{"a": [1, 2]}', "this is a JSON document: line 1 is "),
    ("\n\na,b,c\n1,2,3\n", "this is no recording: line 3 is 'a,b,c'"),
    ("<?xml version='1.0'?>\n<a/>\n", "this is an XML document: line 1 is "),
    ("<html><body/></html>", "this is an HTML page: line 1 is "),
    ("TimestampEpoch;BusChannel;ID;IDE;DLC\n1.5;1;067;0;8\n", "this is a CANedge's CSV (its MF4 file is read): "),
    (
        "Timestamp: 1.5  ID: 123  S Rx  DL: 1  07\n",
        "this is what python-can prints (can_logger -f FILE records): ",
    ),
    (
        "***BUSMASTER Ver 3.2.2***\n***PROTOCOL CAN***\n",
        "this is a BUSMASTER log (its own converter makes ASC of it): ",
    ),
]


@pytest.mark.parametrize(("text", "words"), FOREIGN_TEXT)
def test_foreign_text_is_named(text: str, words: str, tmp_path: Path) -> None:
    for name in ("x.txt", "x.log", "x.csv"):
        (tmp_path / name).write_text(text)
        with pytest.raises(cf.LogFormatError) as caught:
            read_log(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: {words}")
        assert caught.value.line_number == len(text) - len(text.lstrip()) + 1
    (tmp_path / "x.log").write_text(f"{text}\n")
    with pytest.raises(cf.LogFormatError, match="column 1: the time stamp"):  # who says what it is gets its errors
        read_log(tmp_path / "x.log", format="candump")


SAVVY = "(SavvyCAN makes GVRET's CSV of it)"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("     Kvaser Memorator Log", f"a Kvaser Memorator's text {SAVVY}"),
        (" 1)  17535.4 Tx 0100 8 00", "no recording"),
        (" \x1b[31m (0.5)  can0  123   [1]  07", "text with a terminal's colours (candump without -c)"),
    ],
)
def test_foreign_text_behind_blanks_is_named(line: str, name: str) -> None:
    with pytest.raises(cf.LogFormatError, match=re.escape(f"this is {name}: line 1 is {line!r}")):
        read_log(io.BytesIO(f"{line}\n====\n".encode()))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "Chn Identifier Flg   DLC  D0...1...2..D7   Time  Dir\n 0    00000123   1  07    0.5 R\n",
            "Kvaser CanKing's text",
        ),
        ("ASCII Trace IXXAT MiniMon V3\nDate: 5/9/2024\n", "an IXXAT trace"),
        ('Start Time  Thursday May 01 2025\nBitrate\n"Bus","No","Time","State"\n', "an IXXAT trace"),
        ('"Vehicle Spy 3"\nNotes,\n', "a Vehicle Spy export"),
        ("Line,Abs Time(Sec),Rel Time (Sec),Status\n1,0,0,0\n", "a Vehicle Spy export"),
        ("//------\nMicrochip Technology Inc.\n", "a Microchip CAN Bus Analyzer's log"),
        (
            "# Logger type: CL2000\n# HW rev: 7\nTimestamp;Type;ID;Data\n1;0;3f9;ff\n",
            "a CL1000's, CL2000's or CL3000's log",
        ),
        ("0.5 CXX a comment\n0.6 R11 00000123 07\n", "a CRTD log"),
        ("0.6 T29 18FEF100 07\n", "a CRTD log"),
        ("t12327788\rt1230\r", "an SLCAN (Lawicel) dump"),
        ("T18FEF1001AA\nt1230\n", "an SLCAN (Lawicel) dump"),
        ("Time   ID     DLC Data      Comment\n00.000 00000123 1 07\n", "CANHacker's trace"),
        ("time,addr,bus,data\n0.5,53,0,07\n", "Cabana's CSV"),
    ],
)
def test_recordings_that_others_convert_are_named(text: str, name: str) -> None:
    line = re.split("[\r\n]", text)[0]
    for begin in ("", "\n \n"):
        number = 1 + begin.count("\n")
        words = re.escape(f"this is {name} {SAVVY}: line {number} is {line!r};")
        with pytest.raises(cf.LogFormatError, match=words) as caught:
            read_log(io.BytesIO((begin + text).encode()))
        assert caught.value.line_number == number
