"""`canal-fast decode`, and the example that draws."""

from __future__ import annotations

import csv
import io
import os
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.__main__ import main

pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "in.log"
    frames = cf.make_frames(
        [0x24, 0x123, 0x25], [bytes(8), b"\1", bytes(8)], timestamp_ns=[10**9, 2 * 10**9, 3 * 10**9]
    )
    cf.write_log(path, np.concatenate([frames, cf.make_frames(0x24, b"", flags=cf.FrameFlag.REMOTE)]))
    return path


@pytest.fixture
def toyota(data_dir: Path) -> str:
    return str(data_dir / "databases" / "_toyota_2017.dbc")


def test_lines(log: Path, toyota: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", str(log), "--dbc", toyota]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("(0000000001.000000) can0 024#0000000000000000 :: KINEMATICS(")
    assert "YAW_RATE: -125.0 deg/s" in lines[0]
    assert lines[1] == "(0000000002.000000) can0 123#01 :: Unknown frame id 291 (0x123)"
    assert "STEER_ANGLE_SENSOR(" in lines[2]
    assert lines[3].endswith("can0 024#R0")
    assert "2 frames decoded, 0 too short, 1 of other messages, 1 not data frames" in err
    assert main(["decode", str(log), "--dbc", toyota, "--signal", "YAW*"]) == 0
    assert capsys.readouterr().out == lines[0].partition(" :: ")[0] + " :: KINEMATICS(YAW_RATE: -125.0 deg/s)\n"


@pytest.mark.posix
def test_standard_input_line_by_line(log: Path, toyota: str) -> None:
    """As `candump -L can0 | canal-fast decode - --dbc X`: a line comes out before the next goes in."""
    command = [sys.executable, "-P", "-m", "canal_fast", "decode", "-", "--dbc", toyota]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for line in log.read_bytes().splitlines(keepends=True)[:3]:
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline().startswith(line.rstrip())
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.mark.posix
def test_lines_that_wait_in_a_pipe_come_out_together(toyota: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Counted(io.StringIO):
        flushes = 0

        def flush(self) -> None:
            self.flushes += 1

    reading, writing = os.pipe()
    os.write(writing, b"(1.000000) can0 024#0000000000000000\n" * 1000)
    os.close(writing)
    with open(reading) as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        monkeypatch.setattr("sys.stdout", counted := Counted())
        assert main(["decode", "-", "--dbc", toyota]) == 0
    assert counted.getvalue().count("KINEMATICS(") == 1000
    assert counted.flushes < 50


def test_standard_input_wherever_it_is(log: Path, toyota: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its handle: not every system has a path for it."""
    out = tmp_path / "x.csv"
    for more in ([], ["-o", str(out)]):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(log.read_bytes())))
        assert main(["decode", "-", "--dbc", toyota, *more]) == 0
    assert "KINEMATICS,YAW_RATE,-125.0" in out.read_text()


@pytest.mark.parametrize("name", ["x.csv", "x.npz"])
def test_what_is_read_is_not_replaced(name: str, log: Path, toyota: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The CSV was opened, and so emptied, before the recording of that name was read."""
    path = log.rename(log.with_name(name))
    before = path.read_bytes()
    for other in (path, f"{path.parent}{os.sep}.{os.sep}{name}"):
        assert main(["decode", str(path), "--dbc", toyota, "-o", str(other), "--force"]) == 1
        assert capsys.readouterr().err.endswith(f"{other}: the file is what is read, and is not replaced\n")
    assert path.read_bytes() == before


def test_a_csv_has_its_name_when_it_is_whole(log: Path, toyota: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    damaged = tmp_path / "damaged.log"
    damaged.write_bytes(log.read_bytes() + b"(4.0) can0 zzz#\n")
    for recording in ("missing.log", "damaged.log"):
        assert main(["decode", str(tmp_path / recording), "--dbc", toyota, "-o", str(folder / "x.csv")]) == 1
        assert list(folder.iterdir()) == []
        (folder / "x.csv").write_text("old")
        assert main(["decode", str(tmp_path / recording), "--dbc", toyota, "-o", str(folder / "x.csv"), "--force"]) == 1
        assert [path.read_text() for path in folder.iterdir()] == ["old"]
        (folder / "x.csv").unlink()


def test_csv_and_npz(log: Path, toyota: str, tmp_path: Path) -> None:
    wide, long, npz = tmp_path / "wide.csv", tmp_path / "long.csv", tmp_path / "all.npz"
    assert main(["decode", str(log), "--dbc", toyota, "--signal", "KINEMATICS.*", "-o", str(wide)]) == 0
    written = wide.read_text()
    assert main(["decode", str(log), "--dbc", toyota, "-o", str(wide)]) == 1
    assert wide.read_text() == written
    assert main(["decode", str(log), "--dbc", toyota, "--signal", "YAW_RATE", "-o", str(wide), "--force"]) == 0
    assert wide.read_text() == "timestamp_ns,YAW_RATE\n1000000000,-125.0\n"
    rows = list(csv.reader(written.splitlines()))
    assert rows[0][:2] == ["timestamp_ns", "YAW_RATE"]
    assert rows[1][:2] == ["1000000000", "-125.0"]
    assert main(["decode", str(log), "--dbc", toyota, "-o", str(long)]) == 0
    rows = list(csv.reader(long.read_text().splitlines()))
    assert rows[0] == ["timestamp_ns", "message", "signal", "value", "unit"]
    assert rows[1] == ["1000000000", "KINEMATICS", "YAW_RATE", "-125.0", "deg/s"]
    assert main(["decode", str(log), "--dbc", toyota, "-o", str(npz)]) == 0
    arrays = np.load(npz)
    assert arrays["KINEMATICS.YAW_RATE"].tolist() == [-125.0]
    assert arrays["KINEMATICS.YAW_RATE.timestamp_ns"].tolist() == [10**9]


def test_list_and_mistakes(log: Path, toyota: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--dbc", toyota, "--list"]) == 0
    out = capsys.readouterr().out
    assert "024  KINEMATICS  8 bytes" in out
    assert "problem: PCS_HUD: SET_ME_X10 and PCS_TEMP overlap" in out
    for arguments, words in (
        (["--dbc", toyota], "FILE is missing"),
        ([str(log), "--dbc", toyota, "--signal", "YAW_RAT"], "did you mean 'YAW_RATE'"),
        ([str(log), "--dbc", toyota, "-o", "x.txt"], "ends with .csv or .npz"),
        ([str(log), "--dbc", str(tmp_path / "no.dbc")], "no such file"),
    ):
        assert main(["decode", *arguments]) == 1
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(("more", "words"), [([], "in {}"), (["--signal", "YAW_RATE"], "with a chosen signal")])
def test_a_database_of_another_bus(
    more: list[str], words: str, toyota: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was not decoded is told; the table has its line of names, so that programs can read it."""
    log, out = tmp_path / "other.log", tmp_path / "other.csv"
    cf.write_log(log, cf.make_frames([0x7A1] * 3, b"\0"))
    assert main(["decode", str(log), "--dbc", toyota, "-o", str(out), *more]) == 0
    said = f"none of 3 frames is of a message {words.format(toyota)}; --j1939 matches"
    assert said in capsys.readouterr().err
    assert out.read_text() == ("timestamp_ns,YAW_RATE\n" if more else "timestamp_ns,message,signal,value,unit\n")
    assert main(["decode", str(log), "--dbc", toyota, *more]) == 0
    assert said in capsys.readouterr().err


def test_not_available(tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "j.log"
    cf.write_log(log, cf.make_frames(0x0CF00421, b"\xff" * 8, flags=cf.FrameFlag.EXTENDED_ID))
    command = ["decode", str(log), "--dbc", str(data_dir / "databases" / "CSS-Electronics-SAE-J1939-DEMO.dbc")]
    assert main(command) == 0
    assert "EngineSpeed: 8191.875 rpm" in capsys.readouterr().out
    assert main([*command, "--j1939-nulls"]) == 0
    assert "EEC1(priority: 3, source_address: 33, destination_address: 255)" in capsys.readouterr().out


@pytest.mark.slow
def test_plot_and_example(
    log: Path, toyota: str, tmp_path: Path, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="NOT RUN: matplotlib is not installed")
    picture = tmp_path / "a.png"
    assert main(["decode", str(log), "--dbc", toyota, "--signal", "YAW*", "--plot", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert (
        main(["decode", str(log), "--dbc", toyota, "--plot", str(picture), "--force"]) == 0
        or "allowed 1..16" in capsys.readouterr().err
    )
    example = runpy.run_path(str(tree / "examples" / "j1939_engine_speed.py"))
    example["main"](str(tmp_path / "b.png"))
    out = capsys.readouterr().out
    assert "EEC1: 577 rows in 186.1 s, from 0x00" in out
    assert "EngineSpeed: 0.000 .. 0.000 rpm" in out
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
