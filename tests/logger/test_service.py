"""What a service manager and other programs are told."""

from __future__ import annotations

import json
import logging
import os
import socket
from pathlib import Path

import pytest

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
    assert [row.levelname for row in caplog.records] == ["WARNING"]
    Notifier({"NOTIFY_SOCKET": "vsock:2:1234"}).ready("x")
    assert "not a path or an abstract name" in caplog.records[-1].getMessage()


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
