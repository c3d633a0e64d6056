"""Bus load and rate that `canal-fast log` tells at its end: of the time that is recorded, not of what writing took."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.__main__ import main

SATURATED = "1000000;load=1;seed=1"


def told(capsys: pytest.CaptureFixture[str]) -> tuple[float, list[float]]:
    """Seconds and loads of the report."""
    text = capsys.readouterr().err
    (seconds,) = re.findall(r" in (\d+\.\d) s", text)
    return float(seconds), [float(load) for load in re.findall(r"bus load (\d+\.\d) %", text)]


@pytest.mark.parametrize("end", [["--duration", "0.4"], ["--frames", "4000"]])
def test_what_was_held_back_does_not_make_the_buses_emptier(
    end: list[str], bus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [f"--source=virtual:{bus}{letter};{SATURATED}" for letter in "ab"]
    assert main(["log", *sources, *end, "--window", "0.5", "-o", str(tmp_path / "x.pcapng")]) == 0
    seconds, loads = told(capsys)
    frames = cf.read_log(tmp_path / "x.pcapng")
    span = np.ptp(frames["timestamp_ns"].astype(np.int64)) / 1e9
    assert seconds == pytest.approx(span, abs=0.3)  # with writing it would be half a second more
    assert len(loads) == 2
    assert min(loads) > 60


def test_silence_belongs_to_the_time(bus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = f"--source=virtual:{bus};500000"
    assert main(["log", source, "--duration", "0.3", "-o", str(tmp_path / "x.pcapng")]) == 0
    seconds, loads = told(capsys)
    assert (seconds >= 0.3, loads) == (True, [0.0])
