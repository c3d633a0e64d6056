"""Every public name says what it takes and gives, and shows how it is used; what is shown is true."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docstring_rules
import pytest

PUBLIC = docstring_rules.public()


def broken(name: str, value: object) -> Iterator[str]:
    for rule in docstring_rules.RULES:
        yield from rule(name, value)


@pytest.mark.parametrize("module", docstring_rules.MODULES)
def test_docstrings(module: str) -> None:
    own = {name: value for name, value in PUBLIC.items() if name.rpartition(".")[0] == module}
    assert [fault for name, value in own.items() for fault in broken(name, value)] == []


def bare(frames: Any) -> int:
    """No section at all."""
    return len(frames)


def skipped(frames: Any) -> None:
    """An example that is run nowhere.

    Parameters
    ----------
    fames : array

    Examples
    --------
    >>> skipped(None)  # doctest: +SKIP
    """


class Unsaid:
    """A class without a word on what it takes."""

    def __init__(self, size: int) -> None:
        self.size = size


FAULTS: list[tuple[object, set[str]]] = [
    (bare, {"no section Examples with a line >>>", "not in its section Parameters: frames", "no section Returns"}),
    (skipped, {"example 1 is skipped and needs no hardware", "not in its section Parameters: frames"}),
    (Unsaid, {"no section Examples with a line >>>", "not in its section Parameters: size"}),
]


@pytest.mark.parametrize(("value", "faults"), FAULTS)
def test_the_rules_find_what_is_missing(value: object, faults: set[str]) -> None:
    rules = (rule for rule in docstring_rules.RULES if rule is not docstring_rules.is_run)
    assert {fault.removeprefix("x.y: ") for rule in rules for fault in rule("x.y", value)} == faults


def test_what_doctest_does_not_find_is_told() -> None:
    def hidden() -> None:
        """>>> 1 + 1
        3
        """

    hidden.__module__ = "canal_fast.frames"
    assert list(docstring_rules.is_run("canal_fast.frames.hidden", hidden))


@pytest.mark.slow
def test_the_examples_are_true(tmp_path: Path) -> None:
    """In another folder than the sources, as a user would."""
    command = "-m pytest -q -p no:cacheprovider -W error --doctest-modules --pyargs canal_fast"
    ran = subprocess.run([sys.executable, *command.split()], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout[-5000:] + ran.stderr[-2000:]
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None
    assert int(passed[1]) > 150, ran.stdout
