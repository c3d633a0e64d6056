"""The C simulation and its slow twin on random buses: levels, events, counters, frames."""

from __future__ import annotations

import os

import pytest
from bus_cases import first_difference, in_c, in_twin, random_scenario

RUNS = 100_000 if os.environ.get("CANAL_FAST_LONG") else 2_000


def compare(seeds: range) -> None:
    for seed in seeds:
        scenario = random_scenario(seed)
        difference = first_difference(in_c(scenario), in_twin(scenario))
        assert not difference, f"seed {seed}: {difference}"


def test_random_runs() -> None:
    compare(range(60))


@pytest.mark.slow
def test_very_many_random_runs() -> None:
    compare(range(60, RUNS))
