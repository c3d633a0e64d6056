"""A recording is read into one array: equal to its batches, whatever was guessed of its size, and of that size only."""

from __future__ import annotations

import gzip
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path

import memory
import numpy as np
import pytest
from random_frames import random_frames

import canal_fast as cf
from canal_fast import FrameFlag
from canal_fast.logs import open_log, room

MORE = 2 * room.FIRST + 1000


def whole(path: Path) -> cf.FrameArray:
    with open_log(path) as log:
        return np.concatenate(list(log.batches(50_000)))


def frames_of(count: int, fd_at: int | None = None) -> cf.FrameArray:
    """Frames that every format holds; `fd_at`: only from there on are there FD frames."""
    frames = random_frames(count, fd=True)
    classical = FrameFlag.EXTENDED_ID | FrameFlag.REMOTE
    late = np.arange(count) >= (count if fd_at is None else fd_at)
    frames["flags"] &= np.where(late, classical | FrameFlag.FD | FrameFlag.BITRATE_SWITCH, classical).astype(np.uint16)
    frames["timestamp_ns"] = 1_700_000_000 * 10**9 + np.arange(count, dtype=np.int64) * 250_000
    frames["dlc"] = np.where(late, frames["dlc"], np.minimum(frames["dlc"], 8))
    width = cf.payload_length(frames)
    frames["data"] = np.where(np.arange(64) < width[:, None], frames["data"], 0)
    return frames


@pytest.mark.parametrize("suffix", ["log", "pcapng", "asc", "blf", "log.gz"])
def test_more_frames_than_the_first_guess_has_room_for(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.{suffix}"
    cf.write_log(path, frames_of(MORE))
    wide = whole(path)
    frames = cf.read_log(path)
    assert frames.dtype == cf.FRAME_DTYPE
    assert len(frames) == len(wide) == MORE
    for name in ("timestamp_ns", "arbitration_id", "flags", "channel", "dlc"):
        assert np.array_equal(frames[name], wide[name])
    assert np.array_equal(frames["data"], wide["data"][:, :8])
    assert frames.flags.owndata
    assert frames.flags.writeable
    assert np.array_equal(cf.read_log(path, fd=True), wide)


@pytest.mark.parametrize("fd_at", [0, 1, room.FIRST - 1, room.FIRST, room.FIRST + 1, MORE - 1])
def test_fd_frames_that_come_late(tmp_path: Path, fd_at: int) -> None:
    frames = frames_of(MORE, fd_at)
    frames["flags"][fd_at] |= FrameFlag.FD
    frames["flags"][fd_at] &= ~np.uint16(FrameFlag.REMOTE)
    cf.write_log(tmp_path / "x.pcapng", frames)
    assert np.array_equal(cf.read_log(tmp_path / "x.pcapng"), whole(tmp_path / "x.pcapng"))


@pytest.mark.parametrize("dense_first", [True, False])
def test_frames_that_stand_closer_together_in_one_half(tmp_path: Path, dense_first: bool) -> None:
    """The guess is too large, or far too short."""
    frames = random_frames(MORE)[["timestamp_ns", "arbitration_id"]]
    dense = b"".join(b"(%d.5) a 123#\n" % n for n in range(MORE))
    sparse = b"".join(b"# %s\n(%d.5) a 124#0102030405060708\n" % (b"x" * 300, n) for n in range(5000))
    (tmp_path / "x.log").write_bytes(dense + sparse if dense_first else sparse + dense)
    found = cf.read_log(tmp_path / "x.log")
    assert len(found) == len(frames) + 5000
    assert np.array_equal(found, cf.read_log(tmp_path / "x.log", fd=False))
    one, other = np.arange(MORE, dtype=np.int64), np.arange(5000, dtype=np.int64)
    seconds = np.concatenate([one, other] if dense_first else [other, one])
    assert np.array_equal(found["timestamp_ns"], seconds * 10**9 + 500_000_000)


@pytest.mark.posix
def test_recordings_of_unknown_size(tmp_path: Path) -> None:
    text = b"".join(b"(%d.5) can0 123#0102\n" % n for n in range(MORE))
    expected = np.arange(MORE) * 10**9 + 500_000_000
    assert np.array_equal(cf.read_log(io.BytesIO(text))["timestamp_ns"], expected)
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(text,))
    writer.start()
    assert np.array_equal(cf.read_log(tmp_path / "pipe")["timestamp_ns"], expected)
    writer.join()


def test_room_is_what_the_share_says_and_more() -> None:
    for count in (1000, room.FIRST, 1 << 20, 1 << 24):
        for share in (1.0, 0.9, 0.5, 0.25, 1 / 60):
            assert 1.1 * count / share < room.wanted(count, share) <= 1.2 * count / share + room.FIRST
        assert room.wanted(count, 1e-9) <= 1200 * count + room.FIRST  # a first guess may be far off
        assert room.wanted(count, 0) == 2 * count


def test_memory_that_is_not_there_is_not_insisted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = random_frames(1000)
    monkeypatch.setattr(room, "_STEP", 1 << 50)
    larger = room.enlarged(frames.copy(), 1e-14)  # 2.4e18 bytes
    assert len(larger) == 1126
    assert np.array_equal(larger[:1000], frames)


def test_growing_keeps_what_there_is() -> None:
    for frames in (random_frames(1000), random_frames(1000, fd=True)):
        for share in (0.0, 0.01, 0.4, 0.99, 1.0):
            larger = room.enlarged(frames.copy(), share)
            assert len(larger) > 1000
            assert larger.dtype == frames.dtype
            assert np.array_equal(larger[:1000], frames)
    with_fd = room.widened(random_frames(200_000)[:150_000].copy(), 140_000)
    assert len(with_fd) == 150_000
    assert with_fd.dtype == cf.FD_FRAME_DTYPE
    assert np.array_equal(with_fd["data"][:140_000, :8], random_frames(200_000)["data"][:140_000])
    assert not with_fd["data"][:140_000, 8:].any()


READ = """
import sys
import canal_fast as cf
cf.read_log(sys.argv[1])  # imports, first buffers
before = peak_kib()
frames = cf.read_log(sys.argv[2])
print(len(frames), frames.nbytes >> 10, peak_kib() - before)
"""
COUNT = 5_000_000
CONSTANT_KIB, PACKED_KIB = 4 << 10, 16 << 10  # packed bytes are kept as long as they may have to be unpacked again


def candump(path: Path) -> None:
    cf.write_log(path, classical(COUNT))


def packed(path: Path) -> None:
    lines = cf.logs.format_candump(classical(COUNT // 10)) * 10
    path.write_bytes(gzip.compress(lines, 1))


def fd_at_the_end(path: Path) -> None:
    frames = np.zeros(COUNT // 4, cf.FD_FRAME_DTYPE)
    frames["flags"][-1] = FrameFlag.FD
    cf.write_log(path, frames)


def classical(count: int) -> cf.FrameArray:
    frames = np.zeros(count, cf.FRAME_DTYPE)
    frames["timestamp_ns"] = 1_700_000_000 * 10**9 + np.arange(count) * 250_000
    frames["dlc"] = 8
    return frames


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.unsanitized
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("x.log", candump),
        ("x.pcapng", candump),
        ("x.blf", candump),
        ("x.asc", candump),
        ("x.log.gz", packed),
        ("late-fd.pcapng", fd_at_the_end),
    ],
)
def test_peak_memory_is_that_of_the_result(tmp_path: Path, name: str, make: Callable[[Path], None]) -> None:
    small = tmp_path / f"small-{name}"
    cf.write_log(small, classical(1000))
    make(tmp_path / name)
    count, result, grown = memory.run(READ, small, tmp_path / name)
    assert count >= COUNT // 4
    constant = CONSTANT_KIB + (PACKED_KIB if name.endswith(".gz") else 0)
    assert grown <= 1.05 * result + constant, f"{grown} KiB for {result}"
