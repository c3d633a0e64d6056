"""Frames to Arrow, pandas and polars and back: values, lifetimes, limits, and what cannot be."""

from __future__ import annotations

import gc
import importlib
import json
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import table_oracle
from random_frames import random_frames

import canal_fast as cf
from canal_fast.dataframes import columns, export
from canal_fast.errors import FrameError, LogFormatError

NAMES = {0: ("engine", 500_000), 2: "body"}


def package(name: str) -> Any:
    return pytest.importorskip(name, reason=f"NOT RUN: {name} is not installed")


def plain(table: Any) -> list[dict[str, Any]]:
    """A pyarrow table's rows, time stamps as numbers."""
    pa = package("pyarrow")
    at = table.column_names.index("timestamp")
    times = table["timestamp"].cast(pa.int64())
    rows: list[dict[str, Any]] = table.set_column(at, "timestamp", times).to_pylist()
    return rows


@pytest.mark.parametrize("fd", [False, True])
@pytest.mark.parametrize("epoch", [False, True])
def test_values_and_types(fd: bool, epoch: bool) -> None:
    pa = package("pyarrow")
    frames = random_frames(3000, fd=fd)
    table = pa.table(cf.to_arrow(frames, epoch=epoch))
    table.validate(full=True)
    time = pa.timestamp("ns", tz="UTC") if epoch else pa.int64()
    assert table.schema.types == [time, pa.uint32(), pa.uint16(), pa.uint8(), pa.uint8(), pa.binary()]
    assert plain(table) == table_oracle.rows(frames)


def test_the_twin_on_a_frame_by_hand() -> None:
    frames = cf.make_frames(0x123, [b"\1\2\3"], timestamp_ns=7, channel=2)
    row = {"timestamp": 7, "arbitration_id": 0x123, "flags": 0, "channel": 2, "dlc": 3, "data": b"\1\2\3"}
    assert table_oracle.rows(frames) == [row]


@pytest.mark.parametrize("fd", [False, True])
def test_consumers_take_the_bare_object(fd: bool) -> None:
    frames = random_frames(500, fd=fd)
    wanted = table_oracle.rows(frames)
    given = cf.to_arrow(frames)
    taken = 0
    for name, take in {
        "pyarrow": lambda m: m.record_batch(given),
        "polars": lambda m: m.DataFrame(given),
        "duckdb": lambda m, given=given: m.from_arrow(given).arrow(),
        "nanoarrow": lambda m: m.ArrayStream(given),
    }.items():
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        taken += 1
        assert plain(package("pyarrow").table(take(module))) == wanted, name
    if not taken:
        pytest.skip("NOT RUN: none of pyarrow, polars, duckdb, nanoarrow is installed")


def test_pandas_takes_the_bare_object() -> None:
    pd = package("pandas")
    package("pyarrow")
    if not hasattr(pd.DataFrame, "from_arrow"):
        pytest.skip("NOT RUN: pandas is older than 3")
    frames = random_frames(200)
    found = pd.DataFrame.from_arrow(cf.to_arrow(frames))
    assert found["data"].tolist() == [row["data"] for row in table_oracle.rows(frames)]
    assert found["timestamp"].astype("int64").tolist() == frames["timestamp_ns"].tolist()


def test_what_a_consumer_holds_outlives_the_frames() -> None:
    pa = package("pyarrow")
    frames = random_frames(5000)
    wanted = table_oracle.rows(frames)
    given = cf.to_arrow(frames, interfaces=NAMES)
    table, capsule = pa.table(given), given.__arrow_c_stream__()
    frames.view(np.uint8)[:] = 0xFF  # what is borrowed no longer counts for `table`
    del frames, given
    gc.collect()
    names = ["engine", "can1", "body"]
    assert plain(table) == [{**row, "channel": names[row["channel"]]} for row in wanted]
    del capsule, table
    gc.collect()


def test_a_capsule_is_consumed_once_and_an_object_often() -> None:
    pa = package("pyarrow")
    given = cf.to_arrow(random_frames(10))
    assert pa.table(given).equals(pa.table(given))
    capsule = given.__arrow_c_stream__()
    assert pa.RecordBatchReader._import_from_c_capsule(capsule).read_all().num_rows == 10
    with pytest.raises(ValueError, match="released"):
        pa.RecordBatchReader._import_from_c_capsule(capsule)
    schema, array = given.__arrow_c_array__()
    pa.RecordBatch._import_from_c_capsule(schema, array)
    with pytest.raises(ValueError, match="released"):
        pa.RecordBatch._import_from_c_capsule(schema, array)


def test_schema_only() -> None:
    pa = package("pyarrow")
    given = cf.to_arrow(random_frames(10), interfaces=NAMES, metadata={"ledger": {"received": 10}, "by": "me"})
    schema = pa.schema(given)
    assert schema.equals(pa.table(given).schema, check_metadata=True)
    assert schema.metadata[b"canal_fast.schema"] == b"1"
    assert schema.metadata[b"canal_fast.clock"] == b"epoch"
    channels = json.loads(schema.metadata[b"canal_fast.channels"])
    assert channels[0] == {"channel": 0, "name": "engine", "bitrate": 500_000}
    assert (json.loads(schema.metadata[b"ledger"]), schema.metadata[b"by"]) == ({"received": 10}, b"me")
    given.__arrow_c_schema__()  # released unread


def test_batches_end_before_the_offsets_do() -> None:
    pa = package("pyarrow")
    frames = random_frames(400, fd=True)
    given = cf.to_arrow(frames)
    given.offset_limit = 300
    table = pa.table(given)
    assert [len(chunk) for chunk in table["data"].chunks] == table_oracle.batches(frames, 300)
    assert plain(table) == table_oracle.rows(frames)
    with pytest.raises(ValueError, match=r"frames\[\d+\]: the payload before it has all of the 300 bytes"):
        given.__arrow_c_array__()
    given.offset_limit = 3
    with pytest.raises((ValueError, OSError), match="more payload than the 3 bytes"):
        pa.table(given)
    assert columns.OFFSET_LIMIT == 2**31 - 1


def test_batches_end_at_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    pa = package("pyarrow")
    monkeypatch.setattr(export, "BATCH_FRAMES", 100)
    frames = random_frames(250)
    table = pa.table(cf.to_arrow(frames))
    assert [len(chunk) for chunk in table["data"].chunks] == [100, 100, 50]
    assert (cf.from_arrow(table) == frames).all()


def test_channels_without_a_name_are_numbered() -> None:
    pa = package("pyarrow")
    frames = cf.make_frames(1, channel=[0, 1, 2, 9])
    names = pa.table(cf.to_arrow(frames, interfaces=NAMES))["channel"].to_pylist()
    assert names == ["engine", "can1", "body", "can9"]


@pytest.mark.parametrize("fd", [False, True])
def test_nothing_is_a_table_too(fd: bool) -> None:
    pa = package("pyarrow")
    frames = random_frames(0, fd=fd)
    for given in (cf.to_arrow(frames), cf.to_arrow(frames, interfaces=NAMES)):
        assert pa.table(given).num_rows == 0
        assert pa.record_batch(given).num_rows == 0
        assert len(cf.from_arrow(given)) == 0


@pytest.mark.parametrize("fd", [False, True])
@pytest.mark.parametrize("how", ["pyarrow", "polars", "sliced", "plain"])
def test_round_trip(fd: bool, how: str) -> None:
    pa = package("pyarrow")
    frames = random_frames(700, fd=fd)
    for names in (None, NAMES):
        given: Any = cf.to_arrow(frames, interfaces=names, epoch=how != "plain")
        wanted = frames
        if how == "polars":
            given = package("polars").DataFrame(given)
        elif how == "sliced":
            given, wanted = pa.table(given).slice(123, 400), frames[123:523]
        elif how == "plain":
            package("pandas")
            given = pa.table(given).to_pandas()
        found = cf.from_arrow(given, interfaces=names)
        assert found.dtype == frames.dtype
        assert (found == wanted).all()


def test_from_arrow_takes_the_dtype_that_fits() -> None:
    package("pyarrow")
    classical = random_frames(50)
    assert cf.from_arrow(cf.to_arrow(classical)).dtype == cf.FRAME_DTYPE
    assert cf.from_arrow(cf.to_arrow(classical), fd=True).dtype == cf.FD_FRAME_DTYPE
    with pytest.raises(FrameError, match="row 0 is a CAN FD frame") as caught:
        cf.from_arrow(cf.to_arrow(cf.make_frames([1, 2], bytes(12), fd=True)), fd=False)
    assert caught.value.index == 0


def test_from_arrow_numbers_names_without_metadata() -> None:
    pa = package("pyarrow")
    frames = cf.make_frames(1, channel=[4, 0, 7, 0])
    table = pa.table(cf.to_arrow(frames, interfaces={0: "engine", 4: "can4", 7: "x300"})).replace_schema_metadata(None)
    assert cf.from_arrow(table)["channel"].tolist() == [4, 0, 1, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pa, t: t.drop(["dlc", "data"]), "no column dlc, data"),
        (lambda pa, t: t.set_column(4, "dlc", pa.array([1, 16, 1], "u1")), "row 1: dlc = 16, allowed 0..15"),
        (lambda pa, t: t.set_column(4, "dlc", pa.array([3, 3, 2], "u1")), "row 2: data has 3 bytes, which dlc 2"),
        (lambda pa, t: t.set_column(1, "arbitration_id", pa.array([1, -1, 1])), "column arbitration_id .int64. does"),
        (lambda pa, t: t.set_column(1, "arbitration_id", pa.array(["a", "b", "c"])), "column arbitration_id .string."),
        (lambda pa, t: t.set_column(3, "channel", pa.array([1, None, 1])), "column channel has 1 nulls"),
        (lambda pa, t: t.set_column(5, "data", pa.array([1, 2, 3])), "column data .int64. does not become binary"),
    ],
)
def test_from_arrow_refuses(change: Any, message: str) -> None:
    pa = package("pyarrow")
    table = pa.table(cf.to_arrow(cf.make_frames([1, 2, 3], b"abc")))
    with pytest.raises(ValueError, match=message):
        cf.from_arrow(change(pa, table))


def test_frames_with_gaps_read_only_mapped_and_unpickled(tmp_path: Path) -> None:
    pa = package("pyarrow")
    frames = random_frames(300)
    wanted = table_oracle.rows(frames)
    np.save(tmp_path / "frames.npy", frames)
    mapped = np.load(tmp_path / "frames.npy", mmap_mode="r")
    for given in (mapped, pickle.loads(pickle.dumps(frames))):
        assert plain(pa.table(cf.to_arrow(given))) == wanted
    assert plain(pa.table(cf.to_arrow(frames[::-3]))) == wanted[::-3]


@pytest.mark.parametrize("given", [[1, 2], np.zeros(3), np.zeros((2, 2), cf.FRAME_DTYPE)])
def test_what_is_no_array_of_frames(given: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="frames must"):
        cf.to_arrow(given)


@pytest.mark.parametrize("interfaces", [{300: "a"}, {0: ""}, {0: 5}])
def test_interfaces_that_are_none(interfaces: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        cf.to_arrow(random_frames(1), interfaces=interfaces)


def test_many_threads_take_one_object() -> None:
    pa = package("pyarrow")
    frames = random_frames(20_000)
    given, found = cf.to_arrow(frames, interfaces=NAMES), []
    wanted = pa.table(given)
    threads = [threading.Thread(target=lambda: found.append(pa.table(given).equals(wanted))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8


def test_to_pandas() -> None:
    pd = package("pandas")
    frames = random_frames(300)
    found = cf.to_pandas(frames, interfaces=NAMES)
    assert str(found.index.dtype) == "datetime64[ns, UTC]"
    assert (found.index.asi8 == frames["timestamp_ns"]).all()
    assert found["data"].tolist() == [row["data"] for row in table_oracle.rows(frames)]
    assert found["channel"].tolist() == [["engine", "can1", "body"][c] for c in frames["channel"]]
    assert (found["arbitration_id"].to_numpy() == frames["arbitration_id"]).all()
    assert list(cf.to_pandas(frames, index=None).columns) == list(columns.COLUMNS)
    assert cf.to_pandas(frames, epoch=False).index.dtype == np.int64
    assert len(cf.to_pandas(frames[:0], interfaces=NAMES)) == 0
    with pytest.raises(ValueError, match="index = 'id', allowed"):
        cf.to_pandas(frames, index="id")
    assert pd is not None


def test_to_polars() -> None:
    package("polars")
    frames = random_frames(300)
    found = cf.to_polars(frames)
    assert found.columns == list(columns.COLUMNS)
    assert found["data"].to_list() == [row["data"] for row in table_oracle.rows(frames)]


@pytest.mark.parametrize("suffix", [".pcapng", ".log", ".pcapng.gz"])
def test_an_open_log_is_a_stream(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pa = package("pyarrow")
    path = tmp_path / f"x{suffix}"
    frames = cf.make_frames(np.arange(300) % 7, b"abcd", timestamp_ns=1_700_000_000_000_000_000 + np.arange(300) * 1000)
    frames["channel"] = np.arange(300) % 2
    if suffix.endswith(".gz"):
        import gzip

        cf.write_log(tmp_path / "y.pcapng", frames, interfaces={0: ("engine", 500_000), 1: "body"})
        path.write_bytes(gzip.compress((tmp_path / "y.pcapng").read_bytes()))
    else:
        cf.write_log(path, frames, interfaces={0: ("engine", 500_000), 1: "body"})
    with cf.logs.open_log(path) as log:
        table = pa.table(log)
        assert pa.table(log).num_rows == 0  # each frame once
    names = ["engine", "body"]
    assert plain(table) == [{**row, "channel": names[row["channel"]]} for row in table_oracle.rows(frames)]
    assert table.schema.metadata[b"canal_fast.clock"] == b"epoch"
    assert (cf.from_arrow(table)["data"] == frames["data"]).all()


@pytest.mark.parametrize("suffix", [".blf", ".asc", ".trc", ".pcap"])
def test_an_open_log_without_names_is_a_stream(suffix: str, tmp_path: Path) -> None:
    pa = package("pyarrow")
    frames = cf.make_frames([1, 2, 3], b"ab", timestamp_ns=1_700_000_000_000_000_000 + np.arange(3) * 10**6)
    cf.write_log(tmp_path / f"x{suffix}", frames)
    with cf.logs.open_log(tmp_path / f"x{suffix}") as log:
        table = pa.table(log)
        again = pa.table(cf.to_arrow(frames, interfaces=log.interfaces))
    assert table["channel"].to_pylist() == again["channel"].to_pylist() == ["can0"] * 3
    assert (cf.from_arrow(table) == frames).all()


def test_a_log_without_dates_stays_numbers(tmp_path: Path) -> None:
    pa = package("pyarrow")
    cf.write_log(tmp_path / "x.pcapng", cf.make_frames([1, 2], timestamp_ns=[5, 6]))
    with cf.logs.open_log(tmp_path / "x.pcapng") as log:
        table = pa.table(log)
    assert table["timestamp"].to_pylist() == [5, 6]
    assert table.schema.metadata[b"canal_fast.clock"] == b"not epoch"


def test_a_damaged_log_is_the_consumers_error(tmp_path: Path) -> None:
    pa = package("pyarrow")
    path = tmp_path / "x.log"
    path.write_text("(1700000000.000000) can0 123#00\n" * 3 + "(1700000000.000000) can0 123#0\n")
    with cf.logs.open_log(path) as log, pytest.raises((OSError, ValueError), match="line 4"):
        pa.table(log)
    path.write_text("(1700000000.000000) can0 123#0\n" * 2)
    with cf.logs.open_log(path) as log, pytest.raises(LogFormatError, match="line 1"):
        pa.table(log)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    frames = random_frames(2)
    for function, name in ((cf.to_pandas, "pandas"), (cf.to_polars, "polars"), (cf.from_arrow, r"canal_fast\[arrow\]")):
        with pytest.raises(ImportError, match=f"needs .*pip install '{name}'"):
            function(frames)
