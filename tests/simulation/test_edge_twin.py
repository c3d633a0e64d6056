"""The edge gear and its slow twin on random buses, and the bit gear beside it on ideal clocks."""

from __future__ import annotations

import os

import pytest
from bus_cases import in_c, random_scenario
from bus_foreign import foreign_scenario
from bus_vectors import rows, scenario
from edge_cases import edge_difference, edges_in_c, edges_in_twin, ideal_edges, random_edges

RUNS = 10_000 if os.environ.get("CANAL_FAST_LONG") else 500


def compare(seeds: range) -> tuple[set[str], int, int]:
    """Also what happened: events, delays measured, frames received."""
    kinds: set[str] = set()
    measured = received = 0
    for seed in seeds:
        made = random_edges(seed)
        twin, bus = edges_in_twin(made)
        difference = edge_difference(edges_in_c(made, (0, 0, 7_100_000_000, 333_333_333)[seed % 4]), twin)
        assert not difference, f"seed {seed}: {difference}"
        kinds |= {event[2] for event in twin.events}
        measured += sum(len(station.measured) for station in bus.stations)
        received += sum(map(len, twin.received))
    return kinds, measured, received


def test_random_runs() -> None:
    """Errors, frames of both rates, compensated senders, lost arbitration: what is compared happens."""
    kinds, measured, received = compare(range(18))
    wanted = {"stuff_error", "form_error", "bit_error", "crc_error", "ack_error", "arbitration_lost"}
    assert wanted <= kinds
    assert measured > 2
    assert received > 12


@pytest.mark.slow
@pytest.mark.unsanitized  # the twin takes its time; the short form does the same
def test_very_many_random_runs() -> None:
    compare(range(18, RUNS))


@pytest.mark.parametrize("make", [random_scenario, foreign_scenario])
@pytest.mark.parametrize("seeds", [range(25), pytest.param(range(25, 1000), marks=pytest.mark.slow)], ids=str)
def test_ideal_clocks_are_the_bit_gear(make: object, seeds: range) -> None:
    for seed in seeds:
        case = make(seed)  # type: ignore[operator]
        bits, edges = in_c(case), ideal_edges(case)
        assert edges == bits._replace(bits=[]), f"seed {seed}"


@pytest.mark.parametrize("every", [40, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("name", "flexible"), [("bus_vectors.jsonl.gz", False), ("bus_vectors_fd.jsonl.gz", True)])
def test_measured_runs_on_ideal_clocks(name: str, flexible: bool, every: int) -> None:
    for row in rows(name)[::every]:
        case, _ = scenario(row, flexible)
        assert ideal_edges(case) == in_c(case)._replace(bits=[]), row["run"]
