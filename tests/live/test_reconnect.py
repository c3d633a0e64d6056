"""An adapter that is pulled out and plugged in again, played by a small driver."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

import numpy as np
import pytest
from c_programs import build_c

import canal_fast as cf

GAP = cf.FrameFlag.GAP


@pytest.fixture
def driver(tmp_path: Path) -> Path:
    """A library with counters of its own for each test."""
    return build_c("unplugged_driver", tmp_path)


def plug(driver: Path, plugged: bool) -> None:
    """Keep the driver from failing, or let it."""
    ctypes.c_int.in_dll(ctypes.CDLL(str(driver)), "plugged").value = plugged


def count(driver: Path, name: str) -> int:
    return ctypes.c_int.in_dll(ctypes.CDLL(str(driver)), name).value


def test_without_reconnect_the_failure_ends_the_channel(driver: Path) -> None:
    with cf.Channel(driver, "20;0", profile="virtual") as ch:
        assert ch.receive(20, min_frames=20, timeout=5)["arbitration_id"].tolist() == list(range(20))
        with pytest.raises(cf.DriverError) as caught:
            ch.receive(timeout=5)
        assert caught.value.status == 37
        assert (ch.ledger().outages, ch.ledger().outage_ns) == (0, 0)


def test_frames_go_on_after_an_outage(driver: Path) -> None:
    began = time.time_ns()
    with cf.Channel(driver, "40;2", profile="virtual", reconnect=0.02) as ch:
        frames = np.concatenate([ch.receive(40, min_frames=40, timeout=20) for _ in range(3)])
        ch.stop()
        ledger = ch.ledger()
    ended = time.time_ns()
    assert frames["arbitration_id"].tolist() == 3 * list(range(40))
    assert frames["data"][:, 0].tolist() == [1] * 40 + [2] * 40 + [3] * 40
    assert np.flatnonzero(frames["flags"] & GAP).tolist() == [40, 80]
    ledger.verify()
    assert ledger.gaps == 2
    assert 2 <= ledger.outages <= 3
    assert ledger.outage_ns >= 2 * 3 * 20_000_000
    # The device's counter began at 0 each time; the time stamps do not.
    stamps = frames["timestamp_ns"]
    assert (np.diff(stamps) >= 0).all()
    assert (np.diff(stamps)[[39, 79]] >= 3 * 20_000_000 - 5_000_000).all()
    assert began <= stamps[0]
    assert stamps[-1] <= ended
    assert (count(driver, "failures") >= 4, count(driver, "wrong_handles")) == (True, 0)
    assert count(driver, "opens") == count(driver, "closes")


def test_the_outage_is_visible_and_can_be_stopped(driver: Path) -> None:
    plug(driver, True)
    with cf.Channel(driver, "5;1000000", profile="virtual", reconnect=0.01) as ch:
        assert ch.status().state == "unknown"
        assert len(ch.receive(5, min_frames=5, timeout=5)) == 5
        plug(driver, False)
        deadline = time.monotonic() + 10
        while ch.status().state != "disconnected" and time.monotonic() < deadline:
            time.sleep(0.005)
        assert ch.status().state == "disconnected"
        for call in (lambda: ch.send(cf.make_frames(1)), lambda: ch.driver):
            with pytest.raises(cf.DriverError, match="waits to open it again"):
                call()
        before = ch.ledger()
        assert len(ch.receive(timeout=0.1)) == 0
        now = ch.ledger()
        assert (now.outages, now.gaps) == (1, 0)
        assert now.outage_ns > before.outage_ns
        assert "driver away 1 times" in str(now)
        ch.stop()
        with pytest.raises(cf.ChannelClosedError):
            ch.receive(timeout=1)
    assert count(driver, "wrong_handles") == 0
    assert count(driver, "closes") == 1


def test_cyclic_sending_outlives_an_outage(driver: Path) -> None:
    with cf.Channel(driver, "30;1", profile="virtual", reconnect=0.05) as ch:
        task = ch.send_periodic(cf.make_frames(1), 0.002)
        ch.receive(60, min_frames=60, timeout=20)
        books = task.statistics()
        assert books.active
        assert books.rejected > 0
        assert books.sent > 15
    assert count(driver, "wrong_handles") == 0


@pytest.mark.parametrize("reconnect", [0, -1, 0.001, 1e6, float("nan")])
def test_intervals_out_of_range(reconnect: float) -> None:
    with pytest.raises(ValueError, match="reconnect"):
        cf.Channel("virtual", reconnect=reconnect)


def test_who_wants_no_frames_is_told_of_the_failure(driver: Path) -> None:
    """A loop that looks without waiting would go on for ever."""
    with cf.Channel(driver, "20;0", profile="virtual") as ch:
        count = 0
        with pytest.raises(cf.DriverError) as caught:  # noqa: PT012
            while True:
                count += len(ch.receive(min_frames=0, timeout=0))
        assert (count, caught.value.status) == (20, 37)
