"""`canal-fast monitor` without a terminal: what it prints, its keys, what it writes. On one: test_monitor_terminal."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_table import LP64, Row, build
from random_frames import random_frames
from terminal_program import BUS

import canal_fast as cf
from canal_fast.__main__ import main
from canal_fast.cli.monitor import watch
from canal_fast.cli.terminal import Keys
from canal_fast.live.sources import parse_source
from canal_fast.logger.feeds import Bus, LiveFeed
from canal_fast.logger.monitor import Monitor
from canal_fast.logger.view import View

DBC = """VERSION ""
BU_: Node
BO_ 256 Engine: 8 Node
 SG_ Speed : 0|16@1+ (0.25,0) [0|16383] "rpm" Node
 SG_ Gear : 16|3@1+ (1,0) [0|7] "" Node
BO_ 257 Brakes: 8 Node
 SG_ Pressure : 0|16@1+ (0.1,0) [0|6553] "bar" Node
VAL_ 256 Gear 0 "Park" 3 "Drive" ;
"""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "drive.pcapng"
    frames = random_frames(5000, ids=60)
    frames["timestamp_ns"] = np.maximum.accumulate(frames["timestamp_ns"])
    cf.write_log(path, frames, interfaces={0: ("engine", 500_000), 1: ("body", 125_000), 2: "other"})
    return path


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["monitor", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_recording_has_the_numbers_of_stat(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, str(recording), "--json")
    assert main(["stat", str(recording), "--json"]) == 0
    stat = json.loads(capsys.readouterr().out)
    assert len(found["ids"]) == len(stat["ids"]) == stat["identifiers"]
    names = {bus["channel"]: bus["name"] for bus in stat["channels"]}
    for one, other in zip(found["ids"], stat["ids"], strict=True):
        assert (one["bus"], one["arbitration_id"]) == (names[other["channel"]], other["arbitration_id"])
        assert (one["extended"], one["count"]) == (other["extended"], other["count"])
        for ours, theirs in (("period_mean_s", "period_mean_s"), ("jitter_s", "jitter_s")):
            if other["count"] > 1:
                assert one[ours] == pytest.approx(other[theirs], rel=1e-6, abs=1e-9)
    for bus, other in zip(found["buses"], stat["channels"], strict=True):
        assert (bus["name"], bus["frames"]) == (other["name"], other["frames"])
        if bus["name"] != "other":  # whose rate nobody knows
            assert bus["load"] == pytest.approx(other["load"], rel=0.01)
    assert found["buses"][2]["load"] is None
    assert found["ended"]
    assert sum(bus["error_frames"] + bus["status_messages"] for bus in found["buses"]) == stat["not_frames"]


def test_text(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["monitor", str(recording), "--filter", "engine", "--sort", "count"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    lines = out.splitlines()
    assert lines[1].startswith("engine  load ")
    assert "no load of other: the bit rate is not known; give --bitrate" in lines
    end = next(line for line in lines if line.startswith(" bus ")).index(" count") + len(" count")
    counts = [int(line[:end].split()[-1]) for line in lines if line.startswith(" engine")]
    assert len(counts) > 50
    assert counts == sorted(counts, reverse=True)
    assert main(["monitor", str(recording), "--bitrate", "250000"]) == 0
    assert "no load" not in capsys.readouterr().out


def test_signals_in_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cantools")
    (tmp_path / "car.dbc").write_text(DBC)
    (tmp_path / "more.dbc").write_text(DBC.replace("BO_ 257 Brakes", "BO_ 258 Doors").replace("rpm", "other"))
    path = tmp_path / "x.log"
    cf.write_log(path, cf.make_frames([0x100, 0x101, 0x102, 0x103], bytes([4, 1, 3, 0, 0, 0, 0, 0])))
    words = ["--dbc", str(tmp_path / "car.dbc"), "--dbc", str(tmp_path / "more.dbc")]
    found = printed(capsys, str(path), *words, "--json")
    assert [row["message"] for row in found["ids"]] == ["Engine", "Brakes", "Doors", None]
    assert found["ids"][0]["signals"] == {
        "Speed": {"value": "65", "unit": "rpm"},
        "Gear": {"value": "Drive", "unit": None},
    }
    assert main(["monitor", str(path), *words]) == 0
    out = capsys.readouterr().out
    assert "Speed           65 rpm" in out
    assert "Drive" in out


def test_a_bus_for_a_moment(capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, *BUS, "--json", "--once", "0.3")
    assert [row["arbitration_id"] for row in found["ids"]] == list(range(0x100, 0x110))
    (bus,) = found["buses"]
    assert (bus["name"], bus["bitrate"], bus["lost"], bus["state"]) == ("bus0", 1_000_000, 0, "error active")
    assert bus["frames"] == bus["ledger"]["delivered"]
    assert bus["load"] > 0
    assert not found["ended"]


def test_a_replay_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.log"
    cf.write_log(path, cf.make_frames([1, 2, 3], b"1"))
    words = ["--source", f"virtual:replayed;500000;replay={path};speed=0"]
    assert main(["monitor", *words, "--json", "--once", "30"]) == 0  # and not after 30 s
    found = json.loads(capsys.readouterr().out)
    assert found["ended"]
    assert [row["count"] for row in found["ids"]] == [1, 1, 1]
    assert found["buses"][0]["state"] == "ended"


def test_losses_are_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--source", "virtual:lossy;1000000;load=1;fifo=1;seed=1;ids=1-9", "--once", "0.3"]
    assert main(["monitor", *words]) == 3
    out = capsys.readouterr()
    assert "frames were lost" in out.err
    assert "lost 0" not in out.out


@pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")
def test_a_driver_that_fails(fakes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = build(Row("prints to log"), fakes)
    words = ["--source", f"library={path};frames=60;bursts=1;fail=35,name=away,bitrate=500000"]
    assert main(["monitor", *words, "--json", "--once", "30"]) == 1  # and not after 30 s
    said = capsys.readouterr()
    (bus,) = json.loads(said.out)["buses"]
    assert (bus["frames"], bus["state"], bus["bitrate"]) == (60, "failed", 500_000)
    assert bus["error"]
    assert f"canal-fast monitor: away: {bus['error']}" in said.err


@pytest.mark.slow
@pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")
def test_an_adapter_that_is_plugged_in_again(fakes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = build(Row("unplugged log", file="usb2can.so"), fakes)
    words = ["--source", f"library={path};frames=100;bursts=1;unplug=60;back=300,name=away", "--json"]
    assert main(["monitor", *words, "--reconnect", "0.05", "--once", "1.5"]) == 0
    (bus,) = json.loads(capsys.readouterr().out)["buses"]
    assert (bus["ledger"]["outages"], bus["gaps"], bus["error"]) == (1, 1, None)
    assert bus["frames"] >= 100


def test_paced_by_its_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.log"
    frames = cf.make_frames([1] * 50, b"1")
    frames["timestamp_ns"] = 10_000_000 * np.arange(50, dtype=np.int64)
    cf.write_log(path, frames)
    begun = time.monotonic()
    assert main(["monitor", str(path), "--speed", "5", "--json"]) == 0
    assert time.monotonic() - begun > 0.49 / 5
    assert json.loads(capsys.readouterr().out)["ids"][0]["count"] == 50


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("", 1, "give a recording, or --source KIND:CONFIG for each bus, such as socketcan:can0"),
        (f"x.log {BUS[0]} virtual:bus0", 1, "give a recording, or --source KIND:CONFIG for each bus"),
        ("--source can0", 2, "argument --source: source 'can0' must begin with virtual:, socketcan:"),
        ("--source virtual:b --source virtual:b", 1, "--source: two are called b; give them other names with ,name="),
        ("--source virtual:b;5", 1, "bitrate=5 is outside 1000..1000000"),
        ("--source virtual:b --speed 2", 1, "--speed is of recordings; a bus has its own"),
        ("x.log --speed 0", 2, "argument --speed: 0 s is not above 0"),
        ("x.log --interval 0.001", 1, "--interval = 0.001, allowed 0.02..60"),
        ("x.log --j1939", 1, "--j1939 says how a database is matched; give one with --dbc"),
        ("can0", 1, "can0: no such file; a bus is watched by --source, as in socketcan:can0"),
        ("nowhere.log", 1, "canal-fast monitor: nowhere.log: no such file or directory"),
        ("x.log --bitrate 500", 2, "argument --bitrate: 500 bit/s, allowed 1000..1000000: did you mean 500000?"),
        ("x.log --sort name", 2, "argument --sort: invalid choice: 'name'"),
        ("x.log --interval 0", 2, "argument --interval: 0 s is not above 0"),
        ("x.log --once soon", 2, "argument --once: 'soon' is not a number"),
        ("bad.log", 1, "bad.log: line 4: column 12: the identifier is not 3"),
    ],
)
def test_mistakes(
    words: str, code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    cf.write_log("x.log", cf.make_frames([1, 2, 3], b"1"))
    (tmp_path / "bad.log").write_text((tmp_path / "x.log").read_text() + "(0.1) can0 nonsense\n" * 3)
    try:
        found = main(["monitor", *words.split()])
    except SystemExit as end:
        found = int(end.code or 0)
    assert found == code
    assert said in capsys.readouterr().err


def test_no_such_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cantools")
    cf.write_log(tmp_path / "x.log", cf.make_frames([1], b"1"))
    assert main(["monitor", str(tmp_path / "x.log"), "--dbc", str(tmp_path / "none.dbc")]) == 1
    assert "none.dbc: no such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("(0.1) can0 123#1122\n(0.2) can0 12", "the recording was cut short: it ends inside a block or line"),
    ],
)
def test_poor_recordings(text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.log").write_text(text)
    main(["monitor", str(tmp_path / "x.log")])
    out = capsys.readouterr()
    assert said in out.out + out.err


def test_an_empty_capture_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "empty.pcapng"
    cf.write_log(path, cf.make_frames([1])[:0])
    assert main(["monitor", str(path)]) == 0
    assert "the recording is empty: no frames are in it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("virtual:bus0", (500_000, 500_000)),
        ("virtual:bus0,bitrate=125000", (125_000, 125_000)),
        ("virtual:bus0;1000000;load=1", (1_000_000, 1_000_000)),
        ("virtual:bus0;load=1;bitrate=250000; data_bitrate = 2000000", (250_000, 2_000_000)),
        ("socketcan:can0", (None, None)),
        ("socketcan:can0,bitrate=500000", (500_000, None)),
        ("usb2can:ED000200", (500_000, None)),
        ("library=x.so;a;b", (None, None)),
    ],
)
def test_rates_that_are_known(text: str, rates: tuple[int | None, int | None]) -> None:
    assert parse_source(text).known_bitrates == rates


def test_keys() -> None:
    keys = Keys()
    assert list(keys.feed("q \x1b[A\x1bOB\x1b[5~\x1b[6~\x1b[1~\x1b[F\r\x7fj")) == [
        "q", " ", "up", "down", "pageup", "pagedown", "home", "end", "enter", "backspace", "j",
    ]  # fmt: skip
    assert list(keys.feed("\x1b")) == ["escape"]
    assert list(keys.feed("\x1b[")) == []
    assert list(keys.feed("A\x1b[99;5~x\x1b[200~\0\x01")) == ["up", "x"]  # unknown ones are left out
    assert list(keys.feed("\x1bx")) == ["escape", "x"]


class Scripted:
    """A terminal whose keys and sizes are given, one a turn; it keeps what each turn wrote."""

    def __init__(self, *turns: str | tuple[int, int]) -> None:
        self.turns, self.writes, self.ending = list(turns), [[]], None
        self.columns, self.rows = 80, 24

    def size(self) -> tuple[int, int]:
        return self.columns, self.rows

    def write(self, text: str) -> None:
        self.writes[-1].append(text)

    def keys(self, timeout: float) -> list[str]:
        self.writes.append([])
        turn = self.turns.pop(0)
        if isinstance(turn, tuple):
            self.columns, self.rows = turn
            return []
        return [turn] if turn else []

    def fresh(self) -> bool:
        return False


def test_one_write_a_refresh_and_none_while_nothing_changes() -> None:
    with cf.Channel.virtual("refreshed;1000000;rate=2000;ids=1-9") as channel:
        monitor = Monitor(LiveFeed([channel], [Bus(0, "refreshed", 1_000_000)]))
        terminal: Any = Scripted("", "", " ", "", "", (100, 30), "", " ", "redraw", "q")
        watch(monitor, terminal, View(), 0.0)
    counts = [len(turn) for turn in terminal.writes]
    assert max(counts) == 1
    assert counts[0] == counts[3] == 1  # the first screen; that it is paused
    assert counts[4:6] == [0, 0]  # and stays so
    assert (counts[6], counts[7]) == (1, 0)  # the new size
    assert counts[8] == 1
    whole = [turn[0].count("\x1b[2J") for turn in terminal.writes if turn]
    assert sum(whole) == 3  # the first, the resized, the redrawn
