"""How a monitor is looked at: order, filter, place, pause; and the keys that change it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.analysis.traffic import jitter_ns

from .monitor import Snapshot

__all__ = ["HELP", "SORTS", "View"]

Indexes = npt.NDArray[np.intp]
Rows = npt.NDArray[np.void]


def _unknown_last(values: Any, known: Any) -> Any:
    return np.where(known, values, np.inf)


SORTS: dict[str, Callable[[Rows], Any]] = {  # what is least comes first; of equals, the lower identifier
    "id": lambda rows: np.zeros(len(rows), np.int8),
    "count": lambda rows: -rows["count"],
    "period": lambda rows: _unknown_last(rows["mean_ns"], rows["count"] > 1),
    "jitter": lambda rows: _unknown_last(-jitter_ns(rows), rows["count"] > 1),
}
_SORT_KEYS = {"I": "id", "C": "count", "P": "period", "J": "jitter"}
_MOVES = {"up": -1, "down": 1, "k": -1, "j": 1, "home": -(1 << 40), "end": 1 << 40}
HELP = (
    "s          next order: id, count, period, jitter",
    "I C P J    by id; count, greatest first; period, least first; jitter",
    "r          the other way round",
    "/          filter: part of an id in hexadecimal, of a message or a bus",
    "Esc        no filter",
    "j k        one row, as Down and Up; PageUp, PageDown, Home, End",
    "Enter      signals and whole payload of the row, or hide them",
    "d          the same of all rows",
    "Space      pause the screen; frames are counted on",
    "c          clear: count from nothing",
    "?          this, and back; Ctrl-L draws anew",
    "q Ctrl-C   quit",
)


@dataclass
class View:
    """What was chosen. `press` changes it; the screen settles `cursor` and `top`, and tells `page`. Once it was moved,
    the cursor stays with its row."""

    sort: str = "id"
    reverse: bool = False
    filter: str = ""
    typing: bool = False
    paused: bool = False
    help: bool = False
    all_expanded: bool = False
    expanded: set[int] = field(default_factory=set)
    selected: int | None = None
    moved: bool = False
    cursor: int = 0
    top: int = 0
    page: int = 1
    _labels: Sequence[str] = ()
    _text: str = ""
    _matches: list[bool] = field(default_factory=list)

    def press(self, key: str) -> str | None:
        """Take a key: a character, or up, down, pageup, pagedown, home, end, enter, escape, backspace. Returns "quit"
        or "clear" where that is what it asks for."""
        if self.typing:
            self._type(key)
        elif key in ("q", "Q"):
            return "quit"
        elif key == "c":
            return "clear"
        elif key in _SORT_KEYS:
            self.sort = _SORT_KEYS[key]
        elif key in _MOVES:
            self._move(_MOVES[key])
        elif key in ("pageup", "pagedown"):
            self._move(self.page if key == "pagedown" else -self.page)
        elif key == "enter":
            self.expanded ^= {self.selected} - {None}  # type: ignore[arg-type]
        else:
            self._switch(key)
        return None

    def _switch(self, key: str) -> None:
        if key == "s":
            names = list(SORTS)
            self.sort = names[(names.index(self.sort) + 1) % len(names)]
        elif key == "r":
            self.reverse = not self.reverse
        elif key == "/":
            self.typing, self.help = True, False
        elif key == " ":
            self.paused = not self.paused
        elif key == "d":
            self.all_expanded = not self.all_expanded
        elif key == "?":
            self.help = not self.help
        elif key == "escape":
            self.filter, self.help = ("", False) if not self.help else (self.filter, False)

    def _type(self, key: str) -> None:
        if key == "enter":
            self.typing = False
        elif key == "escape":
            self.typing, self.filter = False, ""
        elif key == "backspace":
            self.filter = self.filter[:-1]
        elif len(key) == 1 and key.isprintable():
            self.filter += key

    def _move(self, rows: int) -> None:
        self.cursor, self.selected, self.moved = self.cursor + rows, None, True

    def order(self, snapshot: Snapshot) -> Indexes:
        """Indexes of the rows to show, in their order."""
        rows = snapshot.rows
        by_id = np.argsort(snapshot.keys, kind="stable")
        if self.filter:
            by_id = by_id[self._matching(snapshot)[by_id]]
        if self.sort != "id":
            by_id = by_id[np.argsort(SORTS[self.sort](rows[by_id]), kind="stable")]
        return by_id[::-1] if self.reverse else by_id

    def _matching(self, snapshot: Snapshot) -> npt.NDArray[np.bool_]:
        """Which rows have the filter's text in their label; labels are looked at once."""
        text, labels, count = self.filter.lower(), snapshot.labels, len(snapshot.rows)
        if text != self._text or labels is not self._labels:
            self._text, self._labels, self._matches = text, labels, []
        self._matches += [text in label for label in labels[len(self._matches) : count]]
        return np.array(self._matches[:count], np.bool_)
