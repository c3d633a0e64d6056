"""What a recording survives: a kill, a power cut, a full disk, another recorder."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.logs import Recorder, files, output


def frames_of(first: int, count: int) -> cf.FrameArray:
    numbers = np.arange(first, first + count, dtype=np.int64)
    data = numbers.astype("<u8").view(np.uint8).reshape(count, 8)
    return cf.make_frames(numbers % 0x800, data, timestamp_ns=1_700_000_000_000_000_000 + numbers * 1000)


def numbers_in(paths: list[Path]) -> list[int]:
    return [int(n) for path in paths for n in cf.read_log(path, strict=True)["data"].view("<u8").ravel()]


class SmallDisk:
    """Lets files have so many bytes altogether; a file is opened and written through it."""

    def __init__(self, folder: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.size = folder, size
        real = output.create

        def create(path: str, *, exclusive: bool = False) -> io.FileIO:
            real(path, exclusive=exclusive).close()
            return self.file(path)

        monkeypatch.setattr(output, "create", create)

    def file(self, path: str) -> io.FileIO:
        disk = self

        class File(io.FileIO):
            def write(self, data: memoryview) -> int:  # type: ignore[override]
                left = disk.size - sum(entry.stat().st_size for entry in disk.folder.iterdir())
                if left <= 0:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return super().write(data[:left])

        return File(path, "r+")


def test_a_full_disk_costs_the_oldest_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    SmallDisk(tmp_path, 40_000, monkeypatch)
    template = tmp_path / "can-{n}.pcapng"
    with Recorder(template, rotate_bytes=8192, keep=1000, on_full="oldest") as recorder:
        for first in range(0, 5000, 100):
            recorder.write(frames_of(first, 100))
            recorder.write_statistics({"received": first + 100, "driver_overruns": 0, "filtered": 0, "dropped": 0})
        assert recorder.frames_written == 5000
        paths = sorted(tmp_path.iterdir())
        assert recorder.deleted == recorder.files - len(paths) > 10
    assert caplog.messages[0].endswith("the disk is full; the oldest file was deleted (1 so far)")
    found = numbers_in(paths)
    assert found == list(range(5000 - len(found), 5000))
    assert len(found) * 40 > 40_000 - 2 * 8192
    total = sum(path.stat().st_size for path in paths)
    assert total <= 40_000
    for path in paths:  # each file's account is of its own frames
        with cf.logs.open_log(path) as log:
            count = len(log.read())
            counters = log.statistics["can0"]
        assert counters["usrdeliv"] == count


@pytest.mark.parametrize("on_full", ["stop", "oldest"])
def test_a_full_disk_with_nothing_to_delete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_full: str) -> None:
    SmallDisk(tmp_path, 10_000, monkeypatch)
    (tmp_path / "can-000001.pcapng").write_bytes(b"somebody else's")
    with Recorder(tmp_path / "can-{n}.pcapng", keep=5, on_full=on_full) as recorder:
        with pytest.raises(OSError, match="frames are safely in the file") as caught:
            recorder.write(frames_of(0, 1000))
        assert caught.value.errno == errno.ENOSPC
        path = Path(recorder.path)
        count = recorder.frames_written
    assert numbers_in([path]) == list(range(count))
    assert count > 100
    assert (tmp_path / "can-000001.pcapng").exists()


TMPFS = 'mount -t tmpfs -o size=400k tmpfs "$1" && shift && exec "$@"'
ON_TMPFS = """
import json, sys
import numpy as np
import canal_fast as cf
folder, count = sys.argv[1], int(sys.argv[2])
recorder = cf.logs.Recorder(folder + "/can-{n}.pcapng", rotate_bytes=60_000, keep=1000, on_full="oldest", fsync=0.5)
with recorder:
    for first in range(0, count, 500):
        numbers = np.arange(first, first + 500, dtype=np.int64)
        data = numbers.astype("<u8").view(np.uint8).reshape(500, 8)
        recorder.write(cf.make_frames(numbers % 0x800, data, timestamp_ns=numbers))
        recorder.write_statistics({"received": first + 500, "driver_overruns": 0, "filtered": 0, "dropped": 0})
import pathlib
found, accounts = [], 0
for path in sorted(pathlib.Path(folder).iterdir()):
    with cf.logs.open_log(path, strict=True) as log:
        frames = log.read()
        accounts += log.statistics["can0"]["usrdeliv"] == len(frames)
    found += frames["data"].view("<u8").ravel().tolist()
counts = [recorder.frames_written, recorder.deleted, recorder.files]
print(json.dumps([*counts, found[0], found[-1], len(found), accounts]))
"""


@pytest.mark.posix
def test_a_small_tmpfs(tmp_path: Path) -> None:
    private = ["unshare", "--mount", "sh", "-c"]
    try:
        ok = not subprocess.run([*private, 'mount -t tmpfs tmpfs "$0"', str(tmp_path)], capture_output=True).returncode
    except OSError:
        ok = False
    if not ok:
        pytest.skip("NOT RUN: nothing can be mounted here")
    command = [*private, TMPFS, "sh", str(tmp_path), sys.executable, "-P", "-c", ON_TMPFS, str(tmp_path), "50000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    written, deleted, files, first, last, count, accounts = json.loads(done.stdout)
    assert written == 50_000
    assert (last, count) == (49_999, 50_000 - first)
    assert deleted > 20
    assert accounts == files - deleted
    assert count * 40 > 200_000


def test_oldest_needs_files_to_delete(tmp_path: Path) -> None:
    for options, words in (
        ({"on_full": "oldest"}, "it needs keep or keep_bytes"),
        ({"on_full": "oldest", "rotate_bytes": 5000}, "it needs keep or keep_bytes"),
        ({"on_full": "newest", "keep": 3}, "on_full = 'newest', allowed 'stop', 'oldest'"),
        ({"fsync": 0}, r"fsync = 0, allowed 0\.01\.\.86400"),
        ({"fsync": float("nan")}, "fsync = nan, allowed"),
    ):
        with pytest.raises(ValueError, match=words):
            Recorder(tmp_path / "can-{n}.pcapng" if "keep" in options else tmp_path / "{n}.pcapng", **options)
    with pytest.raises(TypeError, match="fsync must be a number, not str"):
        Recorder(tmp_path / "x.pcapng", fsync="1")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_fsync_at_most_every_so_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, synced, real = [100.0], [0], os.fsync

    def fsync(descriptor: int) -> None:
        synced[0] += 1
        real(descriptor)

    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr(os, "fsync", fsync)
    path = tmp_path / "x.log"
    with Recorder(path, fsync=2.5) as recorder:
        recorder.write(frames_of(0, 3))
        now[0] += 2
        recorder.write(frames_of(3, 3))
        assert synced[0] == 0
        now[0] += 0.5
        recorder.write(frames_of(6, 0))
        assert synced[0] == (2 if os.name == "posix" else 1)  # the folder, once
        now[0] += 2.4
        recorder.write(frames_of(6, 3))
        assert synced[0] == (2 if os.name == "posix" else 1)
        now[0] += 0.1
        recorder.write(frames_of(9, 3))
        assert synced[0] == (3 if os.name == "posix" else 2)
    assert synced[0] == (4 if os.name == "posix" else 3)  # and at the end
    with Recorder(tmp_path / "{n}.log", fsync=60, rotate_bytes=4096) as recorder:
        synced[0] = 0
        recorder.write(frames_of(0, 1000))
        assert synced[0] >= recorder.files - 1  # none is left behind that is not on the disk


def test_one_of_two_gets_the_name(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    won: list[Recorder] = []
    lost: list[OSError] = []
    gate = threading.Barrier(8)

    def attempt(exclusive: bool) -> None:
        gate.wait()
        try:
            won.append(Recorder(path, exclusive=exclusive))
        except OSError as error:
            lost.append(error)

    for exclusive in (True, False):
        threads = [threading.Thread(target=attempt, args=(exclusive,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert {error.errno for error in lost} <= {errno.EEXIST, errno.EBUSY}
        won.pop().close()
        lost.clear()


@pytest.mark.posix
def test_a_file_that_its_holder_removes_is_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.pcapng"
    path.touch()
    monkeypatch.setattr(files, "_lock", lambda descriptor, name: os.unlink(name))
    with pytest.raises(OSError, match="removed or replaced meanwhile") as caught:
        Recorder(path)
    assert caught.value.errno == errno.EBUSY


def test_exclusive_refuses_whatever_is_there(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    path.touch()
    with pytest.raises(FileExistsError, match="the file exists"):
        Recorder(path, exclusive=True)
    assert path.stat().st_size == 0
    if hasattr(os, "symlink") and os.name == "posix":
        link = tmp_path / "link.pcapng"
        link.symlink_to(tmp_path / "nowhere.pcapng")
        with pytest.raises(FileExistsError):
            Recorder(link, exclusive=True)
        assert not (tmp_path / "nowhere.pcapng").exists()


def test_what_a_recorder_tells_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "canal_fast")
    with Recorder(tmp_path / "x-{n}.log", rotate_bytes=4096) as recorder:
        recorder.write(frames_of(0, 100))
    said = [message.rpartition(os.sep)[2] for message in caplog.messages]
    assert said[0::2] == ["x-000001.log: opened", "x-000002.log: opened"]
    assert [text.partition(" frames")[0] for text in said[1::2]] == [
        "x-000001.log: closed: 83",
        "x-000002.log: closed: 17",
    ]
