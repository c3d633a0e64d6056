"""Bus load and rate that `canal-fast log` tells at its end: of the time that is recorded, not of what writing took."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

import canal_fast as cf
from canal_fast import wire
from canal_fast.__main__ import main

SATURATED = "1000000;load=1;seed=1"


def told(capsys: pytest.CaptureFixture[str]) -> tuple[float, list[float]]:
    """Seconds and loads of the report."""
    text = capsys.readouterr().err
    (seconds,) = re.findall(r" in (\d+\.\d) s", text)
    return float(seconds), [float(load) for load in re.findall(r"bus load (\d+\.\d) %", text)]


def test_what_was_held_back_does_not_make_the_buses_emptier(
    bus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [f"--source=virtual:{bus}{letter};{SATURATED}" for letter in "ab"]
    path, began = tmp_path / "x.pcapng", time.monotonic()
    main(["log", *sources, "--frames", "4000", "--window", "0.5", "-o", str(path)])
    passed = time.monotonic() - began
    seconds, loads = told(capsys)
    assert seconds < passed - 0.5 + 0.06  # the last frame was written a window after it came; one decimal is told
    frames = cf.read_log(path)
    for channel, load in enumerate(loads):
        bits = wire.frame_length_bits(frames[frames["channel"] == channel]).sum()
        assert bits / 1e6 / (load / 100) == pytest.approx(seconds, abs=0.06)


def test_silence_belongs_to_the_time(bus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = f"--source=virtual:{bus};500000"
    assert main(["log", source, "--duration", "0.3", "-o", str(tmp_path / "x.pcapng")]) == 0
    seconds, loads = told(capsys)
    assert (seconds >= 0.3, loads) == (True, [0.0])
