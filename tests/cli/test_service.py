"""`canal-fast log` as a service: systemd, signals, figures, full disks, two of them onto one name; and a soak."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import canal_fast as cf

LONG = bool(os.environ.get("CANAL_FAST_LONG"))
SOURCES = [
    "--source",
    "virtual:s0;500000;load=0.4;seed=1;dlc=8,name=a",
    "--source",
    "virtual:s1;500000;load=0.4,name=b",
]
pytestmark = [pytest.mark.slow, pytest.mark.posix]


PROGRAM = ("-m", "canal_fast")


@contextlib.contextmanager
def logging(
    *arguments: object, sources: list[str] = SOURCES, program: tuple[str, str] = PROGRAM, **options: Any
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", *program, "log", *sources, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], Any], process: subprocess.Popen[str]) -> Any:
    """What the condition gives, once that is something."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if value := condition():
            return value
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("it did not come")


def figures(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))  # always whole
    except FileNotFoundError:
        return {}


def test_systemd_reopen_and_figures(tmp_path: Path) -> None:
    stats = tmp_path / "stats.json"
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(60)

        def listen() -> None:
            while "STOPPING=1" not in heard:
                heard.append(listener.recv(1000).decode())

        systemd = threading.Thread(target=listen, daemon=True)
        systemd.start()
        environment = os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        template = tmp_path / "can-{n}.pcapng"
        with logging("-o", template, "--reopen", "--stats-json", stats, env=environment) as process:
            until(lambda: len(heard) > 1, process)
            assert heard[0] == f"READY=1\nSTATUS=recording to {tmp_path / 'can-000001.pcapng'}"
            assert heard[1].startswith("WATCHDOG=1\nSTATUS=")
            first = until(lambda: (row := figures(stats)).get("frames") and row, process)
            assert first["state"] == "running"
            assert first["pid"] == process.pid
            assert set(first["interfaces"]) == {"a", "b"}
            assert all(row["open"] and row["lost"] == 0 for row in first["interfaces"].values())
            assert 0.2 < until(lambda: (row := figures(stats))["seconds"] > 2 and row, process)["load"] < 0.6
            assert first["disk_free"] > 0
            for number in (2, 3):
                process.send_signal(signal.SIGHUP)
                until(lambda number=number: figures(stats)["files"] == number, process)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0, said
        systemd.join(60)
        assert heard[-1] == "STOPPING=1"
        assert len(heard) > 8
    last = figures(stats)
    assert (last["state"], last["code"], last["files"], last["stats_failed"]) == ("ended", 0, 3, 0)
    paths = sorted(tmp_path.glob("can-*.pcapng"))
    assert [path.name for path in paths] == [f"can-{n:06d}.pcapng" for n in (1, 2, 3)]
    frames = np.concatenate([cf.read_log(path, strict=True) for path in paths])
    assert len(frames) == last["frames"] == sum(row["received"] for row in last["interfaces"].values())
    assert (np.diff(frames["timestamp_ns"].astype(np.int64)) >= 0).all()
    numbers = frames["data"][frames["channel"] == 0][:, :4].copy().view("<u4").ravel()
    assert numbers.tolist() == list(range(len(numbers)))  # nothing is missing where a file ends


def test_a_hang_up_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with logging("-o", path) as process:
        until(lambda: path.exists() and path.stat().st_size > 5000, process)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert len(cf.read_log(path, strict=True)) > 100


def test_figures_that_cannot_be_replaced(tmp_path: Path) -> None:
    """A folder takes the name meanwhile: recording goes on, each miss is counted, and the next second it is tried."""
    stats, path = tmp_path / "stats.json", tmp_path / "x.pcapng"
    with logging("-o", path, "--stats-json", stats) as process:
        until(lambda: figures(stats), process)
        while not stats.is_dir():
            stats.unlink(missing_ok=True)
            with contextlib.suppress(FileExistsError):  # it was replaced just then
                stats.mkdir()
        size = path.stat().st_size
        until(lambda: path.stat().st_size > size + 50_000, process)
        time.sleep(1.2)
        stats.rmdir()
        row = until(lambda: figures(stats), process)
        assert row["stats_failed"] >= 1
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert not list(tmp_path.glob("*.tmp"))


def test_the_second_of_two_refuses(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with logging("-o", path) as first:
        until(lambda: path.exists() and path.stat().st_size > 5000, first)
        for options, words in ((["--force"], "a recording is being written to this file"), ([], "the file exists")):
            with logging("-o", path, *options) as second:
                _, said = second.communicate(timeout=60)
                assert second.returncode == 1
                assert words in said
        first.terminate()
        first.communicate(timeout=60)
        assert first.returncode == 0
    frames = cf.read_log(path, strict=True)
    numbers = frames["data"][frames["channel"] == 0][:, :4].copy().view("<u4").ravel()
    assert numbers.tolist() == list(range(len(numbers)))


def test_a_full_disk_ends_it_and_says_so(tmp_path: Path) -> None:
    import resource

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    path, stats = tmp_path / "x.pcapng", tmp_path / "stats.json"
    with logging("-o", path, "--stats-json", stats, preexec_fn=small_files) as process:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1
    assert "frames are safely in the file" in said
    assert figures(stats)["code"] == 1
    assert len(cf.read_log(path, strict=True)) == figures(stats)["frames"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "x.pcapng", "--reopen"], "needs {n} or {time}"),
        (["--reopen"], "needs {n} or {time}"),
        (["-o", "x.pcapng", "--stats-json", "x.pcapng"], "a file of its own"),
        (["-o", "x.pcapng", "--stats-json", "missing/stats.json"], "missing: there is no such folder"),
        (["-o", "x.pcapng", "--on-full", "oldest"], "it needs --keep or --keep-bytes"),
        (["-o", "x.pcapng", "--fsync", "0"], "0 s is not above 0"),
        (["-o", "x.pcapng", "--fsync", "1e9"], "fsync = 1000000000.0, allowed 0.01..86400"),
    ],
)
def test_mistakes(arguments: list[str], words: str, tmp_path: Path) -> None:
    with logging(*arguments, cwd=tmp_path) as process:
        _, said = process.communicate(timeout=60)
        assert process.returncode in (1, 2)
    assert words in said
    assert not list(tmp_path.iterdir())


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


# numpy keeps up to seven freed arrays of each size below 1 KiB, 3.6 MB in all: it takes hours until each size was seen.
SETTLED = """
import sys
import numpy as np
kept = [np.empty(size, np.uint8) for size in range(1, 1024) for _ in range(7)]
del kept
from canal_fast.__main__ import main
sys.exit(main())
"""


@pytest.mark.unsanitized  # memory is the sanitizer's
@pytest.mark.skipif(sys.platform != "linux", reason="NOT RUN: needs /proc")
def test_soak(tmp_path: Path) -> None:
    """Saturated buses, files that rotate and go: memory and descriptors stay as they are."""
    seconds, settled = (600, 60) if LONG else (24, 8)
    faulthandler.cancel_dump_traceback_later()  # it does not hang
    sources = [
        word for n in range(4) for word in ("--source", f"virtual:soak{n};1000000;load=1;seed={n + 1},name=c{n}")
    ]
    stats = tmp_path / "stats.json"
    arguments = ["-o", tmp_path / "{time}-{n}.pcapng", "--rotate-s", 1, "--keep", 3, "--fsync", 1]
    arguments += ["--stats-json", stats, "--ring-frames", 32_768]  # whose memory has all been touched after 4 s
    times, sizes, descriptors = [], [], []
    # What is freed goes back to the system: a stalled machine's larger batches would leave holes in the heap.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
    with logging(*arguments, sources=sources, program=("-c", SETTLED), env=environment) as process:
        until(lambda: figures(stats), process)
        begin = time.monotonic()
        while (now := time.monotonic() - begin) < seconds:
            if now >= settled:
                times.append(now)
                sizes.append(resident(process.pid))
                descriptors.append(len(os.listdir(f"/proc/{process.pid}/fd")))
            time.sleep(0.5)
        process.terminate()
        _, said = process.communicate(timeout=60)
        assert process.returncode in (0, 3), said
    slope = float(np.polyfit(times, sizes, 1)[0]) * 3600 / 2**20
    row = figures(stats)
    print(
        f"{row['frames']} frames, {row['lost']} lost, {row['files']} files; resident {sizes[0] / 2**20:.1f} MiB, "
        f"{slope:+.3f} MiB an hour; descriptors {min(descriptors)}..{max(descriptors)}"
    )
    assert len(list(tmp_path.glob("*.pcapng"))) == 3
    assert max(descriptors) - min(descriptors) <= 2  # a file that is made or replaced at that moment
    assert np.median(descriptors[-10:]) == np.median(descriptors[:10])
    assert max(sizes[-10:]) - max(sizes[:10]) < 2**20
    if LONG:
        assert slope < 1
