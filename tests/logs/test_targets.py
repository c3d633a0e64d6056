"""Targets that cannot be written, and frames that `strict` refuses: each is named, and nothing is left behind."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.frames_of_all_kinds import START

import canal_fast as cf
from canal_fast import FrameFlag as F
from canal_fast.__main__ import main
from canal_fast.logs import convert

TARGETS = ["x.log", "x.pcapng", "x.asc.gz", "x.blf", "x.mf4"]
NOBODY = 65534
posix = pytest.mark.posix


@contextlib.contextmanager
def permissions() -> Iterator[None]:
    """Be somebody for whom permissions count: root is nobody meanwhile."""
    root = os.geteuid() == 0
    if root:
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a recording, which everybody can reach."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        cf.write_log(Path(name, "a.pcapng"), cf.make_frames(range(10), b"abc", timestamp_ns=START // 1000 * 1000))
        yield Path(name)


def imported(folder: Path, name: str) -> None:
    """What is imported when it is needed, as long as it can be read."""
    if name.endswith(".mf4"):
        pytest.importorskip("asammdf", reason="NOT RUN: asammdf is not installed")
    main(["convert", str(folder / "a.pcapng"), str(folder / f"first-{name}")])
    (folder / f"first-{name}").unlink()


@posix
@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="NOT RUN: no setresuid")
@pytest.mark.parametrize("name", TARGETS)
def test_a_read_only_folder(name: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    imported(folder, name)
    target = folder / "closed" / name
    target.parent.mkdir(mode=0o555)
    capfd.readouterr()
    with permissions():
        code = main(["convert", str(folder / "a.pcapng"), str(target)])
    assert code == 1
    assert capfd.readouterr().err == (
        f"canal-fast convert: {target}: permission denied: {name}.part, which it is written as first, cannot be made\n"
    )
    assert sorted(path.name for path in folder.rglob("*")) == ["a.pcapng", "closed"]


@posix
@pytest.mark.skipif(not hasattr(os, "setresuid"), reason="NOT RUN: no setresuid")
@pytest.mark.parametrize("name", TARGETS)
def test_a_read_only_file(name: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    imported(folder, name)
    target = folder / "open" / name
    target.parent.mkdir()
    os.chmod(target.parent, 0o777)
    target.write_bytes(b"mine")
    target.chmod(0o444)
    capfd.readouterr()
    with permissions():
        code = main(["convert", str(folder / "a.pcapng"), str(target), "--force"])
    assert code == 1
    assert capfd.readouterr().err == f"canal-fast convert: {target}: the file is read-only, and is not replaced\n"
    assert os.listdir(target.parent) == [name]
    assert target.read_bytes() == b"mine"


READ_ONLY_MOUNT = """
set -e
mount -t tmpfs tmpfs "$1"
echo mine > "$1/old.log"
mount -o remount,ro "$1"
for name in new.log old.log; do
    "$2" -P -m canal_fast convert "$3" "$1/$name" --force || echo "code $?"
done
ls "$1"
"""


@posix
def test_a_read_only_file_system(folder: Path) -> None:
    mounted = folder / "mounted"
    mounted.mkdir()
    unshare = shutil.which("unshare")
    private = [unshare or "", "-m", "sh", "-c"]
    if (
        unshare is None
        or subprocess.run([*private, 'mount -t tmpfs tmpfs "$0"', str(mounted)], capture_output=True).returncode
    ):
        pytest.skip("NOT RUN: nothing can be mounted here")
    done = subprocess.run(
        [*private, READ_ONLY_MOUNT, "sh", str(mounted), sys.executable, str(folder / "a.pcapng")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split("\n") == ["code 1", "code 1", "old.log", ""], done.stderr
    new, old = done.stderr.splitlines()
    assert new.endswith("new.log: read-only file system: new.log.part, which it is written as first, cannot be made")
    assert old.endswith("old.log: the file is read-only, and is not replaced")


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("code", ["EACCES", "EROFS"])
def test_a_system_that_refuses(name: str, code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same wherever the tests run."""
    imported(folder, name)
    number = getattr(errno, code)
    opened = os.open

    def refuse(path: str, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith(".part"):
            raise OSError(number, os.strerror(number), path)
        return opened(path, flags, mode)

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(OSError, match=re.escape(f"{name}.part, which it is written as first, cannot be made")) as error:
        convert(folder / "a.pcapng", folder / name)
    assert error.value.errno == number
    assert error.value.filename == str(folder / name)
    assert os.listdir(folder) == ["a.pcapng"]


@posix
def test_a_disk_that_is_full_before_the_first_frame(folder: Path) -> None:
    program = f"""
import resource, signal
from canal_fast.logs import convert
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
convert({str(folder / "a.pcapng")!r}, {str(folder / "b.pcapng")!r})
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "b.pcapng.part, which it is written as first, cannot be made" in done.stderr
    assert os.listdir(folder) == ["a.pcapng"]


def test_asammdf_prints_nothing_among_our_output(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells its speed where ten seconds pass while it loads, which is when a big file is read or saved."""
    pytest.importorskip("asammdf", reason="NOT RUN: asammdf is not installed")
    clock = itertools.count(0, 11.0)
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    cf.write_log(tmp_path / "a.mf4", cf.make_frames(np.arange(200_000) % 2048, b"abc", timestamp_ns=START))
    assert main(["convert", str(tmp_path / "a.mf4"), str(tmp_path / "b.mf4"), "--json"]) == 0
    out, _ = capfd.readouterr()
    assert json.loads(out)["written"] == 200_000


# What `strict` refuses

WHOLE = START // 1_000_000 * 1_000_000
REFUSED = {  # a reason: a format, the frame, what the message says of it
    "fd": ("csv-gvret", {"flags": F.FD}, "is a CAN FD frame, which"),
    "error_frame": ("csv-gvret", {"flags": F.ERROR_FRAME}, "is an error frame, which"),
    "remote": ("csv-gvret", {"flags": F.REMOTE}, "is a remote frame, which"),
    "status": ("asc", {"flags": F.STATUS}, "is a status message of the driver, which"),
    "channel": ("mf4", {"channel": 255}, "is of a channel above those that it numbers, which"),
    "time": ("pcap", {"timestamp_ns": -1000}, "is of a time outside those that it can state, which"),
}
LOST = {
    "nanoseconds": ("candump", {"timestamp_ns": WHOLE + 1}, "its time to the nanosecond"),
    "raw_dlc": ("csv", {"dlc": 12}, "its dlc above 8"),
    "fd_flags": ("csv", {"flags": F.FD}, "that it is FD, its bit rate switch or error state"),
    "direction": ("csv", {"flags": F.TX}, "that it was sent"),
    "gap": ("candump", {"flags": F.GAP}, "that frames were lost before it"),
    "clock_step": ("blf", {"flags": F.CLOCK_STEP}, "that the clock was set before it"),
    "error_detail": (
        "pcap", {"flags": F.STATUS}, "details of the error, or that it is a status message"
    ),
    "channel": ("csv", {"channel": 1}, "its channel"),
    "name": ("asc", {}, "the name of its interface"),
}  # fmt: skip


def test_the_table_of_losses_is_complete() -> None:
    from canal_fast.logs.account import LEFT_OUT, REDUCED

    assert (set(REFUSED), set(LOST)) == ({word for word, _ in LEFT_OUT}, {word for word, _ in REDUCED})


@pytest.mark.parametrize("reason", [*(f"left out: {word}" for word in REFUSED), *(f"lost: {word}" for word in LOST)])
def test_strict_names_each_reason(reason: str, tmp_path: Path) -> None:
    kind, _, word = reason.partition(": ")
    format, fields, words = (REFUSED if kind == "left out" else LOST)[word]
    if format == "mf4":
        pytest.importorskip("asammdf", reason="NOT RUN: asammdf is not installed")
    frames = cf.make_frames(range(10), b"abc", timestamp_ns=WHOLE, fd=True)
    frames["flags"] = 0
    for name, value in fields.items():
        frames[name][6] = value
    source, target = tmp_path / "a.pcapng", tmp_path / "target"
    cf.write_log(source, frames, interfaces={0: "drive"} if word == "name" else None)
    account = convert(source, target, format=format)
    assert (account.left_out if kind == "left out" else account.reduced)[word]
    target.unlink()
    number = 0 if word == "name" else 6
    with pytest.raises(cf.FrameError, match=re.escape(words)) as error:
        convert(source, target, format=format, strict=True)
    assert f"target.part: frame {number} (from 0; identifier {number:X}, time stamp" in str(error.value)
    assert os.listdir(tmp_path) == ["a.pcapng"]
