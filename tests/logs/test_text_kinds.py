"""Kinds of ASC and TRC that occur elsewhere: names for identifiers, decimal commas, other dates, FD errors' details."""

from __future__ import annotations

import datetime as dt
import io

import numpy as np
import pytest

import canal_fast as cf

HEAD = "date Sat Sep 30 10:06:13.191 PM 2017\nbase hex  timestamps absolute\n"
TRC = ";$FILEVERSION=2.1\n;$STARTTIME=43008.5\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n"


def opened(text: str) -> cf.logs.LogFile:
    return cf.logs.open_log(io.BytesIO(text.encode("latin-1")))


def test_a_name_with_its_identifier_behind_the_data() -> None:
    lines = [
        "0.1 1  EngineData  Rx   d 2 01 02  Length = 240015 BitCount = 124 ID = 1785",
        "0.2 1  EX_Door     Tx   d 1 07  Length = 1 BitCount = 1 ID = 291",  # begins like an extended identifier
        "0.3 1  Brakes      Rx   d 0  Length = 1 BitCount = 1 ID = 419361024x",
        "0.4 1  Asked       Rx   r 4  Length = 1 BitCount = 1 ID = 5",
        "0.5 1  Nameless    Rx   d 1 09",
    ]
    with opened(HEAD + "\n".join(lines) + "\n") as log:
        frames = log.read()
        assert frames["arbitration_id"].tolist() == [1785, 291, 419361024, 5]
        assert frames["flags"].tolist() == [0, cf.FrameFlag.TX, cf.FrameFlag.EXTENDED_ID, cf.FrameFlag.REMOTE]
        assert log.skipped_by_kind == {"symbolic name": 1}
    with pytest.raises(cf.LogFormatError, match="line 3: column 8: an identifier"):
        cf.read_log(io.BytesIO(f"{HEAD}0.1 1  Motor Rx d 0 ID = 536870912\n".encode()))
    cut = (HEAD + lines[0])[:-1].encode()  # ID = 178: whether a digit is missing cannot be told
    with cf.logs.open_log(io.BytesIO(cut)) as log:
        assert len(log.read()) == 0
        assert log.truncated


@pytest.mark.parametrize(
    ("tail", "identifier", "data"),
    [
        ("Not Acknowledge error, dominant error flag fffe c7 31ca Arb. 556 44 0 0 f 64 00", 0xA8, "0000800a"),
        ("Stuff error 3 c7 a3 Data 556", 0x88, "00000403"),
        ("Form error 1 45 31ca Data 556", 0x88, "00008205"),
        ("in Data field 0 45 31ca Arb. 556", 0x88, "00000000"),
        ("", 0x88, "00000000"),
    ],
)
def test_details_of_an_fd_error(tail: str, identifier: int, data: str) -> None:
    (frame,) = cf.read_log(io.BytesIO(f"{HEAD}30.8 CANFD   5 Tx ErrorFrame {tail}\n".encode()))
    assert (frame["flags"], frame["channel"], frame["arbitration_id"]) == (cf.FrameFlag.ERROR_FRAME, 4, identifier)
    assert frame["data"][:4].tobytes().hex() == data


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        (HEAD + "   1,250000001 1  123  Rx d 0\n", 1_250_000_001),
        (HEAD + "  -1,5 1  123  Rx d 0\n", -1_500_000_000),
        (TRC + " 1   1059,900 DT 1 0300 Rx - 0\n", 1_059_900_000),
    ],
)
def test_a_decimal_comma(text: str, ns: int) -> None:
    with opened(text) as log:
        (frame,) = log.read()
        assert log.start is not None
        assert frame["timestamp_ns"] - np.datetime64(log.start, "ns").astype(np.int64) == ns


def test_a_second_decimal_comma_is_none() -> None:
    with pytest.raises(cf.LogFormatError, match="line 3: column 4: a time is expected"):
        cf.read_log(io.BytesIO(f"{HEAD}1,5,3 1 123 Rx d 0\n".encode()))


def test_a_tab_behind_base() -> None:
    (frame,) = cf.read_log(
        io.BytesIO(b"date Sat Sep 30 10:06:13 2017\nbase\tdec\ttimestamps absolute\n1 1 100 Rx d 1 16\n")
    )
    assert (frame["arbitration_id"], frame["data"][0]) == (100, 16)


DATES = [
    ("9/30/2017 10:06:13.191 PM", "2017-09-30T22:06:13.191"),
    ("30/9/2017 22:06:13", "2017-09-30T22:06:13"),
    ("9/9/2017 22:06:13", "2017-09-09T22:06:13"),
    ("9/10/2017 22:06:13", None),  # September or October
    ("2017/09/30 22:06:13", "2017-09-30T22:06:13"),
    ("30-09-2017 22:06:13.191.0", "2017-09-30T22:06:13.191"),
    ("30.09.2017 22:06:13.062.001", "2017-09-30T22:06:13.062001"),
    ("2017-09-30T22:06:13.5Z", "2017-09-30T22:06:13.5"),
    ("2017-09-30T22:06:13+02:00", None),
    ("29.02.2017 22:06:13", None),
    ("yesterday", None),
]


@pytest.mark.parametrize(
    "form", ["date {}\n1 1 100 Rx d 0\n", ";  Start time: {}\n 1) 1000 0100 0\n"], ids=["asc", "trc"]
)
@pytest.mark.parametrize(("date", "expected"), DATES)
def test_dates(form: str, date: str, expected: str | None) -> None:
    """What is not understood is counted: times then begin at 0."""
    with opened(form.format(date)) as log:
        (frame,) = log.read()
        assert log.skipped_by_kind == ({} if expected else {"date that is not understood": 1})
    start = np.datetime64(expected or "1970-01-01", "ns").astype(np.int64)
    assert frame["timestamp_ns"] - start == 10**9


def test_the_start_time_of_a_trc_without_starttime() -> None:
    line = ";   Start time: 30.09.2017 22:06:13.000.0\n"
    for head, start in (("", "2017-09-30T22:06:13"), (";$STARTTIME=43008.5\n", "2017-09-30T12:00:00")):
        text = f";$FILEVERSION=1.1\n{head}{line}1) 0.0 Rx 0100 0\n"
        (frame,) = cf.read_log(io.BytesIO(text.encode()))
        assert frame["timestamp_ns"] == np.datetime64(start, "ns").astype(np.int64)


def test_a_trc_whose_days_were_counted_from_1970() -> None:
    """A year before 1980 is no date of a recording: the comment says which, and that the other is not believed."""
    date = ";   Start time: 23-01-2025 17:43:09.569.0\n"
    for days in ("20111.73", "29220.99", "131570.5"):
        for comment, start in ((date, "2025-01-23T17:43:09.569"), ("", "1970-01-01")):
            with opened(f";$FILEVERSION=1.1\n;$STARTTIME={days}\n{comment}1) 2.5 Rx 0100 0\n") as log:
                (frame,) = log.read()
                assert log.skipped_by_kind == {"date that is not understood": 1}
            assert frame["timestamp_ns"] - np.datetime64(start, "ns").astype(np.int64) == 2_500_000
    with opened(f";$FILEVERSION=1.1\n;$STARTTIME=29221\n{date}1) 0 Rx 0100 0\n") as log:
        assert log.read()["timestamp_ns"] == np.datetime64("1980-01-01", "ns").astype(np.int64)


@pytest.mark.parametrize("base", ["hex", "dec"])
def test_identifiers_with_0x(base: str) -> None:
    """Hexadecimal in both bases; `0x` alone is the extended identifier 0."""
    lines = [
        "0.1 1  0x2A0 Rx d 1 07",
        "0.2 1  0X18FEF100x Tx d 0",
        "0.3 1  0x Rx d 0",
        "0.4 CANFD 1 Rx 0x7Ff 1 0 8 0",
        "0.5 1  Motor Rx d 0 ID = 0x123",
        "0.6 1  0xMotor Rx d 0",
    ]
    with opened(f"base {base} timestamps absolute\n" + "\n".join(lines) + "\n") as log:
        frames = log.read(fd=True)
        assert log.skipped_by_kind == {"symbolic name": 1}
    assert frames["arbitration_id"].tolist() == [0x2A0, 0x18FEF100, 0, 0x7FF, 0x123]
    assert (frames["flags"] & cf.FrameFlag.EXTENDED_ID).tolist() == [0, 1, 1, 0, 0]
    with pytest.raises(cf.LogFormatError, match="line 1: column 5: an identifier"):
        cf.read_log(io.BytesIO(b"0 1 0x20000000 Rx d 0\n0 1 1 Rx d 0\n"), format="asc")


@pytest.mark.parametrize("base", ["hex", "dec"])
def test_extended_identifiers_that_lack_the_x(base: str) -> None:
    """Some programs leave it out: what no base frame can have is extended, 7FF and below is what it says."""
    lines = [
        "0.1 1  0x18FEF100 Rx d 1 07",
        "0.2 1  0x7FF Rx d 0",
        "0.3 1  0x800 Tx r 4",
        "0.4 CANFD 1 Rx 0x1FFFFFFF 1 0 8 0",
        "0.5 1  Motor Rx d 0 ID = 2048",
        "0.6 1  0x7FFx Rx d 0",
    ]
    with opened(f"base {base} timestamps absolute\n" + "\n".join(lines) + "\n") as log:
        frames = log.read(fd=True)
        assert log.skipped == 0
    assert frames["arbitration_id"].tolist() == [0x18FEF100, 0x7FF, 0x800, 0x1FFFFFFF, 0x800, 0x7FF]
    assert (frames["flags"] & cf.FrameFlag.EXTENDED_ID).tolist() == [1, 0, 1, 1, 1, 1]


def test_can_fd_in_gvrets_csv() -> None:
    """LEN above 8 is CAN FD; SavvyCAN writes eight bytes whatever LEN is, and what is left out is not made up."""
    head = "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"
    eight = ",".join(["FE"] * 8)
    rows = [
        f"1,123,false,Rx,0,12,{eight},01,02,03,04,",
        f"2,123,false,Rx,0,12,{eight},",
        f"3,123,false,Rx,0,64,{eight}",
        f"4,18FEF100,true,Tx,1,64,{','.join(['07'] * 64)}",
        f"5,123,false,Rx,0,8,{eight},",
        f"6,123,false,Rx,0,48,{eight}," + "," * 40,
    ]
    with opened(head + "\n".join(rows) + "\n") as log:
        frames = log.read()
        assert (log.format, log.skipped_by_kind) == ("csv-gvret", {"CAN FD frame with data left out": 3})
    assert frames["timestamp_ns"].tolist() == [1000, 4000, 5000]
    assert frames["dlc"].tolist() == [9, 15, 8]
    assert frames["flags"].tolist() == [8, 1 | 8 | 0x40, 0]
    assert frames["data"][0, :13].tolist() == [0xFE] * 8 + [1, 2, 3, 4, 0]
    assert frames["data"][1].tolist() == [7] * 64
    for length in ("9", "13", "65", "128", "0x8", "C", "+8", "1 2"):
        with pytest.raises(cf.LogFormatError, match="line 2: column 18: a dlc or data length"):
            cf.read_log(io.BytesIO(f"{head}1,123,false,Rx,0,{length},{eight},{eight}\n".encode()))
    whole = (
        head + rows[3] + "\n" + rows[3]
    ).encode()  # a last line without its end is whole if as long as the one before
    for cut in range(len(rows[3])):
        with cf.logs.open_log(io.BytesIO(whole[: len(whole) - cut])) as log:
            assert (len(log.read()), log.truncated) == ((2, False) if cut == 0 else (1, True))


@pytest.mark.parametrize(
    ("base", "second"),
    [
        ("hex  no internal events logged", 1.5),
        ("hex  timestamps absolute", 40874.5),
        ("hex  timestamps absolute no internal events logged", 40874.5),
        ("hex", 40874.5),
    ],
)
def test_times_of_the_day_that_busmaster_writes(base: str, second: float) -> None:
    """In its system mode the header says neither absolute nor relative, and times are the clock's."""
    head = ["date Mon Dec 6 11:21:13.000 am 2021", f"base {base}", "// version 7.1.0"]
    text = "\n".join([*head, "40874.500000 1 122 Rx d 1 07", "-1 1 122 Rx d 0", "End TriggerBlock", ""])
    start = np.datetime64("2021-12-06T11:21:13", "ns").astype(np.int64)
    with opened(text) as log:
        assert (log.read()["timestamp_ns"] - start).tolist() == [round(second * 1e9), -(10**9)]
        assert str(log.start) == "2021-12-06 11:21:13"
    zoned = cf.read_log(io.BytesIO(text.encode()), tz=dt.timezone(dt.timedelta(hours=2)))
    assert zoned["timestamp_ns"][0] - start == round((second - 7200) * 1e9)


@pytest.mark.parametrize(
    ("days", "stated", "start"),
    [
        ("45418.36000123", "2024-05-06 10:00:00.123456", "2024-05-06T10:00:00.123456"),
        ("45418.600500", "2024-05-06 00:10:00.500000", "2024-05-06T00:10:00.5"),
        ("45418.600500", "2024-05-06 00:10:00.501000", "2024-05-06T14:24:43.2"),  # not the same number
        ("45418.600500", "2024-05-07 00:10:00.500000", "2024-05-06T14:24:43.2"),  # nor the same day
        ("45418.5", "06.05.2024 12:00:00.000.0", "2024-05-06T12:00:00"),
    ],
)
def test_milliseconds_where_a_fraction_of_the_day_belongs(days: str, stated: str, start: str) -> None:
    """older versions of python-can wrote them behind the point of $STARTTIME; its comment is right."""
    text = f"{TRC.replace('43008.5', days)};   Start time: {stated}\n;   Generated by python-can TRCWriter\n"
    text += "1 250.0 DT 1 0123 Rx - 1 07\n"
    zoned = cf.read_log(io.BytesIO(text.encode()), tz=dt.timezone(dt.timedelta(hours=2)))
    with opened(text) as log:
        (frame,) = log.read()
        assert log.skipped_by_kind == {}
        assert np.datetime64(log.start) == np.datetime64(start)
    assert frame["timestamp_ns"] - np.datetime64(start, "ns").astype(np.int64) == 250_000_000
    assert frame["timestamp_ns"] - zoned["timestamp_ns"][0] == 7200 * 10**9


def test_a_short_start_that_no_comment_doubts() -> None:
    for head in (";$FILEVERSION=1.1\n;$STARTTIME=43008.5\n", ";$STARTTIME=43008.5\n;$FILEVERSION=1.1\n"):
        text = f"{head}1) 0.0 Rx 0100 0\n2) 1.0 Rx 0100 0\n"
        with cf.logs.open_log(io.BytesIO(text.encode()), tz=dt.timezone(dt.timedelta(hours=2))) as log:
            (first, second) = log.read()["timestamp_ns"]
            assert str(log.start) == "2017-09-30 12:00:00"
        assert first == np.datetime64("2017-09-30T10:00:00", "ns").astype(np.int64)
        assert second - first == 10**6
