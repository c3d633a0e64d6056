"""`canal-fast monitor` on a terminal: its keys and sizes, and that terminal afterwards, whatever became of either."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_frames import random_frames
from terminal_program import BUS, PATIENCE_S, Program

import canal_fast as cf

COMMAND = [sys.executable, "-P", "-m", "canal_fast", "monitor"]


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    if os.name != "posix":
        pytest.skip("NOT RUN: no pseudo-terminals here")
    made: list[Program] = []

    def start(*words: str, **options: Any) -> Program:
        made.append(Program([*COMMAND, *words, "--interval", "0.05"], **options))
        return made[-1]

    yield start
    for program in made:
        program.close()


posix = pytest.mark.posix


@posix
def test_keys_and_sizes(start: Callable[..., Program]) -> None:
    program = start(*BUS)
    program.shows("canal-fast monitor  16 ids")
    program.shows(" 10F ")
    text = program.screen.text()
    assert text[1].startswith("bus0  load ")
    assert text[23].startswith("q quit")
    assert program.screen.styles[2][:79] == ["7"] * 79
    assert (program.screen.alternate, program.screen.cursor) == (True, False)
    program.types("/10a")
    program.shows("filter: 10a_")
    program.types("\r")
    program.shows("1 of 16 ids")
    program.types(" ")
    program.shows("PAUSED")
    program.types(" \x1b")
    program.until(lambda: "PAUSED" not in program.screen.text()[0] and " 16 ids" in program.screen.text()[0])
    program.types("s")
    program.shows("by count")
    program.resize(120, 40)
    program.until(lambda: program.screen.text()[39].startswith("q quit"))
    program.shows(" last ms ")
    program.types("q")
    assert program.ends() == 0
    program.is_restored()


@posix
@pytest.mark.slow
@pytest.mark.parametrize("end", ["ctrl-c", "SIGTERM", "SIGHUP", "SIGQUIT"])
def test_endings(end: str, start: Callable[..., Program]) -> None:
    program = start(*BUS)
    program.shows(" 10F ")
    inside = program.termios.tcgetattr(program.ours)
    assert inside[3] != program.modes[3]
    if end == "ctrl-c":
        program.types("\x03")
    else:
        program.program.send_signal(getattr(signal, end))
    assert program.ends() == 0
    program.is_restored()


@posix
@pytest.mark.slow
def test_the_modes_are_those_from_before(start: Callable[..., Program]) -> None:
    """Of the one terminal that outlives the program: a shell's."""
    command = shlex.join([*COMMAND, *BUS])
    program = Program(["/bin/sh", "-c", f"stty -g; {command}; stty -g; echo END"])
    try:
        program.shows(" 10F ")
        program.types("q")
        assert program.ends() == 0
        before, after, end = program.screen.outside.split()
        assert (before, end) == (after, "END")
    finally:
        program.close()


@posix
@pytest.mark.slow
def test_a_closed_terminal(start: Callable[..., Program]) -> None:
    program = start(*BUS)
    program.shows(" 10F ")
    os.close(program.ours)
    program.gone = True
    assert program.ends() == 0  # by itself


@posix
@pytest.mark.slow
def test_stopped_and_brought_back(start: Callable[..., Program]) -> None:
    command = shlex.join([*COMMAND, *BUS, "--interval", "0.05"])
    program = Program(["/bin/sh", "-c", f"set -m; {command}; echo STOPPED; sleep 0.2; fg >/dev/null; echo ENDED $?"])
    try:
        program.shows(" 10F ")
        program.types("\x1a")
        program.until(lambda: "STOPPED" in program.screen.outside)
        program.is_restored()
        program.until(lambda: program.screen.alternate)
        program.shows(" 10F ")
        program.types("q")
        program.until(lambda: "ENDED 0" in program.screen.outside)
        program.is_restored()
    finally:
        program.close()


@posix
@pytest.mark.slow
def test_a_broken_recording_is_told_after_the_screen(start: Callable[..., Program], tmp_path: Path) -> None:
    path = tmp_path / "bad.log"
    cf.write_log(path, cf.make_frames(range(200), b"1"))
    path.write_text(path.read_text() + "(0.1) can0 nonsense\n" * 3)
    program = start(str(path))
    assert program.ends() == 1
    program.is_restored()
    assert "bad.log: line 201: " in program.screen.outside


NOISE = """
import os, sys
from canal_fast.cli.streams import own_output
from canal_fast.cli.terminal import open_terminal
with own_output(), open_terminal() as terminal:
    terminal.write("\\x1b[1;1Hon the screen")
    os.system("echo of a driver; echo of another >&2")
    print("a warning", file=sys.stderr)
    raise LookupError("it breaks")
"""


@posix
@pytest.mark.slow
def test_what_others_print_comes_after_the_screen(start: Callable[..., Program]) -> None:
    program = Program([sys.executable, "-P", "-c", NOISE])
    try:
        assert program.ends() == 1
        program.is_restored()
        assert program.screen.text()[0] == "on the screen"
        said = program.screen.outside.split("\r\n")
        assert said[:3] == ["of a driver", "of another", "a warning"]
        assert "LookupError: it breaks" in said
    finally:
        program.close()


@posix
@pytest.mark.slow
def test_a_recording_stays_on_the_screen(start: Callable[..., Program], tmp_path: Path) -> None:
    path = tmp_path / "drive.pcapng"
    frames = random_frames(5000, ids=60)
    frames["timestamp_ns"] = np.maximum.accumulate(frames["timestamp_ns"])
    cf.write_log(path, frames)
    program = start(str(path))
    program.shows("no more frames come")
    program.shows("recorded")
    program.types("q")
    assert program.ends() == 0


@posix
@pytest.mark.slow
def test_keys_while_a_pipe_is_watched(start: Callable[..., Program], tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    cf.write_log(log, cf.make_frames([0x123], b"1"))
    command = f"(cat {log}; sleep 60) | {shlex.join([*COMMAND, '-'])}"
    program = Program(["/bin/bash" if os.path.exists("/bin/bash") else "/bin/sh", "-c", command])
    try:
        program.shows(" 123 ")
        program.types("q")
        program.until(lambda: not program.screen.alternate)
    finally:
        program.close()


@posix
@pytest.mark.slow
def test_without_colour(start: Callable[..., Program], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    program = start(*BUS)
    program.shows(" 10F ")
    for _ in range(10):
        program.read()
    used = {style for line in program.screen.styles for style in line}
    assert "7" in used
    assert not any(part.startswith("3") for style in used for part in style.split(";"))


@pytest.mark.slow
def test_a_pipe_gets_plain_text() -> None:
    run = subprocess.run([*COMMAND, *BUS], capture_output=True, text=True, timeout=PATIENCE_S)
    assert run.returncode == 0
    assert run.stdout.splitlines()[0].startswith("16 ids  1.")
    assert "\x1b" not in run.stdout
