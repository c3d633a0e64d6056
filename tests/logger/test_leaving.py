"""Leaving the block of a logger: what was received is in the recording."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

import canal_fast as cf
from canal_fast.logger import Logger


@pytest.mark.parametrize("buses", ["a", "ab"])
def test_what_is_held_back_or_in_the_rings_is_written(buses: str, bus: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    sources = [f"virtual:{bus}{letter}" for letter in buses]
    with cf.Channel.virtual(f"{bus}a") as sender, Logger(sources, path, window_s=60) as logger:
        sender.send(cf.make_frames(range(100)))
        logger.step(0.1, 10)  # of one source it writes some, of two it holds all back
        sender.drain(5)
        while logger.ledger.received < 100:
            logger.inputs[0].finished()
    assert logger.ledger.received == logger.ledger.delivered == logger.frames_written == len(cf.read_log(path)) == 100
    logger.close()  # twice


def test_so_it_is_when_an_error_ends_the_block(bus: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pcapng"
    sources = [f"virtual:{bus}a", f"virtual:{bus}b"]
    with cf.Channel.virtual(f"{bus}a") as sender, suppress(ZeroDivisionError), Logger(sources, path, window_s=60) as it:
        sender.send(cf.make_frames(range(10)))
        while it.ledger.delivered < 10:
            it.step()
        assert it.frames_written == 0
        raise ZeroDivisionError
    assert cf.read_log(path)["arbitration_id"].tolist() == list(range(10))


def test_an_event_that_is_under_way_is_written_to_its_end(bus: str, tmp_path: Path) -> None:
    with (
        cf.Channel.virtual(f"{bus}a") as sender,
        Logger(
            [f"virtual:{bus}a", f"virtual:{bus}b"],
            tmp_path / "{n}.pcapng",
            window_s=60,
            triggers=["id=5"],
            pre_s=10,
            post_s=10,
        ) as logger,
    ):
        sender.send(cf.make_frames([1, 5, 2]))
        while logger.ledger.delivered < 3:
            logger.step()
    (path,) = tmp_path.iterdir()
    assert cf.read_log(path)["arbitration_id"].tolist() == [1, 5, 2]


def test_without_what_waits_it_is_finished(bus: str, tmp_path: Path) -> None:
    """`finish`, which the command line's --frames uses, writes no more."""
    path = tmp_path / "x.pcapng"
    with cf.Channel.virtual(bus) as sender, Logger(f"virtual:{bus}", path) as logger:
        sender.send(cf.make_frames(range(10)))
        while logger.frames_written < 4:
            logger.step(0.1, 1)
        logger.finish()
    assert len(cf.read_log(path)) == logger.frames_written == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="NOT RUN: no /dev/full")
def test_a_full_disk_is_told_once_and_all_is_closed(bus: str) -> None:
    logger = Logger(f"virtual:{bus}", "/dev/full", format="candump")
    logger.open()
    with cf.Channel.virtual(bus) as sender:
        sender.send(cf.make_frames(range(10)))
        while logger.ledger.received < 10:
            logger.inputs[0].finished()
        with pytest.raises(OSError, match="No space"):
            logger.close()
    assert logger.recorder.closed
    assert logger.ended
