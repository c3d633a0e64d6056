"""Vector ASC, PEAK TRC and CSV: samples, the slow readers, damage, prefixes."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import text_logs
from oracle import asc_oracle, csv_oracle, records, trc_oracle

import canal_fast as cf

LONG = bool(os.environ.get("CANAL_FAST_LONG"))
ROUNDS = 20_000 if LONG else 250

Oracle = Callable[[bytes], records.Outcome]
Maker = Callable[[random.Random, int], bytes]
FORMATS: dict[str, tuple[Oracle, Maker]] = {
    "asc": (asc_oracle.read, text_logs.asc),
    "trc": (trc_oracle.read, text_logs.trc),
    "csv": (csv_oracle.read, text_logs.csv),
    "csv-gvret": (csv_oracle.read, text_logs.gvret),
}
SAMPLES = {
    "asc_absolute_hex.asc": "asc",
    "asc_decimal.asc": "asc",
    "asc_german_no_trigger.asc": "asc",
    "asc_no_header.asc": "asc",
    "asc_relative.asc": "asc",
    "trc_1_0.trc": "trc",
    "trc_1_1.trc": "trc",
    "trc_1_2.trc": "trc",
    "trc_1_3.trc": "trc",
    "trc_2_0.trc": "trc",
    "trc_2_1.trc": "trc",
    "python_can.csv": "csv",
    "gvret_v2.csv": "csv-gvret",
}


def records_of(frames: cf.FrameArray) -> list[records.Record]:
    lengths = cf.payload_length(frames)
    rows = []
    for frame, length in zip(frames, lengths, strict=True):
        assert not frame["data"][length:].any()
        names = ("timestamp_ns", "arbitration_id", "flags", "channel", "dlc")
        rows.append(records.Record(*(int(frame[name]) for name in names), frame["data"][:length].tobytes()))
    return rows


def read(data: bytes, name: str | None = None, **options: object) -> records.Outcome:
    """What the library makes of a recording, in the oracle's words."""
    out = records.Outcome()
    with cf.logs.open_log(io.BytesIO(data), format=name, **options) as log:  # type: ignore[arg-type]
        try:
            for batch in log.batches(64):
                out.frames += records_of(batch)
        except cf.LogFormatError as error:
            out.broken_line = error.line_number
        out.skipped.update(log.skipped_by_kind)
        out.truncated = log.truncated
        assert log.skipped == out.skipped.total()
    return out


def same(data: bytes, name: str, expected: records.Outcome, **options: object) -> None:
    out = read(data, name, **options)
    expected.start_ns = None
    if out != expected:
        pairs = zip(out.frames, expected.frames, strict=False)
        first = next((pair for pair in pairs if pair[0] != pair[1]), None)
        shown = data.split(b"\n")[(out.broken_line or expected.broken_line or 1) - 1]
        pytest.fail(
            f"{name}: first other frame {first}; {len(out.frames)} and {len(expected.frames)} frames, broken at "
            f"{out.broken_line} and {expected.broken_line}: {shown!r}; {out.skipped} and {expected.skipped}"
        )


@pytest.mark.parametrize(("file", "name"), SAMPLES.items())
def test_samples_equal_the_oracle(data_dir: Path, file: str, name: str) -> None:
    path = data_dir / "recordings" / file
    expected = FORMATS[name][0](path.read_bytes())
    with cf.logs.open_log(path) as log:
        assert log.format == name
        assert records_of(log.read()) == expected.frames
        assert log.skipped_by_kind == dict(expected.skipped)
        assert not log.truncated
        start = log.start
    if expected.start_ns is None:
        assert start is None
    else:
        assert start == np.datetime64(expected.start_ns // 1000, "us").item()


def test_samples_say_what_they_should(data_dir: Path) -> None:
    """Hand-worked: times, identifiers, flags and dlc of every sample."""
    start = 1506809173_191000000  # 2017-09-30 22:06:13.191
    asc = cf.read_log(data_dir / "recordings" / "asc_absolute_hex.asc")
    assert ((asc["timestamp_ns"] - start) // 1000).tolist() == [
        2501000, 2501300, 2510001, 2520002, 2530000, 2530010, 2530020, 2540000, 2550000, 2560000, 2570000, 4000000,
    ]  # fmt: skip
    wire = asc[asc["flags"] & 0x80 == 0]
    assert wire["arbitration_id"].tolist() == [0x6F9, 0x18EBFF00, 0x100, 0x1200, 0x300, 0x4EE, 0x123, 0x50005]
    assert wire["flags"].tolist() == [0, 0x41, 2, 0x43, 0x18, 0x69, 0, 0x43]
    assert wire["dlc"].tolist() == [8, 13, 0, 4, 8, 15, 5, 5]
    assert wire["channel"].tolist() == [0, 1, 11, 2, 0, 1, 2, 2]
    errors = asc[asc["flags"] & 0x80 != 0]
    assert errors["data"][:, 2].tolist() == [0, 4, 4, 0x20]
    relative = cf.read_log(data_dir / "recordings" / "asc_relative.asc")
    assert (relative["timestamp_ns"] - 1506783973_191000000).tolist() == [500_000_000, 1_750_000_000, 1_750_125_000]
    decimal = cf.read_log(data_dir / "recordings" / "asc_decimal.asc")
    assert decimal["arbitration_id"].tolist() == [0x100, 418119424]
    assert decimal["data"][:, :3].tolist() == [[1, 255, 16], [10, 11, 0]]
    assert len(cf.read_log(data_dir / "recordings" / "asc_no_header.asc")) == 2
    for name, count in {"1_0": 2, "1_1": 2, "1_2": 2, "1_3": 2, "2_0": 3, "2_1": 6}.items():
        frames = cf.read_log(data_dir / "recordings" / f"trc_{name}.trc")
        assert (frames["flags"] & 0x80 == 0).sum() == count
    wire = frames[frames["flags"] & 0x80 == 0]
    assert wire["flags"].tolist() == [0x41, 0x19, 0x28, 0x38, 0x08, 0x02]
    assert cf.payload_length(wire).tolist() == [8, 64, 12, 12, 0, 0]
    assert wire["channel"].tolist() == [0, 1, 1, 1, 1, 0]


@pytest.mark.parametrize("name", FORMATS)
def test_random_recordings_equal_the_oracle(name: str) -> None:
    oracle, make = FORMATS[name]
    rng = random.Random(1)
    for _ in range(ROUNDS // 10):
        data = make(rng, 60)
        expected = oracle(data)
        assert expected.broken_line is None, data.split(b"\n")[expected.broken_line - 1]
        assert expected.frames
        same(data, name, expected)


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_recordings_equal_the_oracle(name: str) -> None:
    oracle, make = FORMATS[name]
    rng = random.Random(2)
    broken = 0
    for _ in range(ROUNDS):
        data = text_logs.damaged(rng, make(rng, 6))
        expected = oracle(data)
        broken += expected.broken_line is not None
        same(data, name, expected)
    assert broken > ROUNDS // 10


@pytest.mark.parametrize(("file", "name"), SAMPLES.items())
def test_every_prefix(data_dir: Path, file: str, name: str) -> None:
    """Its frames are the first of the whole file's; truncated where the cut lies inside a line."""
    data = (data_dir / "recordings" / file).read_bytes()
    whole = read(data).frames
    for size in range(len(data) + 1):
        for asked in (None, name):
            out = read(data[:size], asked)
            assert out.broken_line is None, (size, data[:size][-60:])
            assert out.frames == whole[: len(out.frames)], (size, asked)
            last = data[:size].rsplit(b"\n", 1)[-1]
            ended = data.startswith((data[:size].rstrip() + b"\n", data[:size].rstrip() + b"\r\n"))
            if last == b"":
                assert not out.truncated
            elif not (ended or data[:size].rstrip() + b" \r\n" == data[: len(data[:size].rstrip()) + 3]):
                assert out.truncated, (size, asked, last)


@pytest.mark.parametrize("name", FORMATS)
def test_skipping_bad_lines(name: str) -> None:
    """Every other line counts, the bad ones are counted, and nothing is raised."""
    oracle, make = FORMATS[name]
    rng = random.Random(3)
    for _ in range(20):
        lines = make(rng, 40).split(b"\n")
        good = b"\n".join(lines)
        places = sorted(rng.sample(range(12, len(lines) - 1), 3), reverse=True)
        for place in places:
            lines.insert(place, b"12)34,5 ..")
        expected = oracle(good)
        expected.skipped["bad line"] += 3
        same(b"\n".join(lines), name, expected, errors="skip")


@pytest.mark.parametrize("name", FORMATS)
def test_batches_of_any_size_and_pieces(name: str) -> None:
    """The same frames whatever the sizes of the pieces that arrive and of the batches that are asked for."""

    class Pieces:
        def __init__(self, data: bytes, rng: random.Random) -> None:
            self.data, self.rng = io.BytesIO(data), rng

        def read(self, size: int = -1) -> bytes:
            return self.data.read(min(size, self.rng.randrange(1, 40)))

    rng = random.Random(4)
    oracle, make = FORMATS[name]
    data = make(rng, 50)
    expected = oracle(data).frames
    for size in (1, 3, 1000):
        with cf.logs.open_log(Pieces(data, rng), format=name) as log:  # type: ignore[arg-type]
            got = [row for batch in log.batches(size) for row in records_of(batch)]
        assert got == expected


BAD = [  # format, text, line, what the message says
    ("asc", "date Sat Sep 30 22:06:13 2017\n0.5 1 20000000 Rx d 1 00\n", 2, "column 7: an identifier"),
    ("asc", "0.5 1 100 Rx d 2 00\n", 1, "column 20: as many data bytes"),
    ("asc", "0.5 1 100 Rx d 2 00 0\n", 1, "column 21: as many data bytes"),
    ("asc", "0.5 1 100 Rx d\n", 1, "column 15: a dlc"),
    ("asc", "0.5 1 100 Rx d g 00\n", 1, "column 16: a dlc"),
    ("asc", "99999999999.5 1 100 Rx d 0\n", 1, "a time is expected"),
    ("asc", "0.5 CANFD 1 Rx 300 1 0 8 9 00 01 02 03 04 05 06 07 08\n", 1, "column 26: a dlc or data length"),
    ("trc", ";$FILEVERSION=3.0\n", 1, "a file version is expected"),
    ("trc", ";$FILEVERSION=2.1\n;$COLUMNS=N,T,O,I,l,D\n", 2, "COLUMNS is expected"),
    ("trc", ";$FILEVERSION=2.1\n 1 5.0 DT 1 0100 Rx - 0\n", 2, "COLUMNS is expected"),
    ("trc", ";$FILEVERSION=1.1\n1) 5.0 Xx 0100 0\n", 2, "column 8: a type is expected"),
    ("trc", ";$FILEVERSION=1.1\n1) 5.0 Rx 0800 0\n", 2, "column 11: an identifier"),
    ("trc", ";$FILEVERSION=1.1\n1) 5.0 Rx 10g 0\n", 2, "column 11: an identifier"),
    ("trc", ";$FILEVERSION=1.1\n1) 5.0 Rx 0100 2 00\n", 2, "as many data bytes"),
    ("trc", "1 5 0100 0\n", 1, "column 1: the line's number"),
    ("csv", "time,id,data,flags\n1,2,3,4\n", 1, "header .* is expected: 'time,id,data,flags'"),
    (
        "csv",
        "timestamp,arbitration_id,extended,remote,error,dlc,data\n1.0,0x800,0,0,0,0,\n",
        2,
        "column 5: an identifier",
    ),
    (
        "csv",
        "timestamp,arbitration_id,extended,remote,error,dlc,data\n1.0,0x80,0,0,0,2,AQ==\n",
        2,
        "as many data bytes",
    ),
    ("csv-gvret", "Time Stamp,ID,Extended,Bus,LEN,D1\n1,21A,maybe,0,0\n", 2, "column 7: another field"),
    ("csv-gvret", "Time Stamp,ID,Extended,Bus,LEN,D1\n1,21A,false,0,9\n", 2, "a dlc or data length"),
]


@pytest.mark.parametrize(("name", "text", "line", "words"), BAD)
def test_bad_lines_name_place_and_what_was_expected(
    tmp_path: Path, name: str, text: str, line: int, words: str
) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(cf.LogFormatError, match=words) as caught:
        cf.read_log(path, format=name)
    assert caught.value.line_number == line
    assert caught.value.path == str(path)
    assert f"{path}: line {line}: column " in str(caught.value)


def test_a_bad_last_line_without_end_is_bad() -> None:
    good = b"   0.500000 1  100             Rx   d 1 01\n"
    assert read(good + b"0.6 1 20000000 Rx d 1 00", "asc").broken_line == 2
    assert read(good + b"0.6 1 100 Rx d 1 0", "asc").truncated
    assert read(good + b"0.6 1 100 Rx d 1 00").frames[1].data == b"\0"


@pytest.mark.parametrize("name", FORMATS)
def test_room_that_was_never_written(name: str) -> None:
    """Zeros behind the lines: a cut line where no other follows, damage where one does; the frames come first."""
    good = FORMATS[name][1](random.Random(7), 20)
    expected = FORMATS[name][0](good)
    out = read(good + bytes(70_000))
    assert out.frames == expected.frames
    assert out.truncated or out.broken_line == good.count(b"\n") + 1


def test_more_than_eight_bytes_are_fd_whatever_the_flags() -> None:
    text = b"0.5 CANFD 1 Rx 300 0 0 9 12 " + b"01 " * 12 + b"100 10 0\n"
    assert [(row.flags, row.dlc, row.data) for row in read(text).frames] == [(8, 9, b"\1" * 12)]


MONTHS = [
    ("Sat Sep 30 10:06:13.191 PM 2017", "2017-09-30T22:06:13.191"),
    ("Sat Sep 30 10:06:13 pm 2017", "2017-09-30T22:06:13"),
    ("Mit M\xe4r 1 12:00:00.5 am 2017", "2017-03-01T00:00:00.5"),
    ("Mit M\xc3\xa4r 1 12:00:00.5 pm 2017", "2017-03-01T12:00:00.5"),
    ("Don Dez 24 13:05:00 pm 2020", "2020-12-24T13:05:00"),
    ("So Mai 3 01:02:03.004 2020", "2020-05-03T01:02:03.004"),
    ("jeu. f\xe9vr. 29 01:02:03 2024", "2024-02-29T01:02:03"),
    ("Wed 2024-02-29 01:02:03", "2024-02-29T01:02:03"),
    ("Do 29.02.2024 01:02:03", "2024-02-29T01:02:03"),
    ("Mit Sep 30 15:06:13,191 2020", "2020-09-30T15:06:13.191"),
    ("30.09.2020 03:06:13,05 pm", "2020-09-30T15:06:13.05"),
    ("30.09.2020 15:06:13,191x", None),
    ("30.09.2020 15:06:13.5,191", None),
    ("30.09.2020 15:06,191", None),
    ("Thu Feb 30 01:02:03 2023", None),
    ("Xxx Yyy 30 01:02:03 2023", None),
]


@pytest.mark.parametrize(("text", "expected"), MONTHS)
def test_dates_of_asc(text: str, expected: str | None) -> None:
    data = f"date {text}\n0.5 1 100 Rx d 0\n".encode("latin-1")
    with cf.logs.open_log(io.BytesIO(data), format="asc") as log:
        frames = log.read()
        start = 0 if expected is None else np.datetime64(expected, "ns").astype(np.int64)
        assert frames["timestamp_ns"].tolist() == [start + 500_000_000]
        assert (log.start is None) == (expected is None)


@pytest.mark.posix  # which has the zones
def test_trigger_blocks_restart_the_time() -> None:
    text = b"""date Sat Sep 30 10:00:00 2017
base hex  timestamps relative
Begin Triggerblock Sat Sep 30 10:00:00 2017
1.0 1 100 Rx d 0
1.0 1 101 Rx d 0
End TriggerBlock
Begin TriggerBlock Sat Sep 30 11:00:00 2017
1.0 1 102 Rx d 0
-0.5 1 103 Rx d 0
End TriggerBlock
"""
    frames = cf.read_log(io.BytesIO(text))
    first = np.datetime64("2017-09-30T10:00:00", "ns").astype(int)
    assert ((frames["timestamp_ns"] - first) / 1e9).tolist() == [1.0, 2.0, 3601.0, 3600.5]
    zone = cf.read_log(io.BytesIO(text), tz="Europe/Berlin")
    assert (frames["timestamp_ns"] - zone["timestamp_ns"]).tolist() == [7200 * 10**9] * 4
