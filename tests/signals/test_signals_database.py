"""Databases: what is read, what is refused or left out, and how it is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from signals_support import DATABASES, TOYOTA

import canal_fast as cf

cantools = pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")


def dbc(tmp_path: Path, *lines: str, name: str = "x.dbc") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(['VERSION ""', "BS_:", "BU_: A", *lines, ""]), encoding="utf-8")
    return path


# databases


def test_a_path_or_a_cantools_database() -> None:
    ours = cf.load_database(TOYOTA)
    assert cf.load_database(cantools.database.load_file(TOYOTA, strict=False)).messages == ours.messages
    assert (len(ours.messages), sum(len(m.signals) for m in ours.messages)) == (50, 310)
    with pytest.raises(TypeError, match="path or a cantools Database"):
        cf.load_database(5)
    with pytest.raises(FileNotFoundError):
        cf.load_database(DATABASES / "missing.dbc")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tesla_can.dbc", ["tesla_can.dbc", "unused VAL_", "568", "delete these VAL_ lines"]),
        ("mazda_2017.dbc", ["mazda_2017.dbc", "line 273, column 10", "2017_5", "correct that line"]),
    ],
)
def test_what_cantools_refuses_is_told(name: str, words: list[str]) -> None:
    with pytest.raises(cf.DatabaseError) as caught:
        cf.load_database(DATABASES / name)
    assert all(word in str(caught.value) for word in words), caught.value
    assert caught.value.path == str(DATABASES / name)


def test_what_to_do_is_said(tmp_path: Path) -> None:
    path = dbc(tmp_path, "BO_ 1 M: 8 A", ' SG_ s : 8|8@1+ (1,0) [0|0] "m" A', 'BA_ "Colour" BO_ 1 "red";')
    with pytest.raises(cf.DatabaseError, match=r"Colour.* - values of this attribute \(BA_\) have no definition"):
        cf.load_database(path)
    (tmp_path / "x.sym").write_text('FormatVersion=5.0 // Do not edit this line!\nTitle="t"\n\n{SEND}\n')
    with pytest.raises(cf.DatabaseError, match=r"Only SYM version 6\.0 .* - PCAN Symbol Editor saves it as version 6"):
        cf.load_database(tmp_path / "x.sym")


@pytest.mark.parametrize(
    "line",
    [
        'CM_ SG_ 1 "of a signal without its name";',
        'CM_ BO_ 77 "of a message that is not there";',
        'CM_ BO_ M "its name in place of its number";',
        'CM_ SG_ 1 s "two \n SG_ s m3 : lines, \\"quoted\\" words" ;',
        'CM_ "a path C:\\";',
    ],
)
def test_comments_say_nothing_that_decodes(line: str, tmp_path: Path) -> None:
    rows = ("BO_ 1 M: 8 A", ' SG_ s : 8|8@1+ (1,0) [0|0] "m" A')
    more = ("BO_ 2 N: 8 A", ' SG_ s : 0|8@1+ (1,0) [0|0] "" A', 'CM_ "the last";')
    read = cf.load_database(dbc(tmp_path, *rows, line, *more))
    assert (read.messages, read.problems) == (cf.load_database(dbc(tmp_path, *rows, *more)).messages, ())
    with pytest.raises(cf.DatabaseError, match=f"line {7 + line.count(chr(10))}, column 7"):  # as without the comment
        cf.load_database(dbc(tmp_path, *rows, line, "BO_ 2 2N: 8 A"))


def test_bit_timing_in_a_database(tmp_path: Path) -> None:
    path = tmp_path / "x.dbc"
    path.write_text('VERSION ""\nBS_: 500000 : 0,0\nBU_: A\nBO_ 1 M: 8 A\n SG_ s : 0|8@1+ (1,0) [0|0] "" A\n')
    assert cf.load_database(path)["M"]["s"].length == 8


MULTIPLEXED = ("BO_ 1 M: 8 A", ' SG_ m M : 0|32@1+ (1,0) [0|0] "" A', ' SG_ s m0 : 32|8@1+ (1,0) [0|0] "" A')


@pytest.mark.parametrize("ranges", ["0-100000000", "1-1, 0-1048575", "0-600000,\n 0-600000", "0 -99999999999999999999"])
def test_ranges_that_no_memory_holds(ranges: str, tmp_path: Path) -> None:
    path = dbc(tmp_path, *MULTIPLEXED, f"SG_MUL_VAL_ 1 s m {ranges};")
    last = ranges.replace("\n", "").split(", ")[-1]
    line = 7 + ranges.count("\n")
    words = rf"x\.dbc: line {line}: \d+ values of multiplexers up to the range {last}, allowed 0\.\.1048576 in a file"
    with pytest.raises(cf.DatabaseError, match=words) as caught:
        cf.load_database(path)
    assert caught.value.path == str(path)


def test_long_ranges(tmp_path: Path) -> None:
    signal = cf.load_database(dbc(tmp_path, *MULTIPLEXED, "SG_MUL_VAL_ 1 s m 2-60000, 70000-70000;"))["M"]["s"]
    assert signal.multiplexer_ids == ((0, 0), (2, 60000), (70000, 70000))


def test_strict_raises_the_first_problem() -> None:
    with pytest.raises(cf.DatabaseError, match=r"PCS_HUD: SET_ME_X10 and PCS_TEMP overlap; both are decoded \(and 2"):
        cf.load_database(TOYOTA, strict=True)
    assert cf.load_database(DATABASES / "signed.dbc", strict=True).problems == ()


def test_problems(tmp_path: Path) -> None:
    path = dbc(
        tmp_path,
        "BO_ 1 One: 2 A",
        ' SG_ a : 0|8@1+ (1,0) [0|0] "" A',
        ' SG_ b : 4|8@1+ (1,0) [0|0] "" A',
        ' SG_ far : 12|16@1+ (1,0) [0|0] "" A',
        "BO_ 1 Two: 8 A",
        ' SG_ c : 0|8@1+ (1,0) [0|0] "" A',
        "BO_ 2147483649 Three: 8 A",
        ' SG_ m M : 0|8@1+ (1,0) [0|0] "" A',
        ' SG_ x m0 : 8|8@1+ (1,0) [0|0] "" A',
        ' SG_ y m1 : 8|8@1+ (1,0) [0|0] "" A',
    )
    database = cf.load_database(path)
    kinds = [(p.kind, p.message, p.signal) for p in database.problems]
    assert kinds == [
        ("duplicate id", "One", None),
        ("beyond message", "One", "far"),
        ("overlap", "One", "b"),
    ]
    assert "frames go to Two" in str(database.problems[0])
    frames = cf.make_frames([1, 1], b"\x07" * 8, flags=[0, cf.FrameFlag.EXTENDED_ID])
    tables = database.plan().decode(frames)
    assert list(tables) == ["Two", "Three"]  # the key is the identifier and its kind


@pytest.mark.parametrize(
    "lines",
    [
        [' SG_ x m0 : 8|8@1+ (1,0) [0|0] "" A'],
        [
            ' SG_ a M : 0|4@1+ (1,0) [0|0] "" A',
            ' SG_ b M : 4|4@1+ (1,0) [0|0] "" A',
            ' SG_ x m0 : 8|8@1+ (1,0) [0|0] "" A',
        ],
    ],
    ids=["no multiplexer", "one of two"],
)
def test_multiplexed_by_nobody_knows_what(tmp_path: Path, lines: list[str]) -> None:
    """cantools decodes such a signal as if it were always there."""
    database = cf.load_database(dbc(tmp_path, "BO_ 1 M: 8 A", *lines))
    assert [(p.kind, p.signal, p.left_out) for p in database.problems] == [("multiplexer", "x", True)]
    with pytest.raises(cf.SignalError, match=r"M.x: it is multiplexed \(m0\), and the file does not say by which"):
        database.plan(signals=["x"])


def test_one_name_for_several_multiplexer_values() -> None:
    """KCD repeats a signal in each group: it is one column."""
    radio = cf.load_database(DATABASES / "the_homer.kcd")["Radio"]
    assert radio["StationId7"].multiplexer_ids == ((6, 7),)
    assert len({signal.name for signal in radio.signals}) == len(radio.signals) == 12


def test_names_that_are_not_alone(tmp_path: Path) -> None:
    lines = [' SG_ s : 0|8@1+ (1,0) [0|0] "" A', ' SG_ s : 8|8@1+ (0,3) [0|0] "" A']
    database = cf.load_database(dbc(tmp_path, "BO_ 1 M: 8 A", *lines, "BO_ 2 M: 8 A", *lines[:1]))
    assert [m.name for m in database.messages] == ["M", "M_2"]
    table = database.plan().decode(cf.make_frames(1, b"\1\2"))["M"]
    assert {name: values.tolist() for name, values in table.columns.items()} == {"s": [1], "s_2": [3]}
    words = [str(problem) for problem in database.problems]
    assert any("M: a second message has this name; the one with identifier 0x2 is called M_2" in w for w in words)
    assert any("M.s: a second signal has this name; it is called s_2" in w for w in words)
    assert any("its scale is 0: every raw value is 3" in w for w in words)
    with pytest.raises(cf.SignalError, match=r"M.s_2: row 0: value 4"):
        database.plan().encode("M", {"s_2": [4]})


class _Odd:
    scale, offset, choices, is_float = 1, 0, None, False


def test_what_is_not_linear_is_left_out_by_name() -> None:
    theirs = cantools.database.load_file(DATABASES / "signed.dbc")
    theirs.messages[0].signals[0].conversion = _Odd()
    message, signal = theirs.messages[0].name, theirs.messages[0].signals[0].name
    database = cf.load_database(theirs)
    assert [(p.kind, p.left_out) for p in database.problems] == [("conversion", True)]
    assert signal not in [s.name for s in database[message].signals]
    with pytest.raises(cf.SignalError, match=rf"{message}.{signal}: its conversion \(_Odd\) is not linear; left out"):
        database.plan(signals=[signal])


def test_encodings(tmp_path: Path) -> None:
    line = 'BO_ 1 M: 8 A\n SG_ t : 0|8@1+ (1,0) [0|0] "°C" A'
    assert cf.load_database(dbc(tmp_path, line))["M"]["t"].unit == "°C"
    old = tmp_path / "old.dbc"
    old.write_bytes(dbc(tmp_path, line).read_text("utf-8").encode("cp1252"))
    assert cf.load_database(old)["M"]["t"].unit == "°C"
    chinese = tmp_path / "chinese.dbc"
    chinese.write_bytes(dbc(tmp_path, line.replace("°C", "转速")).read_text("utf-8").encode("gbk"))
    assert cf.load_database(chinese, encoding="gbk")["M"]["t"].unit == "转速"
    with pytest.raises(cf.DatabaseError, match=r"not utf-8; give encoding=.*'gbk'"):
        cf.load_database(chinese, encoding="utf-8")
    with pytest.raises(cf.DatabaseError, match="unknown encoding"):
        cf.load_database(chinese, encoding="klingon")


def test_a_missing_cantools_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cantools", None)
    with pytest.raises(ImportError, match=r"pip install 'canal_fast\[dbc\]'"):
        cf.load_database(TOYOTA)


def test_a_database_without_messages(tmp_path: Path) -> None:
    empty = cf.load_database(DATABASES / "cp1252.dbc")
    assert empty.messages == ()
    with pytest.raises(cf.SignalError, match="has no messages: there is nothing to decode"):
        empty.plan()
