"""Somebody sets the host's clock while a channel is open: noticed, told, and by default no time stamp goes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_table import LP64, Row, build

import canal_fast as cf
from canal_fast import FrameFlag
from canal_fast.logs import open_log

HOUR = 3_600_000_000_000
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or not LP64, reason="NOT RUN: needs LD_PRELOAD"),
    pytest.mark.unsanitized,  # whose runtime wants to be preloaded first
]

# Receives for a while before and after the clock is set; tells what the frames and the books say.
SCRIPT = """
import json, struct, sys, time
import numpy as np
import canal_fast as cf
from canal_fast.logs import Recorder
library, config, options, steps, clock_file, output = json.loads(sys.argv[1])
def gather(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        parts.append(channel.receive(timeout=0.02))
        if recorder: recorder.write(parts[-1])
parts, boundaries = [], []
recorder = Recorder(output) if output else None
with cf.Channel(library, config, **options) as channel:
    gather(0.2)
    for total in steps:
        boundaries.append(sum(map(len, parts)))
        with open(clock_file, "r+b") as file:
            file.write(struct.pack("q", total))
        gather(0.2)
    clock, ledger = channel.clock(), channel.ledger()
    channel.stop()
    parts.append(channel.receive(timeout=1) if channel.ledger().pending else parts[-1][:0])
    if recorder:
        recorder.write(parts[-1]); recorder.write_statistics(channel.ledger()); recorder.close()
frames = np.concatenate(parts)
print(json.dumps({"stamps": frames["timestamp_ns"].tolist(), "flags": frames["flags"].tolist(),
    "now": time.time_ns(), "boundaries": boundaries, "ledger": ledger.as_dict(),
    "steps": clock.steps, "before": clock.step_before_ns, "after": clock.step_after_ns, "at": clock.step_ns,
    "offset": clock.epoch_offset_ns}))
"""


@pytest.fixture(scope="module")
def preload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clock") / "step_clock.so"
    source = Path(__file__).parents[1] / "c" / "step_clock.c"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", str(source), "-o", str(path)], check=True)
    return path


def run(
    preload: Path, folder: Path, fakes: Path, steps: list[int], driver: str = "ticks", output: str = "", **options: Any
) -> dict[str, Any]:
    """What came of a channel in a process whose clock is set to so many ns ahead, one after another."""
    clock_file = folder / "clock"
    clock_file.write_bytes(bytes(8))
    library: Path | str = "virtual"
    config = "step;500000;rate=2000"
    if driver == "host":  # no time stamps: the moment of reading
        library, config = build(Row("slow stream"), fakes), "frames=4000;bursts=400;pause=5;no_ticks=1"
    arguments = json.dumps([str(library), config, options, steps, str(clock_file), output])
    environment = {**os.environ, "LD_PRELOAD": str(preload), "FAKE_CLOCK_FILE": str(clock_file)}
    command = [sys.executable, "-P", "-c", SCRIPT, arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def marked(said: dict[str, Any]) -> list[int]:
    return [i for i, flags in enumerate(said["flags"]) if flags & FrameFlag.CLOCK_STEP]


@pytest.mark.parametrize("bridge", ["never", pytest.param("always", marks=pytest.mark.slow)])
@pytest.mark.parametrize("driver", ["ticks", "host"])
@pytest.mark.parametrize("step", [pytest.param(HOUR, marks=pytest.mark.slow), -HOUR])
def test_mark(step: int, driver: str, bridge: str, preload: Path, tmp_path: Path, fakes: Path) -> None:
    said = run(preload, tmp_path, fakes, [step], driver, bridge=bridge)
    differences = np.diff(said["stamps"])
    assert (differences >= 0).all()
    assert differences.max() < HOUR / 2
    assert len(marked(said)) == 1  # but that it is told:
    assert abs(marked(said)[0] - said["boundaries"][0]) < 400
    assert said["steps"] == said["ledger"]["clock_steps"] == 1
    assert abs(said["after"] - said["before"] - step) < 50_000_000
    assert said["offset"] == pytest.approx(said["before"], abs=50_000_000)
    assert said["ledger"]["clock_step_before_ns"] == said["before"]
    assert said["ledger"]["clock_step_after_ns"] == said["after"]
    assert abs(said["at"] - said["now"]) < 5_000_000_000


@pytest.mark.parametrize("bridge", ["never", pytest.param("always", marks=pytest.mark.slow)])
@pytest.mark.parametrize("driver", ["ticks", "host"])
@pytest.mark.parametrize("step", [pytest.param(HOUR, marks=pytest.mark.slow), -HOUR])
def test_follow(step: int, driver: str, bridge: str, preload: Path, tmp_path: Path, fakes: Path) -> None:
    said = run(preload, tmp_path, fakes, [step], driver, bridge=bridge, clock_step="follow")
    differences = np.diff(said["stamps"])
    (at,) = marked(said)
    assert abs(differences[at - 1] - step) < 1_000_000_000  # the marked record is the first of the new time
    assert (np.delete(differences, at - 1) >= 0).all()
    assert abs(said["stamps"][-1] - said["now"]) < 2_000_000_000
    assert said["offset"] == pytest.approx(said["after"], abs=50_000_000)


def test_there_and_back(preload: Path, tmp_path: Path, fakes: Path) -> None:
    """Two steps: each is marked and counted; the books tell of the last."""
    said = run(preload, tmp_path, fakes, [HOUR, 0], clock_step="follow")
    assert len(marked(said)) == said["steps"] == 2
    assert abs(said["after"] - said["before"] + HOUR) < 50_000_000


def test_clock_that_is_not_set(preload: Path, tmp_path: Path, fakes: Path) -> None:
    said = run(preload, tmp_path, fakes, [0])
    assert (marked(said), said["steps"], said["ledger"]["clock_step_ns"], said["at"]) == ([], 0, 0, None)


def test_device_time_knows_no_step(preload: Path, tmp_path: Path, fakes: Path) -> None:
    """It is counted, but concerns no time stamp."""
    said = run(preload, tmp_path, fakes, [-HOUR], clock="device", clock_step="follow")
    assert (marked(said), said["steps"]) == ([], 1)
    assert (np.diff(said["stamps"]) >= 0).all()


def test_recording_tells(preload: Path, tmp_path: Path, fakes: Path) -> None:
    """The flag of the record, and time and offsets in the comment of the statistics block."""
    said = run(preload, tmp_path, fakes, [HOUR], output=str(tmp_path / "log.pcapng"))
    with open_log(tmp_path / "log.pcapng") as log:
        frames = log.read()
    assert [i for i, flags in enumerate(frames["flags"].tolist()) if flags & FrameFlag.CLOCK_STEP] == marked(said)
    text = f"host clock set 1 times, last at {said['at']} ns: offset {said['before']} -> {said['after']} ns"
    assert text.encode() in (tmp_path / "log.pcapng").read_bytes()


def test_unknown_mode() -> None:
    with pytest.raises(ValueError, match="clock_step"):
        cf.Channel.virtual("bus0", clock_step="ignore")
