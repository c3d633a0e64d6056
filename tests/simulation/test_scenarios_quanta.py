"""Scenarios 55 to 60 in the manner of ISO 16845-1, below a bit: a receiver under test, and a line that is made to move.

At every legal timing up to 25 quanta, in C and in its slow twin; and what a difference of clocks does to a receiver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from bus_cases import Setup
from edge_cases import Clock, EdgeOutcome, EdgeScenario, edges_in_c, edges_in_twin
from oracle.edge_oracle import Glitch, Timing

QUANTUM = 100_000_000
Play = Callable[[EdgeScenario], EdgeOutcome]


def in_slow_twin(scenario: EdgeScenario) -> EdgeOutcome:
    return edges_in_twin(scenario)[0]


def legal(most: int = 25) -> Iterator[Timing]:
    """A propagation segment, phase segments of a quantum or more, sjw up to 4 that both phase segments hold."""
    for nbt in range(4, most + 1):
        for tseg2 in range(1, nbt - 2):
            tseg1 = nbt - 1 - tseg2
            for sjw in range(1, min(4, tseg2, tseg1 - 1) + 1):
                yield Timing(QUANTUM, tseg1, tseg2, sjw)


def bit(t: Timing) -> int:
    return 1 + t.tseg1 + t.tseg2


FEW = [t for t in legal(16) if (bit(t), t.tseg2, t.sjw) in ((4, 1, 1), (8, 2, 2), (10, 3, 1), (16, 4, 3))]
ALL = list(legal())
BOTH = pytest.mark.parametrize(
    ("timings", "play"),
    [
        pytest.param(FEW, edges_in_c, id="few-c"),
        pytest.param(FEW, in_slow_twin, id="few-twin"),
        pytest.param(ALL, edges_in_c, id="all-c", marks=pytest.mark.slow),
    ],
)


def line(play: Play, t: Timing, dominant: list[tuple[int, int]], bits: int, fd: str = "classical") -> EdgeOutcome:
    """A receiver on a line that is dominant between these times, in quanta."""
    glitches = [Glitch(a * QUANTUM, (b - a) * QUANTUM, "dominant", "0") for a, b in dominant]
    return play(
        EdgeScenario([Setup(fd=fd)], [Clock(t, t)], [[0]], [], glitches, bit(t) * QUANTUM, bits * bit(t) * QUANTUM)
    )


def samples(outcome: EdgeOutcome) -> list[tuple[int, int]]:
    """Time in quanta, level."""
    assert all(time % QUANTUM == 0 for time, _, _ in outcome.samples)
    return [(time // QUANTUM, level) for time, _, level in outcome.samples]


def kinds(outcome: EdgeOutcome) -> list[str]:
    return [event[2] for event in outcome.events]


def test_how_many_timings_are_legal() -> None:
    assert len(ALL) == len(set(ALL)) == 770
    assert len(FEW) == 4


@BOTH
def test_55_dominant_stuff_bit_shortened(timings: list[Timing], play: Play) -> None:
    """By phase 2 it is read dominant, by a quantum more recessive: a stuff error."""
    for t in timings:
        nbt = bit(t)
        begin = 7 * nbt  # after SOF and five recessive bits
        for missing, level in ((t.tseg2, 0), (t.tseg2 + 1, 1)):
            dominant = [(nbt, 2 * nbt), (begin, begin + nbt - missing)]
            out = line(play, t, dominant, 9)
            assert samples(out)[7] == (begin + 1 + t.tseg1, level), t
            assert ("stuff_error" in kinds(out)) == bool(level), t


def shifted(play: Play, t: Timing, e: int) -> int:
    """Quanta by which the sample of the bit moves whose falling edge is late by `e`."""
    nbt = bit(t)
    out = samples(line(play, t, [(nbt, 2 * nbt), (3 * nbt + e, 4 * nbt)], 6))
    assert out[1] == (nbt + 1 + t.tseg1, 0)
    assert out[2] == (2 * nbt + 1 + t.tseg1, 1)
    assert out[4][0] - out[3][0] == nbt  # the next bit follows it
    return out[3][0] - (3 * nbt + 1 + t.tseg1)


@BOTH
def test_56_late_falling_edge(timings: list[Timing], play: Play) -> None:
    for t in timings:
        for e in range(t.tseg1 + 1):
            assert shifted(play, t, e) == min(e, t.sjw), (t, e)


@BOTH
def test_57_early_falling_edge(timings: list[Timing], play: Play) -> None:
    for t in timings:
        for e in range(1, t.tseg2 + 1):
            assert shifted(play, t, -e) == -min(e, t.sjw), (t, e)


@BOTH
def test_58_recessive_spike_of_a_quantum(timings: list[Timing], play: Play) -> None:
    """Behind the edge of a dominant bit, and between two dominant samples: no second synchronisation."""
    for t in timings:
        nbt = bit(t)
        expected = [(k * nbt + 1 + t.tseg1, int(k not in (1, 3, 4))) for k in range(6)]
        assert samples(line(play, t, [(nbt, 2 * nbt), (3 * nbt, 5 * nbt)], 6)) == expected, t
        for at in (*range(3 * nbt + 1, 3 * nbt + t.tseg1), *range(3 * nbt + 1 + t.tseg1, 4 * nbt + t.tseg1)):
            out = samples(line(play, t, [(nbt, 2 * nbt), (3 * nbt, at), (at + 1, 5 * nbt)], 6))
            assert out == expected, (t, at)


@BOTH
def test_59_short_pulse_from_idle(timings: list[Timing], play: Play) -> None:
    """Shorter than sync, propagation and phase 1: no SOF, no error; the bit begins at its edge all the same."""
    for t in timings:
        for begin in (2 * bit(t), 2 * bit(t) + 1, 3 * bit(t) - 1):
            for length in (1, t.tseg1, t.tseg1 + 1):
                out = line(play, t, [(begin, begin + length)], 6)
                starts = length == t.tseg1 + 1
                assert (begin + 1 + t.tseg1, 1 - starts) in samples(out), (t, begin, length)
                assert kinds(out)[:1] == (["start"] if starts else []), (t, begin, length)


@BOTH
def test_60_late_edge_of_res(timings: list[Timing], play: Play) -> None:
    """Hard synchronisation corrects all of it, and the next bits are sampled where they are."""
    for t in timings:
        nbt = bit(t)
        for e in range(t.tseg1 + 1):
            # SOF, identifier 0x555 (no stuff bits), RRS, IDE dominant, FDF recessive, res, BRS dominant, ESI
            levels = [0] + [1, 0] * 5 + [1] + [0, 0, 1]
            dominant = [((k + 1) * nbt, (k + 2) * nbt) for k, level in enumerate(levels) if not level]
            res = 16 * nbt + e
            out = samples(line(play, t, [*dominant, (res, res + 2 * nbt)], 21, "enabled"))
            at = [time for time, _ in out].index(15 * nbt + 1 + t.tseg1)  # of FDF
            assert out[at + 1 : at + 4] == [(res + k * nbt + 1 + t.tseg1, int(k == 2)) for k in range(3)], (t, e)


def drifting(t: Timing, edges: int, df: float) -> bool:
    """Does a receiver slow by `df` read 5 dominant and 5 recessive bits, `edges` times, of a sender fast by `df`?"""
    nbt = bit(t)
    sent = round(nbt * QUANTUM * (1 - df))
    slow = Timing(round(QUANTUM * (1 + df)), t.tseg1, t.tseg2, t.sjw)
    line = Glitch(nbt * QUANTUM, sent, "drive", ("0" * 5 + "1" * 5) * edges + "0")
    bits = 10 * edges + 4
    out = edges_in_c(
        EdgeScenario([Setup()], [Clock(slow, slow)], [[0]], [], [line], nbt * QUANTUM, bits * nbt * QUANTUM)
    )
    levels = [level for _, _, level in out.samples]
    first = levels.index(0)
    return levels[first : first + 10 * edges] == ([0] * 5 + [1] * 5) * edges


@pytest.mark.parametrize("timings", [FEW, pytest.param(ALL, marks=pytest.mark.slow)], ids=["few", "all"])
def test_difference_of_clocks(timings: list[Timing]) -> None:
    """Read rightly below df = (p2 + (K - 1) sjw) / (2 (10 K nbt - p2)) and lost above, within a quantum."""
    for t in timings:
        for edges in (1, 2, 3, 4):
            room, length = t.tseg2 + (edges - 1) * t.sjw, 2 * (10 * edges * bit(t) - t.tseg2)
            assert drifting(t, edges, (room - 1) / length), (t, edges)
            assert not drifting(t, edges, (room + 1) / length), (t, edges)
