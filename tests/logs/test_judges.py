"""Other programs read what is written: can-utils, Wireshark's tools and cantools, times equal to a microsecond."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf

FD, BRS, EXTENDED, REMOTE = 8, 16, 1, 2
START = 1_436_509_052_249_713_123  # nanoseconds that no text of six decimals has


@pytest.fixture
def frames() -> cf.FrameArray:
    rng = np.random.default_rng(1)
    frames = cf.make_frames(np.arange(1000), rng.integers(0, 256, (1000, 8), np.uint8), flags=0)
    frames["timestamp_ns"] = START + np.cumsum(rng.integers(1, 3_000_000_000, 1000))
    extended = np.arange(1000) % 3 == 0
    frames["flags"][extended] = EXTENDED
    frames["arbitration_id"][extended] += 0x12345000
    return frames


def run(program: str, *arguments: str, stdin: bytes = b"") -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"NOT RUN: no {program}")
    done = subprocess.run([path, *arguments], input=stdin, capture_output=True, check=True)
    return done.stdout.decode()


def close(seconds: list[float], frames: cf.FrameArray) -> None:
    assert len(seconds) == len(frames)
    expected = frames["timestamp_ns"] / 1e9
    assert np.abs(np.array(seconds) - expected).max() < 1.5e-6


def test_log2asc(frames: cf.FrameArray, tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    cf.write_log(path, frames)
    lines = run("log2asc", "-I", str(path), "can0").splitlines()
    rows = [line.split() for line in lines if " d " in line]
    close([float(row[0]) + START // 1000 / 1e6 for row in rows], frames_from(frames))
    assert [int(row[2].rstrip("x"), 16) for row in rows] == frames["arbitration_id"].tolist()


def frames_from(frames: cf.FrameArray) -> cf.FrameArray:
    """Times as log2asc has them: the first frame is at 0."""
    shifted = frames.copy()
    shifted["timestamp_ns"] -= frames["timestamp_ns"][0] - START
    return shifted


@pytest.mark.parametrize("name", ["x.log", "x.pcapng"])
def test_tshark(frames: cf.FrameArray, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    cf.write_log(path, frames)
    out = run(
        "tshark",
        "-r",
        str(path),
        "-T",
        "fields",
        "-e",
        "frame.time_epoch",
        "-e",
        "can.id",
        "-o",
        "nameres.network_name:FALSE",
    )
    rows = [line.split("\t") for line in out.splitlines()]
    assert len(rows) == len(frames)
    decimals = 9 if name.endswith("pcapng") else 6
    for row, frame in zip(rows, frames, strict=True):
        whole, fraction = row[0].split(".")
        ns = int(whole) * 10**9 + int(fraction[:9].ljust(9, "0"))
        assert 0 <= frame["timestamp_ns"] - ns < 10 ** (9 - decimals)
        assert int(row[1], 0) == frame["arbitration_id"]


def test_capinfos(frames: cf.FrameArray, tmp_path: Path) -> None:
    for name in ("x.pcapng", "x.log"):
        path = tmp_path / name
        cf.write_log(path, frames)
        fields = run("capinfos", "-T", "-r", "-B", "-S", "-a", "-e", "-c", str(path)).strip().split("\t")
        assert int(fields[1]) == len(frames)
        close([float(fields[2]), float(fields[3])], frames[[0, -1]])


def test_cantools(frames: cf.FrameArray, tmp_path: Path) -> None:
    pytest.importorskip("cantools", reason="NOT RUN: no cantools")
    database = tmp_path / "x.dbc"
    database.write_text('VERSION ""\nBU_: N\nBO_ 1 M: 8 N\n SG_ s : 0|8@1+ (1,0) [0|255] "" N\n')
    text = cf.logs.format_candump(frames)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cantools", "decode", "--single-line", str(database)],
        input=text,
        capture_output=True,
        check=True,
    )
    lines = done.stdout.decode().splitlines()
    close([float(line.partition(")")[0].lstrip("(")) for line in lines], frames)
    assert sum("M(" in line for line in lines) == 1


def test_text_loses_nanoseconds_downwards(tmp_path: Path) -> None:
    frames = cf.make_frames([1, 2, 3], timestamp_ns=[1999, -1, -1000])
    assert [line.split()[0] for line in cf.logs.format_candump(frames).decode().splitlines()] == [
        "(0000000000.000001)",
        "(-0000000000.000001)",
        "(-0000000000.000001)",
    ]
    cf.write_log(tmp_path / "x.log", frames, nanoseconds=True)
    assert cf.read_log(tmp_path / "x.log")["timestamp_ns"].tolist() == [1999, -1, -1000]


def test_tshark_shows_the_statistics(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    ledger = {"received": 1_000_007, "driver_overruns": 13, "filtered": 101, "dropped": 29}
    with cf.logs.Recorder(path) as recorder:
        recorder.write(cf.make_frames(range(5)))
        recorder.write_statistics(ledger)
    text = run("tshark", "-r", str(path), "-X", "read_format:MIME Files Format", "-V")
    for words in (
        "Number of Received Packets: 1000020",
        "Number of Dropped Packets: 13",
        "Number of Accepted by Filter Packets: 999906",
        "Number of Dropped Packets by OS: 29",
        "Number of Delivered to the User Packets: 5",
    ):
        assert f"    {words}\n" in text
