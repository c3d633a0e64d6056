"""Statistics: beside the slow twin, and what adding them promises."""

from __future__ import annotations

import json
import pickle
from bisect import bisect_right
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracle import analysis_oracle as twin
from oracle import table_oracle
from random_frames import random_frames

import canal_fast as cf
from canal_fast import analysis, wire
from canal_fast.analysis import Statistics, _analysis
from canal_fast.analysis.statistics import _EDGES

PERIODS = ("period_min_s", "period_mean_s", "period_max_s", "jitter_s", "gaps")


def sendable(count: int, seed: int = 1, fd: bool = False, **options: Any) -> cf.FrameArray:
    """Random frames that a controller could send, status and error records among them."""
    return random_frames(count, seed, fd, **options)


def counted(*parts: cf.FrameArray, **options: Any) -> Statistics:
    statistics = Statistics(data_bitrate=2_000_000, **options)
    for frames in parts:
        statistics.add(frames)
    return statistics


@pytest.mark.parametrize("fd", [False, True])
@pytest.mark.parametrize("ids", [5, 600])
def test_beside_the_twin(fd: bool, ids: int) -> None:
    frames = sendable(3000, fd=fd, ids=ids)
    rows = table_oracle.rows(frames)
    found = counted(frames[:1000], frames[1000:1001], frames[1001:], window_s=0.01)
    summary = found.summary()
    groups, periods = twin.groups(rows), twin.periods(rows)
    span = max(r["timestamp"] for i in groups.values() for r in [rows[j] for j in i])
    span -= min(r["timestamp"] for i in groups.values() for r in [rows[j] for j in i])
    assert summary["span_s"] == span / 1e9
    assert summary["frames"] + summary["not_frames"] == 3000
    assert [(r["channel"], r["extended"], r["arbitration_id"]) for r in summary["ids"]] == list(groups)
    for row, (one, indexes) in zip(summary["ids"], groups.items(), strict=True):
        lengths = wire.frame_length_bits(frames[indexes], parts=True)
        assert row["bits"] == int(lengths["nominal"].sum() + lengths["data"].sum())
        assert row["payload_bytes"] == sum(len(rows[i]["data"]) for i in indexes)
        assert row["dlc"] == sorted({rows[i]["dlc"] for i in indexes})
        assert row["count"] == len(indexes)
        busy = lengths["nominal"].sum() / 500_000 + lengths["data"].sum() / 2_000_000
        assert row["share"] == pytest.approx(busy / (span / 1e9))
        if len(indexes) > 1:
            assert row["period_min_s"] == periods[one]["least_ns"] / 1e9
            assert row["jitter_s"] == pytest.approx(periods[one]["jitter_ns"] / 1e9)
        else:
            assert [row[name] for name in PERIODS] == [None] * 5
    loads = found.load_over_time()
    wanted = twin.windows(rows, 10_000_000)
    assert {c: list(w) for c, w in loads.items()} == {c: sorted(w) for c, w in sorted(wanted.items())}
    for channel, windows in wanted.items():
        for window, indexes in windows.items():
            lengths = wire.frame_length_bits(frames[indexes], parts=True)
            busy = lengths["nominal"].sum() / 500_000 + lengths["data"].sum() / 2_000_000
            assert loads[channel][window] == pytest.approx(busy / 0.01)


def test_by_hand() -> None:
    frames = cf.make_frames([1, 1, 1, 2], b"\1", timestamp_ns=[-1, 10, 30, 30], channel=[0, 0, 0, 1])
    summary = counted(frames, window_s=10e-9).summary()
    assert [bus["frames"] for bus in summary["channels"]] == [3, 1]
    assert list(counted(frames, window_s=10e-9).load_over_time()[0]) == [-1, 1, 3]
    row = summary["ids"][0]
    assert (row["period_min_s"], row["period_max_s"], row["period_mean_s"]) == (11e-9, 20e-9, 15.5e-9)
    assert row["jitter_s"] == pytest.approx(4.5e-9)
    assert json.dumps(summary)


def test_bins_of_periods() -> None:
    edges = [*range(8), *(m << e for e in range(61) for m in range(8, 16))]
    assert edges == _EDGES[:-1]
    beside = {edge + step for edge in edges for step in (-1, 0, 1)} | {-(2**62), 2**63 - 1}
    periods = np.array(sorted(period for period in beside if period < 2**63), np.int64)
    rows = np.zeros(len(periods), _analysis.ID_STATISTICS_DTYPE)
    bins = np.zeros((len(periods), _analysis.PERIOD_BINS), np.int64)
    _analysis.add_periods(rows, bins.ravel(), periods)
    assert (bins.sum(axis=1) == 1).all()
    assert bins.argmax(axis=1).tolist() == [max(bisect_right(edges, period) - 1, 0) for period in periods.tolist()]
    squares = [int(row["square_high"]) << 64 | int(row["square_low"]) for row in rows]
    assert squares == [period**2 for period in periods.tolist()]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 400), st.lists(st.integers(0, 400), max_size=4), st.booleans(), st.integers(0, 50))
def test_splits_in_time_add_exactly(count: int, cuts: list[int], fd: bool, seed: int) -> None:
    frames = sendable(count, seed=seed, fd=fd, ids=4)
    frames["timestamp_ns"].sort()
    places = sorted(min(cut, count) for cut in cuts)
    parts = [counted(part, window_s=0.01) for part in np.split(frames, places)]
    total = sum(parts, Statistics(data_bitrate=2_000_000, window_s=0.01))
    assert total.summary() == counted(frames, window_s=0.01).summary()
    assert total.load_over_time() == counted(frames, window_s=0.01).load_over_time()
    backwards = sum(parts[::-1], Statistics(data_bitrate=2_000_000, window_s=0.01))
    if len({*frames["timestamp_ns"].tolist()}) == count:  # equal time stamps at a cut are another order, other periods
        assert backwards.summary() == total.summary()
    assert pickle.loads(pickle.dumps(total)).summary() == total.summary()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 300), st.booleans(), st.integers(0, 1000), st.booleans())
def test_any_assignment_to_two_files_adds(count: int, fd: bool, seed: int, sorted_: bool) -> None:
    frames = sendable(count, seed=seed, fd=fd, ids=6)
    if sorted_:
        frames["timestamp_ns"].sort()
    first = np.random.default_rng(seed).random(count) < (0.5 if seed % 3 else 0.02)
    parts = [np.ascontiguousarray(frames[first]), np.ascontiguousarray(frames[~first])]
    check_sum(parts)


@settings(max_examples=150, deadline=None)
@example([(12, 1, True), (1, 0, True), (5, 0, False), (20, 1, False), (20, 0, False)])
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 1), st.booleans()), max_size=9))
def test_few_frames_far_apart_and_out_of_order_add(entries: list[tuple[int, int, bool]]) -> None:
    """Squares of these periods have more than 64 bits; whose frames come first is not what their time stamps say."""
    times = np.array([time for time, _, _ in entries], np.int64) * 5_000_000_000
    frames = cf.make_frames(np.array([one for _, one, _ in entries], np.int64), timestamp_ns=times)
    first = np.array([part for _, _, part in entries], np.bool_)
    check_sum([frames[first], frames[~first]])


def check_sum(parts: list[cf.FrameArray]) -> None:
    """The sum of the parts' statistics is that of their merge, but for the periods of what interleaves."""
    whole = counted(analysis.merge(*parts), window_s=0.01)
    added = counted(parts[0], window_s=0.01) + counted(parts[1], window_s=0.01)
    one, two = whole.summary(), added.summary()
    assert two["overlapping"] == sum(row["overlapping"] for row in two["ids"])
    for row, other in zip(one["ids"], two["ids"], strict=True):
        if other["overlapping"]:
            assert [other[name] for name in PERIODS] == [None] * 5
            for name in (*PERIODS, "overlapping"):
                row[name] = other[name]
        assert row == other
    one["overlapping"] = two["overlapping"]
    assert one == two
    assert whole.load_over_time() == added.load_over_time()


def test_parts_apart_do_not_overlap() -> None:
    early = cf.make_frames([1, 2], timestamp_ns=[10, 90])
    late = cf.make_frames([1, 2], timestamp_ns=[20, 30])
    rows = (counted(early) + counted(late)).summary()["ids"]
    assert [row["overlapping"] for row in rows] == [False, False]
    assert [row["period_min_s"] for row in rows] == [10e-9, 60e-9]
    again = counted(early) + counted(late) + counted(late)
    assert again.summary()["overlapping"] == 1  # the second `late` begins as the first one of identifier 1 ends
    again += counted(early)
    assert again.summary()["overlapping"] == 2
    assert np.isnan(again.periods()["mean_ns"]).all()


def test_more_identifiers_than_the_first_table_holds() -> None:
    frames = cf.make_frames(np.arange(2000) % 2048, b"1", timestamp_ns=np.arange(2000), channel=np.arange(2000) % 256)
    frames = np.concatenate([frames, frames])
    frames["timestamp_ns"] = np.arange(4000)
    summary = counted(frames, window_s=1e-9).summary()
    assert [row["count"] for row in summary["ids"]] == [2] * 2000
    assert {row["period_min_s"] for row in summary["ids"]} == {2000e-9}
    added = counted(frames[:2000], window_s=1e-9) + counted(frames[2000:], window_s=1e-9)
    assert added.summary() == summary
    assert pickle.loads(pickle.dumps(added)).summary() == summary


def test_what_does_not_add() -> None:
    with pytest.raises(ValueError, match=r"windows of 1\.0 s and 2\.0 s"):
        Statistics() + Statistics(window_s=2)
    with pytest.raises(ValueError, match="bitrate = 500000 and 250000"):
        Statistics() + Statistics(250_000)
    with pytest.raises(ValueError, match=r"bitrates\[1\] = 1 and 2 bit/s"):
        Statistics(bitrates={1: 1}) + Statistics(bitrates={1: 2})
    with pytest.raises(TypeError):
        Statistics() + 1  # type: ignore[operator]
    assert (Statistics(names={1: "a"}) + Statistics(names={1: "b", 2: "c"})).names == {1: "a", 2: "c"}


@pytest.mark.parametrize(
    ("start_ms", "count", "whole"),
    [
        (0, 11, False),
        (0, 51, False),
        (0, 121, True),
        (700, 51, False),
        (700, 121, False),
        (950, 11, False),
        (950, 121, True),
    ],
)
def test_time_without_a_recording_is_no_idle_bus(start_ms: int, count: int, whole: bool) -> None:
    """0.1 to 1.2 s of an even load, wherever windows of 1 s begin: the peak is that load, not a part of it."""
    statistics = Statistics()
    stamps = start_ms * 1_000_000 + np.arange(count, dtype=np.int64) * 10_000_000
    statistics.add(cf.make_frames(1, bytes(8), timestamp_ns=stamps))
    (bus,) = statistics.summary()["channels"]
    assert bus["peak_load"] == pytest.approx(bus["load"], rel=0.11)
    assert whole or bus["peak_load"] >= bus["load"]
    half = Statistics(window_s=10)
    half.add(cf.make_frames(1, bytes(8), timestamp_ns=stamps))
    (bus,) = half.summary()["channels"]
    assert (bus["peak_load"], bus["peak_at_s"]) == (pytest.approx(bus["load"]), 0)


def test_the_peak_is_the_greatest_of_what_windows_are_told_to_carry() -> None:
    """None is whole: 0.1 to 1 s with a frame each 10 ms, then 0.05 s with one each millisecond, which is less."""
    statistics = Statistics()
    stamps = np.concatenate([np.arange(100, 1000, 10), np.arange(1000, 1051)]).astype(np.int64) * 1_000_000
    statistics.add(cf.make_frames(1, bytes(8), timestamp_ns=stamps))
    (bus,) = statistics.summary()["channels"]
    windows = statistics.load_over_time()[0]
    assert windows[0] > windows[1]
    told = {window: statistics.covered_load(window, of_it, bus["load"]) for window, of_it in windows.items()}
    assert told[1] > told[0]
    assert (bus["peak_load"], bus["peak_at_s"]) == (told[1], 1.0)


def test_a_second_rate_that_is_not_known_gives_no_load() -> None:
    frames = cf.make_frames([1, 2], bytes(16), flags=cf.FrameFlag.BITRATE_SWITCH, timestamp_ns=[0, 10**9], fd=True)
    statistics = Statistics()
    statistics.add(frames)
    summary = statistics.summary()
    assert [(bus["load"], bus["peak_load"], bus["peak_at_s"]) for bus in summary["channels"]] == [(None, None, None)]
    assert [row["share"] for row in summary["ids"]] == [None, None]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"window_s": 0}, "window_s = 0"), ({"bitrate": 0}, "bitrate = 0"), ({"bitrates": {3: 0}}, r"bitrates\[3\] = 0")],
)
def test_options_that_are_none(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Statistics(**options)


def test_a_record_that_is_no_frame_on_the_wire() -> None:
    frames = cf.make_frames([1, 2])
    frames["arbitration_id"][1] = 0x800
    with pytest.raises(cf.FrameError, match=r"frames\[1\]"):
        Statistics().add(frames)
    assert Statistics().summary()["frames"] == 0
