"""HTML pages as tests look at them, without a browser."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

__all__ = ["Page"]


class Page(HTMLParser):
    """Tags, attributes and texts of a page.

    Attributes
    ----------
    tags : list of (name, dict of attributes)
    words : str
        All text that a reader sees.
    scripts : list of (type, text)
    styles : str
    """

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[str | None, str]] = []
        self.words = self.styles = ""
        self._inside = ""
        self.feed(source)
        self.close()

    @property
    def data(self) -> Any:
        (text,) = (text for kind, text in self.scripts if kind == "application/json")
        return json.loads(text)

    def of(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of each element of that name."""
        return [attributes for tag, attributes in self.tags if tag == name]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs).get("type"), ""))

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = kind, text + data
        elif self._inside == "style":
            self.styles += data
        else:
            self.words += data
