"""Recordings dated by a wall clock on the days when it is set: what can be known of the hour is kept."""

from __future__ import annotations

import datetime as dt
import io
import zoneinfo
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.logs.zones import epoch_of, wall_start

pytestmark = pytest.mark.posix  # which has the zones
SECOND = 1_000_000_000
HOUR = 3600 * SECOND
AUTUMN, SPRING = (int(dt.datetime(2024, *day, 1, tzinfo=dt.UTC).timestamp()) * SECOND for day in ((10, 27), (3, 31)))
CHANGES = [  # the instant, a zone that sets its clock then
    (AUTUMN, "Europe/Berlin"),
    (SPRING, "Europe/Berlin"),
    (int(dt.datetime(2024, 4, 6, 15, tzinfo=dt.UTC).timestamp()) * SECOND, "Australia/Lord_Howe"),  # by half an hour
    (AUTUMN, "UTC"),
]


@pytest.mark.parametrize("suffix", [".asc", ".trc", ".blf"])
@pytest.mark.parametrize("minutes", [-61, -31, -1, 0, 1, 31, 61])
@pytest.mark.parametrize(("change", "zone"), CHANGES)
def test_frames_come_back_when_they_were(change: int, zone: str, minutes: int, suffix: str, tmp_path: Path) -> None:
    times = change + 60 * SECOND * minutes + np.array([0, 1, 90 * 60], np.int64) * SECOND
    path = tmp_path / f"x{suffix}"
    cf.write_log(path, cf.make_frames([1, 2, 3], timestamp_ns=times), tz=zone)
    assert cf.read_log(path, tz=zone)["timestamp_ns"].tolist() == times.tolist()


@pytest.mark.parametrize("step_ns", [1000, 1_000_000, 86_400_000, SECOND])
@pytest.mark.parametrize(("change", "zone"), CHANGES)
def test_a_start_is_read_as_it_was_meant(change: int, zone: str, step_ns: int) -> None:
    there = zoneinfo.ZoneInfo(zone)
    for off in (*range(-2 * HOUR, 2 * HOUR, 293 * SECOND + 7), -1, 0, 1, 2_500_000, HOUR, HOUR - 1, HOUR + 1_000_001):
        start, wall = wall_start(change + off, there, step_ns)
        assert wall is not None
        assert wall % step_ns == 0
        assert epoch_of(wall, there)[0] == start
        assert 0 <= change + off - start < 2 * HOUR + 2 * step_ns
        once = epoch_of((change + off) // 1000 * 1000, there)[1] is None and abs(off) > HOUR + step_ns
        if once:
            assert change + off - start < step_ns


def blocks(*starts: str, errors: str = "strict") -> cf.logs.LogFile:
    lines = ["date Sun Oct 27 00:00:00 2024", "base hex timestamps absolute"]
    for start in starts:
        lines += [f"Begin Triggerblock Sun Oct 27 {start} 2024", "0.5 1 1 Rx d 1 00", "End TriggerBlock"]
    return cf.logs.open_log(io.BytesIO("\n".join([*lines, ""]).encode()), tz="Europe/Berlin", errors=errors)


def test_an_hour_that_is_read_again_is_the_second() -> None:
    with blocks("02:10:00", "02:50:00", "02:20:00", "03:00:00") as log:
        minutes = (log.read()["timestamp_ns"].astype(np.int64) - AUTUMN) / (60 * SECOND)
        assert np.floor(minutes).tolist() == [-50, -10, 20, 60]
        assert "02:10:00 occurs twice, taken as the first" in str(log.zone_note)
    with blocks("01:50:00", "02:50:00", "02:20:00", errors="skip") as log:
        late = [int(part["timestamp_ns"][0]) for part in log.batches(1)]  # each start in a call of its own
        assert [(ns - AUTUMN) // (60 * SECOND) for ns in late] == [-70, -10, 20]


def test_a_second_hour_that_cannot_be_is_not_assumed() -> None:
    """The clock went back for another reason: the hour's second time would be too early, too."""
    with blocks("04:00:00", "02:20:00") as log:
        times = log.read()["timestamp_ns"].astype(np.int64) - AUTUMN
    assert (times // (60 * SECOND)).tolist() == [120, -40]


@pytest.mark.parametrize("fold", [0, 1])
def test_a_window_says_which_hour_it_means(fold: int, tmp_path: Path) -> None:
    source, target = tmp_path / "x.log", tmp_path / "y.log"
    times = AUTUMN + np.array([-HOUR, -HOUR // 4, 0, 3 * HOUR // 4], np.int64)
    cf.write_log(source, cf.make_frames([1, 2, 3, 4], timestamp_ns=times))
    start = dt.datetime(2024, 10, 27, 2, 30, fold=fold)
    cf.logs.convert(source, target, start=start, tz="Europe/Berlin")
    assert cf.read_log(target)["arbitration_id"].tolist() == ([2, 3, 4] if fold == 0 else [4])


@pytest.mark.parametrize(("change", "zone"), CHANGES)
def test_lines_with_dates_are_of_the_hour_that_follows(change: int, zone: str) -> None:
    """Of several channels, whose lines may stand a little out of order, also where the clock is set."""
    there = zoneinfo.ZoneInfo(zone)
    times = change + np.arange(-3 * HOUR, 3 * HOUR, 7 * 60 * SECOND + 1000, dtype=np.int64)
    times = np.stack([times, times - 20_000_000], 1).ravel()
    clocks = [dt.datetime.fromtimestamp(ns // SECOND, there).strftime("%Y-%m-%d %H:%M:%S") for ns in times.tolist()]
    lines = [
        f" ({clock}.{ns % SECOND // 1000:06})  can0  123   [1]  11\n" for clock, ns in zip(clocks, times, strict=True)
    ]
    with cf.logs.open_log(io.BytesIO("".join(lines).encode()), tz=zone) as log:
        assert log.read()["timestamp_ns"].tolist() == times.tolist()
        assert str(log.start) == f"{clocks[0]}{f'.{times[0] % SECOND // 1000:06}'}".removesuffix(".000000")
