"""Candump logs replayed by the virtual driver."""

from __future__ import annotations

import ctypes
import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from canal_ctypes import Message
from virtual_bus import (
    CAN_MESSAGE,
    EXTENDED,
    MS,
    REMOTE,
    SEND,
    STOPPED,
    SUCCESS,
    Open,
    blocked,
    drain,
    statistics,
    status,
)

import canal_fast as cf

LOG = """\
(1436509052.249713) can0 123#DEADBEEF
# a remark
(1436509052.249999) can1 12345678#1122

(1436509052.250713) can0 20000004#0000000000000000
(1436509052.349713) can0 7FF#R3
(1436509052.349000) can0 001#0011223344556677_F
(1436509053.249713) can0 002#00 T
"""
LOG_ROWS = [
    (0, 0x123, 4, b"\xde\xad\xbe\xef\0\0\0\0", 0),
    (EXTENDED, 0x12345678, 2, b"\x11\x22\0\0\0\0\0\0", 286),
    (REMOTE, 0x7FF, 3, bytes(8), 100_000),
    (0, 1, 15, bytes.fromhex("0011223344556677"), 99_287),
    (SEND, 2, 1, bytes(8), 1_000_000),
]


def rows(messages: list[Message]) -> list[tuple[object, ...]]:
    return [(*m.row(), m.timestamp) for m in messages]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "small.log"
    path.write_text(LOG)
    return path


def test_replay_as_fast_as_drained(canal: ctypes.CDLL, opened: Open, log: Path) -> None:
    handle = opened(f"b;replay={log};speed=0;fifo=2")
    assert canal.CanalDataAvailable(handle) == 2
    assert not status(canal, handle).channel & STOPPED
    assert rows(drain(canal, handle)) == LOG_ROWS
    assert status(canal, handle).channel & STOPPED
    assert statistics(canal, handle).overruns == 0  # the error frame passed: CanalReceive has no place for it
    assert status(canal, handle).text == b""


def test_replay_keeps_the_logs_times(canal: ctypes.CDLL, opened: Open, log: Path) -> None:
    handle = opened(f"b;replay={log};speed=2;clock=step;t0=4294967295")
    expected = [(*r[:-1], (r[-1] - 1) % 2**32) for r in LOG_ROWS]  # type: ignore[operator]
    for step, count in [(0, 1), (142 * 1000, 1), (2000, 2), (49 * MS, 3), (MS, 5), (449 * MS, 5), (MS, 6)]:
        canal.CanalVirtualStep(b"b", step)
        assert canal.CanalDataAvailable(handle) == count
    assert not status(canal, handle).channel & STOPPED
    assert rows(drain(canal, handle)) == expected
    assert status(canal, handle).channel & STOPPED


def test_replay_reaches_every_handle(canal: ctypes.CDLL, opened: Open, log: Path) -> None:
    handle, other, slot = opened(f"b;replay={log};speed=0;fifo=1"), opened("b;fifo=1"), Message()
    assert [m.id for m in drain(canal, handle)] == [0x123, 0x12345678]  # `other` came after the first
    thread, code = blocked(lambda: canal.CanalBlockingReceive(handle, slot, 0))
    assert canal.CanalReceive(other, Message()) == SUCCESS
    assert canal.CanalBlockingReceive(other, Message(), 5000) == SUCCESS  # behind the error frame
    thread.join(5)
    assert (code, slot.id) == ([SUCCESS], 0x7FF)


@pytest.mark.parametrize("line", ["(1.0) can0 12#00", "(1.0) can0 " + "x" * 2000])
def test_what_no_bus_carries_is_skipped_and_counted(
    canal: ctypes.CDLL, opened: Open, tmp_path: Path, line: str
) -> None:
    path = tmp_path / "bad.log"
    path.write_text(f"(1.0) can0 123#00\n{line}\n(1.0) can0 124#00\n")
    handle = opened(f"b;replay={path};speed=0")
    assert [m.id for m in drain(canal, handle)] == [0x123, 0x124]
    after = status(canal, handle)
    assert after.channel & STOPPED
    assert after.code == CAN_MESSAGE
    assert after.text == b"replay: 1 parts that no bus carries"
    assert statistics(canal, handle).overruns == 1


def test_a_queue_full_of_error_frames_does_not_stop_a_replay(canal: ctypes.CDLL, opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "errors.log"
    path.write_text("(1.0) can0 20000004#0000000000000000\n" * 9 + "(1.0) can0 124#00\n")
    handle, slot = opened(f"b;replay={path};speed=0;fifo=2"), Message()
    assert canal.CanalBlockingReceive(handle, slot, 5000) == SUCCESS
    assert slot.id == 0x124


def test_error_frames_are_replayed(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    errors = cf.make_frames([0x123, 0xA8, 0x124], [b"1", bytes([0, 0, 4, 0x0A, 0, 0, 0, 0]), b"2"])
    errors["flags"][1] = cf.FrameFlag.ERROR_FRAME
    errors["timestamp_ns"] = 10**18 + np.arange(3, dtype=np.int64) * 10**6
    cf.write_log(path, errors)
    with cf.Channel.virtual(f"replayed;replay={path};speed=0") as channel:
        got = channel.receive(100, min_frames=3, timeout=10)
        assert np.array_equal(got[SENDABLE], errors[SENDABLE])
        assert channel.ledger().driver_overruns == 0


def test_remarks_and_events_of_a_recording_are_no_loss(tmp_path: Path) -> None:
    path = tmp_path / "x.asc"
    path.write_text(
        "base hex timestamps absolute\n   0.000000 Start of measurement\n   0.001000 1  123  Rx   d 1 11\n"
        "   0.001500 1  Statistic: D 1 R 0 XD 0 XR 0 E 0 O 0 B 0.00%\n   0.002000 1  124  Rx   d 1 22\n"
    )
    with cf.Channel.virtual(f"replayed;replay={path};speed=0") as channel:
        assert len(channel.receive(100, min_frames=2, timeout=10)) == 2
        assert channel.ledger().driver_overruns == 0


MIXED = cf.make_frames([1, 0x12345678, 3, 4], [b"1" * 64, b"22", b"", b"4" * 12], flags=[0, 1, 2, 0], fd=True)
MIXED["timestamp_ns"] = [10**18, 10**18 + 1_000_000, 10**18 + 2_000_000, 10**18 + 3_000_000]
SENDABLE = ["arbitration_id", "flags", "dlc", "data"]


@pytest.mark.parametrize("name", ["x.pcapng", "x.log"])
def test_recordings_of_ours_come_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    cf.write_log(path, MIXED)
    with cf.Channel.virtual(f"replayed;replay={path};speed=0", fd=True) as channel:
        got = channel.receive(100, min_frames=4, timeout=10)
        assert np.array_equal(got[SENDABLE], MIXED[SENDABLE])
        assert channel.ledger().driver_overruns == 0


def test_other_formats_come_back(tmp_path: Path) -> None:
    path = tmp_path / "x.asc"
    path.write_text(
        "date Mon Jul 6 10:17:32 am 2026\nbase hex timestamps absolute\n"
        "   0.001000 1  123             Rx   d 2 11 22\n   0.002000 1  12345678x       Tx   d 1 33\n"
    )
    with cf.Channel.virtual(f"replayed;replay={path};speed=0") as channel:
        got = channel.receive(100, min_frames=2, timeout=10)
        assert got["arbitration_id"].tolist() == [0x123, 0x12345678]


def test_log_tells_of_what_was_left_out(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    cf.write_log(path, MIXED)
    for option, code, count in (("--no-fd", 3, 1), ("--fd", 0, 4)):
        command = [sys.executable, "-P", "-m", "canal_fast", "log", "--library", "virtual", option]
        config = f"replayed;replay={path};speed=0"
        done = subprocess.run([*command, "--config", config], capture_output=True, text=True, check=False)
        assert (done.returncode, len(done.stdout.splitlines())) == (code, count), done.stderr
        assert ("3 frames were lost" in done.stderr) == (code == 3)


def test_log_says_when_there_is_more_than_a_bus_carries(tmp_path: Path) -> None:
    """A replay without its times, or a bit rate that is not the bus's: the load tells nothing."""
    path = tmp_path / "x.pcapng"
    cf.write_log(path, cf.make_frames(np.arange(2000) % 2048, timestamp_ns=np.arange(2000, dtype=np.int64) * 10**7))
    command = [sys.executable, "-P", "-m", "canal_fast", "log", "--library", "virtual", "-o", str(tmp_path / "y.log")]
    for speed, full in (("0", True), ("40", False)):  # 2000 frames are 94 s of a bus at 1 kbit/s
        config = f"replayed;{1000 if full else 1_000_000};replay={path};speed={speed};fifo=4096"
        done = subprocess.run([*command, "--force", "--config", config], capture_output=True, text=True, check=True)
        assert ("that is more than a bus carries" in done.stderr) == full


def test_what_cannot_be_replayed_is_refused_in_words(canal: ctypes.CDLL, tmp_path: Path) -> None:
    packed = tmp_path / "x.log.gz"
    packed.write_bytes(gzip.compress(LOG.encode()))
    assert canal.CanalOpen(f"c;replay={packed}".encode(), 0) == 0
    assert b"is no recording in a format that is read here, uncompressed" in canal.CanalVirtualLastError()


def test_replay_of_nothing_is_refused(canal: ctypes.CDLL, tmp_path: Path) -> None:
    (tmp_path / "empty.log").write_text("# nothing\n")
    for path, words in [(tmp_path / "empty.log", b"holds no frame"), (tmp_path, b"cannot be")]:
        assert canal.CanalOpen(f"c;replay={path}".encode(), 0) == 0
        assert words in canal.CanalVirtualLastError()


def test_replay_of_a_car(canal: ctypes.CDLL, opened: Open, data_dir: Path, tmp_path: Path) -> None:
    packed = data_dir / "car-bus.log.gz"
    if not packed.is_file():
        pytest.skip(f"NOT RUN: no {packed.name}")
    lines = gzip.decompress(packed.read_bytes()).decode().splitlines()
    (tmp_path / "car.log").write_text("\n".join(lines))
    handle = opened(f"b;replay={tmp_path}/car.log;speed=0;fifo=100")
    got = drain(canal, handle)
    first = float(lines[0].split(")")[0][1:])
    assert len(got) == len(lines)
    for m, text in zip(got, lines, strict=True):
        when, _, frame = text.split()
        identifier, data = frame.split("#")
        assert m.row() == (0, int(identifier, 16), len(data) // 2, bytes.fromhex(data).ljust(8, b"\0"))
        assert m.timestamp == round((float(when[1:-1]) - first) * 1e6)
