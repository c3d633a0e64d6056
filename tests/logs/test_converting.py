"""`convert`: several sources, parts of them, targets that are there; the commands."""

from __future__ import annotations

import datetime as dt
import heapq
import json
import os
from pathlib import Path

import numpy as np
import pytest
from recorded import sample
from support.frames_of_all_kinds import START, frames_of_all_kinds

import canal_fast as cf
from canal_fast import FrameFlag as F
from canal_fast.__main__ import main
from canal_fast.logs import convert, open_log, read_log


def merged_slowly(sources: list[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """(time, number) of all sources: a frame counts with the greatest time of its source so far."""
    rows = []
    for index, source in enumerate(sources):
        latest = -(2**63)
        keyed = []
        for place, row in enumerate(source):
            latest = max(latest, row[0])
            keyed.append((latest, index, place, row))
        rows.append(keyed)
    return [row for *_, row in heapq.merge(*rows)]


@pytest.mark.parametrize("seed", range(40))
def test_merging_against_the_slow_twin(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 6))
    sources, paths = [], []
    for index in range(count):
        size = int(rng.choice([0, 1, 50, 400]))
        steps = rng.integers(-3, 6, size) if seed % 2 else rng.integers(0, 3, size)
        times = START + np.cumsum(steps)
        frames = cf.make_frames(
            index * 0x10000 + np.arange(size, dtype=np.int64), flags=F.EXTENDED_ID, timestamp_ns=times
        )
        path = tmp_path / f"{index}.pcapng"
        cf.write_log(path, frames)
        paths.append(path)
        sources.append([(int(f["timestamp_ns"]), int(f["arbitration_id"])) for f in frames])
    account = convert(paths, tmp_path / "all.pcapng")
    account.verify()
    merged = read_log(tmp_path / "all.pcapng")
    found = list(zip(merged["timestamp_ns"].tolist(), merged["arbitration_id"].tolist(), strict=True))
    assert found == merged_slowly(sources)


def test_merging_more_than_a_batch(tmp_path: Path) -> None:
    a = sample(tmp_path / "a.pcapng", 0, 50_000, 1000)
    b = sample(tmp_path / "b.pcapng", 1, 30_000, 1700)
    account = convert([tmp_path / "a.pcapng", tmp_path / "b.pcapng"], tmp_path / "c.blf")
    both = np.concatenate([a, b])
    order = np.argsort(both["timestamp_ns"], kind="stable")
    assert np.array_equal(read_log(tmp_path / "c.blf"), both[order])
    assert (account.read, account.written) == (80_000, 80_000)


def test_merge_refuses_what_it_cannot(tmp_path: Path) -> None:
    from canal_fast._frames import Merge

    for count in (0, 257):
        with pytest.raises(ValueError, match=r"allowed 1..256"):
            Merge(count)
    merge = Merge(2)
    out = np.zeros(4, cf.FD_FRAME_DTYPE)
    assert merge.take(out, 0) == (0, 0)
    with pytest.raises(TypeError, match="FD records"):
        merge.give(0, cf.make_frames(1))
    merge.give(0, out[:2].copy())
    with pytest.raises(IndexError):
        merge.give(0, None)
    assert merge.take(out, 0) == (0, 1)
    merge.give(1, None)
    assert merge.take(out, 0) == (2, 0)


def test_channels_are_shared_by_name(tmp_path: Path) -> None:
    sample(tmp_path / "a.pcapng", 1, name="drive")
    sample(tmp_path / "b.pcapng", 1, name="body")
    sample(tmp_path / "c.pcapng", 3, name="drive")
    sample(tmp_path / "d.asc", 0)
    paths = [tmp_path / name for name in ("a.pcapng", "b.pcapng", "c.pcapng", "d.asc")]
    convert(paths, tmp_path / "all.pcapng")
    with open_log(tmp_path / "all.pcapng") as log:
        log.read()
        found = {row.name: (row.channel, row.frames) for row in log.interfaces}
    assert found == {"drive": (1, 200), "body": (0, 100), "can0": (2, 100)} or found["drive"] == (1, 200)
    assert sorted(channel for channel, _ in found.values()) == [0, 1, 2]


def test_one_name_for_two_bit_rates_is_refused(tmp_path: Path) -> None:
    for name, rate in (("a", 500_000), ("b", 250_000)):
        cf.write_log(tmp_path / f"{name}.pcapng", cf.make_frames(1), interfaces={0: ("bus", rate)})
    with pytest.raises(cf.LogFormatError, match=r"b.pcapng: interface bus has 250000 bit/s, and 500000 in .*a.pcapng"):
        convert([tmp_path / "a.pcapng", tmp_path / "b.pcapng"], tmp_path / "c.pcapng")
    assert not (tmp_path / "c.pcapng").exists()
    assert not (tmp_path / "c.pcapng.part").exists()


def test_more_than_256_channels_are_refused(tmp_path: Path) -> None:
    for name in "ab":
        frames = cf.make_frames(np.zeros(200, int), channel=np.arange(200))
        cf.write_log(tmp_path / f"{name}.pcapng", frames, interfaces={n: f"{name}{n}" for n in range(200)})
    with pytest.raises(cf.LogFormatError, match="more than 256 channels"):
        convert([tmp_path / "a.pcapng", tmp_path / "b.pcapng"], tmp_path / "c.pcapng")


def test_parts(tmp_path: Path) -> None:
    source, target = tmp_path / "a.pcapng", tmp_path / "b.pcapng"
    frames = sample(source)
    middle = dt.datetime(2023, 11, 14, 22, 13, 20, 143_456)  # 20 ms after the first one
    for start, stop, first, last in (
        (0.01, 0.02, 10, 20),
        (None, 0.005, 0, 5),
        (0.0901, None, 91, 100),
        (middle, None, 20, 100),
        (middle.replace(tzinfo=dt.UTC), middle + dt.timedelta(milliseconds=5), 20, 25),
        (-5, 1e9, 0, 100),
        (-1e30, 1e30, 0, 100),
    ):
        account = convert(source, target, start=start, stop=stop, force=True)
        account.verify()
        assert np.array_equal(read_log(target), frames[first:last])
        assert account.cut == 100 - (last - first)
    for start, stop in ((2, 1), (1, 1), (middle, middle), (1.5, middle)):
        with pytest.raises(ValueError, match=r"^start = .*, stop = .*: allowed is a stop behind the start"):
            convert(source, target, start=start, stop=stop, force=True)
    with pytest.raises(TypeError, match="stop must be a number, not str"):
        convert(source, target, stop="1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"channels = 'can0', allowed a sequence .* such as \['can0'\]"):
        convert(source, target, channels="can0")
    account = convert(source, target, filters=[{"can_id": 1, "can_mask": 3}], force=True)
    assert np.array_equal(read_log(target), frames[1::4])
    assert (account.filtered, account.written) == (75, 25)


def test_marks_of_filtered_frames_go_to_the_next(tmp_path: Path) -> None:
    frames = cf.make_frames([1, 2, 1, 2], channel=[0, 0, 1, 0], timestamp_ns=START)
    frames["flags"][0] |= F.GAP
    cf.write_log(tmp_path / "a.pcapng", frames)
    convert(tmp_path / "a.pcapng", tmp_path / "b.pcapng", filters=[{"can_id": 2, "can_mask": 0x7FF}])
    assert read_log(tmp_path / "b.pcapng")["flags"].tolist() == [F.GAP, 0]


def test_channels_by_number_and_name(tmp_path: Path) -> None:
    frames = cf.make_frames(np.arange(90, dtype=np.int64), channel=np.arange(90) % 3, timestamp_ns=START)
    cf.write_log(tmp_path / "a.pcapng", frames, interfaces={0: "drive", 2: "body"})
    account = convert(tmp_path / "a.pcapng", tmp_path / "b.pcapng", channels=[1, "body"])
    assert np.array_equal(read_log(tmp_path / "b.pcapng"), frames[frames["channel"] != 0])
    assert account.filtered == 30


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (["can9"], "channels: can9 in none of the sources, which have 0 drive, 1 can1, 2 body"),
        ([0, "bodyy"], "channels: bodyy in none of"),
        ([7, 9], "channels: 7, 9 in none of"),
    ],
)
def test_channels_that_are_not_there_are_named(wanted: list[int | str], words: str, tmp_path: Path) -> None:
    frames = cf.make_frames(np.arange(90, dtype=np.int64), channel=np.arange(90) % 3, timestamp_ns=START)
    cf.write_log(tmp_path / "a.pcapng", frames, interfaces={0: "drive", 2: "body"})
    with pytest.raises(ValueError, match=words):
        convert(tmp_path / "a.pcapng", tmp_path / "b.pcapng", channels=wanted)
    assert [path.name for path in tmp_path.iterdir()] == ["a.pcapng"]
    assert convert(tmp_path / "a.pcapng", tmp_path / "b.pcapng", channels=[0, 1, 2, 3, 4]).written == 90


def test_offsets(tmp_path: Path) -> None:
    a, b, c = (str(tmp_path / name) for name in ("a.pcapng", "b.pcapng", "c.pcapng"))
    frames = sample(Path(a))
    sample(Path(b), 1)
    convert([a, b], c, offsets={b: -0.0005})
    merged = read_log(c)
    assert merged["channel"][:4].tolist() == [1, 0, 1, 0]
    assert np.array_equal(merged[merged["channel"] == 1]["timestamp_ns"], frames["timestamp_ns"] - 500_000)
    with pytest.raises(ValueError, match=r"offsets: nobody is none of the sources"):
        convert([a, b], c, offsets={"nobody": 1}, force=True)
    with pytest.raises(ValueError, match="leaves the range of time stamps"):
        convert([a, b], c, offsets={b: 9e9}, force=True)


def test_names_and_bit_rates_are_kept(tmp_path: Path) -> None:
    cf.write_log(tmp_path / "a.pcapng", cf.make_frames(1, channel=2), interfaces={2: ("drive", 500_000)})
    convert(tmp_path / "a.pcapng", tmp_path / "b.pcapng")
    with open_log(tmp_path / "b.pcapng") as log:
        log.read()
        assert [(row.name, row.channel, row.bitrate) for row in log.interfaces] == [("drive", 2, 500_000)]


def test_counters_are_kept_and_added(tmp_path: Path) -> None:
    for name, overruns in (("a", 3), ("b", None)):
        with cf.logs.Recorder(tmp_path / f"{name}.pcapng", interfaces={0: "bus"}) as recorder:
            recorder.write(cf.make_frames(range(5), timestamp_ns=START))
            ledger = {"received": 10, "filtered": 2, "dropped": 3, "driver_overruns": overruns}
            recorder.write_statistics(ledger)
    expected = {"ifrecv": 13, "ifdrop": 3, "filteraccept": 8, "osdrop": 3, "usrdeliv": 5}
    source, both = tmp_path / "a.pcapng", [tmp_path / "a.pcapng", tmp_path / "b.pcapng"]
    summed = {"ifrecv": 23, "ifdrop": None, "filteraccept": 16, "osdrop": 6, "usrdeliv": 10}
    for sources, counters in ((source, expected), (both, summed)):
        convert(sources, tmp_path / "c.pcapng", force=True)
        with open_log(tmp_path / "c.pcapng") as log:
            log.read()
            assert log.statistics == {"bus": counters}
    convert(source, tmp_path / "c.pcapng", stop=-1, force=True)
    with open_log(tmp_path / "c.pcapng") as log:
        log.read()
        assert not log.statistics


@pytest.mark.posix
def test_targets_that_are_there(tmp_path: Path) -> None:
    source, target, link = tmp_path / "a.pcapng", tmp_path / "b.log", tmp_path / "link"
    sample(source)
    target.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="replaced with --force"):
        convert(source, target)
    assert target.read_bytes() == b"mine"
    convert(source, target, force=True)
    assert len(read_log(target)) == 100
    link.symlink_to(source)
    for same in (source, link):
        with pytest.raises(ValueError, match="the target is one of the sources"):
            convert(source, same, force=True, format="pcapng")
    os.link(source, tmp_path / "hard.pcapng")
    with pytest.raises(ValueError, match="the target is one of the sources"):
        convert([target, source], tmp_path / "hard.pcapng", force=True)
    (tmp_path / "out").mkdir()
    os.link(target, tmp_path / "out" / "a.log")
    with pytest.raises(ValueError, match=r"a.log: the target is one of the sources"):  # of another target
        convert([source, target], tmp_path / "out", format="candump", force=True)
    assert not list(tmp_path.glob("*.part"))


def test_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    sample(tmp_path / "a.pcapng")
    sample(tmp_path / "b.log.gz", count=7)
    sources = [tmp_path / "a.pcapng", tmp_path / "b.log.gz"]
    with pytest.raises(ValueError, match="the target is a folder: say which format"):
        convert(sources, out)
    account = convert(sources, out, format="asc")
    assert (account.read, account.written) == (107, 107)
    assert [len(read_log(out / name)) for name in ("a.asc", "b.asc")] == [100, 7]
    (tmp_path / "sub").mkdir()
    sample(tmp_path / "sub" / "a.log")
    with pytest.raises(ValueError, match=r"would both become .*a.blf"):
        convert([*sources, tmp_path / "sub" / "a.log"], out, format="blf")
    assert sorted(os.listdir(out)) == ["a.asc", "b.asc"]
    with pytest.raises(FileNotFoundError, match="there is no such folder; make it first"):
        convert(sources, f"{tmp_path}/new/", format="asc")
    assert not (tmp_path / "new").exists()


def test_sources_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\0\1\2")
    sample(tmp_path / "b.pcapng")
    (tmp_path / "cut.asc").write_text("   0.1 1  100 Rx d 1 FF\n   0.2 1  100 Rx d 99 FF\n")
    for sources, kind in (
        (["a.txt"], cf.LogFormatError),
        (["b.pcapng", "none.log"], FileNotFoundError),
        ([], ValueError),
        (["cut.asc"], cf.LogFormatError),
    ):
        with pytest.raises(kind):
            convert([tmp_path / name for name in sources], tmp_path / "c.log")
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.pcapng", "cut.asc"]
    account = convert(tmp_path / "cut.asc", tmp_path / "c.log", errors="skip")
    assert (account.written, account.skipped) == (1, {"bad line": 1})


def test_accounts_add() -> None:
    a = cf.logs.Account(read=5, written=3, cut=1, left_out={"fd": 1}, reduced={"gap": 2}, reduced_frames=2)
    b = cf.logs.Account(read=2, filtered=1, left_out={"fd": 0, "remote": 1}, skipped={"status": 4}, truncated=1)
    both = a + b
    both.verify()
    assert both.left_out == {"fd": 1, "remote": 1}
    assert (both.read, both.written, both.filtered, both.cut, both.truncated) == (7, 3, 1, 1, 1)
    assert json.loads(both.as_json())["reduced"] == {"gap": 2}
    with pytest.raises(AssertionError, match="does not add up"):
        cf.logs.Account(read=1).verify()


# The commands


def said(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    out, error = capfd.readouterr()
    return code, out, error


def test_what_a_target_lost_is_said_in_words(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frames = cf.make_frames([1, 2, 3], b"", timestamp_ns=np.arange(3, dtype=np.int64) * 1000)
    frames["flags"] = [cf.FrameFlag.GAP, cf.FrameFlag.TX, cf.FrameFlag.TX]
    cf.write_log("a.pcapng", frames)
    code, _, error = said(capfd, "convert", "a.pcapng", "b.csv", "--to", "csv")
    assert code == 0
    assert "convert: 1 frame lost the mark that frames are missing before them\n" in error
    assert "convert: 2 frames lost the mark that they were sent\n" in error


def test_commands(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    frames = frames_of_all_kinds(90)
    cf.write_log("a.pcapng", frames)
    code, out, error = said(capfd, "convert", "a.pcapng", "b.csv", "--to", "csv-gvret", "--json")
    account = json.loads(out)
    assert code == 3
    assert not error
    assert account["left_out"] == {"fd": 30, "remote": 10, "error_frame": 10, "status": 10}
    code, out, error = said(capfd, "convert", "a.pcapng", "b.asc")
    assert code == 3
    assert not out
    assert "canal-fast convert: 90 frames read, 80 written, 10 left out\n" in error
    assert "canal-fast convert: left out: 10 x status\n" in error
    code, out, error = said(capfd, "convert", "a.pcapng", "b.asc", "--force", "--strict")
    assert code == 1
    assert "would lose" in error or "has no place for" in error
    assert len(read_log("b.asc", fd=True)) == 80  # the one before stays
    code, out, error = said(capfd, "cut", "a.pcapng", "c.pcapng", "--start", "0", "--stop", "0.01", "--filter", "0:0")
    assert code == 0
    code, out, error = said(capfd, "cut", "a.pcapng", "c2.pcapng")
    assert (code, error) == (1, "canal-fast cut: cut needs --start, --stop, --filter or --channels\n")
    code, out, error = said(
        capfd, "merge", "a.pcapng", "c.pcapng", "d.blf", "--offset", "c.pcapng=1.5", "--channels", "0,1"
    )
    assert code == 3
    assert said(capfd, "merge", "a.pcapng", "c.pcapng", ".")[0] == 1
    code, out, error = said(capfd, "convert", "a.pcapng", "-", "--to", "candump")
    assert out == cf.logs.format_candump(frames).decode()
    assert code == 0
    for arguments in (["--start", "soon"], ["--offset", "3"], ["--filter", "x"], ["--channels", "0,,1"]):
        with pytest.raises(SystemExit):
            main(["convert", "a.pcapng", "e.log", *arguments])
        assert "error: argument" in capfd.readouterr().err
