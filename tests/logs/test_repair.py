"""`repair`: a recording cut anywhere is whole again, with every frame that was read from it before."""

from __future__ import annotations

import errno
import gzip
import importlib.util
import json
import os
import random
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import blf_oracle, repair_oracle

import canal_fast as cf
from canal_fast.__main__ import main
from canal_fast.logs import Recorder, repair

ZSTD = sys.version_info >= (3, 14) or importlib.util.find_spec("zstandard") is not None
NAMES = ["x.pcapng", "x.log", "x.blf", "x.pcapng.gz", "x.log.gz"] + ["x.pcapng.zst"] * ZSTD
ENDS = {"x.pcapng": repair_oracle.pcapng_end, "x.log": repair_oracle.candump_end}


def frames_of(count: int) -> cf.FrameArray:
    rng = np.random.default_rng(count)
    return cf.make_frames(
        rng.integers(0, 0x800, count),
        rng.integers(0, 256, (count, 8), np.uint8),
        timestamp_ns=1_700_000_000_000_000_000 + np.arange(count, dtype=np.int64) * 1_001_000,
    )


def recorded(path: Path, parts: int = 3, each: int = 5) -> bytes:
    """A recording in so many members or containers, as a logger leaves it that is killed."""
    frames = frames_of(parts * each)
    with Recorder(path, interfaces={0: ("body", 500_000)}) as recorder:
        for first in range(0, len(frames), each):
            recorder.write(frames[first : first + each])
            recorder.flush()
        return path.read_bytes()


def read(path: Path) -> tuple[cf.FrameArray, bool]:
    with cf.logs.open_log(path) as log:
        return log.read(), log.truncated


def sample(size: int, least: int) -> list[int]:
    """Places to cut at: all of the last bytes, some of the others."""
    return sorted({*range(max(size - 40, least), size), *random.Random(size).sample(range(least, size), 30)})


@pytest.mark.parametrize("name", NAMES)
def test_cut_anywhere(name: str, tmp_path: Path) -> None:
    path, copy = tmp_path / name, tmp_path / f"copy-{name}"
    data = recorded(path)
    cut = 0
    for size in sample(len(data), 1):
        path.write_bytes(data[:size])
        try:
            frames, truncated = read(path)
        except cf.LogFormatError:
            frames, truncated = frames_of(0), True
        if not len(frames):
            continue
        dry = repair(path)
        assert path.read_bytes() == data[:size]
        assert (dry.frames, dry.size) == (len(frames), size)
        assert (dry.reason is not None) == truncated
        assert repair(path, copy) == dry
        assert repair(path, in_place=True) == dry
        assert path.read_bytes() == copy.read_bytes()
        assert path.stat().st_size == dry.kept + dry.tail
        if not dry.header:
            assert path.read_bytes()[: dry.kept] == data[: dry.kept]
        if name in ENDS and truncated:
            assert (dry.kept, dry.tail) == (ENDS[name](data[:size]), 0)
        if name == "x.blf":
            assert dry.kept == repair_oracle.blf_end(data[:size])
        assert np.array_equal(cf.read_log(path, strict=True), frames)
        assert repair(path).whole
        cut += truncated
    assert cut > 20


@pytest.mark.parametrize("name", ["x.pcapng", "x.log", "x.blf"])
@pytest.mark.parametrize("filling", [b"\0", b"\xff"])
def test_an_end_that_was_never_written(name: str, filling: bytes, tmp_path: Path) -> None:
    """As file systems leave it whose sizes reached the disk before the data."""
    path = tmp_path / name
    data = recorded(path)
    every = cf.read_log(path)
    for size in sample(len(data), 200):
        path.write_bytes(data[:size])
        before = cf.read_log(path, errors="skip")
        path.write_bytes(data[:size] + filling * 100)
        found = repair(path, in_place=True)
        after = cf.read_log(path, strict=True)
        assert found.reason is not None
        assert found.frames == len(after)
        assert np.array_equal(after, every[: len(after)])
        if name == "x.blf":  # of a container with wrong bytes nothing is read, but all of those before it
            whole = blf_oracle.read(data[: repair_oracle.blf_end(data[:size])]).frames
            assert len(after) >= len(whole)
        else:
            assert len(after) >= len(before) - 1
        assert repair(path).whole


def test_blf_gets_the_header_that_close_writes(tmp_path: Path) -> None:
    killed, closed = tmp_path / "killed.blf", tmp_path / "closed.blf"
    killed_data = recorded(closed)
    killed.write_bytes(killed_data)
    assert killed_data != closed.read_bytes()
    found = repair(killed, in_place=True)
    assert (found.reason, found.header, found.frames) == (None, True, 15)
    assert killed.read_bytes() == closed.read_bytes()
    assert repair(closed).whole


def test_blf_objects_that_cross_containers(tmp_path: Path) -> None:
    """As Vector's own programs write them."""
    path = tmp_path / "x.blf"
    stream = b"".join(blf_oracle.message(1, 1, n, 8, bytes(8), 1000 * n) for n in range(90))
    parts = [blf_oracle.container(stream[at : at + 1000]) for at in range(0, len(stream), 1000)]
    data = blf_oracle.file(b"".join(parts))
    for size in [*range(len(data) - 3 * len(parts[-1]), len(data)), *sample(len(data), 400)]:
        path.write_bytes(data[:size])
        frames, _ = read(path)
        repair(path, in_place=True)
        assert np.array_equal(cf.read_log(path, strict=True), frames)
        head = struct.unpack_from("<QQL", path.read_bytes(), 16)
        assert head[0] == path.stat().st_size
        assert head[2] == len(frames)
        assert len(blf_oracle.read(path.read_bytes()).frames) == len(frames)


def test_what_is_not_its_end_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.pcapng"
    data = bytearray(recorded(path))
    data[400:404] = b"\xff" * 4
    path.write_bytes(data)
    assert main(["repair", str(path), "--in-place"]) == 1
    error = capsys.readouterr().err
    assert "frames stand behind it, and only an end is cut off" in error
    assert "--errors skip" in error
    assert path.read_bytes() == data


def test_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, text = tmp_path / "x.pcapng", tmp_path / "x.txt"
    text.write_text("no recording\n")
    asc, csv = tmp_path / "x.asc", tmp_path / "x.log.bz2"
    cf.write_log(asc, frames_of(3))
    import bz2

    csv.write_bytes(bz2.compress(b"(1.0) can0 123#00\n(2.0) can"))
    with Recorder(path) as recorder:
        recorder.write(frames_of(3))
        for more in ([], ["--in-place"], ["-o", str(tmp_path / "y.pcapng")]):
            assert main(["repair", str(path), *more]) == 1
            assert "a recording is being written to this file" in capsys.readouterr().err
    packed = tmp_path / "x.blf.gz"
    packed.write_bytes(gzip.compress(recorded(tmp_path / "y.blf")))
    for arguments, words in (
        ([str(packed)], "blf in gzip is not repaired: unpack it first"),
        ([str(tmp_path / "missing.log")], "no such file"),
        ([str(text)], "formats that are read"),
        ([str(asc)], "asc is not repaired, only pcapng, candump, blf"),
        ([str(csv)], "bzip2 is not repaired"),
        ([str(path), "-o", str(path), "--force"], "output is the recording itself"),
        ([str(path), "-o", str(asc)], "it is replaced with --force"),
        (["-"], "- cannot be repaired"),
        ([str(tmp_path)], "directory"),
    ):
        assert main(["repair", *arguments]) == 1, arguments
        assert words in capsys.readouterr().err
    with pytest.raises(ValueError, match="give one of them"):
        repair(path, path, in_place=True)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(cf.LogFormatError, match="nothing whole stands in it"):
        repair(path)


def test_the_command_says_what_it_would_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, copy = tmp_path / "x.log", tmp_path / "y.log"
    data = recorded(path)
    path.write_bytes(data[:-7])
    assert main(["repair", str(path)]) == 3
    said = capsys.readouterr().out
    assert "line 15: the file is cut short" in said
    assert "are to be cut off" in said
    assert "--in-place repairs it here" in said
    assert main(["repair", str(path), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["kept"] == repair_oracle.candump_end(data[:-7])
    assert main(["repair", str(path), "-o", str(copy)]) == 0
    assert "were cut off" in capsys.readouterr().out
    assert len(cf.read_log(copy, strict=True)) == 14
    assert main(["repair", str(copy)]) == 0
    assert "it is whole" in capsys.readouterr().out


def test_one_gzip_member_of_another_program(tmp_path: Path) -> None:
    plain, path = tmp_path / "p.log", tmp_path / "x.log.gz"
    cf.write_log(plain, frames_of(500))
    data = gzip.compress(plain.read_bytes())
    path.write_bytes(data[:-300])
    frames, truncated = read(path)
    assert truncated
    found = repair(path, in_place=True)
    assert (found.kept, found.tail) == (0, path.stat().st_size)
    assert np.array_equal(cf.read_log(path, strict=True), frames)
    assert zlib.decompress(path.read_bytes(), 31) == plain.read_bytes()[: len(gzip.decompress(path.read_bytes()))]


@pytest.mark.parametrize("name", NAMES)
def test_any_damage_is_repaired_or_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    data, chance = recorded(path), random.Random(7)
    done = 0
    for _ in range(60):
        bad = bytearray(data[: chance.randint(1, len(data))])
        for _ in range(chance.randint(0, 3)):
            place = chance.randrange(len(bad))
            bad[place : place + chance.randint(0, 9)] = chance.randbytes(chance.randint(0, 9))
        path.write_bytes(bad)
        try:
            found = repair(path, in_place=True)
        except cf.LogFormatError:
            assert path.read_bytes() == bad
            continue
        assert len(cf.read_log(path, strict=True)) == found.frames
        assert repair(path).whole
        done += 1
    assert done > 5


def test_a_copy_that_fails_is_closed_before_it_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows deletes no file that is open."""
    source, copy = tmp_path / "x.pcapng", tmp_path / "y.pcapng"
    cf.write_log(source, cf.make_frames([1, 2, 3]))
    made: list[Any] = []
    closed: list[bool] = []

    def refuse(file: Any, data: bytes) -> None:
        made.append(file)
        raise OSError(errno.ENOSPC, "no room")

    def unlink(path: str) -> None:
        closed.append(made[0].closed)
        os.remove(path)

    monkeypatch.setattr(sys.modules["canal_fast.logs.repairing"], "_put", refuse)
    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(OSError, match="no room"):
        repair(source, copy)
    assert closed == [True]
    assert not copy.exists()
