"""Schedules learnt from recordings: periods, offsets, jitter, and disturbances found again; gateways' delays."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from periodic_traffic import JITTER, MS, PERIODS_MS, START, disturb, records, traffic

import canal_fast as cf
from canal_fast import analysis
from canal_fast.analysis import Message, Schedule, gateway_delays, learn_schedule
from canal_fast.frames import FrameFlag

KINDS = ("missing", "doubled", "late", "foreign")


def given() -> Schedule:
    """The stated periods and jitter, as a database may say them."""
    rows = [(0x100 + row, round(period * MS)) for row, period in enumerate(PERIODS_MS)]
    return Schedule.from_messages(
        Message(f"m{i}", i, 8, period, round(JITTER * period), is_extended=i % 3 == 0) for i, period in rows
    )


def test_periods_offsets_and_jitter_are_found() -> None:
    clean = traffic(1)
    found = learn_schedule(clean.frames())
    assert found.rows["cyclic"].all()
    begin = int(clean.times.min())
    for row in found.rows:
        own = clean.times[clean.ids == row["arbitration_id"]]
        period = PERIODS_MS[int(row["arbitration_id"]) - 0x100] * MS
        assert row["period_ns"] == pytest.approx(period, rel=100e-6)
        assert row["count"] == len(own)
        assert 0.9 * JITTER * period < row["jitter_ns"] < 1.05 * JITTER * period
        # the line goes through the middle of the jitter
        slope = (own[-1] - own[0]) / (len(own) - 1)
        assert row["period_ns"] == pytest.approx(slope, rel=JITTER / len(own) * 2)
        assert row["offset_ns"] == pytest.approx(own[0] - begin, abs=JITTER * period)


@pytest.mark.parametrize("schedule", ["learnt", "given"])
def test_a_thousand_disturbances(schedule: str) -> None:
    """Hits and false alarms; none on the undisturbed runs, the one that was learnt from and another."""
    clean = traffic(1)
    known = learn_schedule(clean.frames()) if schedule == "learnt" else given()
    for seed in range(1, 6):
        assert not len(known.check(traffic(seed).frames()))
    disturbed = disturb(traffic(7), 8)
    found = known.check(disturbed.frames)
    table = {kind: Counter[str]() for kind in KINDS}
    used = np.zeros(len(found), np.bool_)
    for kind, identifier, when in disturbed.known:
        period = PERIODS_MS[identifier - 0x100] * MS if kind == "missing" else 0
        near = (found["kind"] == kind) & (found["arbitration_id"] == identifier) & ~used
        near &= np.abs(found["timestamp_ns"] - when) <= JITTER * period + 1000
        hit = np.flatnonzero(near)
        table[kind]["hits" if hit.size else "missed"] += 1
        used[hit[:1]] = True
    for row in found[~used]:
        table.setdefault(str(row["kind"]), Counter())["false alarms"] += 1
    print(f"\n{schedule:8}  put in  hits  missed  false alarms")
    for kind, counts in table.items():
        shown = [counts[name] for name in ("hits", "missed", "false alarms")]
        print(f"{kind:8} {shown[0] + shown[1]:7} {shown[0]:5} {shown[1]:7} {shown[2]:13}")
    assert {kind: dict(counts) for kind, counts in table.items()} == {kind: {"hits": 250} for kind in KINDS}


def test_rows_say_where() -> None:
    clean = traffic(1, 5)
    frames = clean.frames()
    number = int(np.flatnonzero(frames["arbitration_id"] == 0x104)[100])
    frames["timestamp_ns"][number] += 12 * MS
    frames = frames[np.argsort(frames["timestamp_ns"], kind="stable")]
    (row,) = learn_schedule(clean.frames()).check(frames)
    assert (row["kind"], row["arbitration_id"], row["extended"], row["count"]) == ("late", 0x104, False, 1)
    assert frames["arbitration_id"][row["index"]] == 0x104
    assert frames["timestamp_ns"][row["index"]] == row["timestamp_ns"]
    assert row["delay_ns"] == pytest.approx(12 * MS, abs=JITTER * 20 * MS)


def test_silences_and_identifiers_that_are_gone() -> None:
    clean = traffic(1, 10)
    known = learn_schedule(clean.frames())
    since = (clean.times - START) / 1e9
    # 0x100 pauses and begins with another phase, 0x101 is not there, 0x104 ends early, 0x107 begins late
    clean.times[(clean.ids == 0x100) & (since > 6)] += round(3.3 * MS)
    gone = (clean.ids == 0x101) | ((clean.ids == 0x100) & (since > 3) & (since < 6))
    gone |= ((clean.ids == 0x104) & (since > 8)) | ((clean.ids == 0x107) & (since < 2))
    found = known.check(clean.frames(~gone))
    assert found["kind"].tolist() == ["missing"] * 4
    assert found["index"].tolist() == [-1] * 4
    counts = dict(zip(found["arbitration_id"].tolist(), found["count"].tolist(), strict=True))
    assert counts[0x100] == pytest.approx(300, abs=1)
    assert counts[0x101] == pytest.approx(1000, abs=1)
    assert counts[0x104] == pytest.approx(100, abs=1)
    assert counts[0x107] == pytest.approx(40, abs=1)
    times = dict(zip(found["arbitration_id"].tolist(), found["timestamp_ns"].tolist(), strict=True))
    assert (times[0x100] - START) / 1e9 == pytest.approx(3, abs=0.02)
    assert (times[0x104] - START) / 1e9 == pytest.approx(8, abs=0.03)


def test_another_period_is_one_row() -> None:
    clean = traffic(1, 10)
    known = learn_schedule(clean.frames())
    ids = np.full(300, 0x100)
    odd = records(ids, START + np.arange(300, dtype=np.int64) * 13_370_000)
    (row,) = Schedule(known.rows[known.rows["arbitration_id"] == 0x100]).check(odd)
    assert (row["kind"], row["count"]) == ("period", 300)


def test_events_are_not_cyclic() -> None:
    rng = np.random.default_rng(1)
    times = START + np.cumsum(rng.exponential(20 * MS, 500)).astype(np.int64)
    found = learn_schedule(records(np.full(500, 0x200), times))
    assert not found.rows["cyclic"][0]
    assert np.isnan(found.rows["period_ns"][0])
    assert not len(found.check(records(np.full(500, 0x200), times[::-1].copy())))


def test_a_disturbed_recording_teaches_too() -> None:
    disturbed = disturb(traffic(3), 4)
    wide, narrow = learn_schedule(disturbed.frames), learn_schedule(disturbed.frames, disturbed=0.1)
    ours = narrow.rows["arbitration_id"] < 0x300
    fast = narrow.rows[ours & (narrow.rows["arbitration_id"] < 0x104)]
    period = np.array([PERIODS_MS[i - 0x100] * MS for i in fast["arbitration_id"]])
    assert (fast["jitter_ns"] <= JITTER * period * 1.01).all()
    assert (wide.rows["jitter_ns"][ours] > narrow.rows["jitter_ns"][ours]).all()
    assert fast["period_ns"] == pytest.approx(period, rel=100e-6)


def test_few_frames_and_none() -> None:
    empty = learn_schedule(cf.make_frames(1)[:0])
    assert not len(empty.rows)
    assert not len(empty.check(cf.make_frames(1)[:0]))
    found = learn_schedule(cf.make_frames([1, 1, 1, 2], timestamp_ns=[0, 5, 5, 7]))
    assert found.rows["cyclic"].tolist() == [False, False]
    same = learn_schedule(cf.make_frames([1] * 9, timestamp_ns=7))
    assert not same.rows["cyclic"][0]
    assert given().check(cf.make_frames(1)[:0])["kind"].tolist() == []


def test_arguments_are_checked() -> None:
    frames = cf.make_frames([1, 1], timestamp_ns=[0, 5])
    with pytest.raises(ValueError, match=r"disturbed = 0\.5, allowed 0 to below 0\.5"):
        learn_schedule(frames, disturbed=0.5)
    with pytest.raises(ValueError, match="slack_ns = -1, allowed 0 and above"):
        learn_schedule(frames).check(frames, slack_ns=-1)
    with pytest.raises(TypeError):
        learn_schedule(np.zeros(3))
    with pytest.raises(ValueError, match="within_s = 0, allowed"):
        gateway_delays(frames, within_s=0)


def test_gateway_delays() -> None:
    """Two identifiers go from channel 0 to 1, one back; every tenth frame of the first is lost on the way."""
    rng = np.random.default_rng(1)
    parts = []
    for identifier, source, least, loss in ((0x100, 0, 300_000, 10), (0x200, 0, 1_000_000, 0), (0x300, 1, 50_000, 0)):
        count = 1000
        times = START + np.arange(count, dtype=np.int64) * 20 * MS + rng.integers(0, MS, count)
        data = np.zeros((count, 8), np.uint8)
        data[:, 0], data[:, 1] = np.arange(count) // 4 % 16, identifier >> 4  # the same payload four times in a row
        there = cf.make_frames(identifier, data, timestamp_ns=times, channel=source)
        back = cf.make_frames(
            identifier, data, timestamp_ns=times + least + rng.integers(0, 200_000, count), channel=1 - source
        )
        parts += [there, back[np.arange(count) % loss != 0] if loss else back]
    parts.append(cf.make_frames([0x400] * 5, timestamp_ns=START + np.arange(5, dtype=np.int64) * MS, channel=0))
    frames = np.concatenate(parts)
    frames = frames[np.argsort(frames["timestamp_ns"], kind="stable")]
    found = gateway_delays(frames, within_s=0.01)
    assert found[["source", "target", "arbitration_id"]].tolist() == [(0, 1, 0x100), (0, 1, 0x200), (1, 0, 0x300)]
    assert found["frames"].tolist() == [1000] * 3
    assert found["matched"].tolist() == [900, 1000, 1000]
    for row, least in zip(found, (300_000, 1_000_000, 50_000), strict=True):
        assert least <= row["least_ns"] < least + 2_000
        assert row["median_ns"] == pytest.approx(least + 100_000, abs=10_000)
        assert row["median_ns"] < row["p99_ns"] <= row["most_ns"] < least + 200_000
    assert not len(gateway_delays(frames[frames["channel"] == 0]))
    assert "gateway_delays" in analysis.__all__


def test_gateway_tells_extended_and_lengths_apart() -> None:
    one = cf.make_frames(0x10, b"\0", timestamp_ns=0)
    other = cf.make_frames(0x10, b"\0", timestamp_ns=1000, channel=1, flags=FrameFlag.EXTENDED_ID)
    longer = cf.make_frames(0x10, b"\0\0", timestamp_ns=2000, channel=1)
    assert not len(gateway_delays(np.concatenate([one, other, longer])))
    right = cf.make_frames(0x10, b"\0", timestamp_ns=3000, channel=1)
    (row,) = gateway_delays(np.concatenate([one, other, longer, right]))
    assert row["most_ns"] == 3000
