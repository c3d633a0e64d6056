"""candump text: each line against the oracle, both ways."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
from candump_lines import random_line
from oracle import candump_oracle as oracle

import canal_fast as cf
from canal_fast.logs import _logs, format_candump
from canal_fast.logs.format_rows import by_name

ROUNDS = 200_000 if os.environ.get("CANAL_FAST_LONG") else 4_000

KNOWN = [  # line, identifier, flags, dlc, payload, time stamp
    ("(1436509052.249713) vcan0 044#2A366C2BBA", 0x044, 0, 5, "2A366C2BBA", 1436509052249713000),
    ("(0.1) can0 7FF#", 0x7FF, 0, 0, "", 100_000_000),
    ("(0.123456789) can0 00000001#11.22", 1, oracle.EXTENDED, 2, "1122", 123_456_789),
    ("(-1.5) can0 1FFFFFFF#R", 0x1FFFFFFF, oracle.EXTENDED | oracle.REMOTE, 0, "", -1_500_000_000),
    ("(1.0) can0 123#R5", 0x123, oracle.REMOTE, 5, "", 10**9),
    ("(1.0) can0 123#R8_F T", 0x123, oracle.REMOTE | oracle.TX, 15, "", 10**9),
    ("(1.0) can0 123#0011223344556677_9 R", 0x123, 0, 9, "0011223344556677", 10**9),
    ("(1.0) can0 123##0", 0x123, oracle.FD, 0, "", 10**9),
    ("(1.0) can0 123##3AA", 0x123, oracle.FD | oracle.BRS | oracle.ESI, 1, "AA", 10**9),
    ("(1.0) can0 123##1" + "5A" * 12, 0x123, oracle.FD | oracle.BRS, 9, "5A" * 12, 10**9),
    ("(1.0) can0 123##5" + "5A" * 64, 0x123, oracle.FD | oracle.BRS, 15, "5A" * 64, 10**9),
    ("(1.0) can0 20000004#0102030405060708", 4, oracle.ERROR, 8, "0102030405060708", 10**9),
    ("  (1.0)   can0   123#00  \r", 0x123, 0, 1, "00", 10**9),
]

REFUSED = [
    ("123#00", 1, "time stamp"),
    ("(1) can0 123#00", 3, "time stamp"),
    ("(1.) can0 123#00", 4, "time stamp"),
    ("(1.0123456789) can0 123#00", 13, "time stamp"),
    ("(9223372037.0) can0 123#00", 14, "time stamp"),
    ("(1.0)", 6, "interface"),
    ("(1.0) " + "n" * 64 + " 123#00", 7, "interface"),
    ("(1.0) can0", 11, "identifier"),
    ("(1.0) can0 800#", 12, "identifier"),
    ("(1.0) can0 12#00", 14, "identifier"),
    ("(1.0) can0 40000000#00", 12, "identifier"),
    ("(1.0) can0 123#0", 16, "data"),
    ("(1.0) can0 123#001122334455667788", 32, "data"),
    ("(1.0) can0 123#00_9", 18, "data"),
    ("(1.0) can0 123#R9", 17, "data"),
    ("(1.0) can0 123##", 17, "data"),
    ("(1.0) can0 123##0" + "00" * 65, 146, "data"),
    ("(1.0) can0 20000001#R", 21, "data"),
    ("(1.0) can0 123#00 X", 19, "may follow"),
    ("(1.0) can0 123#00 R T", 19, "may follow"),
]


def parse(line: str | bytes) -> tuple[int, cf.FrameArray, str]:
    """(status, frames, interface name) of one line."""
    raw = np.frombuffer((line.encode() if isinstance(line, str) else line) + b"\n", np.uint8)
    frames = np.zeros(1, cf.FD_FRAME_DTYPE)
    reader = _logs.LogReader(by_name("candump").index, False, 0)
    status, _, made, *_ = reader.read(raw, 0, len(raw), True, frames, 0, b"")
    return status, frames[:made], (reader.interfaces() or [("",)])[0][0]


def as_line(frame: np.void, name: str) -> oracle.Line:
    length = int(cf.payload_length(np.array([frame]))[0])
    assert not frame["data"][length:].any()
    words = [int(frame[key]) for key in ("timestamp_ns", "arbitration_id", "flags", "dlc")]
    return oracle.Line(words[0], name, *words[1:], bytes(frame["data"][:length]))


@pytest.mark.parametrize(("line", "can_id", "flags", "dlc", "payload", "time"), KNOWN)
def test_known_lines(line: str, can_id: int, flags: int, dlc: int, payload: str, time: int) -> None:
    expected = oracle.Line(time, line.split()[1], can_id, flags, dlc, bytes.fromhex(payload))
    assert oracle.parse(line) == expected
    status, frames, name = parse(line)
    assert status == 0
    assert as_line(frames[0], name) == expected


@pytest.mark.parametrize(("line", "column", "words"), REFUSED)
def test_refused_lines(line: str, column: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r".*"):
        oracle.parse(line)
    path = tmp_path / "x.log"
    path.write_text("\n# comment\n(0.5) can0 123#00\n" + line + "\n")
    with pytest.raises(cf.LogFormatError, match=words) as caught:
        cf.read_log(path)
    assert caught.value.line_number == 4
    assert caught.value.path == str(path)
    assert f"line 4: column {column}:" in str(caught.value)


@pytest.mark.parametrize("line", ["", "  \t", "# (1.0) can0 123#00", "; x", "\r"])
def test_blank_lines(line: str) -> None:
    assert oracle.parse(line) is None
    status, frames, _ = parse(line)
    assert status == 0
    assert len(frames) == 0


def test_random_lines_both_ways() -> None:
    rng = random.Random(1)
    for _ in range(ROUNDS):
        line = random_line(rng)
        text = oracle.format_line(line, nanoseconds=True)
        assert oracle.parse(text) == line
        status, frames, name = parse(text)
        assert status == 0, text
        assert as_line(frames[0], name) == line
        names = {int(frames["channel"][0]): name}
        assert format_candump(frames, names, nanoseconds=True).decode() == text
        assert format_candump(frames, names).decode() == oracle.format_line(line)


def test_mutated_lines_agree_with_the_oracle() -> None:
    rng = random.Random(2)
    good = bad = 0
    for _ in range(ROUNDS):
        text = bytearray(oracle.format_line(random_line(rng)).rstrip("\n").encode())
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(text))
            what = rng.randrange(3)
            if what == 0:
                text[place] = rng.choice(b"0129afAFR_#.() T-") if rng.random() < 0.8 else rng.randrange(11, 256)
            elif what == 1:
                del text[place]
            else:
                text.insert(place, rng.choice(b"09aFR_#.() T"))
        try:
            expected = oracle.parse(text.decode("latin-1"))
        except ValueError:
            bad += 1
            assert parse(bytes(text))[0] != 0, text
            continue
        good += 1
        status, frames, name = parse(bytes(text))
        assert status == 0, text
        if expected is not None:
            expected.name = name
            assert as_line(frames[0], name) == expected, text
    assert good > ROUNDS // 20
    assert bad > ROUNDS // 20


def test_fd_lengths_between_codes_are_filled() -> None:
    for size in range(65):
        line = f"(1.0) can0 123##0{'A5' * size}"
        status, frames, name = parse(line)
        assert status == 0
        assert as_line(frames[0], name) == oracle.parse(line)


def test_channels_follow_the_names(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("".join(f"(1.0) {name} 123#00\n" for name in ("can3", "slcan", "vcan3", "can300", "can3", "can1")))
    assert cf.read_log(path)["channel"].tolist() == [3, 0, 1, 2, 3, 4]


def test_more_than_256_interfaces(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("".join(f"(1.0) can{i} 123#00\n" for i in range(256)))
    assert cf.read_log(path)["channel"].tolist() == list(range(256))
    with path.open("a") as file:
        file.write("(1.0) one_more 123#00\n")
    with pytest.raises(cf.LogFormatError, match=r"line 257: .*more than 256 interfaces"):
        cf.read_log(path)


def test_status_records_become_error_frames() -> None:
    frames = cf.make_frames(0, b"\4\1\2\3", flags=cf.FrameFlag.STATUS, timestamp_ns=1000)
    assert format_candump(frames) == b"(0000000000.000001) can0 20000000#04010203\n"
