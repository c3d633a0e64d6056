"""The reference is whole, and what it says is what the library says."""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

import canal_fast as cf
from canal_fast.live import opening

TREE = Path(__file__).resolve().parents[2]
DOCS = TREE / "docs"
QUESTIONS = (
    "log can0", "convert a BLF", "replay", "decode with a DBC", "pandas", "python-can", "32-bit DLL", "pulled out",
    "bit timing for my controller", "CI without hardware", "lost frames", "bus load", "several buses",
    "trigger on an event", "scope capture",
)  # fmt: skip


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    """docs/generated.py, which needs what Sphinx needs."""
    pytest.importorskip("numpydoc", reason="NOT RUN: no numpydoc")
    pytest.importorskip("sphinx", reason="NOT RUN: no Sphinx")
    pytest.importorskip("can", reason="NOT RUN: no python-can")
    sys.path.insert(0, str(DOCS))
    try:
        return importlib.import_module("generated")
    finally:
        sys.path.remove(str(DOCS))


def pages(generated: ModuleType) -> set[str]:
    return {*generated.ROOT, *generated.MODULES, *generated.ELSEWHERE}


def test_every_public_name_is_on_one_page(generated: ModuleType) -> None:
    described = [generated.resolve(name) for page in pages(generated) for name in generated.names(page)]
    modules = [cf, *(importlib.import_module(f"canal_fast.{m}") for ms in generated.MODULES.values() for m in ms)]
    for module in modules:
        for name in module.__all__:
            value = getattr(module, name)
            if not isinstance(value, ModuleType) and name != "__version__":
                assert sum(value is other for other in described) == 1, f"{module.__name__}.{name}"


def test_every_public_module_has_a_page(generated: ModuleType) -> None:
    public = {name for name in cf.__all__ if isinstance(getattr(cf, name), ModuleType)} | {"testing", "doctor"}
    assert public == {module for modules in generated.MODULES.values() for module in modules}
    assert {path.stem for path in (DOCS / "reference" / "api").glob("*.md")} == pages(generated) | {"index"}


def test_every_generated_part_is_shown_somewhere(generated: ModuleType) -> None:
    used = {
        found
        for page in DOCS.rglob("*.md")
        for found in re.findall(r"^% generated: (\w+)", page.read_text(), re.MULTILINE)
    }
    assert used == set(generated.PARTS)


def test_generated_parts_say_what_rows_say(generated: ModuleType) -> None:
    assert all(f"## canal-fast {name}\n" in generated.commands() for name in generated.COMMANDS)
    page = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\[canal-fast (\w+)\]", page)) == set(generated.COMMANDS)
    assert all(f"| `{row.name}` |" in generated.formats() for row in cf.logs.formats())
    assert all(f"`{flag.name}`" in generated.flags() for flag in cf.FrameFlag)
    assert all(re.search(rf"\b{field}\b", generated.ledger()) for field in cf.Ledger.__dataclass_fields__)
    assert all(f"`{name}`" in generated.controllers() for name in cf.bittiming.CONTROLLERS)
    assert "28 |" not in generated.record()
    assert "| `canal_fast/wire.h` | the bits of frames" in generated.doors()


def test_every_option_is_in_the_reference(generated: ModuleType) -> None:
    for name, parser in generated.parsers().items():
        text = generated.command(name, parser)
        for action in parser._actions:
            for option in action.option_strings:
                shown = action.help is not argparse.SUPPRESS and option not in ("-h", "--help")
                assert bool(re.search(rf"`{option}[ `]", text)) == shown, f"{name} {option}"


def test_environment_variables() -> None:
    """Those that the package reads are those that the page has."""
    read = set()
    for path in (TREE / "canal_fast").rglob("*"):
        if path.suffix in (".py", ".pyx", ".c", ".h") and not re.match(r"_\w+\.c$", path.name):
            read |= set(re.findall(r"[\"'](CANAL_FAST_[A-Z_]+)[\"']", path.read_text(encoding="utf-8")))
    for path in (TREE / "include").rglob("*.h"):
        read |= set(re.findall(r"getenv\(\"(\w+)\"\)", path.read_text(encoding="utf-8")))
    page = (DOCS / "reference" / "environment.md").read_text(encoding="utf-8")
    assert read == set(re.findall(r"`(CANAL_FAST_\w+)`", page))


def test_limits_of_calls() -> None:
    """The page's seconds are those of the C library."""
    watch = (Path(cf.get_include()) / "canal_fast" / "live" / "watch.h").read_text(encoding="utf-8")
    limits = {name: int(value) for name, value in re.findall(r"CF_(\w+)_LIMIT_S = (\d+)", watch)}
    page = (DOCS / "reference" / "limits.md").read_text(encoding="utf-8")
    assert f"| CanalReceive and other calls of the reading thread | {limits['RECEIVE']} s |" in page
    assert f"| CanalOpen, also inside `reconnect=` | {limits['OPEN']} s |" in page
    assert f"inside `reconnect=` {limits['CLOSE']} s |" in page
    assert f"| the end of the interpreter, all channels together | {opening.EXIT_S:g} s |" in page


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))


def test_front_page_answers_fifteen_questions_with_links_that_exist() -> None:
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| [^|]+\? \| ", line)]
    assert len(rows) == len(QUESTIONS)
    for question in QUESTIONS:
        assert any(question in row and "](" in row for row in rows), question
    missing = [link for link in links(DOCS / "index.md") if not (DOCS / link.partition("#")[0]).is_file()]
    assert not missing


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_of_other_texts(name: str) -> None:
    local = [link.partition("#")[0] for link in links(TREE / name) if "://" not in link]
    assert not [link for link in local if link and not (TREE / link).exists()]


def test_measurements_page(generated: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row without a figure says NOT RUN, a missed one so."""
    rows = tomllib.loads((TREE / "benchmarks" / "targets.toml").read_text(encoding="utf-8"))["row"]
    run = {"machine": "desk", "processor": "a_b", "rows": {
        rows[0]["id"]: {"value": rows[0]["target"] * 2, "date": "2026-01-02"},
        rows[1]["id"]: {"value": rows[1]["target"] / 2, "date": "2026-01-03"},
        rows[2]["id"]: {"value": "no isal", "date": "2026-01-03"},
    }}  # fmt: skip
    (tmp_path / "measurements.json").write_text(json.dumps([run]))
    monkeypatch.setattr(sys.modules["generated_measurements"], "HERE", tmp_path)
    text = generated.measurements()
    assert f"| {rows[0]['target'] * 2:.3g} |" in text
    assert f"| **{rows[1]['target'] / 2:.3g}, missed** |" in text
    assert "| NOT RUN: no isal |" in text
    assert text.count("| NOT RUN |") == len(rows) - 3
    assert "| measured | 2026-01-02 to 2026-01-03 |" in text
    (tmp_path / "measurements.json").unlink()
    assert generated.measurements().count("NOT RUN |") == len(rows)


def test_results_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """check.py --json keeps rows of the same machine and state, and forgets those of another state."""
    results = pytest.importorskip("results")
    path = tmp_path / "m.json"
    results.store(path, "desk", {"a": 1.23456, "b": "no gcc"}, "2026-01-01")
    results.store(path, "desk", {"b": 2.0}, "2026-01-02")
    results.store(path, "lab", {"a": 3.0}, "2026-01-02")
    desk, lab = json.loads(path.read_text())
    assert desk["rows"] == {"a": {"value": 1.235, "date": "2026-01-01"}, "b": {"value": 2.0, "date": "2026-01-02"}}
    assert lab["machine"] == "lab"
    monkeypatch.setattr(results, "compiler", lambda: "cc 99")
    results.store(path, "desk", {"c": 4.0}, "2026-01-03")
    assert [set(run["rows"]) for run in json.loads(path.read_text())] == [{"a"}, {"c"}]
