"""Arrays of one record are made some at a time: nobody else's memory, and enough for two threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.live.room import Room


@pytest.mark.parametrize("dtype", [cf.FRAME_DTYPE, cf.FD_FRAME_DTYPE])
def test_each_has_memory_of_its_own(dtype: np.dtype[np.void]) -> None:
    make = Room(dtype).make
    made = [make(count) for count in [1] * 200 + [0, 2, 3, 1]]
    for number, frames in enumerate(made):
        assert frames.dtype is dtype
        assert frames.flags.c_contiguous
        frames["arbitration_id"] = number
    assert [len(frames) for frames in made] == [1] * 200 + [0, 2, 3, 1]
    assert all((frames["arbitration_id"] == number).all() for number, frames in enumerate(made))


def test_threads_get_different_ones() -> None:
    make = Room(cf.FRAME_DTYPE).make
    made: list[list[cf.FrameArray]] = [[], [], [], []]
    threads = [threading.Thread(target=lambda own=own: own.extend(make(1) for _ in range(5000))) for own in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    places = {frames.__array_interface__["data"][0] for own in made for frames in own}
    assert len(places) == sum(map(len, made)) == 20_000


def test_single_frames_that_are_kept_stay_as_they_were() -> None:
    with cf.Channel.virtual("ones;1000000;rate=5000;seed=2") as channel:
        kept = [channel.receive(1, timeout=5) for _ in range(300)]
        copies = [frames.tobytes() for frames in kept]
        channel.receive(4096, timeout=5)
        assert [frames.tobytes() for frames in kept] == copies
        assert len(set(copies)) == 300
