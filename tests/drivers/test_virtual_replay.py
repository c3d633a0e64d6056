"""Candump logs replayed by the virtual driver."""

from __future__ import annotations

import ctypes
import gzip
from pathlib import Path

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
    assert statistics(canal, handle).overruns == 0


def test_replay_keeps_the_logs_times(canal: ctypes.CDLL, opened: Open, log: Path) -> None:
    handle = opened(f"b;replay={log};speed=2;clock=step;t0=4294967295")
    expected = [(*r[:-1], (r[-1] - 1) % 2**32) for r in LOG_ROWS]  # type: ignore[operator]
    for step, count in [(0, 1), (142 * 1000, 1), (2000, 2), (49 * MS, 2), (MS, 4), (449 * MS, 4), (MS, 5)]:
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
    thread.join(5)
    assert (code, slot.id) == ([SUCCESS], 0x7FF)


@pytest.mark.parametrize(
    ("line", "words"),
    [("(1.0) can0 12#00", "not a candump line"), ("(1.0) can0 " + "x" * 2000, "long")],
)
def test_a_bad_line_ends_the_replay_in_words(
    canal: ctypes.CDLL, opened: Open, tmp_path: Path, line: str, words: str
) -> None:
    path = tmp_path / "bad.log"
    path.write_text(f"(1.0) can0 123#00\n{line}\n(1.0) can0 123#00\n")
    handle = opened(f"b;replay={path};speed=0")
    assert len(drain(canal, handle)) == 1
    after = status(canal, handle)
    assert after.channel & STOPPED
    assert after.code == CAN_MESSAGE
    assert after.text.decode().startswith("replay, line 2: ")
    assert words in after.text.decode()
    path.write_text(line)
    assert canal.CanalOpen(f"c;replay={path}".encode(), 0) == 0
    assert words in canal.CanalVirtualLastError().decode()


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
