"""Tools over arrays beside their slow twins."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import analysis_oracle as twin
from oracle import table_oracle
from random_frames import random_frames

import canal_fast as cf
from canal_fast import analysis
from canal_fast.analysis.table import ids_of

KINDS = pytest.mark.parametrize("fd", [False, True])


def keys(ids: Any) -> list[tuple[int, bool, int]]:
    return [tuple(row) for row in ids.tolist()]


@KINDS
@pytest.mark.parametrize("ids", [1, 30, 1500])
def test_group_by_id(fd: bool, ids: int) -> None:
    frames = random_frames(4000, seed=ids, fd=fd, ids=ids)
    wanted = twin.groups(table_oracle.rows(frames))
    found = analysis.group_by_id(frames)
    assert {key: indexes.tolist() for key, (_, indexes) in zip(keys(found.ids), found, strict=True)} == wanted
    assert keys(found.ids) == list(wanted)
    assert len(found.order) + found.left_out == len(frames)
    assert found.counts.tolist() == [len(indexes) for indexes in wanted.values()]


def test_group_by_id_by_hand() -> None:
    frames = cf.make_frames([5, 5, 5, 4], flags=[0, 1, 0, 0], channel=[1, 0, 1, 1])
    frames["flags"][3] = cf.FrameFlag.STATUS
    found = analysis.group_by_id(frames)
    assert keys(found.ids) == [(0, True, 5), (1, False, 5)]
    assert (found.order.tolist(), found.offsets.tolist(), found.left_out) == ([1, 0, 2], [0, 1, 3], 1)


@KINDS
@pytest.mark.parametrize("ids", [3, 400])
def test_changes(fd: bool, ids: int) -> None:
    frames = random_frames(3000, fd=fd, ids=ids)
    frames["data"] &= 1 << np.arange(frames["data"].shape[1], dtype=np.uint8) % 8
    frames["data"][:, 1:] = 0  # few different payloads
    assert analysis.changes(frames).tolist() == twin.changes(table_oracle.rows(frames))
    same = cf.make_frames([1, 1, 1, 1], [b"a", b"a", b"a\0", b"a"])  # the length counts, too
    assert analysis.changes(same).tolist() == [True, False, True, True]


@KINDS
def test_latest(fd: bool) -> None:
    frames = random_frames(400, fd=fd, ids=5)
    start = int(frames["timestamp_ns"][0])
    times = [start - 5, start, *(start + 3_000_000 * n for n in range(40))]
    ids, found = analysis.latest(frames, np.array(times))
    rows = table_oracle.rows(frames)
    assert keys(ids) == list(twin.groups(rows))
    assert found.tolist() == twin.latest(rows, times)
    assert (analysis.latest(frames, np.array(times).view("datetime64[ns]"))[1] == found).all()


def test_resample_has_a_grid_that_recordings_share() -> None:
    frames = cf.make_frames([1, 2, 1], timestamp_ns=[150_000_000, 210_000_000, 390_000_000])
    times, ids, found = analysis.resample(frames, 0.1)
    assert times.tolist() == [200_000_000, 300_000_000]
    assert keys(ids) == [(0, False, 1), (0, False, 2)]
    assert found.tolist() == [[0, -1], [0, 1]]
    assert [len(part) for part in analysis.resample(frames[:0], 0.1)] == [0, 0, 0]
    with pytest.raises(ValueError, match=r"period_s = 0.0, allowed 1e-6"):
        analysis.resample(frames, 0.0)
    frames["timestamp_ns"][0] = 0
    frames["timestamp_ns"][2] = 2**62
    with pytest.raises(ValueError, match=r"period_s = 0.1 gives \d+ times"):
        analysis.resample(frames, 0.1)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.lists(st.integers(-3, 12), max_size=30)), max_size=6),
)
def test_merge(sources: list[tuple[bool, list[int]]]) -> None:
    arrays = []
    for number, (fd, times) in enumerate(sources):
        frames = random_frames(len(times), seed=number, fd=fd)
        frames["timestamp_ns"], frames["channel"] = times, number
        arrays.append(frames)
    found = analysis.merge(*arrays)
    assert table_oracle.rows(found) == twin.merge([table_oracle.rows(frames) for frames in arrays])
    assert found.dtype == (cf.FD_FRAME_DTYPE if any(fd for fd, _ in sources) else cf.FRAME_DTYPE)
    joined = analysis.concatenate(*arrays)
    assert table_oracle.rows(joined) == [row for frames in arrays for row in table_oracle.rows(frames)]
    assert joined["data"].any(axis=0).sum() <= joined["data"].shape[1]


def test_merge_of_very_many() -> None:
    arrays = [cf.make_frames(number, timestamp_ns=[5, number % 7]) for number in range(600)]
    rows = [table_oracle.rows(frames) for frames in arrays]
    assert table_oracle.rows(analysis.merge(*arrays)) == twin.merge(rows)


def test_merge_clears_what_classical_records_lack() -> None:
    wide = analysis.merge(cf.make_frames(1, b"12345678"), cf.make_frames(2, bytes(64), fd=True))
    assert bytes(wide["data"][0]) == b"12345678" + bytes(56)
    assert bytes(analysis.concatenate(cf.make_frames(1, b"1"), wide)["data"][0]) == b"1" + bytes(63)


def test_between() -> None:
    frames = cf.make_frames([1, 2, 3, 4], timestamp_ns=[10, 20, 20, 30])
    assert analysis.between(frames, 20, 30)["arbitration_id"].tolist() == [2, 3]
    assert analysis.between(frames, 20, 30).base is frames
    assert len(analysis.between(frames)) == 4
    assert analysis.between(frames, 30, 10).size == 0
    assert analysis.between(frames, None, np.datetime64(11, "ns"))["arbitration_id"].tolist() == [1]
    assert analysis.between(frames[::2], 20)["arbitration_id"].tolist() == [3]
    back = frames[[3, 0, 1, 2]]
    assert analysis.between(back, 20)["arbitration_id"].tolist() == [4, 2, 3]
    day = cf.make_frames(1, timestamp_ns=1_700_000_000_000_000_000)
    moment = dt.datetime.fromtimestamp(1_700_000_000, dt.UTC)
    assert len(analysis.between(day, moment)) == 1
    assert len(analysis.between(day, None, moment)) == 0
    with pytest.raises(ValueError, match="has no zone"):
        analysis.between(day, moment.replace(tzinfo=None))
    with pytest.raises(TypeError, match=r"start must be ns .*, not float"):
        analysis.between(day, 1.5)  # type: ignore[arg-type]


def test_payload_view() -> None:
    frames = cf.make_frames([1, 2], [b"\1\2\3\4", b"\5\6\7\10"])
    assert analysis.payload_view(frames, ">u2", 1).tolist() == [0x0203, 0x0607]
    analysis.payload_view(frames, "<u2")[0] = 0xAABB
    assert bytes(frames["data"][0, :2]) == b"\xbb\xaa"
    assert analysis.payload_view(frames[::-1], "u1", 7).tolist() == [0, 0]
    with pytest.raises(ValueError, match=r"offset = 7 with 2 bytes, allowed 0\.\.6"):
        analysis.payload_view(frames, "<u2", 7)
    with pytest.raises(TypeError, match="dtype = object"):
        analysis.payload_view(frames, object)


@KINDS
@pytest.mark.parametrize("ids", [4, 700])
def test_periods(fd: bool, ids: int) -> None:
    frames = random_frames(5000, fd=fd, ids=ids, channels=2)
    found = analysis.periods(frames)
    wanted = twin.periods(table_oracle.rows(frames))
    assert keys(found[["channel", "extended", "arbitration_id"]]) == list(wanted)
    for row, one in zip(found, wanted.values(), strict=True):
        for name in ("count", "first_ns", "last_ns", "least_ns", "most_ns"):
            assert row[name] == one[name]
        for name in ("mean_ns", "jitter_ns"):
            assert row[name] == pytest.approx(one[name], rel=1e-9, nan_ok=True)
        steps = sorted(one["steps"])
        median = max(steps[(len(steps) - 1) // 2], 1) if steps else 1
        assert sum(s >= 2 * median for s in steps) <= row["gaps"] <= sum(s >= 1.5 * median for s in steps)


def test_periods_know_long_and_negative_ones() -> None:
    frames = cf.make_frames(1, timestamp_ns=[0, 2**61, 5, 7])
    (row,) = analysis.periods(frames)
    steps = [2**61, 5 - 2**61, 2]
    mean = sum(steps) / 3
    assert (row["least_ns"], row["most_ns"]) == (5 - 2**61, 2**61)
    assert row["jitter_ns"] == pytest.approx((sum((s - mean) ** 2 for s in steps) / 3) ** 0.5, rel=1e-12)


def test_a_lost_frame_is_a_gap() -> None:
    times = np.delete(np.arange(100) * 10_000_000, 50)
    (row,) = analysis.periods(cf.make_frames(1, timestamp_ns=times))
    assert (row["gaps"], row["most_ns"], row["least_ns"]) == (1, 20_000_000, 10_000_000)


@pytest.mark.parametrize("tool", [analysis.group_by_id, analysis.changes, analysis.periods, analysis.merge])
def test_nothing_in_nothing_out(tool: Any) -> None:
    assert len(tool(random_frames(0))) == 0
    assert len(analysis.merge()) == 0


@pytest.mark.parametrize("tool", [analysis.group_by_id, analysis.changes, analysis.periods, analysis.between])
@pytest.mark.parametrize("bad", [[1], np.zeros(3), np.zeros((2, 2), cf.FRAME_DTYPE)])
def test_what_is_no_array_of_frames(tool: Any, bad: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="frames must"):
        tool(bad)


def test_strided_frames() -> None:
    frames = random_frames(1000)
    assert analysis.periods(frames[::2]).tobytes() == analysis.periods(frames[::2].copy()).tobytes()
    assert analysis.changes(frames[::2]).tolist() == analysis.changes(frames[::2].copy()).tolist()
    assert len(ids_of(np.empty(0, np.uint64))) == 0
