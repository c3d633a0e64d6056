"""The page that check.py writes: every row, nothing that HTML would take for its own, the machine it holds for."""

from __future__ import annotations

from html.parser import HTMLParser

import page


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
