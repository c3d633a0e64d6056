"""`can.Logger` with pcapng: on a bus that falls silent, in rotation, compressed, into file objects."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from support.forked import said_in_child

import canal_fast as cf

can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")


def message(number: int) -> object:
    return can.Message(arbitration_id=number, is_extended_id=False, timestamp=float(number), data=b"1")


def test_what_came_is_written_though_nothing_follows(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    logger = can.Logger(path)
    for number in range(10):
        logger(message(number))
    deadline = time.monotonic() + 20
    while not path.stat().st_size or len(cf.read_log(path)) < 10:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    logger(message(10))
    logger.stop()
    assert cf.read_log(path)["arbitration_id"].tolist() == list(range(11))


def test_rotation_takes_pcapng(tmp_path: Path) -> None:
    import canal_fast.python_can.bus  # noqa: F401 - what can.Bus(interface="canal_fast") imports

    path = tmp_path / "x.pcapng"
    logger = can.SizedRotatingLogger(path, max_bytes=10_000)
    for number in range(1000):
        logger(message(number))
    logger.stop()
    files = sorted(tmp_path.glob("*.pcapng"))
    assert len(files) > 2
    assert sorted(number for file in files for number in cf.read_log(file)["arbitration_id"].tolist()) == [*range(1000)]


def test_compressed(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng.gz"
    with can.Logger(path) as logger:
        for number in range(300):
            logger(message(number))
    assert path.read_bytes()[:2] == b"\x1f\x8b"
    assert cf.read_log(path)["arbitration_id"].tolist() == list(range(300))


def test_file_objects(tmp_path: Path) -> None:
    from canal_fast.python_can.recording import PcapngReader, PcapngWriter

    file = io.BytesIO()
    writer = PcapngWriter(file)
    writer(message(5))
    writer.flush()
    copy = file.getvalue()
    assert [msg.arbitration_id for msg in PcapngReader(io.BytesIO(copy))] == [5]
    writer.stop()
    assert file.closed
    with pytest.raises(TypeError, match="opened in binary mode"):
        PcapngWriter(io.StringIO())


@pytest.mark.posix
def test_a_forked_child_leaves_the_file_to_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    with can.Logger(path) as logger:
        logger(message(1))
        with logger._lock:  # as the timer of the parent may hold it
            *refused, stopped = said_in_child(lambda: logger(message(2)), logger.flush, logger.stop)
        assert len(refused) == 2
        assert all("the recorder belongs to process" in said for said in refused)
        assert stopped == "done"
        logger(message(3))
    assert cf.read_log(path)["arbitration_id"].tolist() == [1, 3]
