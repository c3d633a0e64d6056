"""`canal-fast log` of several buses, into many files, of events only; and the mistakes a person makes with it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.__main__ import main

COMMAND = [sys.executable, "-P", "-m", "canal_fast", "log"]


def log(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
def test_two_buses(tmp_path: Path) -> None:
    out = tmp_path / "x.pcapng"
    buses = ["--source", "virtual:a;1000000;load=0.3,name=drive", "--source", "virtual:b;load=0.1"]
    run = log(*buses, "-o", out, "--duration", "1", "-v")
    assert run.returncode == 0, run.stderr
    lines = run.stderr.splitlines()
    assert re.fullmatch(rf"{re.escape(str(out))}: \d+ frames in 1\.\d s \(\d+ frames/s\)", lines[0])
    assert re.fullmatch(r"drive: \d+ frames, bus load [23]\d\.\d %, no loss was counted", lines[1])
    assert lines[2].startswith("ledger: ")
    assert re.fullmatch(r"b: \d+ frames, bus load \d+\.\d %, no loss was counted", lines[4])
    assert lines[-1] == f"next: canal-fast stat {out}"
    frames = cf.read_log(out)
    assert set(frames["channel"]) == {0, 1}


@pytest.mark.slow
def test_json_of_two_buses_and_many_files(tmp_path: Path) -> None:
    run = log(
        "--source", "virtual:a;load=0.5", "--source", "virtual:b;load=0.5", "-o", tmp_path / "{n}.pcapng",
        "--rotate-bytes", "20000", "--keep", "2", "--duration", "1", "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    end = json.loads(run.stdout.splitlines()[-1])
    assert set(end["sources"]) == set(end["late"]) == {"a", "b"}
    assert (
        end["frames_written"] == sum(row["delivered"] for row in end["sources"].values()) == end["ledger"]["delivered"]
    )
    assert end["files"] > 3
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_a_source_that_never_opens(tmp_path: Path) -> None:
    sources = ["--source", "virtual:a;load=0.1", "--source", "library=/no/such.so;1,name=gone"]
    run = log(*sources, "-o", tmp_path / "x.pcapng", "--duration", "0.5", "--reconnect", "0.1")
    assert run.returncode == 1
    assert "canal-fast log: gone could not be opened: no such driver library: /no/such.so; trying again" in run.stderr
    assert "canal-fast log: gone: never open" in run.stderr
    assert len(cf.read_log(tmp_path / "x.pcapng")) > 10
    assert log(*sources, "-o", tmp_path / "y.pcapng", "--duration", "1").returncode == 1
    assert not (tmp_path / "y.pcapng").exists()


@pytest.mark.slow
@pytest.mark.posix
def test_events_by_signal(tmp_path: Path) -> None:
    command = [
        *COMMAND, "--source", "virtual:a;load=0.3", "--trigger", "signal", "--pre", "0.2", "--post", "0.2", "-o",
        str(tmp_path / "event-{n}.pcapng"),
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(2)
        for _ in range(2):
            process.send_signal(signal.SIGUSR1)
            time.sleep(1)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert re.match(r"2 events in 2 files .*event-\{n\}\.pcapng: \d+ frames", said)
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in paths] == ["event-000001.pcapng", "event-000002.pcapng"]
    for path in paths:
        assert np.ptp(cf.read_log(path)["timestamp_ns"]) == pytest.approx(0.4e9, rel=0.1)


@pytest.mark.slow
def test_append_and_force_with_a_fixed_name(tmp_path: Path) -> None:
    out = tmp_path / "x.pcapng"
    bus = ["--source", "virtual:a;load=0.3", "--frames", "20", "-o", out]
    assert log(*bus).returncode == 0
    again = log(*bus)
    assert again.returncode == 1
    assert "the file exists" in again.stderr
    assert log(*bus, "--append").returncode == 0
    assert len(cf.read_log(out, strict=True)) == 40
    assert log(*bus, "--force").returncode == 0
    assert len(cf.read_log(out, strict=True)) == 20


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("--library virtual", 2, "--library says what the only source is, and so does --source: give one of them"),
        ("--config b", 2, "--config says what the only source is"),
        ("--serial ED000200", 2, "--serial says what the only source is"),
        ("--bitrate 500000", 2, "--bitrate is that of the only source; of a --source it is ,bitrate=N behind it"),
        ("--source can0", 2, "argument --source: source 'can0' must begin with virtual:"),
        ("--source virtual:a", 1, "two sources are called a; give them other names with ,name="),
        ("--source virtual:b --clock device", 1, 'clock = "device": 2 devices have no common time'),
        ("--trigger x -o e-{n}.pcapng", 2, "argument --trigger: trigger 'x', allowed id="),
        ("--trigger error -o e.pcapng", 1, "each event is a file; they need {n} or {time} in their names"),
        ("--trigger error -o e.pcapng", 1, "in their names, as in event-{n}.pcapng"),
        ("--trigger error", 1, "each event is a file"),
        ("--trigger error --frames 5 -o e-{n}.pcapng", 2, "--frames counts all frames, and --trigger records some"),
        ("--pre 5 -o e-{n}.pcapng", 1, "--pre = 5.0: time around triggers, of which there are none"),
        ("--rotate-s 0 -o e-{n}.pcapng", 1, "rotate_s = 0.0, allowed 0.1.."),
        ("--rotate-bytes 0 -o e-{n}.pcapng", 1, "--rotate-bytes = 0, allowed 4096.."),
        ("--rotate-bytes many -o e-{n}.pcapng", 2, "argument --rotate-bytes: 'many' is not a whole number"),
        (
            "--rotate-s 5 -o e.pcapng",
            1,
            "e.pcapng: several files need {n} or {time} in their names, as in e-{n}.pcapng",
        ),
        ("--rotate-s 5 -o e-{nn}.pcapng", 1, "e-{nn}.pcapng: placeholder {nn}, allowed {time}, {n}, {host}"),
        ("--rotate-s 5", 1, "rotation makes several files: it needs a path"),
        ("--keep 3 -o e-{n}.blf", 1, "Vector BLF does not say who made it"),
        ("--rotate-s 5 -o no/e-{n}.pcapng", 1, "no: there is no such folder"),
        ("--append --force -o e.pcapng", 2, "--append goes on in a file, and --force replaces it: give one of them"),
        ("--append -o e-{n}.pcapng", 1, "append goes on in one file"),
        ("--append -o e.log", 1, "append makes a new section, which only pcapng has, uncompressed; not candump"),
        ("--window -1", 1, "--window = -1.0, allowed 0..60"),
    ],
)
def test_mistakes(
    arguments: str,
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is recorded, not even a file made."""
    monkeypatch.chdir(tmp_path)
    try:
        ended = main(["log", "--source", "virtual:a", *arguments.split()])
    except SystemExit as error:
        ended = error.code  # type: ignore[assignment]
    assert (ended, words in (said := capsys.readouterr().err)) == (code, True), said
    assert not os.listdir(tmp_path)
