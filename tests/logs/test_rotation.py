"""One recording in many files: names, when one ends, what is kept, what the files say together."""

from __future__ import annotations

import itertools
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from recorded import NOW, counted, files, ledger, statistics

import canal_fast as cf
from canal_fast.logs import Recorder
from canal_fast.logs.rotation import Names, Rotation


def read(paths: list[Path]) -> cf.FrameArray:
    return np.concatenate([cf.read_log(path, strict=True) for path in paths])


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("can-{n}.pcapng", "can-000007.pcapng"),
        ("{time}.log.gz", "20261125T195517Z.log.gz"),
        ("{host}_{time}_{n}.pcapng", "plant-3_20261125T195517Z_000007.pcapng"),
        ("{n}-{n}.pcapng", "000007-000007.pcapng"),
        ("x.pcapng", "x.pcapng"),
    ],
)
def test_names(template: str, name: str) -> None:
    names = Names(os.path.join("folder", template), host="plant-3")
    assert names.fill(NOW, 7) == os.path.join("folder", name)
    fields = names.read(name)
    assert fields == ("20261125T195517Z" if "{time}" in template else "", 7 if "{n}" in template else 0, 1)
    for other in (f"a{name}", f"{name}.bak", name.replace("p", "q", 1) if "p" in name else name + "x"):
        assert names.read(other) is None, other


def test_names_that_only_the_time_tells_apart() -> None:
    names = Names("a.b-{time}.log.gz")
    assert names.fill(NOW, 3, 2) == "a.b-20261125T195517Z-2.log.gz"
    assert names.read("a.b-20261125T195517Z-2.log.gz") == ("20261125T195517Z", 0, 2)
    assert Names("{n}-{n}.log").read("000001-000002.log") is None
    assert Names("{n}.log").fill(0, 12_345_678) == "12345678.log"
    assert Names("{host}.log", host="a/b c").fill(0, 1) == "a_b_c.log"


@pytest.mark.parametrize(
    ("template", "options", "words"),
    [
        ("a-{nn}.pcapng", {"rotate_s": 1}, "a-{nn}.pcapng: placeholder {nn}, allowed {time}, {n}, {host}"),
        ("a-{}.pcapng", {"rotate_s": 1}, "placeholder {}, allowed"),
        ("a-{n.pcapng", {"rotate_s": 1}, "a brace that belongs to no placeholder"),
        ("{n}/a-{n}.pcapng", {"rotate_s": 1}, "placeholders belong into the file's name, not into that of its folder"),
        ("a.pcapng", {"rotate_s": 1}, "a.pcapng: several files need {n} or {time} in their names, as in a-{n}.pcapng"),
        ("a.log.gz", {"rotate_s": 1}, "as in a-{n}.log.gz"),
        ("{host}.log", {"keep": 1}, "several files need {n} or {time}"),
        ("-", {"rotate_s": 1}, "rotation makes several files: it needs a path such as can-{n}.pcapng"),
        ("{n}.pcapng", {"rotate_s": 0}, "rotate_s = 0, allowed 0.1..1000000000.0"),
        ("{n}.pcapng", {"rotate_s": float("nan")}, "rotate_s = nan, allowed"),
        ("{n}.pcapng", {"rotate_bytes": 0}, "rotate_bytes = 0, allowed 4096.."),
        ("{n}.pcapng", {"keep": 0}, "keep = 0, allowed 1.."),
        ("{n}.pcapng", {"keep_bytes": -1}, "keep_bytes = -1, allowed 4096.."),
        (
            "{n}.pcapng",
            {"keep_bytes": 5000, "rotate_bytes": 6000},
            "keep_bytes = 5000, allowed 6000 (rotate_bytes) and",
        ),
        ("{n}.blf", {"keep": 3}, "Vector BLF does not say who made it, and only what canal_fast made is deleted"),
        ("{n}.log", {"keep_bytes": 10**6}, "does not say who made it"),
        ("{n}.foo", {"rotate_s": 1}, "recordings end with .pcapng"),
        ("{n}.mf4", {"rotate_s": 1}, "is written by write_log and convert, and cannot be appended to"),
    ],
)
def test_mistakes(template: str, options: dict, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=re.escape(words)):
        Recorder(template, **options)
    assert not list(tmp_path.iterdir())


def test_a_colon_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """There it would be the name of a stream of another file, which nobody finds."""
    Names("can-12:30-{n}.pcapng") if os.name != "nt" else None
    monkeypatch.setattr("canal_fast.logs.rotation.on_windows", lambda: True)
    with pytest.raises(ValueError, match=r"can-12:30-\{n\}\.pcapng: a colon"):
        Names("can-12:30-{n}.pcapng")
    monkeypatch.setattr("os.path.splitdrive", lambda path: (path[:2], path[2:]))
    Names(r"C:can-{n}.pcapng")


def test_folders_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        Recorder(tmp_path / "no" / "{n}.pcapng", rotate_s=1)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="there is no such folder"):
        Recorder(tmp_path / "file" / "{n}.pcapng", rotate_s=1)
    if os.name == "posix" and os.geteuid():
        (tmp_path / "locked").mkdir(0o500)
        with pytest.raises(PermissionError, match="the folder may not be written to"):
            Recorder(tmp_path / "locked" / "{n}.pcapng", rotate_s=1)


@pytest.mark.parametrize("suffix", [".pcapng", ".log", ".asc", ".trc", ".blf", ".pcap", ".csv"])
def test_no_file_is_larger_than_said_and_none_is_lost(suffix: str, tmp_path: Path) -> None:
    frames = counted(3000)
    frames["flags"][::50] |= np.uint16(cf.FrameFlag.GAP)
    limit = 40_000 if suffix != ".blf" else 4096
    options = {"format": "csv"} if suffix == ".csv" else {}
    with Recorder(
        tmp_path / f"x-{{n}}{suffix}", rotate_bytes=limit, nanoseconds=suffix == ".log", **options
    ) as recorder:
        for first in range(0, 3000, 700):
            recorder.write(frames[first : first + 700])
        assert recorder.frames_written == 3000
        made = recorder.files
    paths = sorted(tmp_path.iterdir())
    assert len(paths) == made > (suffix != ".blf") + 1
    assert [path.name for path in paths[:2]] == [f"x-000001{suffix}", f"x-000002{suffix}"]
    back = read(paths)
    assert np.array_equal(back["data"], frames["data"])
    if suffix == ".pcapng":
        assert np.array_equal(back, frames)
        assert max(path.stat().st_size for path in paths) <= limit
        assert min(path.stat().st_size for path in paths[:-1]) > limit - 700
    assert recorder.account.read == recorder.account.written == 3000
    if "gap" in next(row for row in cf.logs.formats() if suffix in row.suffixes).keeps:
        assert np.array_equal(back["flags"] & cf.FrameFlag.GAP, frames["flags"] & cf.FrameFlag.GAP)


def test_compressed_files(tmp_path: Path) -> None:
    with Recorder(tmp_path / "{n}.log.gz", rotate_bytes=4096) as recorder:
        for first in range(0, 60_000, 1000):
            recorder.write(counted(1000, first))
            recorder.flush()
    paths = sorted(tmp_path.iterdir())
    assert len(paths) > 2
    assert np.array_equal(read(paths)["data"], counted(60_000)["data"])


def test_statistics_begin_anew_and_add_up(tmp_path: Path) -> None:
    with Recorder(
        tmp_path / "{n}.pcapng", rotate_bytes=4096, interfaces={0: ("body", 500_000), 1: "drive"}
    ) as recorder:
        for i in range(10):
            recorder.tell(ledger(70 * (i + 1), filtered=3 * i, dropped=i, overruns=2 * i))
            recorder.write(counted(60, 60 * i, channel=i % 2))
            recorder.write_statistics(ledger(1000 * i, overruns=None), 1)
    rows = [statistics(path) for path in files(tmp_path)]
    assert len(rows) > 4
    keys = ("ifrecv", "ifdrop", "filteraccept", "osdrop", "usrdeliv")
    assert all(list(row) == ["body", "drive"] for row in rows)
    sums = {
        name: {key: sum((row[name] or {}).get(key) or 0 for row in rows) for key in keys} for name in ("body", "drive")
    }
    assert sums["body"] == {"ifrecv": 718, "ifdrop": 18, "filteraccept": 700 - 27, "osdrop": 9, "usrdeliv": 300}
    assert sums["drive"] == {"ifrecv": 9000, "ifdrop": 0, "filteraccept": 9000, "osdrop": 0, "usrdeliv": 300}
    for path, row in zip(files(tmp_path), rows, strict=True):  # each is right by itself
        frames = cf.read_log(path)
        assert (row["body"] or {}).get("usrdeliv", 0) == (frames["channel"] == 0).sum()
        assert (row["drive"] or {"ifdrop": None})["ifdrop"] is None


def test_overruns_that_nobody_can_ask_for_any_more_stay_as_they_were(tmp_path: Path) -> None:
    """The driver's host process ended after a file had told of them."""
    with Recorder(tmp_path / "{n}.pcapng", rotate_bytes=1 << 20) as recorder:
        for overruns in (5, None, None):
            recorder.write(counted(10))
            recorder.tell(ledger(10, overruns=overruns))
            recorder.write_statistics(ledger(10, overruns=overruns))
            recorder.rotate()
    rows = [statistics(path)["can0"] or {} for path in files(tmp_path)[:3]]
    assert [row["ifdrop"] for row in rows] == [5, 0, 0]
    assert [row["ifrecv"] for row in rows] == [15, 0, 0]


def test_a_file_is_rotated_by_time_only_when_it_has_frames(tmp_path: Path) -> None:
    now = [0.0]
    rotation = Rotation(tmp_path / "{n}.pcapng", rotate_s=10, monotonic=lambda: now[0])
    with Recorder(rotation) as recorder:
        for _ in range(7 * 24 * 60):  # an idle week
            now[0] += 60
            recorder.write(counted(0))
        assert recorder.files == 1
        recorder.write(counted(5))
        recorder.write(counted(5, 5))
        now[0] += 10
        recorder.write(counted(0))
        assert recorder.files == 3
    assert [len(cf.read_log(path)) for path in files(tmp_path)] == [5, 5, 0]


def test_a_rotation_by_hand(tmp_path: Path) -> None:
    with Recorder(tmp_path / "{n}.pcapng", keep=100) as recorder:
        recorder.describe(0, "body")
        recorder.write(counted(1))
        recorder.rotate()
        recorder.write(counted(2))
    assert [list(statistics(path)) for path in files(tmp_path)] == [["body"], ["body"]]
    with Recorder(tmp_path / "x.pcapng") as recorder, pytest.raises(ValueError, match="this recording is one file"):
        recorder.rotate()
    with pytest.raises(ValueError, match="the recorder is closed"):
        recorder.rotate()


def test_numbers_go_on_behind_the_highest(tmp_path: Path) -> None:
    (tmp_path / "a-1000041.pcapng").touch()
    (tmp_path / "a-7.pcapng").touch()  # no number of ours
    (tmp_path / "b-2000000.pcapng").touch()
    (tmp_path / "a-1000043.pcapng").mkdir()  # made meanwhile
    rotation = Rotation(tmp_path / "a-{n}.pcapng")
    assert Path(rotation.next_name()).name == "a-1000044.pcapng"
    (tmp_path / "a-1000045.pcapng").touch()
    assert Path(rotation.next_name()).name == "a-1000046.pcapng"


def test_a_year_of_clocks(tmp_path: Path) -> None:
    """The wall clock is set back and forth, stands at 1970, passes both changes of daylight saving time; a file each
    20 s or so. No two names are the same, and none is that of a file which is there."""
    wall = [NOW]
    by_time = Rotation(tmp_path / "{time}.pcapng", wall=lambda: wall[0])
    by_number = Rotation(tmp_path / "{host}-{time}-{n}.pcapng", wall=lambda: wall[0])
    steps = itertools.cycle([20] * 50 + [-3600, 3600, 0, 0, -NOW, NOW, 86_400 * 30, -86_400 * 30, 0.5])
    names = []
    for step in itertools.islice(steps, 300):
        wall[0] += step
        for rotation in (by_time, by_number):
            names.append(rotation.next_name())
            Path(names[-1]).touch()
    assert len(set(names)) == len(names) == len(list(tmp_path.iterdir()))
    numbers = [int(name.rpartition("-")[2].partition(".")[0]) for name in names[1::2]]
    assert numbers == sorted(numbers)


def test_the_oldest_go(tmp_path: Path) -> None:
    with Recorder(tmp_path / "{n}.pcapng", rotate_bytes=4096, keep=3) as recorder:
        for i in range(20):
            recorder.write(counted(50, 50 * i))
            assert len(files(tmp_path)) <= 3
        assert recorder.files > 8
    kept = read(files(tmp_path))
    assert len(files(tmp_path)) == 3
    assert np.array_equal(kept, counted(1000)[-len(kept) :])
    with Recorder(tmp_path / "{n}.pcapng", rotate_bytes=4096, keep=2) as recorder:  # earlier runs count, too
        recorder.write(counted(5))
        assert [path.name for path in files(tmp_path)][-1] == Path(recorder.path).name
        assert len(files(tmp_path)) == 2


def test_bytes_are_kept_below_a_limit(tmp_path: Path) -> None:
    with Recorder(tmp_path / "{n}.pcapng", rotate_bytes=4096, keep_bytes=20_000) as recorder:
        for i in range(40):
            recorder.write(counted(30, 30 * i))
            recorder.write_statistics(ledger(30 * i))
            assert sum(path.stat().st_size for path in files(tmp_path)) <= 20_000
    kept = read(files(tmp_path))
    assert 200 < len(kept) < 1200
    assert np.array_equal(kept, counted(1200)[-len(kept) :])


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    ours = tmp_path / "can-000001.pcapng"
    cf.write_log(ours, counted(3))
    foreign = tmp_path / "can-000002.pcapng"
    foreign.write_bytes(ours.read_bytes().replace(b"canal_fast", b"dumpcap   "))
    text = tmp_path / "can-000003.pcapng"
    text.write_text("my notes on canal_fast \n")
    longer = tmp_path / "can-000001.pcapng.bak"
    longer.write_bytes(ours.read_bytes())
    (tmp_path / "can-000004.pcapng").mkdir()
    if os.name == "posix":
        (tmp_path / "can-000005.pcapng").symlink_to(longer)
    held = Recorder(tmp_path / "can-000006.pcapng")  # somebody else's open one
    others = set(tmp_path.iterdir()) - {ours}
    with Recorder(tmp_path / "can-{n}.pcapng", rotate_bytes=4096, keep=1) as recorder:
        for i in range(5):
            recorder.write(counted(100, 100 * i))
        assert set(tmp_path.iterdir()) == others | {Path(recorder.path)}
    held.close()


def test_what_cannot_be_deleted_is_said_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, unlink = str(tmp_path / "000001.pcapng"), os.unlink

    def refuse(path: str) -> None:
        if path == stuck:
            raise PermissionError(13, "it is open in another program", path)
        unlink(path)

    with Recorder(tmp_path / "{n}.pcapng", keep=2) as recorder, caplog.at_level(logging.WARNING, "canal_fast"):
        monkeypatch.setattr("os.unlink", refuse)
        for i in range(4):
            recorder.write(counted(1, i))
            recorder.rotate()
        assert [path.name for path in files(tmp_path)] == ["000001.pcapng", "000004.pcapng", "000005.pcapng"]
        assert "000001.pcapng could not be deleted (it is open in another program)" in caplog.text
        monkeypatch.undo()
        recorder.rotate()
        assert [path.name for path in files(tmp_path)] == ["000005.pcapng", "000006.pcapng"]


def test_a_clock_that_went_back_does_not_make_the_newest_the_oldest(tmp_path: Path) -> None:
    wall = [NOW]
    rotation = Rotation(tmp_path / "{time}.pcapng", keep=3, wall=lambda: wall[0])
    with Recorder(rotation) as recorder:
        for i in range(10):
            wall[0] -= 3600
            recorder.write(counted(1, i))
            recorder.rotate()
        kept = [row for path in files(tmp_path) for row in cf.read_log(path)["data"][:, 0]]
    assert sorted(kept) == [8, 9]


def test_two_recorders_of_one_name_do_not_meet(tmp_path: Path) -> None:
    with (
        Recorder(tmp_path / "{n}.pcapng", rotate_bytes=4096) as one,
        Recorder(tmp_path / "{n}.pcapng", rotate_bytes=4096) as two,
    ):
        for i in range(10):
            one.write(counted(50, 50 * i))
            two.write(counted(50, 50 * i, channel=1))
        assert one.path != two.path
    frames = read(files(tmp_path))
    assert (frames["channel"] == 0).sum() == (frames["channel"] == 1).sum() == 500
    assert one.files + two.files == len(files(tmp_path))


def test_a_file_that_another_made_first_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes between the choice of its name and its making; it is not deleted with ours."""
    rotation = Rotation(tmp_path / "{n}.pcapng", keep=1)
    next_name = rotation.next_name

    def taken() -> str:
        name = next_name()
        if name.endswith("000002.pcapng"):
            Path(name).write_bytes(b"theirs")
        return name

    monkeypatch.setattr(rotation, "next_name", taken)
    with Recorder(rotation) as recorder:
        for _ in range(3):
            recorder.write(counted(1))
            recorder.rotate()
    assert [path.name for path in files(tmp_path)] == ["000002.pcapng", "000005.pcapng"]


def test_placeholders_are_plain_text_without_rotation(tmp_path: Path) -> None:
    Recorder(tmp_path / "a-{n}.pcapng").close()
    assert [path.name for path in tmp_path.iterdir()] == ["a-{n}.pcapng"]


@pytest.mark.posix
def test_a_kill_leaves_every_file_whole(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, numpy as np, canal_fast as cf\n"
        "recorder = cf.logs.Recorder(sys.argv[1], rotate_bytes=8192)\n"
        "frames = cf.make_frames(np.arange(1000) % 2048)\n"
        "recorder.write(frames)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-P", "-c", code, tmp_path / "{n}.pcapng"], check=False)
    assert np.array_equal(read(files(tmp_path))["arbitration_id"], np.arange(1000) % 2048)
