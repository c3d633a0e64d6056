"""A terminal that understands what the monitor sends, and nothing else: a screen of cells to look at."""

from __future__ import annotations

import re

_SEQUENCE = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])")


class VirtualTerminal:
    """`feed` it text; `text()` and `styles` say what is on the screen. Unknown sequences are errors. What is no
    sequence of the monitor's screen, as a shell prints it, stands in `outside` while the other screen is not shown."""

    def __init__(self, columns: int, rows: int) -> None:
        self.alternate, self.cursor, self.wraps = False, True, True
        self.outside = ""
        self._rest = ""
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._erase()

    def _erase(self) -> None:
        self.cells = [[" "] * self.columns for _ in range(self.rows)]
        self.styles = [[""] * self.columns for _ in range(self.rows)]
        self.row, self.column, self.style = 0, 0, ""

    def text(self) -> list[str]:
        return ["".join(line).rstrip() for line in self.cells]

    def feed(self, text: str) -> None:
        text, self._rest = self._rest + text, ""
        at = 0
        while at < len(text):
            found = _SEQUENCE.match(text, at)
            if found:
                self._sequence(*found.groups())
                at = found.end()
            elif text[at] == "\x1b":
                assert len(text) - at < 16, repr(text[at : at + 16])
                self._rest = text[at:]
                return
            else:
                self._print(text[at])
                at += 1

    def _print(self, character: str) -> None:
        if not self.alternate:
            self.outside += character
            return
        assert character.isprintable(), repr(character)
        assert self.row < self.rows, "beneath the screen"
        assert self.column < self.columns, "beyond the line"
        self.cells[self.row][self.column] = character
        self.styles[self.row][self.column] = self.style
        self.column += 1

    def _sequence(self, private: str, numbers: str, letter: str) -> None:
        if private:
            assert letter in "hl", letter
            name = {"1049": "alternate", "25": "cursor", "7": "wraps"}[numbers]
            setattr(self, name, letter == "h")
        elif letter == "H":
            row, column = (int(number) for number in numbers.split(";"))
            assert 1 <= row <= self.rows, numbers
            self.row, self.column = row - 1, column - 1
        elif letter == "J":
            assert numbers == "2"
            self._erase()
        elif letter == "K":
            assert self.column < self.columns, "erases the last character of a full line"
            for column in range(self.column, self.columns):
                self.cells[self.row][column], self.styles[self.row][column] = " ", ""
        elif letter == "m":
            self.style = numbers
        else:
            raise AssertionError(f"unknown sequence {numbers}{letter}")
