"""Controllers have the same names for bit timing and for acceptance filters."""

from __future__ import annotations

import pytest

from canal_fast import analysis, bittiming, chips
from canal_fast.__main__ import main
from canal_fast.analysis.design_controllers import CONTROLLERS as FILTERED


@pytest.mark.parametrize("name", [name for names in chips.SAME for name in names])
def test_every_name_is_known_in_both_places(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    known = next(row for names in chips.SAME if name in names for row in names if row in bittiming.CONTROLLERS)
    assert bittiming.solve(500_000, limits=name) == bittiming.solve(500_000, limits=known)
    design = analysis.design_filters([0x100, 0x101], name)
    assert design.controller in FILTERED
    assert design == analysis.design_filters([0x100, 0x101], design.controller)
    assert main(["timing", "500000", "--limits", name]) == 0
    assert main(["filters", "--ids", "100", "--controller", name]) == 0
    assert capsys.readouterr().out


def test_the_table_names_each_once_and_only_what_is_known() -> None:
    every = [name for names in chips.SAME for name in names]
    assert len(every) == len(set(every))
    for names in chips.SAME:
        assert sum(name in bittiming.CONTROLLERS for name in names) == 1
        assert sum(name in FILTERED for name in names) == 1
