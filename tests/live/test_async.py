"""Frames in an event loop, and the descriptor beneath."""

from __future__ import annotations

import asyncio
import itertools
import select
import sys
import threading
import time
from collections.abc import Coroutine
from typing import Any

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.live import event_loop

numbers = itertools.count()
posix = pytest.mark.skipif(sys.platform == "win32", reason="NOT RUN: no such descriptor on Windows")


class NoReaders(asyncio.SelectorEventLoop):
    """As Windows' default loop, which watches no descriptors."""

    def add_reader(self, *_: Any) -> None:
        raise NotImplementedError


@pytest.fixture(params=[asyncio.SelectorEventLoop, NoReaders], ids=["descriptor", "thread"])
def run(request: pytest.FixtureRequest) -> Any:
    def run(main: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(asyncio.wait_for(main, 60))

    return run


def bus(keys: str = "load=0.8;frames=3000") -> str:
    return f"async{next(numbers)};1000000;seed=1;fifo=8192;{keys}"  # room for all: no loss however late


def reference(config: str) -> np.ndarray:
    """The same frames again, by receive."""
    with cf.Channel.virtual(config) as ch:
        return ch.receive(3000, min_frames=3000, timeout=30)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return all(np.array_equal(a[name], b[name]) for name in ("arbitration_id", "flags", "dlc", "data"))


def test_in_order_and_nothing_lost(run: Any) -> None:
    async def main() -> np.ndarray:
        batches = []
        async for batch in ch.abatches(256, timeout=0.05):
            assert len(batch) <= 256
            batches.append(batch)
            if sum(map(len, batches)) == 3000:
                ch.stop()
        return np.concatenate(batches)

    with cf.Channel.virtual(bus()) as ch:
        frames = run(main())
        ch.ledger().verify()
        assert ch.ledger().delivered == 3000
    assert same(frames, reference(bus()))


def test_two_channels_at_once(run: Any) -> None:
    async def collect(ch: cf.Channel) -> np.ndarray:
        batches = []
        async for batch in ch.abatches(100, timeout=0.05):
            batches.append(batch)
            if sum(map(len, batches)) == 3000:
                return np.concatenate(batches)
        raise AssertionError

    async def main() -> list[np.ndarray]:
        return await asyncio.gather(collect(one), collect(other))

    with cf.Channel.virtual(bus()) as one, cf.Channel.virtual(bus("load=0.7;frames=3000;dlc=8")) as other:
        first, second = run(main())
    assert same(first, reference(bus()))
    assert (second["dlc"] == 8).all()


def test_cancelling_loses_nothing(run: Any) -> None:
    async def main() -> list[np.ndarray]:
        batches: list[np.ndarray] = []

        async def collect() -> None:
            async for batch in ch.abatches(200, timeout=0.01):
                batches.append(batch)

        for pause in itertools.cycle([0.003, 0.05, 0.012]):
            if sum(map(len, batches)) == 3000:
                break
            task = asyncio.create_task(collect())
            await asyncio.sleep(pause)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return batches

    with cf.Channel.virtual(bus()) as ch:
        frames = np.concatenate(run(main()))
    assert same(frames, reference(bus()))


@pytest.mark.parametrize("end", ["stop", "close"])
def test_the_end_ends_the_iteration(run: Any, end: str) -> None:
    async def main() -> int:
        asyncio.get_running_loop().call_later(0.1, getattr(ch, end))
        return sum([len(batch) async for batch in ch.abatches(timeout=5)])

    began = time.monotonic()
    with cf.Channel.virtual(bus("load=0")) as ch:
        assert run(main()) == 0
    assert time.monotonic() - began < 5


def test_an_empty_batch_when_the_time_is_over(run: Any) -> None:
    async def main() -> int:
        async for batch in ch.abatches(timeout=0.05):
            return len(batch)
        raise AssertionError

    with cf.Channel.virtual(bus("load=0")) as ch:
        assert run(main()) == 0


@posix
def test_descriptor_is_readable_until_the_ring_is_empty() -> None:
    def readable(timeout: float = 0) -> bool:
        return bool(select.select([descriptor], [], [], timeout)[0])

    with cf.Channel.virtual(bus("load=0.8;frames=10")) as ch:
        descriptor = ch.fileno()
        assert readable(5)
        deadline = time.monotonic() + 5
        while ch.ledger().pending < 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ch.fileno() == descriptor
        assert len(ch.receive(9)) == 9
        assert readable()
        assert len(ch.receive(9)) == 1
        assert not readable()
        ch.stop()
        assert readable()
        with pytest.raises(cf.ChannelClosedError):
            ch.receive(timeout=0)
        assert readable()
    assert readable()


@posix
def test_descriptor_made_after_the_frames_came() -> None:
    with cf.Channel.virtual(bus("load=0.8;frames=10")) as ch:
        deadline = time.monotonic() + 5
        while ch.ledger().pending < 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert select.select([ch], [], [], 0)[0]


@posix
def test_no_wake_is_lost_between_thread_and_consumer() -> None:
    """Takes one at a time, as fast as they come, from a full bus."""
    with cf.Channel.virtual(bus("load=1;frames=4000"), coalesce_ms=0.05) as ch:
        got = 0
        while got < 4000:
            assert select.select([ch], [], [], 10)[0], f"{got} of 4000"
            got += len(ch.receive(7, timeout=0))


def test_waiting_in_a_thread_keeps_the_loop_running() -> None:
    done = threading.Event()

    async def main() -> int:
        asyncio.get_running_loop().call_later(0.02, done.set)
        await event_loop.until_readable(None, 1, lambda: done.wait(10))
        return done.is_set()

    assert asyncio.run(main())
