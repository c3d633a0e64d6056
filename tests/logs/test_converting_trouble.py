"""A conversion that is disturbed: disks that fill, kills, interrupts, targets that vanish."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from fifos import opened_by
from recorded import sample
from support.frames_of_all_kinds import frames_of_all_kinds

import canal_fast as cf
from canal_fast.logs import convert, open_log, read_log


@pytest.mark.posix
@pytest.mark.parametrize("format", ["pcapng", "pcap", "candump", "asc", "trc", "csv", "blf", "log.gz"])
def test_disk_full(format: str, tmp_path: Path) -> None:
    """A limit on the size of files is as a disk that is full: write(2) takes a part, then fails."""
    source = tmp_path / "a.pcapng"
    cf.write_log(source, np.tile(frames_of_all_kinds(2000), 20))
    name = "candump" if format == "log.gz" else format
    target = tmp_path / ("x.log.gz" if format == "log.gz" else "x")
    program = f"""
import resource, signal
import canal_fast as cf
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (650_001, 650_001))
try:
    cf.logs.convert({str(source)!r}, {str(target)!r}, format={name!r})
except OSError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (part,) = tmp_path.glob("*.part")
    assert str(part) in done.stdout
    said = int(done.stdout.split("while recording: ")[1].split(" ")[0])
    with open_log(part) as log:
        assert len(log.read(fd=True)) == said > 0
        assert not log.truncated
    assert {path.name for path in tmp_path.iterdir()} == {"a.pcapng", part.name}


@pytest.mark.posix
@pytest.mark.parametrize("suffix", ["blf", "log", "asc", "log.gz"])
def test_killed(suffix: str, tmp_path: Path) -> None:
    """What is in the .part after a kill is whole, but for the item that was being written."""
    fifo, target = tmp_path / "fifo", tmp_path / f"x.{suffix}"
    os.mkfifo(fifo)
    program = f"from canal_fast.logs import convert; convert({str(fifo)!r}, {str(target)!r}, source_format='candump')"
    child = subprocess.Popen([sys.executable, "-P", "-c", program])
    try:
        with opened_by(child, fifo) as pipe:
            text = cf.logs.format_candump(frames_of_all_kinds(200_000 // 20))
            for _ in range(20):
                pipe.write(text)
            pipe.flush()
            deadline = time.monotonic() + 30
            part = target.with_name(target.name + ".part")
            while not (part.exists() and part.stat().st_size > 100_000):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            child.send_signal(signal.SIGKILL)
            child.wait(30)
    except BrokenPipeError:
        pass
    finally:
        child.kill()
        child.wait()
    assert not target.exists()
    with open_log(part) as log:
        assert len(log.read(fd=True)) > 1000
        assert log.lost_bytes == 0


@pytest.mark.posix
def test_ctrl_c_leaves_no_target(tmp_path: Path) -> None:
    source = tmp_path / "a.pcapng"
    sample(source)

    def interrupt(frames: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(source, tmp_path / "b.blf", progress=interrupt)
    assert os.listdir(tmp_path) == ["a.pcapng"]


@pytest.mark.posix
def test_a_target_that_vanishes(tmp_path: Path) -> None:
    source, target = tmp_path / "a.pcapng", tmp_path / "b.log"
    sample(source)
    with pytest.raises(FileNotFoundError, match=r"all is written, and is in .*b.log.part"):
        convert(source, target, progress=lambda frames: os.unlink(f"{target}.part"))
    with pytest.raises(FileNotFoundError):
        convert(source, tmp_path / "nowhere" / "b.log")
    assert os.listdir(tmp_path) == ["a.pcapng"]


@pytest.mark.posix
def test_a_rename_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "a.pcapng", tmp_path / "b.log"
    sample(source)

    def busy(old: str, new: str) -> None:
        raise PermissionError(13, "The process cannot access the file", new)

    monkeypatch.setattr("os.replace", busy)
    with pytest.raises(OSError, match=r"all is written, and is in .*b.log.part"):
        convert(source, target)
    assert len(read_log(f"{target}.part", format="candump")) == 100
