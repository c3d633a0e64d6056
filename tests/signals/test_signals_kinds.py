"""Kinds of databases that people have: each beside cantools, or what is said of it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from signals_support import one_message, plan_of, same

import canal_fast as cf
from canal_fast.__main__ import main
from canal_fast.signals import Counter, Database, Message, Signal

FLAG = cf.FrameFlag
J1939 = (
    'BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";',
    'BA_DEF_DEF_ "VFrameFormat" "J1939PG";',
)


@pytest.fixture
def cantools() -> Any:
    return pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")


def signal(name: str, place: str, linear: str = "1,0") -> str:
    return f' SG_ {name} : {place} ({linear}) [0|0] "" A'


def written(tmp_path: Path, *lines: str, encoding: str = "utf-8", end: str = "\n") -> Path:
    path = tmp_path / "kind.dbc"
    path.write_bytes(end.join(['VERSION ""', "BS_:", "BU_: A", *lines, ""]).encode(encoding))
    return path


# value tables


def test_a_float_with_a_value_table_keeps_its_scale(tmp_path: Path, cantools: Any) -> None:
    lines = ["BO_ 1 M: 8 A", signal("f", "0|32@1-", "2,1"), "SIG_VALTYPE_ 1 f : 1;", 'VAL_ 1 f 0 "off" 1 "on" ;']
    database = cf.load_database(written(tmp_path, *lines))
    frames = cf.make_frames(1, np.float32(3.5).tobytes() + bytes(4))
    for choices in (None, "dictionary"):
        plan = database.plan(choices=choices)
        table = plan.decode(frames)["M"]
        assert table["f"].tolist() == [8.0]
        assert np.array_equal(plan.encode("M", table)["data"], frames["data"])
        assert np.array_equal(plan.encode("M", {"f": 8})["data"], frames["data"])


def test_texts_are_of_raw_values_that_the_signal_has(tmp_path: Path, cantools: Any) -> None:
    """A signed signal of 8 bits never has 255, whatever bits it shares with -1; of any length alike."""
    lines = ["BO_ 1 M: 8 A", signal("s", "0|8@1-"), signal("u", "8|8@1+"), signal("w", "16|32@1-")]
    tables = ['VAL_ 1 s 255 "x" -2 "y" ;', 'VAL_ 1 u -1 "z" 1 "one" ;', 'VAL_ 1 w 4294967295 "x" 3 "three" ;']
    path = written(tmp_path, *lines, *tables)
    database, theirs = cf.load_database(path), cantools.database.load_file(path).messages[0]
    frames = cf.make_frames(1, [b"\xff" * 8, b"\xfe\x01\x03\x00\x00\x00\x00\x00"])
    plan = database.plan(choices="dictionary")
    table = plan.decode(frames)["M"]
    for row, frame in enumerate(frames):
        expected = theirs.decode(frame["data"].tobytes())
        assert {name: table.texts[name][table[name][row]] for name in "suw"} == {n: str(v) for n, v in expected.items()}
    assert np.array_equal(plan.encode("M", table)["data"][:, :6], frames["data"][:, :6])
    assert [(p.kind, p.signal) for p in database.problems] == [("value table", name) for name in "suw"]
    assert "M.s: its value table has 255, raw values are -128..127" in str(database.problems[0])


@pytest.mark.parametrize("scaling", [(2, 10), (0.5, 3), (-3, 7)])
@pytest.mark.parametrize("given", [float, int])
def test_numbers_of_a_scaled_value_table_are_physical(scaling: tuple[float, float], given: type) -> None:
    """Whole numbers as well as others, whether the plan looks texts up or not."""
    message = one_message(Signal("u", 0, 8, scale=scaling[0], offset=scaling[1], choices=((0, "zero"),)))
    value = given(4 * scaling[0] + scaling[1])
    for dictionary in (False, True):
        plan = plan_of(message, dictionary=dictionary)
        for values in ([value], [None, value]):
            assert plan.encode("M", {"u": values})["data"][-1, 0] == 4


def test_value_tables_of_64_bits() -> None:
    message = one_message(Signal("u", 0, 64, choices=((0, "none"), ((1 << 64) - 1, "not available"))))
    plan = plan_of(message, dictionary=True)
    raws = [0, (1 << 64) - 1, (1 << 60) + 1, (1 << 63) + 1]
    frames = cf.make_frames(np.full(4, 0x123), [raw.to_bytes(8, "little") for raw in raws])
    table = plan.decode(frames)["M"]
    assert [table.texts["u"][number] for number in table["u"]] == ["none", "not available", *map(str, raws[2:])]
    assert np.array_equal(plan.encode("M", table)["data"], frames["data"])
    assert plan.encode("M", {"u": ["not available", "none"]})["data"].max(1).tolist() == [255, 0]


@pytest.mark.parametrize(("length", "scale", "offset"), [(33, 0.1, -9007199254740993), (2, 0.1, 1e17)])
def test_numbers_in_a_value_table_beyond_what_doubles_hold(length: int, scale: float, offset: float) -> None:
    """Several raw values have one text: one of them is written."""
    entry = Signal("u", 0, length, is_signed=True, scale=scale, offset=offset, choices=((1, "one"),))
    plan = plan_of(one_message(entry), dictionary=True)
    payloads = np.random.default_rng(2).integers(0, 256, (20, 8), np.uint8)
    table = plan.decode(cf.make_frames(np.full(20, 0x123), payloads))["M"]
    again = plan.decode(plan.encode("M", table))["M"]
    assert np.array_equal(np.array(again.texts["u"])[again["u"]], np.array(table.texts["u"])[table["u"]])


def test_a_text_that_is_empty_is_a_value(tmp_path: Path, cantools: Any) -> None:
    database = written(tmp_path, "BO_ 1 M: 8 A", signal("u", "0|8@1+"), 'VAL_ 1 u 0 "" 1 "b" ;')
    database.write_text(database.read_text() + "BO_ 2 N: 8 A\n" + signal("v", "0|8@1+") + "\n")
    cf.write_log(tmp_path / "x.log", cf.make_frames([1, 1], [b"\0", b"\1"]))
    out = tmp_path / "x.csv"
    assert main(["decode", str(tmp_path / "x.log"), "--dbc", str(database), "-o", str(out)]) == 0
    assert [row[1:4] for row in csv.reader(out.read_text().splitlines())][1:] == [["M", "u", ""], ["M", "u", "b"]]


# scales


@pytest.mark.parametrize("entry", [Signal("u", 0, 8, scale=0, offset=3), Signal("u", 0, 32, is_float=True, scale=0)])
def test_a_scale_of_0_goes_both_ways(entry: Signal) -> None:
    plan = plan_of(one_message(entry))
    for value in (entry.offset, float(entry.offset)):
        frames = plan.encode("M", {"u": [value, None]})
        assert plan.decode(frames)["M"]["u"].tolist() == [entry.offset] * 2
    with pytest.raises(cf.SignalError, match="row 0: value 4"):
        plan.encode("M", {"u": [4]})


@pytest.mark.parametrize(("scale", "offset"), [(0.25, 1e17), (-0.1, 1e17), (1e-3, -9007199254740993)])
def test_what_decodes_encodes_beside_a_large_offset(scale: float, offset: float) -> None:
    """Its quotient may lie beyond the signal's range."""
    plan = plan_of(one_message(Signal("u", 0, 8, is_signed=True, scale=scale, offset=offset)))
    table = plan.decode(cf.make_frames(np.full(256, 0x123), np.arange(256).astype(np.uint8)[:, None]))["M"]
    assert np.array_equal(plan.decode(plan.encode("M", table))["M"]["u"], table["u"])
    with pytest.raises(cf.SignalError, match="row 0"):
        plan.encode("M", {"u": [offset + 1000]})


@pytest.mark.parametrize("dictionary", [False, True])
@pytest.mark.parametrize(
    ("scale", "offset"), [(2, 10**17), (-3, 10**17), (10**6, -40), (10**10, -(2**53) - 1), (0.001, -40)]
)
def test_what_decodes_encodes_beyond_what_doubles_hold(scale: float, offset: float, dictionary: bool) -> None:
    entry = Signal("u", 1, 63, is_signed=True, scale=scale, offset=offset, choices=((5, "five"),))
    plan = plan_of(one_message(entry), dictionary=dictionary)
    payloads = np.random.default_rng(3).integers(0, 256, (400, 8), np.uint8)
    table = plan.decode(cf.make_frames(np.full(400, 0x123), payloads))["M"]
    again = plan.decode(plan.encode("M", table))["M"]
    assert np.array_equal(again["u"], table["u"])
    assert again.texts == table.texts


@pytest.mark.parametrize(
    ("place", "linear"),
    [
        ("0|16@1+", "1,9007199254740993"),
        ("0|16@1-", "-3,1e17"),
        ("0|32@1+", "1E-3,-1.5E+2"),
        ("0|64@1-", "-1,0"),
        ("7|64@0+", "-0.5,1"),
        ("7|64@0-", "1,0"),
        ("3|60@0+", "1,0"),
        ("5|58@1-", "0.1,-40"),
    ],
)
def test_awkward_numbers_as_cantools(place: str, linear: str, tmp_path: Path, cantools: Any) -> None:
    path = written(tmp_path, "BO_ 1 M: 8 A", signal("u", place, linear))
    theirs = cantools.database.load_file(path).messages[0]
    payloads = np.random.default_rng(5).integers(0, 256, (60, 8), np.uint8)
    payloads[:2] = [[255] * 8, [128] + [0] * 7]
    table = cf.load_database(path).plan().decode(cf.make_frames(np.full(60, 1), payloads))["M"]
    for row, payload in enumerate(payloads):
        assert same(table["u"][row].item(), theirs.decode(payload.tobytes())["u"])


# files


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_text_of_every_kind(encoding: str, end: str, tmp_path: Path, cantools: Any) -> None:
    lines = ["BO_ 1 M: 8 A", '\tSG_ m\tM : 0|8@1+ (1,0) [0|0] "°C" A', '\tSG_ b m1 : 8|8@1+ (1,0) [0|0] "" A']
    more = ['CM_ SG_ 1 b "he said \\"x\\"', " BO_ 5 Foo: 8 A", ' SG_ b m7 : 1";', "VAL_ 1 b 0", '"off" 1', '"on" ;']
    database = cf.load_database(written(tmp_path, *lines, *more, encoding=encoding, end=end))
    assert database.problems == ()
    assert database["M"]["m"].unit == "°C"
    assert database["M"]["b"].multiplexer_ids == ((1, 1),)
    assert database["M"]["b"].texts == {0: "off", 1: "on"}


def test_names_that_are_taken(tmp_path: Path, cantools: Any) -> None:
    entry = signal("u", "0|8@1+")
    path = written(tmp_path, "BO_ 1 M: 8 A", entry, "BO_ 2147483650 M: 8 A", entry, "BO_ 2 M_2: 8 A", entry)
    database = cf.load_database(path)
    assert [m.name for m in database.messages] == ["M", "M_2_2", "M_2"]
    assert list(database.plan().decode(cf.make_frames([2, 1], b"\1"))) == ["M", "M_2"]


def test_signals_called_as_our_columns() -> None:
    names = ("priority", "priority_", "source_address", "timestamp")
    message = one_message(
        *(Signal(name, 8 * place, 8) for place, name in enumerate(names)),
        arbitration_id=0x18FEF100,
        is_extended=True,
        by_pgn=True,
    )
    table = plan_of(message).decode(cf.make_frames(0x18FEF121, bytes(range(8)), flags=FLAG.EXTENDED_ID))["M"]
    assert [table[name].tolist() for name in names] == [[0], [1], [2], [3]]
    assert (table["priority__"].tolist(), table["source_address_"].tolist()) == ([6], [0x21])


# J1939


@pytest.mark.parametrize("length", [9, 64, 100, 1785])
def test_groups_of_several_frames(length: int, tmp_path: Path, cantools: Any) -> None:
    """A long group comes in packets of 8 bytes, not in a CAN FD frame; nothing puts them together, and that is said."""
    path = written(tmp_path, f"BO_ {0x98FECAFE} DM1: {length} A", signal("spn", "16|16@1+"), *J1939)
    database = cf.load_database(path)
    assert not database["DM1"].is_fd
    assert [(p.kind, p.left_out) for p in database.problems] == [("length", False)]
    assert f"its {length} bytes come in several frames, which are not put together" in str(database.problems[0])
    frame = cf.make_frames(0x18FECA00, b"\0\xff\x12\x34\0\0\xff\xff", flags=FLAG.EXTENDED_ID)
    assert database.plan().decode(frame)["DM1"]["spn"].tolist() == [0x3412]
    with pytest.raises(cf.SignalError, match=rf"DM1 has {length} bytes, allowed 0..8 in a classical frame"):
        database.plan().encode("DM1", {"spn": 1})


# hand-over


def test_violations_with_nulls_in_pandas() -> None:
    pd = pytest.importorskip("pandas", reason="NOT RUN: pandas is not installed")
    signals = Signal("m", 0, 8), Signal("c", 8, 8, multiplexer="m", multiplexer_ids=((1, 1),))
    plan = Database([Message("M", 1, False, False, 8, signals)]).plan(checks={"M": [Counter("c")]})
    table = plan.decode(cf.make_frames([1, 1, 1], [b"\1\1", b"\0\1", b"\1\5"]))["M"]
    frame = table.to_pandas()
    assert frame["c_violation"].dtype == pd.BooleanDtype()
    assert frame["c_violation"].isna().tolist() == [False, True, False]
    assert frame["c_violation"].sum() == 1


def test_signals_called_as_the_folders_of_parquet(tmp_path: Path) -> None:
    """DuckDB gives the folder's name instead of the signal, pyarrow and pandas refuse to read it."""
    dataset = pytest.importorskip("pyarrow.dataset", reason="NOT RUN: pyarrow is not installed")
    names = ("Date", "message", "message_")
    message = one_message(*(Signal(name, 8 * place, 8) for place, name in enumerate(names)))
    cf.write_log(tmp_path / "x.log", cf.make_frames(0x123, b"\1\2\3", timestamp_ns=1_700_000_000_000_000_000))
    cf.signals.to_parquet(plan_of(message), tmp_path / "x.log", tmp_path / "lake")
    (row,) = dataset.dataset(tmp_path / "lake", format="parquet", partitioning="hive").to_table().to_pylist()
    del row["timestamp"]
    assert row == {"Date_": 1, "message__": 2, "message_": 3, "date": "2023-11-14", "message": "M"}
