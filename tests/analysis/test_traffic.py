"""What is on the buses now: beside the slow twin, batch by batch."""

from __future__ import annotations

import itertools
import statistics
from typing import Any

import numpy as np
import pytest
from oracle import analysis_oracle as twin
from oracle import table_oracle
from random_frames import random_frames

import canal_fast as cf
from canal_fast import FrameFlag, wire
from canal_fast.analysis import _analysis
from canal_fast.analysis.table import ids_of
from canal_fast.analysis.traffic import Traffic, frames_of, jitter_ns


def bits(mask: int) -> set[int]:
    return {n for n in range(64) if mask >> n & 1}


def check(found: Traffic, frames: cf.FrameArray, seen: int = 0, most: int = 1 << 16) -> None:
    """`seen`: so many frames came before the last `look_away`."""
    ids, channels = twin.traffic(table_oracle.rows(frames), most)
    later, _ = twin.traffic(table_oracle.rows(frames[seen:]), most)
    rows = found.rows
    assert [(int(c), bool(e), int(i)) for c, e, i in ids_of(found.keys).tolist()] == list(ids)
    jitters = jitter_ns(rows)
    for row, jitter, (one, expected) in zip(rows, jitters, ids.items(), strict=True):
        last = expected["frames"][-1]
        assert (row["count"], row["timestamp_ns"]) == (len(expected["frames"]), last["timestamp"])
        assert [int(row[name]) for name in ("arbitration_id", "flags", "channel", "dlc")] == [
            last[name] for name in ("arbitration_id", "flags", "channel", "dlc")
        ]
        assert row["data"].tobytes() == last["data"].ljust(64, b"\0")
        if not seen:
            assert bits(int(row["changed"])) == expected["changed"]
        elif one in later:
            assert bits(int(row["changed"])) >= later[one]["changed"]
        else:
            assert row["changed"] == 0
        times = [frame["timestamp"] for frame in expected["frames"]]
        steps = [b - a for a, b in itertools.pairwise(times)]
        if steps:
            assert row["period_ns"] == steps[-1]
            assert row["mean_ns"] == pytest.approx(sum(steps) / len(steps), rel=1e-9, abs=1e-3)
            assert jitter == pytest.approx(statistics.pstdev(steps), rel=1e-9, abs=1e-3)
        else:
            assert (row["period_ns"], row["mean_ns"]) == (0, 0)
            assert np.isnan(jitter)
    for channel, expected in channels.items():
        counted = found.channels[channel]
        assert {name: int(counted[name]) for name in expected} == expected
        own = frames[frames["channel"] == channel]
        assert counted["first_ns"] == own["timestamp_ns"].min()
        assert counted["latest_ns"] == own["timestamp_ns"].max()
        lengths = wire.frame_length_bits(
            own[own["flags"] & (FrameFlag.STATUS | FrameFlag.ERROR_FRAME) == 0], parts=True
        )
        assert (counted["bits"], counted["data_bits"]) == (lengths["nominal"].sum(), lengths["data"].sum())


def marked(count: int, seed: int, **options: Any) -> cf.FrameArray:
    frames = random_frames(count, seed, **options)
    rng = np.random.default_rng(seed)
    frames["flags"] |= rng.choice([0, 0, FrameFlag.GAP, FrameFlag.CLOCK_STEP], count).astype(np.uint16)
    still = rng.random(count) < 0.7  # most payloads repeat
    frames["data"][still & (frames["flags"] & FrameFlag.REMOTE == 0), :1] = 0
    return frames


@pytest.mark.parametrize("fd", [False, True])
@pytest.mark.parametrize("ids", [3, 400])
def test_beside_the_twin(fd: bool, ids: int) -> None:
    frames = marked(2500, 1, fd=fd, ids=ids)
    found = Traffic()
    for part in (frames[:0], frames[:1], frames[1:900], frames[900:]):
        found.add(part)
    check(found, frames)


def test_known_answers() -> None:
    frames = cf.make_frames(
        [5, 5, 5, 5], [b"\1\2", b"\1\3", b"\1\3\0", b"\2"], timestamp_ns=[0, 10, 30, 30], channel=2
    )  # fmt: skip
    found = Traffic()
    found.add(frames[:2])
    (row,) = found.rows
    assert (row["count"], row["period_ns"], row["mean_ns"], row["changed"]) == (2, 10, 10, 0b10)
    assert jitter_ns(found.rows).tolist() == [0]
    found.look_away()
    assert found.rows["changed"].tolist() == [0]
    found.add(frames[2:3])
    assert (found.rows["changed"][0], found.rows["mean_ns"][0]) == (0b100, 15)  # a byte that was not there
    found.add(frames[3:])
    assert found.rows["changed"][0] == 0b101
    assert found.rows["period_ns"][0] == 0
    assert jitter_ns(found.rows)[0] == pytest.approx((200 / 3) ** 0.5)
    last = frames_of(found.rows)
    assert last.dtype == cf.FD_FRAME_DTYPE
    assert last["data"][0, :3].tolist() == [2, 0, 0]
    found.clear()
    assert (len(found.rows), int(found.channels["records"].sum())) == (0, 0)


def test_looking_away_forgets_older_changes() -> None:
    frames = marked(600, 3, ids=20)
    found = Traffic()
    found.add(frames[:500])
    found.look_away()
    found.add(frames[500:])
    check(found, frames, seen=500)


def test_identifiers_without_a_row_are_counted() -> None:
    frames = marked(3000, 4, ids=2000, channels=1)
    found = Traffic(256)
    found.add(frames[:10])
    found.add(frames[10:])
    assert len(found.rows) == 256
    check(found, frames, most=256)


def test_what_cannot_be_sent_counts_without_bits() -> None:
    frames = cf.make_frames([1, 2], b"1")
    frames["arbitration_id"][1] = 0x12345678
    found = Traffic()
    found.add(frames)
    assert (found.channels["frames"][0], found.channels["bits"][0]) == (2, 0)


def test_the_glue_looks_at_what_it_gets() -> None:
    table = Traffic()
    frames = cf.make_frames([1])
    with pytest.raises(ValueError, match="channels"):
        _analysis.watch(table._table.ids, frames, None, None, table._rows, table.channels[:255], True)
    with pytest.raises(ValueError, match="rows"):
        _analysis.watch(table._table.ids, frames, None, None, table._rows[:5], table.channels, True)
    with pytest.raises(ValueError, match="bits"):
        _analysis.watch(table._table.ids, frames, np.zeros(0, np.int32), None, table._rows, table.channels, True)
    with pytest.raises(TypeError):
        table.add([1])
