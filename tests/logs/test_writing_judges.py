"""Other programs read what we write: python-can, tshark, can-utils. Known errors of theirs are kept out, and named.

python-can 4.6.1: makes dlc 9 to 15 of classical frames a number of bytes (BLF, ASC), fails on it in candump text; knows
no overload frames and no details of errors; counts TRC's channels from 1 and takes the code of an FD dlc for bytes, and
FE for FE and BI alike; reads ASC's times from 0 unless told otherwise; its CSV has no FD flag and no channel.
tshark 4.0: no ASC, no TRC; error frames of BLF are no CAN packets; a dlc or a direction in candump text is an error.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.frames_of_all_kinds import frames_of_all_kinds

import canal_fast as cf
from canal_fast import FrameFlag as F

FORMATS = {"blf": F.FD, "asc": F.FD, "csv": 0, "trc": 0, "candump": F.FD}  # FD where python-can reads it rightly
SUFFIX = {"candump": "log"}


def plain_frames(fd: bool) -> cf.FrameArray:
    """Classical and remote frames, and FD ones; times of whole microseconds that do not decrease."""
    frames = frames_of_all_kinds(300)
    flags = frames["flags"]
    good = flags & (F.ERROR_FRAME | F.STATUS) == 0
    good &= (flags & F.FD != 0) | (frames["dlc"] <= 8)
    if not fd:
        good &= flags & F.FD == 0
    frames = frames[good]
    frames["timestamp_ns"] = np.sort(frames["timestamp_ns"]) // 1000 * 1000
    return frames


@pytest.mark.parametrize("format", FORMATS)
def test_python_can(format: str, tmp_path: Path) -> None:
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    path = tmp_path / f"x.{SUFFIX.get(format, format)}"
    frames = plain_frames(bool(FORMATS[format]))
    if format == "trc":
        frames = frames[frames["flags"] & F.REMOTE == 0]  # it gives them data
    if format == "asc":
        frames = frames[(frames["flags"] & F.FD == 0) | (frames["dlc"] > 0)]  # those are remote frames to it
    cf.write_log(path, frames, format=format)
    options = {"relative_timestamp": False, "tz": "UTC"} if format == "asc" else {}
    with can.LogReader(path, **options) as reader:
        found = list(reader)
    assert len(found) == len(frames)
    shift = found[0].timestamp - frames["timestamp_ns"][0] / 1e9
    assert abs(shift) < 1e-5 or (format == "asc" and abs(shift) % 900 < 1e-5)  # it takes the wall clock as local
    for frame, message in zip(frames, found, strict=True):
        flags = int(frame["flags"])
        assert message.arbitration_id == frame["arbitration_id"]
        assert message.is_extended_id == bool(flags & F.EXTENDED_ID)
        assert message.is_remote_frame == bool(flags & F.REMOTE)
        assert message.is_fd == bool(flags & F.FD)
        assert message.bitrate_switch == bool(flags & F.BITRATE_SWITCH)
        assert message.error_state_indicator == bool(flags & F.ERROR_STATE_INDICATOR)
        assert bytes(message.data) == frame["data"][: cf.payload_length(frame[None])[0]].tobytes()
        assert abs(message.timestamp - shift - frame["timestamp_ns"] / 1e9) < 2e-6
        if format != "csv":
            assert message.is_rx == (not flags & F.TX)
            channel = int(str(message.channel).removeprefix("can"))
            assert channel - (format == "trc") == frame["channel"]


def test_python_can_reads_error_frames(tmp_path: Path) -> None:
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    frames = cf.make_frames(np.zeros(3, int), timestamp_ns=np.arange(3, dtype=np.int64) * 10**9 + 1_700_000_000 * 10**9)
    frames["flags"], frames["dlc"], frames["arbitration_id"], frames["channel"] = F.ERROR_FRAME, 8, 0x88, 1
    for format in ("blf", "asc", "csv"):
        path = tmp_path / f"x.{format}"
        cf.write_log(path, frames, format=format)
        with can.LogReader(path) as reader:
            assert [message.is_error_frame for message in reader] == [True] * 3


def run(program: str, *arguments: str) -> list[str]:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"NOT RUN: no {program}")
    return subprocess.run([path, *arguments], capture_output=True, check=True, text=True).stdout.splitlines()


@pytest.mark.parametrize("format", ["blf", "pcap", "pcapng", "candump"])
def test_tshark(format: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{SUFFIX.get(format, format)}"
    frames = plain_frames(True)
    if format == "candump":
        frames = frames[frames["flags"] & (F.REMOTE | F.TX) == 0]  # "Syntax Error"
    cf.write_log(path, frames, format=format)
    fields = ("frame.time_epoch", "can.id", "can.flags.xtd", "can.flags.rtr")
    rows = run("tshark", "-r", str(path), "-T", "fields", *(part for field in fields for part in ("-e", field)))
    assert len(rows) == len(frames)
    for row, frame in zip(rows, frames, strict=True):
        seconds, identifier, extended, remote = row.split("\t")
        whole, _, part = seconds.partition(".")
        assert int(whole) * 10**9 + int(part.ljust(9, "0")) == frame["timestamp_ns"]
        assert int(identifier, 0) == frame["arbitration_id"]
        assert extended in ("1", "True") or not frame["flags"] & F.EXTENDED_ID
        assert (remote in ("1", "True")) == bool(frame["flags"] & F.REMOTE)


def test_asc2log_and_back(tmp_path: Path) -> None:
    """can-utils' reader of ASC: classical frames as candump text; it knows no remote frame's dlc."""
    frames = plain_frames(False)
    frames = frames[frames["flags"] & F.REMOTE == 0]
    cf.write_log(tmp_path / "x.asc", frames)
    rows = run("asc2log", "-I", str(tmp_path / "x.asc"))
    assert len(rows) == len(frames)
    for row, frame in zip(rows, frames, strict=True):
        _, interface, text = row.split()[:3]
        identifier, _, data = text.partition("#")
        assert interface == f"can{frame['channel']}"
        assert (int(identifier, 16), len(identifier)) == (
            frame["arbitration_id"],
            8 if frame["flags"] & F.EXTENDED_ID else 3,
        )
        assert data == frame["data"][: frame["dlc"]].tobytes().hex().upper()


def test_log2asc(tmp_path: Path) -> None:
    frames = plain_frames(True)
    cf.write_log(tmp_path / "x.log", frames)
    rows = run("log2asc", "-I", str(tmp_path / "x.log"), "can0", "can1", "can2", "can3")
    (tmp_path / "theirs.asc").write_text("\n".join(rows) + "\n")
    theirs = cf.read_log(tmp_path / "theirs.asc", fd=True)
    assert np.array_equal(theirs["arbitration_id"], frames["arbitration_id"])
    assert np.array_equal(theirs["channel"], frames["channel"])
    assert np.array_equal(theirs["data"], frames["data"])
