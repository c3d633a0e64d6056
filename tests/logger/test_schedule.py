"""When frames are due, and how late they are: exactly, with times and clocks that are made up."""

from __future__ import annotations

import subprocess
from fractions import Fraction

import numpy as np
import pytest
from c_programs import build_c
from oracle import play_oracle as oracle

from canal_fast.logger import _play

MS = 1_000_000
LAST = 2**63 - 1
LEAD_NS = 10 * MS


def due_of(times: list[int], speed: float = 1.0, gap_max: int = LAST, passes: int = 1) -> tuple[list[int], int, int]:
    due = np.zeros(len(times) * passes, np.int64)
    gaps, steps = _play.schedule(np.array(times, np.int64), speed, gap_max, passes, due)
    return due.tolist(), gaps, steps


@pytest.mark.parametrize(
    ("times", "speed", "gap_max", "passes", "due", "gaps", "steps"),
    [
        ([5, 7, 10], 1.0, LAST, 1, [0, 2, 5], 0, 0),
        ([5, 7, 11], 2.0, LAST, 1, [0, 1, 3], 0, 0),
        ([5, 7, 11], 0.5, LAST, 1, [0, 4, 12], 0, 0),
        ([0, 10, 9, 20], 1.0, LAST, 1, [0, 10, 10, 20], 0, 0),  # a step back stretches nothing
        ([0, 10, 1000, 1005], 1.0, 20, 1, [0, 10, 30, 35], 1, 0),
        ([3600 * 10**9, 3600 * 10**9 + 4, 0, 6], 1.0, LAST, 1, [0, 4, 4, 10], 0, 1),  # somebody set the clock
        ([0, 10, 20], 1.0, LAST, 2, [0, 10, 20, 30, 40, 50], 0, 0),
        ([7], 1.0, LAST, 3, [0, 0, 0], 0, 0),
        ([-(2**63), 2**63 - 1], 1.0, LAST, 1, [0, (2**63 - 1) // 4], 1, 0),  # beyond all clocks
        ([0, 10**18], 0.001, LAST, 1, [0, (2**63 - 1) // 4], 0, 0),
    ],
)
def test_known_answers(
    times: list[int], speed: float, gap_max: int, passes: int, due: list[int], gaps: int, steps: int
) -> None:
    assert due_of(times, speed, gap_max, passes) == (due, gaps, steps)


def test_against_the_twin() -> None:
    rng = np.random.default_rng(5)
    for number in range(300):
        size = int(rng.integers(1, 40))
        steps = rng.choice([0, 1, 250, 10**6, -300, -2 * 10**9, 10**10], size)
        times = (10**18 + np.cumsum(steps)).tolist()
        speed = [Fraction(1), Fraction(2), Fraction(1, 4), Fraction(1024)][number % 4]
        gap = [None, 500, 10**9][number % 3]
        passes = int(rng.integers(1, 4))
        expected = oracle.due(times, speed, gap, passes)
        assert due_of(times, float(speed), LAST if gap is None else gap, passes) == expected


def test_edges_of_the_classes() -> None:
    assert _play.lateness_edges() == [*oracle.EDGES, LAST]
    assert oracle.classes([0, 10_000, 10_001, 10**9, 10**9 + 1]) == [2, 1, *[0] * 13, 1, 1]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(build_c("play_clock", tmp_path_factory.mktemp("play")))


def lane(program: str, times: list[int], *numbers: float) -> tuple[list[int], tuple[int, int, int], list[int]]:
    """(when the driver had each frame; frames, sum and maximum of the lateness; its classes)."""
    text = " ".join(map(str, times))
    run = subprocess.run(
        [program, *map(str, numbers)], input=text, capture_output=True, text=True, check=True, timeout=60
    )
    *rows, books, classes = run.stdout.splitlines()
    pairs = [tuple(map(int, row.split())) for row in rows]
    assert [number for number, _ in pairs] == list(range(len(times)))
    _, *late = books.split()
    return [at for _, at in pairs], (int(late[0]), int(late[1]), int(late[2])), list(map(int, classes.split()))


def test_a_thread_that_wakes_late_does_not_drift(program: str) -> None:
    """Half a minute at 1,000 frames/s, every wake-up 90 us late, every frame 7 us in the driver."""
    times = [10**18 + MS * i for i in range(30_000)]
    at, late, classes = lane(program, times, 1, LAST, 90_000, 7_000, -1, 0)
    assert at == [MS * i + 97_000 for i in range(30_000)]
    assert late == (30_000, 30_000 * 97_000, 97_000)
    assert classes[3] == 30_000


def test_what_is_late_is_made_up_for(program: str) -> None:
    """A driver that hangs for 5 ms: what was due meanwhile goes at once, the rest on time."""
    at, _, _ = lane(program, [MS * i for i in range(10)], 1, LAST, 0, 0, 2, 5 * MS)
    assert at == [0, MS, 7 * MS, 7 * MS, 7 * MS, 7 * MS, 7 * MS, 7 * MS, 8 * MS, 9 * MS]


def test_a_lane_against_the_twin(program: str) -> None:
    rng = np.random.default_rng(6)
    for number in range(40):
        size = int(rng.integers(1, 400))
        times = (10**18 + np.cumsum(rng.choice([0, 1000, 50_000, MS, 20 * MS], size))).tolist()
        wake, send, delay = (int(value) for value in rng.integers(0, [10**5, 20_000, 10**7]))
        delay_at = int(rng.integers(0, size))
        gap = [LAST, 5 * MS][number % 2]
        due, _, _ = oracle.due(times, Fraction(2), gap)
        expected, together = oracle.handed_over(due, wake, send, delay_at, delay, LEAD_NS)
        at, late, classes = lane(program, times, 2, gap, wake, send, delay_at, delay)
        assert at == expected
        lateness = [end - time for end, time in zip(together, due, strict=True)]
        assert late == (size, sum(lateness), max(lateness))
        assert classes == oracle.classes(lateness)


def test_without_times_nothing_waits(program: str) -> None:
    at, late, _ = lane(program, [0, 10**15], 0, LAST, 0, 5, -1, 0)
    assert at == [5, 10]
    assert late == (0, 0, 0)
