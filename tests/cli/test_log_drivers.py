"""`canal-fast log` with drivers that print, that go away, that live in a host process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fake_table import LP64, Row, build

import canal_fast as cf

pytestmark = pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")
COMMAND = [sys.executable, "-P", "-m", "canal_fast", "log"]


def log(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("bridge", ["never", "always"])
def test_what_a_driver_prints_is_not_among_the_frames(bridge: str, fakes: Path) -> None:
    path = build(Row("prints to log"), fakes)
    done = log("--library", path, "--config", "print=1;frames=100", "--frames", "100", "--bridge", bridge)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert len(lines) == 100, lines[:3]
    assert all(line.startswith("(") for line in lines), lines[:3]
    assert "fake: initializing" in done.stderr


def test_what_a_driver_prints_is_not_in_the_json(fakes: Path, tmp_path: Path) -> None:
    path = build(Row("prints to log"), fakes)
    arguments = ["--library", path, "--config", "print=1;frames=100", "--frames", "100"]
    done = log(*arguments, "--json", "-o", tmp_path / "log.pcapng")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows[-1]["event"] == "end"
    assert rows[-1]["frames_written"] == 100


def test_reconnect(fakes: Path, tmp_path: Path) -> None:
    """An adapter that answers "empty" once it is gone, and is plugged in again 300 ms later."""
    path = build(Row("unplugged log", file="usb2can.so"), fakes)
    config = "frames=100;bursts=1;unplug=60;back=300"
    done = log(
        "--library", path, "--config", config, "--reconnect", "0.05", "--frames", "160", "--json",
        "-o", tmp_path / "log.pcapng",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ledger = json.loads(done.stdout.splitlines()[-1])["ledger"]
    assert ledger["outages"] == 1
    assert ledger["outage_ns"] > 0
    frames = cf.read_log(tmp_path / "log.pcapng")
    assert frames["flags"][60] & cf.FrameFlag.GAP
    assert len(frames) == 160


def test_what_passed_in_an_outage_is_not_called_none(fakes: Path, tmp_path: Path) -> None:
    path = build(Row("unplugged log", file="usb2can.so"), fakes)
    config = "frames=100;bursts=1;unplug=60;back=300"
    words = ["--library", path, "--config", config, "--reconnect", "0.05", "--frames", "160"]
    done = log(*words, "-o", tmp_path / "log.pcapng")
    assert done.returncode == 0, done.stderr
    assert re.search(r"; the driver was away for \d+\.\d s, and what passed then is unaccounted$", done.stderr, re.M)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--reconnect", "0"], "reconnect"),
        (["--reconnect", "-1"], "reconnect"),
        (["--clock-step", "ignore"], "clock-step"),
        (["--bridge", "perhaps"], "bridge"),
    ],
)
def test_mistakes(arguments: list[str], words: str) -> None:
    done = log("--library", "virtual", *arguments)
    assert done.returncode in (1, 2), (done.returncode, done.stderr)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_reconnect_needs_a_driver_that_tells(fakes: Path) -> None:
    path = build(Row("logger", macros="-DFAKE_GEN1", file="vscpl1drv-logger.so"), fakes)
    done = log("--library", path, "--config", "crash_open=1", "--reconnect", "1")
    assert done.returncode == 1
    assert "nothing tells that it failed" in done.stderr


@pytest.mark.parametrize(
    ("format", "name", "left_out", "kept"),
    [
        ("csv-gvret", "x.csv", {"fd": 3, "remote": 2}, 7),
        ("trc-1.1", "x.trc", {"fd": 3}, 9),
        (None, "x.trc", {}, 12),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_frames_that_the_format_has_no_place_for(
    as_json: bool, format: str | None, name: str, left_out: dict[str, int], kept: int, tmp_path: Path
) -> None:
    frames = cf.make_frames(range(12), b"abc", fd=True, timestamp_ns=1_700_000_000 * 10**9)
    frames["flags"] = 0
    frames["flags"][:3] = cf.FrameFlag.FD
    frames["flags"][5:7] = cf.FrameFlag.REMOTE
    frames["data"][5:7] = 0
    cf.write_log(tmp_path / "a.pcapng", frames)
    config = f"b;500000;replay={tmp_path / 'a.pcapng'};speed=0;fd=1"
    options = [*(["--to", format] if format else []), *(["--json"] if as_json else [])]
    done = log("--library", "virtual", "--config", config, "-o", tmp_path / name, *options)
    assert done.returncode == (3 if left_out else 0), done.stderr
    if as_json:
        end = json.loads(done.stdout.splitlines()[-1])
        assert (end["left_out"], end["frames_written"], end["ledger"]["received"]) == (left_out, kept, 12)
    else:
        said = [line for line in done.stderr.splitlines() if "left out" in line]
        assert said == [
            f"canal-fast log: {count} x {kind} left out: the format has no place for them"
            for kind, count in left_out.items()
        ]
    assert len(cf.read_log(tmp_path / name, fd=True)) == kept


def test_the_format_of_a_suffix_that_two_have(tmp_path: Path) -> None:
    arguments = ["--library", "virtual", "--config", "b;500000;load=1", "--frames", "3", "-o", tmp_path / "x.csv"]
    done = log(*arguments)
    assert done.returncode == 1
    assert ".csv is the suffix of csv and csv-gvret: say which one with format= (--to)" in done.stderr
    assert not list(tmp_path.iterdir())
    assert log(*arguments, "--to", "csv").returncode == 0
    assert len(cf.read_log(tmp_path / "x.csv")) == 3
