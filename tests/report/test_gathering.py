"""What the report gathers batch by batch, against all of it at once."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.plot.folding import fold, thinned
from canal_fast.report.charts import Decades, ticks
from canal_fast.report.flagged import CLASSES, KINDS, STATES, Flagged, state_codes
from canal_fast.report.signals import BINS, Series
from canal_fast.report.text import duration, moment

F = cf.FrameFlag
ERROR, STATUS = int(F.ERROR_FRAME), int(F.STATUS)


def marked(count: int, seed: int) -> cf.FrameArray:
    """Frames of all kinds; time goes back now and then."""
    rng = np.random.default_rng(seed)
    frames = cf.make_frames(rng.integers(0, 0x200, count), rng.integers(0, 256, (count, 8), np.uint8))
    frames["channel"] = rng.integers(0, 3, count)
    kinds = np.array([0, 0, 0, ERROR, STATUS, int(F.GAP), int(F.CLOCK_STEP)])
    frames["flags"] = rng.choice(kinds, count)
    frames["arbitration_id"][frames["flags"] == STATUS] = 0
    frames["data"][frames["flags"] == STATUS, 0] = rng.integers(0, 6, count)[frames["flags"] == STATUS]
    frames["timestamp_ns"] = np.cumsum(rng.integers(-1000, 50_000_000, count))
    return frames


def naive(frames: cf.FrameArray) -> dict[str, object]:
    """Record by record."""
    found: dict[str, object] = {"errors": 0, "status": 0, "gaps": 0, "steps": 0, "backwards": 0, "silence": 0}
    counts = {name: 0 for name in found}
    classes: dict[tuple[int, str], int] = {}
    states: list[tuple[int, int, str]] = []
    last: dict[int, str] = {}
    before = None
    for frame in frames:
        flags, channel, time = int(frame["flags"]), int(frame["channel"]), int(frame["timestamp_ns"])
        identifier, data = int(frame["arbitration_id"]), frame["data"].tolist()
        counts["gaps"] += bool(flags & F.GAP)
        counts["steps"] += bool(flags & F.CLOCK_STEP)
        if before is not None:
            counts["backwards"] += time < before
            counts["silence"] = max(counts["silence"], time - before)
        before = time
        state = ""
        if flags & ERROR:
            counts["errors"] += 1
            for bit, name in CLASSES:
                if identifier & bit:
                    classes[channel, name] = classes.get((channel, name), 0) + 1
            if identifier & 0x004:
                for bits, name in ((0x40, "error active"), (0x0C, "error warning"), (0x30, "error passive")):
                    state = name if data[1] & bits else state
            state = "restarted" if identifier & 0x100 else state
            state = "bus off" if identifier & 0x040 else state
        elif flags & STATUS:
            counts["status"] += 1
            words = ["error active", "overrun", "error warning", "error passive", "bus off", ""]
            state = words[data[0]]
        if state and last.get(channel) != state:
            last[channel] = state
            states.append((channel, time, state))
    return {**counts, "classes": classes, "states": states}


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_marks_batch_by_batch(batch: int) -> None:
    frames = marked(600, 3)
    flagged = Flagged(1_000_000_000)
    for at in range(0, len(frames), batch):
        flagged.add(frames[at : at + batch])
    wanted = naive(frames)
    assert sum(flagged.error_frames.values()) == wanted["errors"] == sum(flagged.windows.values()) > 50
    assert sum(flagged.status_messages.values()) == wanted["status"] > 50
    assert (flagged.totals["gaps"], flagged.totals["steps"]) == (wanted["gaps"], wanted["steps"])
    assert flagged.backwards == wanted["backwards"]
    assert flagged.silence is not None
    assert flagged.silence[0] == wanted["silence"]
    names = {name for _, name in CLASSES}
    assert {key: row[0] for key, row in flagged.classes.items() if key[1] in names} == wanted["classes"]
    found = [(row["channel"], row["at_ns"], row["state"]) for row in flagged.states]
    assert found == wanted["states"]
    for window, count in flagged.windows.items():
        inside = (frames["timestamp_ns"] // 1_000_000_000 == window[1]) & (frames["channel"] == window[0])
        assert count == np.count_nonzero(inside & (frames["flags"] == ERROR))


def test_numbers_are_those_of_the_headers(include_dir: Path) -> None:
    text = (include_dir / "canal_fast" / "error_frame.h").read_text()
    numbers = {name: int(value, 0) for name, value in re.findall(r"CF_ERROR_(\w+) = (0x\w+)", text)}
    kinds = {value for name, value in numbers.items() if name.startswith("KIND_") and name != "KIND_TX"}
    classes = {value for name, value in numbers.items() if not name.startswith("KIND_") and name != "COUNTERS"}
    assert kinds == {bit for bit, _ in KINDS}
    assert classes <= {bit for bit, _ in CLASSES}
    rows = re.findall(r'X\(\w+, (0x\w\w), "([\w ]+)"\)', (include_dir / "canal_fast" / "canal.h").read_text())
    assert len(rows) == 11
    for number, sentence in rows:
        frame = cf.make_frames(0, bytes([int(number, 0)]))
        frame["flags"] = STATUS
        state = STATES[state_codes(frame)[0]]
        assert state == ("" if sentence.endswith("error") else sentence)


def test_few_are_kept_of_a_flood() -> None:
    frames = cf.make_frames(np.full(5000, 0x04), b"\0\x30\0\0\0\0\0\0")
    frames["flags"] = ERROR
    frames["data"][::2, 1] = 0x0C
    flagged = Flagged(10**9)
    flagged.add(frames)
    assert flagged.totals["states"] == 5000
    assert len(flagged.states) == 200


@pytest.mark.parametrize("order", ["forward", "backward", "mixed"])
def test_a_line_over_time_loses_no_peak(order: str) -> None:
    rng = np.random.default_rng(5)
    times = np.sort(rng.integers(-(10**13), 10**13, 3000))
    values = rng.normal(size=3000)
    chosen = {"forward": np.arange(3000), "backward": np.arange(3000)[::-1], "mixed": rng.permutation(3000)}[order]
    series = Series()
    for part in np.array_split(chosen, 17):
        series.add(times[part], values[part])
    points = series.points()
    assert 20 < len(points) <= BINS
    assert min(low for _, low, _ in points) == values.min()
    assert max(high for _, _, high in points) == values.max()
    for begin, low, high in points:
        inside = values[(times >= begin) & (times < begin + series.step_ns)]
        assert (low, high) == (inside.min(), inside.max())


def test_a_line_over_time_of_impossible_times() -> None:
    series = Series()
    series.add(np.array([-(2**63), 0, 2**63 - 1]), np.array([1.0, 2.0, 3.0]))
    assert [point[1] for point in series.points()] == [1, 2, 3]


def test_windows_are_folded_as_one_by_one() -> None:
    rng = np.random.default_rng(2)
    windows: dict[int, float | None] = {int(n): float(rng.random()) for n in rng.choice(5000, 3000, replace=False) - 40}
    windows[-40], windows[4959] = 0.5, None
    folded = fold(windows, 300)
    assert (folded.first, folded.each, folded.windows, len(folded.mean)) == (-40, 17, 5000, 295)
    for place in range(295):
        numbers = [n for n in range(-40 + 17 * place, -40 + 17 * (place + 1)) if n < 4960]
        values = [windows.get(number) or 0.0 for number in numbers]
        assert folded.mean[place] == pytest.approx(sum(values) / len(values))
        assert folded.most[place] == max(values)


def test_two_windows_of_different_centuries_fold() -> None:
    """Nothing is made for each window between."""
    folded = fold({0: 1.0, 10**12: 0.5}, 1000)
    assert len(folded.mean) <= 1000
    assert folded.most[[0, -1]].tolist() == [1.0, 0.5]


def test_what_is_thinned_keeps_its_peaks_also_at_the_end() -> None:
    y = np.zeros(100_003)
    y[[5, 50_000, 100_002]] = 7, -3, 9
    _, thin = thinned(np.arange(100_003.0), y)
    assert {7, -3, 9} <= set(thin.tolist())
    assert len(thin) < 9000


def test_ticks() -> None:
    assert ticks(0, 100, 4) == [0, 25, 50, 75, 100]
    assert ticks(0, 2, 4, 1) == [0, 1, 2]
    assert ticks(0, 0, 4) == [0]
    assert 3 <= len(ticks(0, 7.3, 8)) <= 9


def test_periods_lie_on_one_logarithmic_scale() -> None:
    scale = Decades(0.001, 1.0)
    assert [scale.place(value) for value in (0.001, 0.1, 1.0, 0, -1, 5)] == pytest.approx([0, 66.6667, 100, 0, 0, 100])
    assert 'M0.0 5H100.0M66.7 1V9"' in scale.range(0.001, 0.1, 1.0, 0.9)
    assert "M50.0 5H" not in Decades(1.0, 1.0).range(1.0, 1.0, 1.0, 0.0)


def test_times_in_words() -> None:
    rows = [(12.3456, "12.346 s"), (59.9999, "1 min 0.0 s"), (2999.99, "50 min 0.0 s"), (7322, "2 h 2 min 2 s")]
    assert [duration(seconds) for seconds, _ in rows] == [text for _, text in rows]
    assert duration(200_000) == "2 d 7 h 33 min"
    assert moment(None, True) == "\N{EN DASH}"
    assert moment(-1, True, 9) == "1969-12-31 23:59:59.999999999 UTC"
    assert moment(1_500_000_000, False, 3) == "1.500 s"
    assert moment(2**63 - 1, True, 0).startswith("2262-04-11")
