"""`canal-fast play`: what it says, and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import FrameFlag
from canal_fast.__main__ import main


@pytest.fixture
def path(tmp_path: Path) -> Path:
    frames = cf.make_frames(np.arange(40), b"1234", channel=np.arange(40) % 2)
    frames["timestamp_ns"] = 1_700_000_000 * 10**9 + 1_000_000 * np.arange(40)
    frames["flags"][5] = FrameFlag.ERROR_FRAME
    where = tmp_path / "two.pcapng"
    cf.write_log(where, frames, interfaces={0: "engine", 1: "body"})
    return where


def test_two_buses_and_what_is_said(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with cf.Channel.virtual("cli_play_a") as one, cf.Channel.virtual("cli_play_b") as two:
        words = ["--source", "virtual:cli_play_a,name=engine", "--source", "virtual:cli_play_b,name=body"]
        assert main(["play", str(path), *words, "--speed", "2"]) == 0
        said = capsys.readouterr()
        assert "39 frames sent in 0.0" in said.err
        assert "(engine 20, body 19)" in said.err
        assert "left out: 1 error frames" in said.err
        assert "lateness: mean " in said.err
        assert said.out == ""
        assert one.receive(20, min_frames=20, timeout=5)["arbitration_id"].tolist() == list(range(0, 40, 2))
        assert len(two.receive(19, min_frames=19, timeout=5)) == 19
        words = ["--source", "virtual:cli_play_a", "--map", "body=cli_play_a", "--speed", "0", "--json", "--loops", "2"]
        assert main(["play", str(path), *words]) == 0
        said = capsys.readouterr()
        row = json.loads(said.out)
        assert row["sent"] == {"cli_play_a": 38}
        assert row["skipped"] == {"error_frame": 1, "unmapped": 20}
        assert (row["stopped"], row["unsent"], row["error"], said.err) == (False, 0, None, "")
        assert [sorted(entry) for entry in row["lateness"]["histogram"]] == [["at_most_ns", "frames"]] * 17


SOURCE = "--source virtual:cli_bad"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("two.pcapng", 2, "the following arguments are required: --source"),
        ("two.pcapng --source can0", 2, "argument --source: source 'can0' must begin with virtual:, socketcan:"),
        (f"two.pcapng {SOURCE} --map body", 2, "argument --map: 'body' is not NAME=SOURCE, as in can0=bus0"),
        (f"two.pcapng {SOURCE} --map body=x", 1, "map: body goes to 'x', which is no source; there are cli_bad"),
        (f"two.pcapng {SOURCE} --map engin=cli_bad", 1, "'engin' is no channel of the recordings, which have engine"),
        (f"two.pcapng {SOURCE} --map body=cli_bad --map body=cli_bad", 1, "--map: one NAME is mapped twice"),
        (f"two.pcapng {SOURCE}", 1, "fewer sources than channels: the recordings have 2 (engine, body), and there a"),
        (f"two.pcapng {SOURCE} {SOURCE}", 1, "--source: two are called cli_bad; give them other names with ,name="),
        (f"two.pcapng {SOURCE} {SOURCE}2 {SOURCE}3", 1, "more sources than channels: the recordings have 2 (engine, b"),
        (f"two.pcapng {SOURCE} {SOURCE}2 --speed -1", 1, "speed = -1.0, allowed 0..1000000"),
        (f"two.pcapng {SOURCE} {SOURCE}2 --speed fast", 2, "argument --speed: 'fast' is not a number"),
        (f"two.pcapng {SOURCE} {SOURCE}2 --loops -1", 1, "loops = -1, allowed 0.."),
        (f"two.pcapng {SOURCE} {SOURCE}2 --start noon", 2, "argument --start: 'noon' is neither a number of seconds"),
        (f"two.pcapng {SOURCE} {SOURCE}2 --stop 0", 1, "nothing to play"),
        (f"timeless.log {SOURCE}", 1, "timeless.log has no times: all of its records are of 0 s; speed=0 plays it as"),
        (f"nowhere.log {SOURCE}", 1, "canal-fast play: nowhere.log: no such file or directory"),
        (f"fd.pcapng {SOURCE}", 1, "fd.pcapng: the bus cannot carry 1 CAN FD frames on a classical bus; the first"),
        ("two.pcapng --source virtual:b;5", 1, "bitrate=5 is outside 1000..1000000"),
    ],
)  # fmt: skip
def test_mistakes(
    words: str, code: int, said: str, path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(path.parent)
    cf.write_log("timeless.log", cf.make_frames([1, 2]))
    cf.write_log("fd.pcapng", cf.make_frames([1], fd=True))
    try:
        found = main(["play", *words.split()])
    except SystemExit as ended:
        found = ended.code  # type: ignore[assignment]
    out = capsys.readouterr()
    assert said in out.err
    assert (found, out.out) == (code, "")


def test_a_pipe(path: Path) -> None:
    words = ["play", "-", "--source", "virtual:x", "--map", "0=x", "--speed", "0", "--json"]
    run = subprocess.run(
        [sys.executable, "-P", "-m", "canal_fast", *words], input=path.read_bytes(), capture_output=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["frames"] == 20


@pytest.mark.skipif(os.name != "posix", reason="NOT RUN: signals are POSIX'")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_the_result_is_told(
    number: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = cf.make_frames(np.arange(1000))
    frames["timestamp_ns"] = 60 * 10**9 * np.arange(1000)
    path = tmp_path / "slow.pcapng"
    cf.write_log(path, frames)
    before = signal.getsignal(number)
    with cf.Channel.virtual("cli_stopped") as receiver:

        def stop_it() -> None:
            receiver.receive(1, timeout=30)
            os.kill(os.getpid(), number)

        thread = threading.Thread(target=stop_it)
        thread.start()
        assert main(["play", str(path), "--source", "virtual:cli_stopped", "--json"]) == 130
        thread.join()
    row = json.loads(capsys.readouterr().out)
    assert (row["stopped"], row["frames"]) == (True, 1)
    assert signal.getsignal(number) is before
