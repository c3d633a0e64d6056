"""Cyclic sending: counts and order. How even the times are is for benchmarks/bench_periodic.py."""

from __future__ import annotations

import gc
import itertools
import os
import time
from collections.abc import Callable

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.live import _periodic

numbers = itertools.count()


def bus(keys: str = "") -> str:
    return f"periodic{next(numbers)};1000000;fifo=8192;{keys}"


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def periods(task: cf.PeriodicTask) -> int:
    books = task.statistics()
    return books.periods + books.missed


def test_frames_are_sent_in_order_each_period() -> None:
    config = bus()
    frames = cf.make_frames([3, 1, 2], data=[b"a", b"bc", b""])
    with cf.Channel.virtual(config) as receiver, cf.Channel.virtual(config) as ch:
        task = ch.send_periodic(frames, 0.005)
        got = receiver.receive(60, min_frames=60, timeout=10)
        task.stop()
        books = task.statistics()
        sent = books.sent
        time.sleep(0.03)
        assert task.statistics() == books
        assert got["arbitration_id"].tolist() == [3, 1, 2] * 20
        assert got["dlc"].tolist() == [1, 2, 0] * 20
        assert (books.sent, books.rejected) == (3 * books.periods, 0)
        assert not books.active
        assert ch.ledger().sent == sent
        assert books.jitter_mean_ns <= books.jitter_max_ns
        assert until(lambda: receiver.ledger().received == sent)


def test_many_tasks_at_once() -> None:
    """Each is at its own period: as many times as whole periods passed, give or take what was missed."""
    config = bus()
    with cf.Channel.virtual(config) as receiver, cf.Channel.virtual(config) as ch:
        began = time.monotonic()
        tasks = [ch.send_periodic(cf.make_frames(i), i * 1e-3) for i in range(1, 101)]
        created = time.monotonic()
        time.sleep(0.5)
        least = time.monotonic() - created
        for _ in range(2):  # however late the thread is run: at the second turn all that was due before has been sent
            first = periods(tasks[0])
            assert until(lambda first=first: periods(tasks[0]) > max(first, least // 1e-3))
        for task in tasks:
            task.stop()
        most = time.monotonic() - began
        books = [task.statistics() for task in tasks]
        for i, row in enumerate(books, 1):
            assert least // (i * 1e-3) <= row.periods + row.missed <= most // (i * 1e-3) + 1
        total = sum(row.sent for row in books)
        assert ch.ledger().sent == total
        assert until(lambda: receiver.ledger().received == total)
        got = receiver.receive(total, timeout=0)
    ids, counts = np.unique(got["arbitration_id"], return_counts=True)
    assert ids.tolist() == list(range(1, 101))
    assert counts.tolist() == [row.sent for row in books]


def test_modify_and_context_manager() -> None:
    config = bus()
    with cf.Channel.virtual(config) as receiver, cf.Channel.virtual(config) as ch:
        with ch.send_periodic(cf.make_frames(1, data=b"\x01"), 0.002) as task:
            assert receiver.receive(5, min_frames=5, timeout=5)["data"][:, 0].tolist() == [1] * 5
            task.modify(cf.make_frames(1, data=b"\x02"))
            assert until(lambda: 2 in receiver.receive(timeout=1)["data"][:, 0])
            receiver.receive(100_000, timeout=0)
            assert set(receiver.receive(5, min_frames=5, timeout=5)["data"][:, 0].tolist()) == {2}
            for other in (cf.make_frames([1, 2]), cf.make_frames(1).astype(cf.FD_FRAME_DTYPE)):
                with pytest.raises(ValueError, match="stop it and start another"):
                    task.modify(other)
            with pytest.raises(cf.FrameError):
                task.modify(cf.make_frames(1, fd=True, flags=cf.FrameFlag.FD))
        assert not task.statistics().active
        task.stop()


def test_a_task_that_nobody_holds_goes_on_until_close() -> None:
    config = bus()
    with cf.Channel.virtual(config) as receiver:
        with cf.Channel.virtual(config) as ch:
            ch.send_periodic(cf.make_frames(7), 0.002)
            gc.collect()
            receiver.receive(20, min_frames=20, timeout=5)
        sent = ch.ledger().sent
        assert until(lambda: receiver.ledger().received == sent)
        with pytest.raises(cf.ChannelClosedError):
            ch.send_periodic(cf.make_frames(7), 0.002)


def test_close_ends_the_tasks() -> None:
    with cf.Channel.virtual(bus()) as ch:
        task = ch.send_periodic(cf.make_frames(7), 0.001)
        assert until(lambda: task.statistics().periods > 3)
    assert not task.statistics().active
    task.stop()
    assert task.statistics().sent == ch.ledger().sent


def test_what_the_driver_has_no_room_for_is_counted() -> None:
    """A clock that nobody steps: the bus never takes a frame."""
    with cf.Channel.virtual(bus("clock=step;txqueue=10")) as ch:
        task = ch.send_periodic(cf.make_frames(range(4)), 0.001)
        assert until(lambda: task.statistics().rejected > 20)
        task.stop()
        books = task.statistics()
        assert books.sent + books.rejected == 4 * books.periods
        assert books.failure_code in (9, 21, 32)
        assert (ch.ledger().sent, ch.ledger().send_rejected) == (books.sent, books.rejected)
        assert books.sent <= 11


@pytest.mark.parametrize("period_s", [0, -1, 1e-5, float("nan"), 1e6])
def test_periods_out_of_range(period_s: float) -> None:
    with cf.Channel.virtual(bus()) as ch, pytest.raises(ValueError, match="period_s"):
        ch.send_periodic(cf.make_frames(1), period_s)


def test_bad_frames_are_refused() -> None:
    with cf.Channel.virtual(bus()) as ch:
        frames = cf.make_frames([1, 2])
        frames["arbitration_id"][1] = 0x800
        with pytest.raises(cf.FrameError, match="frames"):
            ch.send_periodic(frames, 0.1)


def test_glue_objects_made_by_hand_do_no_harm() -> None:
    for call in (_periodic.Task().stop, _periodic.Task().statistics, _periodic.Sender.__new__(_periodic.Sender).stop):
        try:
            call()
        except TypeError as error:
            assert "made by" in str(error)  # noqa: PT017


@pytest.mark.skipif(not hasattr(os, "fork"), reason="NOT RUN: no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_leaves_the_tasks_alone() -> None:
    with cf.Channel.virtual(bus()) as ch:
        task = ch.send_periodic(cf.make_frames(1), 0.001)
        child = os.fork()
        if child == 0:
            try:
                task.statistics()
            except cf.ChannelClosedError:
                del task
                gc.collect()
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        periods = task.statistics().periods
        assert until(lambda: task.statistics().periods > periods)
