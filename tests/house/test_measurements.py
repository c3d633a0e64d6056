"""The page that check.py writes: every row, nothing that HTML would take for its own, the machine it holds for."""

from __future__ import annotations

import shutil
from html.parser import HTMLParser
from pathlib import Path

import check
import page
import pytest


class Cells(HTMLParser):
    """The texts of all cells, by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


def test_page() -> None:
    lines = [
        ("id", "what", "measured", "target", "verdict"),
        ("a", 'less <than> & "more"', "1.2", ">= 1", "ok"),
        ("b", "x", "0.5", ">= 1", "MISSED"),
        ("c", "x", "-", "<= 2", "NOT RUN: no valgrind"),
    ]
    text = page.page({"machine": "desk <1>", "cores": 2}, lines)
    cells = Cells()
    cells.feed(text)
    assert cells.rows == [["machine", "desk <1>"], ["cores", "2"], *map(list, lines)]
    assert "1 of 3 rows reached their target" in text
    assert text.count("class=missed") == 1


BENCH = "def measure():\n    return {'toy-fast': 2.0, 'toy-slow': 0.5}\n"
ROW = '[[row]]\nid = "{}"\nbench = "bench_toy.py"\nwhat = "a toy"\ntarget = 1\nkind = "at_least"\n'


def test_check_writes_the_table_as_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("page.py", "results.py"):
        shutil.copy(check.HERE / name, tmp_path)
    (tmp_path / "bench_toy.py").write_text(BENCH)
    (tmp_path / "targets.toml").write_text(ROW.format("toy-fast") + ROW.format("toy-slow"))
    monkeypatch.setattr(check, "HERE", tmp_path)
    assert check.main(["--html", str(tmp_path / "table.html"), "--machine", "desk <2>"]) == 1
    cells = Cells()
    cells.feed((tmp_path / "table.html").read_text(encoding="utf-8"))
    assert cells.rows[0] == ["machine", "desk <2>"]
    assert [row[0] for row in cells.rows].count("processor") == 1
    assert cells.rows[-2:] == [["toy-fast", "a toy", "2", ">= 1", "ok"], ["toy-slow", "a toy", "0.5", ">= 1", "MISSED"]]
    assert "toy-slow" in capsys.readouterr().out
