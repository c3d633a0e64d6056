"""What the project says of itself: classifiers, citation, forms for reports."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from canal_fast.cli.parsers import COMMANDS

pytestmark = pytest.mark.unsanitized  # nothing of the extension in it

CITATION = {  # of cff-version 1.2.0: those needed, and those allowed beside them
    "needed": {"authors", "cff-version", "message", "title"},
    "allowed": {
        "abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license", "license-url",
        "preferred-citation", "references", "repository", "repository-artifact", "repository-code", "type", "url",
        "version",
    },
}  # fmt: skip
FIELDS = {  # of GitHub's issue forms: type -> attributes
    "markdown": {"value"},
    "input": {"label", "description", "placeholder", "value"},
    "textarea": {"label", "description", "placeholder", "value", "render"},
}


def load(path: Path) -> Any:
    yaml = pytest.importorskip("yaml", reason="NOT RUN: PyYAML is not installed")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_classifiers_are_those_of_the_wheels(tree: Path) -> None:
    project = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))
    found = [row for row in project["project"]["classifiers"] if re.fullmatch(r".*Python :: 3\.\d+", row)]
    versions = [row.rpartition(" ")[2] for row in found]
    built = {re.sub(r"cp3(\d+)t?-.*", r"3.\1", row) for row in project["tool"]["cibuildwheel"]["build"]}
    assert set(versions) <= built
    assert versions[0] == project["project"]["requires-python"].removeprefix(">=")


def test_citation(tree: Path) -> None:
    found = load(tree / "CITATION.cff")
    assert CITATION["needed"] <= found.keys() <= CITATION["needed"] | CITATION["allowed"]
    assert (found["cff-version"], found["type"], found["license"]) == ("1.2.0", "software", "MIT")
    assert all(
        author.keys() <= {"name", "given-names", "family-names", "orcid", "website"} for author in found["authors"]
    )
    assert len(found["keywords"]) == len(set(found["keywords"]))


@pytest.mark.parametrize("name", ["bug", "driver"])
def test_forms(name: str, tree: Path) -> None:
    path = tree / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml"
    form = load(path)
    assert form.keys() == {"name", "description", "labels", "body"}
    numbers = [row["id"] for row in form["body"] if row["type"] != "markdown"]
    assert len(numbers) == len(set(numbers))
    for row in form["body"]:
        assert row.keys() <= {"type", "id", "attributes", "validations"}
        assert row["attributes"].keys() <= FIELDS[row["type"]]
        assert row.get("validations", {}).keys() <= {"required"}
    text = path.read_text(encoding="utf-8")
    for asked in ("--version --verbose", "list", "doctor LIBRARY", "dump --info RECORDING"):
        assert f"label: canal-fast {asked}" in text
    for command in re.findall(r"canal-fast ([a-z]+)", text):
        assert command in COMMANDS
