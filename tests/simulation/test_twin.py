"""The C simulation and its slow twin on random buses: levels, events, counters, frames."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from bus_cases import Scenario, first_difference, in_c, in_twin, random_scenario
from bus_foreign import foreign_scenario

RUNS = 100_000 if os.environ.get("CANAL_FAST_LONG") else 2_000


def compare(make: Callable[[int], Scenario], seeds: range) -> None:
    for seed in seeds:
        scenario = make(seed)
        difference = first_difference(in_c(scenario), in_twin(scenario))
        assert not difference, f"seed {seed}: {difference}"


@pytest.mark.parametrize("make", [random_scenario, foreign_scenario])
def test_random_runs(make: Callable[[int], Scenario]) -> None:
    compare(make, range(40))


@pytest.mark.slow
@pytest.mark.parametrize("make", [random_scenario, foreign_scenario])
def test_very_many_random_runs(make: Callable[[int], Scenario]) -> None:
    compare(make, range(40, RUNS))
