"""Frames of several channels in one order."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import event_oracle as oracle

import canal_fast as cf
from canal_fast.logger.ordering import Ordering, joined


def frames_at(times: list[int], channel: int = 0, fd: bool = False) -> cf.FrameArray:
    return cf.make_frames(
        np.arange(len(times)) % 2048, timestamp_ns=np.array(times, np.int64), channel=channel, fd=fd
    ) if times else np.empty(0, cf.FD_FRAME_DTYPE if fd else cf.FRAME_DTYPE)  # fmt: skip


def give(ordering: Ordering, *channels: list[int]) -> list[int]:
    """One round."""
    ordering.begin()
    for channel, times in enumerate(channels):
        frames = frames_at(times, channel)
        ordering.give(frames, frames["timestamp_ns"].astype(np.int64))
    return ordering.take()[0]["timestamp_ns"].tolist()


def test_by_hand() -> None:
    now = [0.0]
    ordering = Ordering(2, 0.25, lambda: now[0])
    assert give(ordering, [10, 30], [20]) == []
    now[0] = 0.125
    assert give(ordering, [35], [25]) == []
    now[0] = 0.25  # the first round ended so long ago
    assert give(ordering, [], [28, 40]) == [10, 20, 25, 28, 30]
    now[0] = 0.375
    assert give(ordering, [29], []) == [29, 35]  # late: 30 was given
    assert ordering.late == [1, 0]
    ordering.begin()
    frames, keys = ordering.take(final=True)
    assert frames["timestamp_ns"].tolist() == keys.tolist() == [40]
    assert len(ordering) == 0


@pytest.mark.parametrize("seed", range(20))
def test_rounds_as_the_oracle_has_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    window, now, rows = float(random.choice([0.0, 0.1, 0.5])), [0.0], []
    clock = [0.0]
    ordering = Ordering(3, window, lambda: clock[0])
    channels: list[list[int]] = [[], [], []]
    got: list[list[int]] = []
    for _ in range(60):
        began = now[0] = now[0] + float(random.choice([0.01, 0.05, 1.0]))
        for times in channels:
            last = times[-1] if times else 0
            here = int(began * 1000)
            new = random.integers(max(last, here - 300), max(last, here) + 1, size=random.integers(0, 4))
            times[:] = sorted(new.tolist()) or times[-1:]
            if not len(new):
                times[:] = [last] if last else []
        batches = [times if random.random() < 0.8 else [] for times in channels]
        ended = now[0] = began + float(random.choice([0.0, 0.3]))
        rows.append((began, ended, [list(batch) for batch in batches]))
        clock[0] = began
        ordering.begin()
        for channel, batch in enumerate(batches):
            frames = frames_at(batch, channel)
            ordering.give(frames, frames["timestamp_ns"].astype(np.int64))
        clock[0] = ended
        got.append(ordering.take()[0]["timestamp_ns"].tolist())
    wanted, late = oracle.rounds(rows, window)
    assert got == wanted
    assert ordering.late == late
    assert sum(map(len, got)) > 20


def test_however_long_the_process_stands_still_nothing_is_late() -> None:
    """Frames are there as soon as they are on the bus; the process is held up for seconds in between."""
    random = np.random.default_rng(1)
    now = [0.0]
    ordering = Ordering(4, 0.2, lambda: now[0])
    asked = [0.0] * 4
    out: list[int] = []
    count = 0
    for _ in range(300):
        now[0] += 0.04
        ordering.begin()
        for channel in range(4):
            now[0] += float(random.choice([0.0, 0.0, 2.0]))
            times = np.arange(int(asked[channel] * 1000) + 1, int(now[0] * 1000) + 1).tolist()
            asked[channel] = now[0]
            count += len(times)
            frames = frames_at(times, channel)
            ordering.give(frames, frames["timestamp_ns"].astype(np.int64))
        out += ordering.take()[0]["timestamp_ns"].tolist()
    out += ordering.take(final=True)[0]["timestamp_ns"].tolist()
    assert ordering.late == [0] * 4
    assert len(out) == count > 1000
    assert out == sorted(out)


def test_a_backlog_of_one_channel_holds_the_others() -> None:
    now = [0.0]
    ordering = Ordering(2, 0.0, lambda: now[0])
    for more, channels in ((True, ([50, 60], [10, 20])), (True, ([], [30, 40])), (False, ([70], [50]))):
        now[0] += 1
        ordering.begin()
        for channel, times in enumerate(channels):
            frames = frames_at(times, channel)
            ordering.give(frames, frames["timestamp_ns"].astype(np.int64), more and channel == 1)
        given = ordering.take()[0]["timestamp_ns"].tolist()
        assert given == {1: [], 2: [10, 20, 30, 40], 3: [50, 50, 60]}[int(now[0])]
    assert ordering.late == [0, 0]


def test_what_is_due_and_too_much_at_once_comes_next() -> None:
    now = [0.0]
    ordering = Ordering(2, 0.0, lambda: now[0])
    assert give(ordering, [10, 30], [20, 40, 50]) == []
    now[0] = 1.0
    ordering.begin()
    ordering.give(frames_at([60]), np.array([60], np.int64))
    taken = [ordering.take(most=2)]
    assert (ordering.ready, len(ordering)) == (3, 4)
    taken += [ordering.take(most=2), ordering.take(final=True, most=2)]
    assert [keys.tolist() for _, keys in taken] == [[10, 20], [30, 40], [50]]
    assert [frames["timestamp_ns"].tolist() for frames, _ in taken] == [[10, 20], [30, 40], [50]]
    assert (ordering.ready, len(ordering)) == (0, 1)
    assert ordering.take(final=True, most=2)[1].tolist() == [60]
    assert ordering.late == [0, 0]


def test_of_equal_times_the_order_is_that_of_the_channels() -> None:
    now = [0.0]
    ordering = Ordering(3, 0.0, lambda: now[0])
    ordering.begin()
    for channel in range(3):
        ordering.give(frames_at([5, 5], channel), np.array([5, 5], np.int64))
    frames = ordering.take(final=True)[0]
    assert frames["channel"].tolist() == [0, 0, 1, 1, 2, 2]
    assert frames["arbitration_id"].tolist() == [0, 1] * 3


def test_classical_and_fd_frames_together() -> None:
    classical = cf.make_frames([1, 2], [b"12345678", b"abc"], timestamp_ns=[1, 2])
    flexible = cf.make_frames([3], [bytes(range(64))], flags=cf.FrameFlag.FD, fd=True, channel=1)
    both = joined([classical, flexible])
    assert both.dtype == cf.FD_FRAME_DTYPE
    assert both[2] == flexible[0]
    for name in ("timestamp_ns", "arbitration_id", "flags", "channel", "dlc"):
        assert np.array_equal(both[name][:2], classical[name])
    assert np.array_equal(both["data"][:2, :8], classical["data"])
    assert not both["data"][:2, 8:].any()
    assert joined([classical]) is classical
    assert len(joined([])) == 0
