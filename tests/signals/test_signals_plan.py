"""Databases, plans and tables: what is chosen, matched, counted and handed over, and what is refused."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import signals_oracle as twin
from signals_support import DATABASES, one_message, plan_of

import canal_fast as cf
from canal_fast.signals import Checksum, Counter, Database, Latest, Message, Plan, Signal
from canal_fast.signals.plan import VERSION, _restored

cantools = pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
FLAG = cf.FrameFlag
TOYOTA = DATABASES / "_toyota_2017.dbc"


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
    frames = cf.make_frames([1, 1], b"\x07" * 8, flags=[0, FLAG.EXTENDED_ID])
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


# plans


def test_names_and_patterns() -> None:
    database = cf.load_database(TOYOTA)
    plan = database.plan(["KINEMATICS", "WHEEL_*"])
    assert [m.name for m in plan.messages] == ["KINEMATICS", "WHEEL_SPEEDS"]
    plan = database.plan(signals=["WHEEL_SPEEDS.*", "YAW_RATE"])
    assert [(m.name, len(m.signals)) for m in plan.messages] == [("KINEMATICS", 1), ("WHEEL_SPEEDS", 8)]
    with pytest.raises(cf.SignalError, match="no message 'KINEMATIC'; did you mean 'KINEMATICS'"):
        database.plan(["KINEMATIC"])
    with pytest.raises(cf.SignalError, match="no signal 'yaw_rat'; did you mean 'YAW_RATE'"):
        database.plan(signals=["yaw_rat"])
    with pytest.raises(TypeError, match="sequence of names"):
        database.plan("KINEMATICS")
    with pytest.raises(ValueError, match="choices = 'words'"):
        database.plan(choices="words")
    with pytest.raises(KeyError, match="did you mean 'KINEMATICS'"):
        database["Kinematics"]
    with pytest.raises(KeyError, match="did you mean 'YAW_RATE'"):
        database["KINEMATICS"]["YAW_RAT"]
    tables = plan.decode(cf.make_frames(0x24, b"\0" * 8))
    with pytest.raises(KeyError, match="has no signal 'YAW_RAT'"):
        tables["KINEMATICS"]["YAW_RAT"]
    with pytest.raises(KeyError, match="no message 'WHEELS'"):
        tables["WHEELS"]


def test_a_database_without_messages(tmp_path: Path) -> None:
    empty = cf.load_database(DATABASES / "cp1252.dbc")
    assert empty.messages == ()
    with pytest.raises(cf.SignalError, match="has no messages: there is nothing to decode"):
        empty.plan()


def test_multiplexers_come_along() -> None:
    database = cf.load_database(DATABASES / "issue_184_extended_mux_cascaded.dbc")
    deep = next(s for m in database.messages for s in m.signals if s.multiplexer and m[s.multiplexer].multiplexer)
    (message,) = database.plan(signals=[deep.name]).messages
    assert len(message.signals) == 3


def test_pickles_and_digest() -> None:
    database = cf.load_database(TOYOTA)
    plan = database.plan()
    data = pickle.dumps(plan)
    assert len(data) < 100_000
    again = pickle.loads(data)
    assert (again, hash(again), again.digest) == (plan, hash(plan), plan.digest)
    assert plan.digest != database.plan(scaling=False).digest != database.plan(["KINEMATICS"]).digest
    code = f"import canal_fast as cf; print(cf.load_database({str(TOYOTA)!r}).plan().digest)"
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == plan.digest
    with pytest.raises(cf.SignalError, match=rf"another version .*format 99, this one has {VERSION}"):
        _restored(99, plan.messages, plan.options)


# frames and counts


def test_counts_add_up() -> None:
    message = one_message(Signal("a", 0, 8), Signal("b", 8, 8), length=4)
    plan = plan_of(message)
    flags = [0, 0, FLAG.EXTENDED_ID, FLAG.REMOTE, FLAG.ERROR_FRAME, FLAG.STATUS, 0]
    data = [b"\x05\x06", b"\x05\x06", b"\x05\x06", b"", b"\x05\x06", b"\x05\x06", b"\x05\x06"]
    frames = cf.make_frames([0x123, 0x124, 0x123, 0x123, 0x123, 0x123, 0x123], data, flags=flags)
    frames[-1]["dlc"] = 1
    tables = plan.decode(frames)
    assert vars(tables.counts) == {"decoded": 1, "unknown_id": 2, "short": 1, "not_decodable": 3}
    assert tables["M"].source_row.tolist() == [0, 6]
    assert tables["M"].valid["b"].tolist() == [True, False]
    assert tables["M"]["b"].tolist() == [6, 0]
    both = tables.counts + plan.decode(frames).counts
    assert sum(vars(both).values()) == 2 * len(frames)
    assert vars(plan.decode(frames[:0]).counts) == dict.fromkeys(vars(both), 0)
    assert list(plan.decode(frames[:0])) == []
    assert len(plan.decode(frames[:0])["M"]) == 0


def test_frames_longer_than_their_message_and_fd(tmp_path: Path) -> None:
    message = one_message(Signal("a", 0, 8), Signal("z", 8 * 40, 12), length=48)
    data = bytes(range(1, 49))
    frames = cf.make_frames(0x123, [data, data + b"\xff" * 16], fd=True)
    table = plan_of(message).decode(frames)["M"]
    assert table["z"].tolist() == [twin.raw(data, message["z"])] * 2
    classical = cf.make_frames(0x123, data[:8])  # a classical frame of an FD message
    table = plan_of(message).decode(classical)["M"]
    assert (table["a"].tolist(), table.valid["z"].tolist()) == ([1], [False])
    zeros = cf.make_frames(0x123, b"\x05", dlc=8)  # bytes that were sent as zeros are values
    assert plan_of(one_message(Signal("b", 8, 8))).decode(zeros)["M"].valid["b"].all()


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros(4, cf.FRAME_DTYPE)[::2], np.zeros((2, 2), cf.FRAME_DTYPE)])
def test_arrays_that_are_no_frames(bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="frames"):
        plan_of(one_message(Signal("a", 0, 8))).decode(bad)


def test_more_messages_than_fit_are_refused() -> None:
    messages = [Message(f"M{i}", i, True, False, 8, ()) for i in range(65_001)]
    with pytest.raises(ValueError, match="tables of a decoding plan contradict each other"):
        plan_of(*messages)


# J1939


def test_parameter_groups() -> None:
    """Priority, source and destination do not matter, and are columns; the data page does."""
    database = cf.load_database(DATABASES / "CSS-Electronics-SAE-J1939-DEMO.dbc")
    plan = database.plan()
    ids = [0x0CF004FE, 0x0CF00400, 0x18F00421, 0x0DF00400, 0x18FEF147, 0x18FEF247]
    tables = plan.decode(cf.make_frames(ids, bytes(8), flags=FLAG.EXTENDED_ID))
    assert [twin.j1939_pgn(i) for i in ids[:3]] == [0xF004] * 3
    assert tables["EEC1"].source_row.tolist() == [0, 1, 2]
    assert tables["EEC1"]["priority"].tolist() == [3, 3, 6]
    assert tables["EEC1"]["source_address"].tolist() == [0xFE, 0, 0x21]
    assert tables["EEC1"]["destination_address"].tolist() == [255] * 3
    assert tables["CCVS1"].source_row.tolist() == [4]
    assert tables.counts.unknown_id == 2
    assert len(database.plan(j1939=False).decode(cf.make_frames(ids, bytes(8), flags=FLAG.EXTENDED_ID))) == 1


def test_addressed_groups_and_exact_identifiers() -> None:
    """PDU format below 240: the destination is no part of the group. An exact identifier goes first."""
    one = Message("One", 0x18EA0003, True, False, 8, (Signal("a", 0, 8),), by_pgn=True)
    two = Message("Two", 0x18EA0005, True, False, 8, (Signal("a", 0, 8),), by_pgn=True)
    frames = cf.make_frames([0x18EA0003, 0x18EA0005, 0x0CEA2199, 0x19EA0003], b"\1", flags=FLAG.EXTENDED_ID)
    tables = plan_of(one, two).decode(frames)
    assert tables["One"].source_row.tolist() == [0]
    assert tables["Two"].source_row.tolist() == [1, 2]
    assert tables["Two"]["destination_address"].tolist() == [0, 0x21]


@pytest.mark.parametrize(
    ("length", "values", "valid"),
    [
        (2, [0, 1, 2, 3], [1, 1, 0, 0]),
        (4, [13, 14, 15], [1, 0, 0]),
        (8, [0xFA, 0xFB, 0xFD, 0xFE, 0xFF], [1, 1, 1, 0, 0]),
        (16, [0xFDFF, 0xFE00, 0xFEFF, 0xFFFF], [1, 0, 0, 0]),
        (32, [0xFDFFFFFF, 0xFE000000, 0xFFFFFFFF], [1, 0, 0]),
    ],
)
def test_not_available(length: int, values: list[int], valid: list[int]) -> None:
    message = Message("M", 0x18FEF100, True, False, 8, (Signal("s", 0, length, scale=0.5),), by_pgn=True)
    frames = cf.make_frames(
        0x18FEF147,
        [v.to_bytes(8, "little") for v in values],
        flags=FLAG.EXTENDED_ID,
        timestamp_ns=np.arange(len(values)),
    )
    table = plan_of(message, j1939_nulls=True).decode(frames)["M"]
    assert table.valid["s"].tolist() == [bool(v) for v in valid]
    assert np.isnan(table["s"]).tolist() == [not v for v in valid]
    assert plan_of(message).decode(frames)["M"].valid["s"].all()


# hand-over


def table_with_nulls(**options: Any) -> Any:
    message = one_message(
        Signal("mux", 0, 8),
        Signal("speed", 8, 8, scale=0.5, unit="km/h", multiplexer="mux", multiplexer_ids=((1, 1),)),
        Signal(
            "gear", 8, 8, multiplexer="mux", multiplexer_ids=((0, 0), (2, 3)), choices=((1, "first"), (2, "second"))
        ),
    )
    data = [bytes([0, 1]), bytes([1, 9]), bytes([2, 2]), bytes([3, 77]), bytes([4, 1])]
    return plan_of(message, **options).decode(cf.make_frames(0x123, data, timestamp_ns=np.arange(5) * 10**9))["M"]


def test_arrow() -> None:
    pa = pytest.importorskip("pyarrow", reason="NOT RUN: pyarrow is not installed")
    table = pa.table(table_with_nulls())
    assert [str(field.type) for field in table.schema] == ["timestamp[ns, tz=UTC]", "uint8", "double", "uint8"]
    assert table.schema.field("speed").metadata == {b"unit": b"km/h"}
    assert table["speed"].to_pylist() == [None, 4.5, None, None, None]
    assert table["gear"].to_pylist() == [1, None, 2, 77, None]
    assert table["gear"].null_count == 2
    table.validate(full=True)
    words = pa.table(table_with_nulls(dictionary=True))
    words.validate(full=True)
    assert words["gear"].to_pylist() == ["first", None, "second", "77", None]
    empty = plan_of(one_message(Signal("a", 0, 8))).decode(np.zeros(0, cf.FRAME_DTYPE))["M"]
    assert pa.table(empty).num_rows == 0


def test_arrow_columns_outlive_their_tables() -> None:
    pa = pytest.importorskip("pyarrow", reason="NOT RUN: pyarrow is not installed")
    kept = [pa.table(table_with_nulls()) for _ in range(50)]
    _ = [np.full(1000, 255, np.uint8) for _ in range(100)]
    assert all(table["gear"].to_pylist() == [1, None, 2, 77, None] for table in kept)
    capsule = table_with_nulls().__arrow_c_stream__()
    del capsule  # never taken


def test_pandas_and_polars() -> None:
    pd = pytest.importorskip("pandas", reason="NOT RUN: pandas is not installed")
    frame = table_with_nulls(dictionary=True).to_pandas()
    assert frame["gear"].tolist()[0] == "first"
    assert frame["gear"].isna().tolist() == [False, True, False, False, True]
    assert str(frame.index.dtype) == "datetime64[ns, UTC]"
    assert table_with_nulls().to_pandas()["gear"].dtype == pd.UInt8Dtype()
    pl = pytest.importorskip("polars", reason="NOT RUN: polars is not installed")
    frame = table_with_nulls().to_polars()
    assert frame["gear"].to_list() == [1, None, 2, 77, None]
    assert frame.schema["timestamp"] == pl.Datetime("ns", "UTC")


def test_split_multiplex() -> None:
    parts = table_with_nulls().split_multiplex()
    assert {key: (list(t.columns), len(t)) for key, t in parts.items()} == {
        (): (["mux"], 5),
        (("mux", 1, 1),): (["speed"], 1),
        (("mux", 0, 0), ("mux", 2, 3)): (["gear"], 3),
    }


def test_decode_log(tmp_path: Path) -> None:
    message = one_message(Signal("a", 0, 16))
    frames = cf.make_frames(
        np.tile([0x123, 0x55], 500), np.arange(8000, dtype=np.uint16).astype(np.uint8).reshape(1000, 8)
    )
    cf.write_log(tmp_path / "x.pcapng", frames)
    plan = plan_of(message)
    found = list(plan.decode_log(tmp_path / "x.pcapng", max_frames=300))
    assert [name for name, _ in found] == ["M"] * 4
    whole = plan.decode(frames)["M"]
    for column in ("source_row", "timestamp_ns"):
        assert np.array_equal(np.concatenate([getattr(t, column) for _, t in found]), getattr(whole, column))
    assert np.array_equal(np.concatenate([t["a"] for _, t in found]), whole["a"])
    counts = sum((t.counts for t in plan.decode_batches(tmp_path / "x.pcapng", 300)), cf.signals.DecodeCounts())
    assert counts == plan.decode(frames).counts


# live


def test_latest() -> None:
    message = table_with_nulls().message
    other = Message("N", 0x200, False, False, 8, (Signal("b", 0, 8),))
    latest = Latest(plan_of(message, other, dictionary=True))
    assert latest["M"]["gear"] is None
    latest.update(cf.make_frames(0x123, [b"\0\1", b"\1\7"], timestamp_ns=[5, 6]))
    assert (latest["M"]["gear"], latest["M"]["speed"], latest["M"]["mux"]) == ("first", 3.5, 1)
    assert latest["M"].times == {"mux": 6, "speed": 6, "gear": 5}
    latest.update(cf.make_frames([0x123, 0x200, 0x300], [b"\2\2", b"\x09\0", b"\0\0"], timestamp_ns=7))
    assert (latest["M"]["gear"], latest["M"]["speed"], latest["N"]["b"]) == ("second", 3.5, 9)
    assert (latest["M"].frames, latest["M"].timestamp_ns, latest.counts.unknown_id) == (3, 7, 1)
    with pytest.raises(cf.SignalError, match="no message 'O'"):
        latest["O"]


def test_live_batches_decode() -> None:
    plan = plan_of(one_message(Signal("a", 0, 8), arbitration_id=0x100))
    latest = Latest(plan)
    with cf.Channel.virtual("signals;500000") as sender, cf.Channel.virtual("signals;500000") as channel:
        sender.send(cf.make_frames(0x100, [bytes([i]) for i in range(20)]))
        for batch in channel.batches(max_frames=8, timeout=0.5):
            latest.update(batch)
            if latest["M"].frames == 20:
                break
    assert latest["M"]["a"] == 19


def test_two_threads_use_one_plan() -> None:
    from concurrent.futures import ThreadPoolExecutor

    plan = plan_of(one_message(Signal("a", 0, 32)))
    frames = cf.make_frames(np.full(5000, 0x123), np.random.default_rng(0).integers(0, 256, (5000, 8), np.uint8))
    expected = plan.decode(frames)["M"]["a"].copy()
    with ThreadPoolExecutor(4) as pool:
        for tables in pool.map(lambda _: plan.decode(frames), range(40)):
            assert np.array_equal(tables["M"]["a"], expected)


# checksums and counters


def crc8(data: bytes, polynomial: int, crc: int, final: int) -> int:
    """Bit by bit."""
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ polynomial) & 0xFF if crc & 0x80 else crc << 1
    return crc ^ final


def test_crc_check_values() -> None:
    """The catalogue's answers for "123456789"."""
    assert crc8(b"123456789", 0x1D, 0xFF, 0xFF) == 0x4B
    assert crc8(b"123456789", 0x2F, 0xFF, 0xFF) == 0xDF
    assert crc8(b"123456789", 0x1D, 0, 0) == 0x37


@pytest.mark.parametrize("algorithm", ["sae_j1850", "sae_j1850_zero", "autosar_8h2f", "xor"])
@pytest.mark.parametrize("place", [0, 7])
@pytest.mark.parametrize("suffix", [b"", b"\x12\x34"])
def test_checksum_and_counter_violations(algorithm: str, place: int, suffix: bytes) -> None:
    from canal_fast.signals.checks import ALGORITHMS

    counter_at = 8 if place == 0 else 0
    message = one_message(Signal("CRC", 8 * place, 8), Signal("CNT", counter_at, 4), Signal("v", 24, 16))
    checks = {"M": [Checksum("CRC", algorithm, suffix=suffix), Counter("CNT", 15)]}
    plan = Database([message]).plan(checks=checks)
    rng = np.random.default_rng(9)
    payloads = rng.integers(0, 256, (60, 8), np.uint8)
    payloads[:, counter_at // 8] = np.arange(60) % 15
    polynomial, initial, final = ALGORITHMS[algorithm]
    for row in payloads:
        data = bytes(np.delete(row, place)) + suffix
        row[place] = crc8(data, polynomial, initial, final) if polynomial else np.bitwise_xor.reduce(list(data))
    payloads[17, 4] ^= 1
    frames = np.delete(cf.make_frames(np.full(60, 0x123), payloads), 40)
    table = plan.decode(frames)["M"]
    assert np.flatnonzero(table["CRC_violation"]).tolist() == [17]
    assert np.flatnonzero(table["CNT_violation"]).tolist() == [40]
    assert pickle.loads(pickle.dumps(plan)) == plan != Database([message]).plan()
    pa = pytest.importorskip("pyarrow", reason="NOT RUN: pyarrow is not installed")
    assert pa.table(table)["CRC_violation"].to_pylist() == table["CRC_violation"].tolist()


@pytest.mark.parametrize("options", [{}, {"scaling": False}, {"choices": "dictionary"}], ids=str)
@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (2, 0), (-1, 100), (0.5, -3)])
def test_counters_are_judged_by_raw_values(options: dict[str, Any], scale: float, offset: int) -> None:
    signal = Signal("CNT", 0, 4, scale=scale, offset=offset, choices=((0, "zero"), (3, "three")))
    plan = Database([one_message(signal)]).plan(checks={"M": [Counter("CNT")]}, **options)
    table = plan.decode(cf.make_frames(np.full(8, 0x123), [bytes([n % 16]) + bytes(7) for n in range(11, 19)]))["M"]
    assert not table["CNT_violation"].any()
    table = plan.decode(cf.make_frames(np.full(3, 0x123), [bytes([n]) + bytes(7) for n in (3, 5, 6)]))["M"]
    assert table["CNT_violation"].tolist() == [False, True, False]


@pytest.mark.parametrize("scale", [1, 0.5])
@pytest.mark.filterwarnings("error")
def test_frames_without_the_counter_are_stepped_over(scale: float) -> None:
    message = one_message(Signal("CRC", 8, 8), Signal("CNT", 20, 4, scale=scale))
    plan = Database([message]).plan(checks={"M": [Checksum("CRC", "xor", last=1), Counter("CNT")]})
    payloads = [b"\1\1\x50", b"\1", b"\1\1\x60", b"\1\1\x70", b"", b"\1\2\x70", b"\1\1\x80"]
    table = plan.decode(cf.make_frames(np.full(7, 0x123), payloads))["M"]
    assert np.flatnonzero(table["CNT_violation"]).tolist() == [5]
    assert np.flatnonzero(table["CRC_violation"]).tolist() == [5]
    for name in ("CNT_violation", "CRC_violation"):
        assert table.valid[name].tolist() == [True, False, True, True, False, True, True]


def test_checks_are_of_the_frames_as_they_were() -> None:
    """The caller may fill his array anew before he asks for a table."""
    message = one_message(Signal("CRC", 0, 8), Signal("CNT", 8, 8))
    plan = Database([message]).plan(checks={"M": [Checksum("CRC", "xor"), Counter("CNT")]})
    frames = cf.make_frames(np.full(3, 0x123), [bytes([n, n]) + bytes(6) for n in range(3)])
    tables = plan.decode(frames)
    tables.shift(100)
    frames["data"][:, 7] = 9
    table = tables["M"]
    assert not (table["CRC_violation"] | table["CNT_violation"]).any()
    assert table.source_row.tolist() == [100, 101, 102]


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (Checksum("CRc"), "no signal 'CRc'; did you mean 'CRC'"),
        (Checksum("CRC", "j1850"), "algorithm = 'j1850'; did you mean 'sae_j1850'"),
        (Checksum("v"), "one whole byte, and not 16 bits"),
        (Counter("v", 1 << 17), "modulus of 2..65536, not 131072"),
    ],
)
def test_checks_that_cannot_be(check: Any, words: str) -> None:
    message = one_message(Signal("CRC", 0, 8), Signal("v", 24, 16))
    with pytest.raises(cf.SignalError, match=words):
        Database([message]).plan(checks={"M": [check]})
    with pytest.raises(cf.SignalError, match="no message 'N'"):
        Database([message]).plan(checks={"N": [check]})


def test_plan_is_its_own_kind() -> None:
    plan = plan_of(one_message(Signal("a", 0, 8)))
    assert isinstance(plan, Plan)
    assert "1 signals in 1 messages" in repr(plan)
