"""Recordings that others have written or read: python-can, and tshark on ours.

Their errors are listed in docs/reference/formats.md.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from canal_fast.logs import open_log, read_log

can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
START = 1_714_566_615.25


def messages(fd: bool, remote: bool, errors: bool) -> list[object]:
    rows = []
    for n in range(200):
        wide = fd and n % 3 == 0
        rows.append(
            can.Message(
                timestamp=START + n * 0.001953125,  # exact in binary: no rounding of theirs
                arbitration_id=0x123 + n if n % 2 else 0x1ABCDE0 + n,
                is_extended_id=n % 2 == 0,
                is_remote_frame=remote and not wide and n % 7 == 1,
                is_fd=wide,
                bitrate_switch=wide and n % 2 == 0,
                data=None if remote and not wide and n % 7 == 1 else bytes(range(48 if wide else n % 9)),
                dlc=4 if remote and not wide and n % 7 == 1 else None,
                is_rx=n % 5 != 0,
                channel=n % 3,
            )
        )
    if errors:
        rows.append(can.Message(timestamp=START + 1, is_error_frame=True, channel=0))
    return rows


# suffix: (FD, remote, error frames, direction, channel kept) as python-can writes them
WRITES = {
    ".blf": (True, True, True, True, True),
    ".asc": (True, True, True, True, True),
    ".csv": (False, True, True, False, False),
    ".trc": (False, False, False, True, True),
    ".log": (True, True, True, True, True),
}


@pytest.mark.parametrize("suffix", WRITES)
def test_python_can_writes_and_we_read(suffix: str, tmp_path: Path) -> None:
    fd, remote, errors, direction, channel = WRITES[suffix]
    given = messages(fd, remote, errors)
    path = tmp_path / f"x{suffix}"
    with can.Logger(str(path)) as logger:
        for message in given:
            logger.on_message_received(message)
    with open_log(path, strict=True, tz="local" if suffix == ".asc" else "UTC") as log:
        frames = log.read(fd=True)
    assert len(frames) == len(given)
    for frame, message in zip(frames, given, strict=True):
        flags = int(frame["flags"])
        if suffix != ".trc":  # it writes the start with 8.6 us, and offsets of the first message
            assert abs(int(frame["timestamp_ns"]) / 1e9 - message.timestamp) < 2e-6
        assert bool(flags & 0x80) == message.is_error_frame
        if channel and suffix != ".log":
            assert frame["channel"] == message.channel
        if message.is_error_frame:
            continue
        assert int(frame["arbitration_id"]) == message.arbitration_id
        assert (bool(flags & 1), bool(flags & 2), bool(flags & 8)) == (
            message.is_extended_id,
            message.is_remote_frame,
            message.is_fd,
        )
        if not message.is_remote_frame:
            assert frame["data"][: len(message.data)].tobytes() == bytes(message.data)
        if direction:
            assert bool(flags & 0x40) == (not message.is_rx)


@pytest.mark.skipif(not shutil.which("tshark"), reason="NOT RUN: tshark is not installed")
@pytest.mark.parametrize("name", ["blf_plain.blf", "blf_fd.blf", "blf_split_over_containers.blf", "pcap_ns_be.pcap"])
def test_tshark_reads_the_same_identifiers(name: str, data_dir: Path) -> None:
    path = data_dir / "recordings" / name
    done = subprocess.run(
        ["tshark", "-r", str(path), "-T", "fields", "-e", "can.id"], check=True, capture_output=True, text=True
    )
    frames = read_log(path)
    frames = frames[frames["flags"] & 0x80 == 0]
    found = [int(line, 0) & 0x1FFFFFFF for line in done.stdout.split() if line]
    assert set(found) <= {int(i) for i in frames["arbitration_id"]} | {4}
    assert len(found) >= len(frames) - 3


def test_python_can_reads_fewer_where_the_list_says(data_dir: Path) -> None:
    folder = data_dir / "recordings"

    def count(name: str) -> int | str:
        try:
            with can.LogReader(str(folder / name)) as reader:
                return sum(1 for _ in reader)
        except Exception as error:
            return type(error).__name__

    ours = {name: len(read_log(folder / name)) for name in ("asc_no_header.asc", "blf_without_containers.blf")}
    assert ours == {"asc_no_header.asc": 2, "blf_without_containers.blf": 4}
    assert count("blf_without_containers.blf") == 0
    assert count("asc_no_header.asc") == 1
    assert isinstance(count("trc_1_2.trc"), str)
    assert isinstance(count("trc_1_0.trc"), str)
    relative = read_log(folder / "asc_relative.asc")["timestamp_ns"]
    assert np.diff(relative).tolist() == [1_250_000_000, 125_000]
