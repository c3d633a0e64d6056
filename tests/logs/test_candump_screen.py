"""candump's output for people: -ta -tA -td -tz -x -a -8 -e -d forms, headings, CAN XL; can-utils as a witness."""

from __future__ import annotations

import io
import random
import shutil
import subprocess

import numpy as np
import pytest
from candump_lines import random_line
from oracle import candump_oracle as oracle

import canal_fast as cf

STAMP = 1436509052249713000
SCREEN = [  # line, identifier, flags, channel, dlc, payload, time in ns
    ("  can0  123   [3]  11 22 33", 0x123, 0, 0, 3, "112233", 0),
    (" (1436509052.249713)  can1  12345678   [2]  11 22", 0x12345678, 1, 1, 2, "1122", STAMP),
    (" (1436509052.249713)  can1       044   [5]  2A 36 6C 2B BA   '*6l+.'", 0x44, 0, 1, 5, "2A366C2BBA", STAMP),
    (" (000.000000)  can0  123   [4]  remote request", 0x123, 2, 0, 4, "", 0),
    (" (001.249713)  can0  RX - -  123   [1]  11", 0x123, 0, 0, 1, "11", 1249713000),
    (" (001.249713)  can0  TX B E  123  [12]  " + "A5 " * 12, 0x123, 0x78, 0, 9, "A5" * 12, 1249713000),
    (" (001.249713)  can0  RX B -  123  [00]", 0x123, 0x18, 0, 0, "", 1249713000),
    (" (001.249713)  can0  123   {B}  11 22 33 44 55 66 77 88", 0x123, 0, 0, 11, "1122334455667788", 1249713000),
    (" (1.0)  can0  20000004   [8]  00 01 02 03 04 05 06 07   ERRORFRAME", 4, 0x80, 0, 8, "0001020304050607", 10**9),
    (" (2015-07-10 06:17:32.249713)  can0  123   [1]  11", 0x123, 0, 0, 1, "11", STAMP),
]  # fmt: skip


@pytest.mark.parametrize(("line", "can_id", "flags", "channel", "dlc", "payload", "time"), SCREEN)
def test_screen_lines(line: str, can_id: int, flags: int, channel: int, dlc: int, payload: str, time: int) -> None:
    frames = cf.read_log(io.BytesIO(line.encode() + b"\n"), fd=True)
    assert len(frames) == 1
    frame = frames[0]
    found = [int(frame[name]) for name in ("arbitration_id", "flags", "channel", "dlc", "timestamp_ns")]
    assert found == [can_id, flags, channel, dlc, time]
    assert frame["data"].tobytes() == bytes.fromhex(payload).ljust(64, b"\0")


BAD = [
    ("  can0  800   [0]", "column 9: the identifier"),
    ("  can0  123   [9]  00", "column 15: the data"),
    ("  can0  123   [2]  00 0", "column 24: the data"),
    ("  can0  123   [2]  00 01 02", "column 26: only"),
    ("  can0  20000004   [4]  remote request", "the data"),
    ("  can0  20000004  [04]  00 01 02 03", "the data"),
    (" (2015-02-30 06:17:32.249713)  can0  123   [1]  11", "column 2: the time"),
]


@pytest.mark.parametrize(("line", "words"), BAD)
def test_bad_screen_lines(line: str, words: str) -> None:
    with pytest.raises(cf.LogFormatError, match=words):
        cf.read_log(io.BytesIO(f"  can0  123   [0] \n{line}\n".encode()))


def test_what_stands_around_frames() -> None:
    text = (
        "user@pc:~$ candump -L -d -e can0\n\n"
        "// a comment\n# another\n; a third\n"
        "(1.0) can0 123#00\n"
        "(1.5) can0 45123#81:00:12345678#11223344.556677\n"
        " (1.6)  can0       123 [0003] (45|81:00:12345678) 11 22 33\n"
        "DROPCOUNT: dropped 3 CAN frames on 'can0' socket (total drops 7)\n"
        "(2.0) can1 124#00\n"
        "(3.0) can0 125#00\n"
        " (4.0)  can0  20000004   [8]  00 04 00 00 00 00 00 00   ERRORFRAME\n"
        "\tcontroller-problem{rx-error-warning}\n"
        "(5.0) can0 126#00\n"
    )
    for data in (
        text.encode(),
        b"\xef\xbb\xbf" + text.encode(),
        text.encode("utf-16"),
        text.replace("\n", "\r\n").encode(),
    ):
        with cf.logs.open_log(io.BytesIO(data)) as log:
            frames = log.read()
            assert log.format == "candump"
            assert log.skipped_by_kind == {"heading": 1, "CAN XL": 2, "words on an error frame": 1}
        assert frames["arbitration_id"].tolist() == [0x123, 0x124, 0x125, 4, 0x126]
        assert frames["flags"].tolist() == [0, 0, 0x100, 0x80, 0]


def test_differences_of_time_are_asked_for() -> None:
    text = b" (000.000000)  can0  123   [0] \n (000.250000)  can0  123   [0] \n (001.000000)  can0  123   [0] \n"
    assert cf.read_log(io.BytesIO(text))["timestamp_ns"].tolist() == [0, 250_000_000, 10**9]
    assert cf.read_log(io.BytesIO(text), format="candump-delta")["timestamp_ns"].tolist() == [
        0,
        250_000_000,
        1_250_000_000,
    ]


@pytest.mark.posix  # which has the zones; Windows has them with the extra `tz`
def test_dates_are_of_the_zone_that_is_asked_for() -> None:
    text = b" (2015-07-10 06:17:32.249713)  can0  123   [1]  11\n (2015-07-10 06:17:33.249713)  can0  123   [1]  11\n"
    there = cf.read_log(io.BytesIO(text), tz="Europe/Berlin")["timestamp_ns"]
    assert there.tolist() == [1436509052249713000 - 7200 * 10**9, 1436509053249713000 - 7200 * 10**9]


def test_dates_centuries_apart() -> None:
    lines = [f" ({date} 00:00:00.000000)  can0  123   [0] \n" for date in ("1700-01-01", "2200-01-01")]
    times = cf.read_log(io.BytesIO("".join(lines).encode()), tz="UTC")["timestamp_ns"]
    expected = np.array(["1700-01-01", "2200-01-01"], "M8[ns]").astype(np.int64)
    assert times.tolist() == expected.tolist()
    far = lines[0].replace("1700", "2261") + lines[0]
    assert len(cf.read_log(io.BytesIO(far.encode()), tz="UTC")) == 2


def test_a_last_log_line_without_end_is_a_frame_where_it_is_as_long_as_its_like() -> None:
    first = b"(1.0) can0 123#0011\n(1.0) can0 456#00112233\n"
    for last, count in (
        (b"(2.0) can0 123#2233", 3),
        (b"(2.0) can0 123#22", 2),
        (b"(2.0) can0 456#0011", 2),
        (b"(2.0) can0 45", 2),
    ):
        with cf.logs.open_log(io.BytesIO(first + last)) as log:
            assert len(log.read()) == count
            assert log.truncated == (count == 2)
    with pytest.raises(cf.LogFormatError, match="line 3: column 12"):
        cf.read_log(io.BytesIO(first + b"(2.0) can0 zz#00"))


def test_can_utils_as_a_witness() -> None:
    """log2long's screen lines, but for what they do not say: raw dlc, BRS, ESI, direction, nanoseconds."""
    program = shutil.which("log2long")
    if program is None:
        pytest.skip("NOT RUN: can-utils are not installed")
    rng = random.Random(5)
    lines = [line for line in (random_line(rng) for _ in range(400)) if 0 <= line.timestamp_ns < 4 * 10**18]
    for line in lines:
        line.timestamp_ns -= line.timestamp_ns % 1000
        line.flags &= ~(oracle.TX | oracle.BRS | oracle.ESI)
        line.dlc = line.dlc if line.flags & oracle.FD else min(line.dlc, 8)
    text = "".join(map(oracle.format_line, lines)).encode()
    shown = subprocess.run([program], input=text, capture_output=True, check=True, timeout=60).stdout
    expected, frames = (cf.read_log(io.BytesIO(data), fd=True) for data in (text, shown))
    assert len(frames) == len(lines)
    assert np.array_equal(frames, expected)
