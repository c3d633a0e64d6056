"""What a service manager and other programs are told."""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import socket
import time
from pathlib import Path

import pytest

import canal_fast as cf
from canal_fast.cli.service import Service
from canal_fast.logger import Logger
from canal_fast.logger.notify import Notifier
from canal_fast.logger.stats_file import StatsFile, disk_free

unix = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="NOT RUN: no AF_UNIX sockets")


def heard(listener: socket.socket) -> list[str]:
    listener.setblocking(False)
    messages = []
    while True:
        try:
            messages.append(listener.recv(4096).decode())
        except BlockingIOError:
            return messages


@unix
@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(abstract: bool, tmp_path: Path) -> None:
    name = f"@canal-fast-{os.getpid()}-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        try:
            listener.bind(name.replace("@", "\0", 1))
        except OSError:
            pytest.skip("NOT RUN: no abstract names here")
        notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())})
        assert notifier.watchdog_s == 1.5
        notifier.ready("recording\nx")
        notifier.alive("5 frames")
        notifier.stopping()
        assert heard(listener) == ["READY=1\nSTATUS=recording x", "WATCHDOG=1\nSTATUS=5 frames", "STOPPING=1"]
        notifier.close()
        notifier.ready("closed")
        assert heard(listener) == []
    assert Notifier({}).watchdog_s is None
    assert Notifier({"WATCHDOG_USEC": "5"}).watchdog_s is None


@unix
def test_systemd_that_is_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    name = str(tmp_path / "nobody")
    for wrong in ("", "0", "-5", "x", "9"):
        notifier = Notifier(
            {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": wrong, "WATCHDOG_PID": "1" if wrong == "9" else ""}
        )
        assert notifier.watchdog_s is None
        notifier.close()
    notifier = Notifier({"NOTIFY_SOCKET": name})
    notifier.ready("x")
    notifier.alive("x")
    notifier.close()
    assert [row.levelname for row in caplog.records] == ["WARNING"]
    Notifier({"NOTIFY_SOCKET": "vsock:2:1234"}).ready("x")
    assert "not a path or an abstract name" in caplog.records[-1].getMessage()


@unix
def test_systemd_that_comes_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is tried again at the next step, and what waited is sent then; words in no known encoding are sent, too."""
    name = tmp_path / "notify"
    notifier = Notifier({"NOTIFY_SOCKET": str(name), "WATCHDOG_USEC": "3000000"})
    assert not notifier.ready("x")
    assert not notifier.alive("1 frame")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(name))
        assert notifier.alive("file \udcff")
        assert heard(listener) == ["READY=1\nSTATUS=x", "WATCHDOG=1\nSTATUS=file ?"]
        assert len(caplog.records) == 1
        while notifier.alive("systemd is behind"):
            pass  # nobody takes them
        listener.setblocking(False)
        assert set(heard(listener)) == {"WATCHDOG=1\nSTATUS=systemd is behind"}
        assert notifier.alive("y")
        assert heard(listener) == ["WATCHDOG=1\nSTATUS=y"]
    notifier.close()
    late = Notifier({"NOTIFY_SOCKET": str(tmp_path / "late")})
    assert not late.ready("x")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "late"))
        late.go_on()
        late.go_on()
        assert heard(listener) == ["READY=1\nSTATUS=x"]
    late.close()
    assert len(caplog.records) == 2  # one of each


class Deaf:
    """A service manager that is behind at times."""

    watchdog_s = 1.0

    def __init__(self) -> None:
        self.answers = [True, False, False, True, True]
        self.asked_at: list[float] = []
        self.steps = 0

    def go_on(self) -> None:
        self.steps += 1

    def ready(self, status: str) -> bool:
        return True

    def alive(self, status: str) -> bool:
        self.asked_at.append(time.monotonic())
        return self.answers.pop(0)


def test_what_was_not_sent_is_tried_again_at_the_next_step(
    bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    deaf = Deaf()
    with Logger(f"virtual:{bus}", tmp_path / "x.pcapng") as logger:
        service = Service(logger, argparse.Namespace(output="x.pcapng", stats_json=None))
        monkeypatch.setattr(service, "_notifier", deaf)
        for _ in range(9):
            service.update(cf.make_frames([]))
            now[0] += 0.25
    assert deaf.asked_at == [0.0, 1.0, 1.25, 1.5]
    assert deaf.steps == 9


def test_figures_are_always_whole(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    path = tmp_path / "stats.json"
    stats = StatsFile(str(path))
    assert stats.replace({"frames": 1})
    assert json.loads(path.read_text()) == {"frames": 1, "stats_failed": 0}
    stats._beside = str(tmp_path / "gone" / "x.tmp")
    assert not stats.replace({"frames": 2})
    assert not stats.replace({"frames": 2})
    assert json.loads(path.read_text())["frames"] == 1
    assert len(caplog.records) == 1
    stats._beside = str(tmp_path / "x.tmp")
    assert stats.replace({"frames": 3})
    assert json.loads(path.read_text()) == {"frames": 3, "stats_failed": 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ["stats.json"]
    with pytest.raises(FileNotFoundError, match="no such folder"):
        StatsFile(str(tmp_path / "missing" / "x.json"))
    with pytest.raises(IsADirectoryError):
        StatsFile(str(tmp_path))


def test_the_disk(tmp_path: Path) -> None:
    free = disk_free(str(tmp_path / "x"))
    assert free is not None
    assert free > 0
    assert disk_free(str(tmp_path / "missing" / "x")) is None


def test_what_goes_on_for_months_leaves_no_cycles(bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Garbage that only the collector finds waits until a quarter of all objects is: until then memory grows."""
    now = [0.0]
    sources = [f"virtual:{bus}{number};1000000;load=1,name=c{number}" for number in range(2)]
    with Logger(sources, tmp_path / "x-{n}.pcapng", window_s=0.05, rotate_bytes=20_000, keep=2) as logger:
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        service = Service(logger, argparse.Namespace(output="x.pcapng", stats_json=str(tmp_path / "stats.json")))
        service.ready()

        def go_on(steps: int) -> None:
            for _ in range(steps):
                now[0] += 0.3
                service.update(logger.step())

        go_on(5)
        gc.collect()
        gc.disable()
        try:
            files = logger.recorder.files
            go_on(20)
            left = gc.collect()
        finally:
            gc.enable()
        assert logger.recorder.files > files
    assert left == 0
