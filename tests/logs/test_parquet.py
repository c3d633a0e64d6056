"""Folders of Parquet: what is put in comes out, once, whole, whatever happens between."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import analysis_oracle as twin
from oracle import table_oracle
from random_frames import random_frames

import canal_fast as cf
from canal_fast import analysis, signals, testing
from canal_fast.__main__ import main
from canal_fast.errors import LogFormatError
from canal_fast.logs import open_log, parquet, parquet_reading, read_log, to_parquet

pytest.importorskip("pyarrow", reason="NOT RUN: pyarrow is not installed")
DATABASE = Path(__file__).parents[1] / "data" / "databases" / "_toyota_2017.dbc"
DAY = 86_400 * 10**9


def recording(path: Path, count: int = 3000, seed: int = 1, fd: bool = True) -> cf.FrameArray:
    """Frames of two channels over three days, in order of time."""
    frames = random_frames(count, seed=seed, fd=fd, channels=2, step_ns=2 * DAY // count)
    frames["timestamp_ns"].sort()
    cf.write_log(path, frames, interfaces={0: ("engine", 500_000), 1: "a/b c="[:3]})
    return cf.read_log(path)


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {p.as_posix(): (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


def by_channel(frames: cf.FrameArray) -> list[list[dict[str, Any]]]:
    return [[row for row in table_oracle.rows(frames) if row["channel"] == c] for c in (0, 1)]


def test_frames_round_trip(tmp_path: Path) -> None:
    frames = recording(tmp_path / "x.pcapng")
    account = to_parquet(tmp_path / "x.pcapng", tmp_path / "lake")
    assert (account.frames, account.rows, account.undated) == (3000, 3000, 0)
    found, interfaces = read_log(tmp_path / "lake", with_interfaces=True)
    assert table_oracle.rows(found) == twin.merge(by_channel(frames))
    assert [(row.channel, row.name, row.bitrate) for row in interfaces] == [(0, "engine", 500_000), (1, "a/b", None)]
    assert sum(row.frames for row in interfaces) == 3000
    days = {str(np.datetime64(int(t) // DAY, "D")) for t in frames["timestamp_ns"]}
    assert len(days) > 2
    assert {p.name for p in (tmp_path / "lake").glob("date=*")} == {f"date={day}" for day in days}
    assert {p.name for p in (tmp_path / "lake").glob("date=*/*")} == {"channel=engine", "channel=a%2Fb"}
    with open_log(tmp_path / "lake") as log:
        assert (log.format, log.truncated, log.skipped) == ("parquet", False, 0)
        assert sum(map(len, log.batches(100))) == 3000


def test_small_row_groups_and_few_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP", 70)
    monkeypatch.setattr(parquet, "_OPEN_FILES", 1)
    monkeypatch.setattr(parquet_reading, "_ROWS", 33)
    frames = recording(tmp_path / "x.pcapng")
    account = to_parquet(tmp_path / "x.pcapng", tmp_path / "lake")
    assert table_oracle.rows(read_log(tmp_path / "lake")) == twin.merge(by_channel(frames))
    import pyarrow.parquet as pq

    for name in account.files:
        sizes = pq.ParquetFile(tmp_path / "lake" / name).metadata
        groups = [sizes.row_group(i).num_rows for i in range(sizes.num_row_groups)]
        assert groups[:-1] == [70] * (len(groups) - 1)


def test_repeating_changes_nothing(tmp_path: Path) -> None:
    recording(tmp_path / "x.pcapng")
    first = to_parquet(tmp_path / "x.pcapng", tmp_path / "lake")
    before = state(tmp_path / "lake")
    (tmp_path / "x.pcapng").rename(tmp_path / "other name.pcapng")
    assert to_parquet(tmp_path / "other name.pcapng", tmp_path / "lake") == first
    assert state(tmp_path / "lake") == before
    to_parquet(tmp_path / "other name.pcapng", tmp_path / "again")
    relative = {name.partition("lake/")[2]: data for name, (data, _) in before.items()}
    assert {n.partition("again/")[2]: d for n, (d, _) in state(tmp_path / "again").items()} == relative
    (tmp_path / "lake" / first.files[0]).unlink()  # lost: made anew
    to_parquet(tmp_path / "other name.pcapng", tmp_path / "lake")
    assert {n.partition("lake/")[2]: d for n, (d, _) in state(tmp_path / "lake").items()} == relative


def test_an_interrupted_call_leaves_nothing_that_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording(tmp_path / "x.pcapng")
    lake = tmp_path / "lake"
    with monkeypatch.context() as patch:
        patch.setattr(parquet.Partitions, "finish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            to_parquet(tmp_path / "x.pcapng", lake)
    assert state(lake) == {}
    with monkeypatch.context() as patch:  # a killed one cannot tidy up
        patch.setattr(parquet.Partitions, "__exit__", lambda *_: None)
        patch.setattr(parquet.json, "dumps", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            to_parquet(tmp_path / "x.pcapng", lake)
    with open_log(lake) as log:
        assert log.truncated
    with pytest.raises(LogFormatError, match="interrupted"):
        read_log(lake, strict=True)
    to_parquet(tmp_path / "x.pcapng", lake)
    with open_log(lake) as log:
        assert not log.truncated
        assert len(log.read()) == 3000
    assert not [name for name in state(lake) if name.endswith(".part")]


def test_several_recordings_are_one(tmp_path: Path) -> None:
    parts = [recording(tmp_path / f"{seed}.pcapng", seed=seed) for seed in (1, 2)]
    accounts = [to_parquet(tmp_path / f"{seed}.pcapng", tmp_path / "lake") for seed in (1, 2)]
    total = sum(accounts)
    assert isinstance(total, parquet.ParquetAccount)
    assert total.rows == 6000
    assert len(total.files) == len(set(total.files))
    assert pickle.loads(pickle.dumps(total)) == total
    found = read_log(tmp_path / "lake")
    assert sorted(found["timestamp_ns"].tolist()) == sorted(np.concatenate([p["timestamp_ns"] for p in parts]).tolist())
    assert (np.diff(found["timestamp_ns"]) >= 0).all()


def test_frames_without_a_date(tmp_path: Path) -> None:
    frames = cf.make_frames([1, 2, 3], b"ab", timestamp_ns=[5, 7, 2 * 10**18])
    cf.write_log(tmp_path / "x.pcapng", frames)
    account = to_parquet(tmp_path / "x.pcapng", tmp_path / "lake")
    assert (account.rows, account.undated) == (3, 2)
    assert {name.partition("/")[0] for name in account.files} == {"date=undated", "date=2033-05-18"}
    assert (read_log(tmp_path / "lake") == frames).all()


def test_others_read_the_folder(tmp_path: Path) -> None:
    frames = recording(tmp_path / "x.pcapng", fd=False)
    to_parquet(tmp_path / "x.pcapng", tmp_path / "lake")
    import pyarrow.dataset as ds

    table = ds.dataset(tmp_path / "lake", partitioning="hive").to_table()
    assert table.num_rows == 3000
    counts = {"engine": int((frames["channel"] == 0).sum()), "a/b": int((frames["channel"] == 1).sum())}
    assert {row["values"]: row["counts"] for row in table["channel"].value_counts().to_pylist()} == counts
    duckdb = pytest.importorskip("duckdb", reason="NOT RUN: duckdb is not installed")
    query = "select channel, count(*) from read_parquet(?, hive_partitioning = true) group by channel"
    rows = duckdb.execute(query, [f"{tmp_path}/lake/**/*.parquet"]).fetchall()
    assert dict(rows) == counts
    polars = pytest.importorskip("polars", reason="NOT RUN: polars is not installed")
    assert polars.scan_parquet(tmp_path / "lake" / "**" / "*.parquet").collect().height == 3000


def test_fd_frames_in_classical_arrays(tmp_path: Path) -> None:
    recording(tmp_path / "x.pcapng")
    to_parquet(tmp_path / "x.pcapng", tmp_path / "lake")
    assert read_log(tmp_path / "lake").dtype == cf.FD_FRAME_DTYPE
    with pytest.raises(cf.FrameError, match="an FD frame does not fit"):
        read_log(tmp_path / "lake", fd=False)


@pytest.fixture
def cars(tmp_path: Path) -> tuple[Path, Any]:
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    plan = cf.load_database(DATABASE).plan(choices="dictionary")
    rng = np.random.default_rng(3)
    ids = np.array([message.arbitration_id for message in plan.messages])[rng.integers(0, len(plan.messages), 4000)]
    frames = cf.make_frames(ids, rng.integers(0, 256, (4000, 8), dtype=np.uint8))
    frames["timestamp_ns"] = 1_700_000_000_000_000_000 + np.arange(4000) * (DAY // 3000)
    cf.write_log(tmp_path / "car.pcapng", frames)
    return tmp_path / "car.pcapng", plan


def test_signals(cars: tuple[Path, Any], tmp_path: Path) -> None:
    path, plan = cars
    account, counts = signals.to_parquet(plan, path, tmp_path / "lake")
    assert account.frames == 4000
    assert account.rows == counts.decoded + counts.short
    before = state(tmp_path / "lake")
    assert signals.to_parquet(plan, path, tmp_path / "lake")[0] == account
    assert state(tmp_path / "lake") == before
    import pyarrow.parquet as pq

    tables = plan.decode(read_log(path))
    for name in tables:
        files = sorted(f for f in account.files if f"message={name}/" in f)
        assert files
        wanted, at = tables[name], 0
        for file in files:
            found = pq.read_table(tmp_path / "lake" / file, partitioning=None)
            rows = slice(at, at + found.num_rows)
            at += found.num_rows
            assert found["timestamp"].cast("int64").to_pylist() == wanted.timestamp_ns[rows].tolist()
            for column, values in wanted.columns.items():
                texts, valid = wanted.texts.get(column), wanted.valid[column][rows].tolist()
                numbers = [texts[v] if texts else v for v in values[rows].tolist()]
                assert found[column].to_pylist() == [v if h else None for v, h in zip(numbers, valid, strict=True)]
        assert at == len(wanted)
    with pytest.raises(LogFormatError, match="holds signals, which decode wrote"):
        read_log(tmp_path / "lake")


def test_decode_command(cars: tuple[Path, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, _ = cars
    command = ["decode", str(path), "--dbc", str(DATABASE), "--to", "parquet"]
    assert main([*command, "-o", str(tmp_path / "lake")]) == 0
    assert "4000 frames, 4000 rows in" in capsys.readouterr().err
    before = state(tmp_path / "lake")
    assert main([*command, "-o", str(tmp_path / "lake")]) == 0
    assert state(tmp_path / "lake") == before
    assert main(command) != 0
    assert "--to parquet needs -o FOLDER" in capsys.readouterr().err


def test_folders_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(LogFormatError, match="is a directory without Parquet files"):
        read_log(tmp_path / "empty")
    (tmp_path / "empty" / "x.parquet").write_bytes(b"no")
    with pytest.raises(LogFormatError, match=r"x\.parquet"):
        read_log(tmp_path / "empty")
    with pytest.raises(ValueError, match="is a folder; format = 'blf'"):
        read_log(tmp_path / "empty", format="blf")
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "empty" / "x.parquet")
    with pytest.raises(LogFormatError, match="no frames of canal_fast"):
        read_log(tmp_path / "empty")


def test_a_damaged_file_is_an_error_of_the_recording(tmp_path: Path) -> None:
    recording(tmp_path / "x.pcapng")
    account = to_parquet(tmp_path / "x.pcapng", tmp_path / "lake")
    path = tmp_path / "lake" / account.files[-1]
    data = bytearray(path.read_bytes())
    data[4:2000] = bytes(1996)
    path.write_bytes(data)
    with pytest.raises(LogFormatError, match="lake"):
        read_log(tmp_path / "lake")


def test_sources_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="takes recordings by path"):
        to_parquet("-", tmp_path / "lake")
    with pytest.raises(FileNotFoundError):
        to_parquet(tmp_path / "none.log", tmp_path / "lake")
    (tmp_path / "bad.log").write_text("(1700000000.000000) can0 123#00\n" * 3 + "(1700000000.000000) can0 123#0\n")
    with pytest.raises(LogFormatError, match="line 4"):
        to_parquet(tmp_path / "bad.log", tmp_path / "lake")
    assert state(tmp_path / "lake") == {}
    assert to_parquet(tmp_path / "bad.log", tmp_path / "lake", errors="skip").rows == 3


def test_the_mark_says_what_was_written(tmp_path: Path) -> None:
    recording(tmp_path / "x.pcapng", count=50)
    account = to_parquet(tmp_path / "x.pcapng", tmp_path / "lake")
    (mark,) = (tmp_path / "lake" / parquet.MARKS).iterdir()
    assert json.loads(mark.read_text())["account"]["files"] == list(account.files)


def test_the_query_of_the_docs(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="NOT RUN: duckdb is not installed")
    page = (Path(__file__).parents[2] / "docs" / "reference" / "dataframes.md").read_text()
    query = page.split("```sql\n")[1].split("```")[0].replace("lake/**", f"{tmp_path}/lake/**")
    frames = testing.load_frames(3000, ids=5)
    cf.write_log(tmp_path / "x.pcapng", frames)
    to_parquet(tmp_path / "x.pcapng", tmp_path / "lake")
    rows = duckdb.sql(re.sub(r"\d{4}-\d\d-\d\d", "2026-01-01", query)).fetchall()
    wanted = {int(row["arbitration_id"]): row for row in analysis.periods(frames)}
    assert {row[1]: row[2] for row in rows} == {one: row["count"] for one, row in wanted.items()}
    for _, one, count, jitter in rows:  # SQL's is that of a sample
        assert jitter == pytest.approx(wanted[one]["jitter_ns"] * ((count - 1) / (count - 2)) ** 0.5)


MEMORY = """
import sys, threading
import canal_fast as cf, pyarrow.parquet

def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

def watch():
    while not stop.wait(0.005):
        peak.append(max(peak.pop(), held()))

cf.logs.to_parquet(sys.argv[1], "warm")
base, stop = held(), threading.Event()
peak = [base]
thread = threading.Thread(target=watch)
thread.start()
if sys.argv[3] == "folder":
    cf.logs.to_parquet(sys.argv[2], "lake")
else:
    with cf.logs.open_log(sys.argv[2]) as log:
        reader = pyarrow.RecordBatchReader.from_stream(log)
        with pyarrow.parquet.ParquetWriter("one.parquet", reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
stop.set()
thread.join()
print((peak[0] - base) >> 20)
"""


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.unsanitized
@pytest.mark.parametrize("how", ["folder", "stream"])
def test_memory_does_not_grow_with_the_recording(how: str, tmp_path: Path) -> None:
    """360 MB; CANAL_FAST_LONG=1: 1.08 GB."""
    part = testing.load_frames(2_000_000)
    span = int(part["timestamp_ns"][-1] - part["timestamp_ns"][0]) + 1000
    cf.write_log(tmp_path / "small.pcapng", part[:1000])
    with cf.logs.Recorder(tmp_path / "large.pcapng") as recorder:
        for _ in range(9 if os.environ.get("CANAL_FAST_LONG") else 3):
            recorder.write(part)
            part["timestamp_ns"] += span
    command = [sys.executable, "-P", "-c", MEMORY, "small.pcapng", "large.pcapng", how]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 200


def test_convert_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in (1, 2):
        recording(tmp_path / f"{seed}.pcapng", count=500, seed=seed)
    command = ["convert", str(tmp_path / "1.pcapng"), str(tmp_path / "2.pcapng"), str(tmp_path / "lake")]
    for _ in range(2):
        assert main([*command, "--to", "parquet"]) == 0
        assert "1000 frames in" in capsys.readouterr().err
        assert len(read_log(tmp_path / "lake")) == 1000
    assert main([*command, "--to", "parquet", "--start", "5"]) != 0
    assert "takes whole recordings, without --start" in capsys.readouterr().err
