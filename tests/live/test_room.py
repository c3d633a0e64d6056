"""Arrays of one record are made some at a time: nobody else's memory, and enough for two threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import canal_fast as cf


@pytest.mark.parametrize("fd", [False, True])
def test_each_has_memory_of_its_own(fd: bool) -> None:
    counts = [1] * 200 + [2, 3, 1]
    with cf.Channel.virtual("room;1000000;load=1;seed=3", fd=fd) as channel:
        made = [channel.receive(count, min_frames=count, timeout=5) for count in counts] + [channel.receive(timeout=0)]
        for number, frames in enumerate(made):
            assert frames.dtype is (cf.FD_FRAME_DTYPE if fd else cf.FRAME_DTYPE)
            assert frames.flags.c_contiguous
            frames["arbitration_id"] = number
        assert [len(frames) for frames in made[:-1]] == counts
        assert all((frames["arbitration_id"] == number).all() for number, frames in enumerate(made))


def test_threads_get_different_ones() -> None:
    made: list[list[cf.FrameArray]] = [[], [], [], []]
    with cf.Channel.virtual("threads;1000000;load=1;seed=4") as channel:

        def take(own: list[cf.FrameArray]) -> None:
            own.extend(channel.receive(1, timeout=5) for _ in range(1000))

        threads = [threading.Thread(target=take, args=(own,)) for own in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    frames = [frames for own in made for frames in own]
    assert len({one.__array_interface__["data"][0] for one in frames}) == len(frames) == 4000
    assert (
        np.sort(np.concatenate(frames)["timestamp_ns"]) == np.sort([one["timestamp_ns"][0] for one in frames])
    ).all()
    assert len({one.tobytes() for one in frames}) == 4000


def test_single_frames_that_are_kept_stay_as_they_were() -> None:
    with cf.Channel.virtual("ones;1000000;rate=5000;seed=2") as channel:
        kept = [channel.receive(1, timeout=5) for _ in range(300)]
        copies = [frames.tobytes() for frames in kept]
        channel.receive(4096, timeout=5)
        assert [frames.tobytes() for frames in kept] == copies
        assert len(set(copies)) == 300
