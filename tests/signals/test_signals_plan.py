"""Plans and tables: what is chosen, matched, counted and handed over, and what is refused."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import signals_oracle as twin
from signals_support import DATABASES, TOYOTA, one_message, plan_of

import canal_fast as cf
from canal_fast.signals import Latest, Message, Plan, Signal
from canal_fast.signals.plan import VERSION, _restored

pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
FLAG = cf.FrameFlag


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


def test_plan_is_its_own_kind() -> None:
    plan = plan_of(one_message(Signal("a", 0, 8)))
    assert isinstance(plan, Plan)
    assert "1 signals in 1 messages" in repr(plan)
