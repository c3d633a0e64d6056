"""Text for terminals: what is printable and how wide it is, styles, and the lines that changed."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

__all__ = ["COLOURED", "MONOCHROME", "PLAIN", "Differ", "Style", "clean", "fit", "fitting"]


class Style:
    """Select Graphic Rendition (ECMA-48) by what the text is: `style("changed", "1F")`. Of words that it does not know
    the text stays plain."""

    def __init__(self, codes: Mapping[str, str]) -> None:
        self._codes = codes

    def __call__(self, word: str, text: str) -> str:
        code = self._codes.get(word)
        return f"\x1b[{code}m{text}\x1b[m" if code and text else text


PLAIN = Style({})
MONOCHROME = Style({"title": "1", "head": "7", "changed": "1;7", "bad": "1", "selected": "1"})
COLOURED = Style({"title": "1", "head": "7", "changed": "1;35", "bad": "1;31", "selected": "1"})
"""Colours that are seen on light and on dark."""


def clean(text: str) -> str:
    """Names that others wrote, without what would steer a terminal: control characters become ?."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, width: int, right: bool = False) -> str:
    """The text in exactly so many columns: padded, or cut, which a + at the end tells."""
    if text.isascii():
        if len(text) > width:
            return text[: width - 1] + "+" if width > 0 else ""
        return text.rjust(width) if right else text.ljust(width)
    used = sum(map(_columns, text))
    if used > width:
        kept, used = "", 0
        for character in text:
            if used + _columns(character) >= width:
                break
            kept, used = kept + character, used + _columns(character)
        text, used = kept + "+" * (width > 0), used + 1
    return " " * (width - used) + text if right else text + " " * (width - used)


def fitting(parts: Sequence[tuple[str, str]], width: int, style: Style) -> str:
    """As many of the parts (word of the style, text), the first ones, as have room; of the first what has."""
    line, used = "", 0
    for word, text in parts:
        length = sum(map(_columns, text)) + (2 if used else 0)
        if used and used + length > width:
            break
        if not used and length > width:
            return style(word, fit(text, width))
        line += ("  " if used else "") + style(word, text)
        used += length
    return line


class Differ:
    """What brings a terminal from the lines that it shows to others: lines that did not change are left alone."""

    def __init__(self) -> None:
        self._shown: list[str] | None = None
        self._size = (0, 0)

    def forget(self) -> None:
        """Nobody knows what the terminal shows."""
        self._shown = None

    def update(self, lines: Sequence[str], columns: int, rows: int) -> str:
        """Text to write, which may be empty. Lines are shorter than `columns`: one that reached the last would have
        its end erased."""
        found = []
        if self._shown is None or self._size != (columns, rows):
            found.append("\x1b[m\x1b[2J")
            self._shown, self._size = [""] * rows, (columns, rows)
        wanted = [*lines[:rows], *[""] * (rows - len(lines))]
        for number, (line, before) in enumerate(zip(wanted, self._shown, strict=True), 1):
            if line != before:
                found.append(f"\x1b[{number};1H{line}\x1b[K")
        self._shown = wanted
        return "".join(found)
