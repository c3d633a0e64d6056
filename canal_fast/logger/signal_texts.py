"""Signals of frames as texts, for people who watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from canal_fast.frames import FrameArray, FrameFlag
from canal_fast.signals.description import Message
from canal_fast.signals.plan import Plan
from canal_fast.signals.tables import Table

from .ansi import clean, fit

__all__ = ["Cell", "Shape", "SignalTexts"]

Cell = tuple[str, str, str]
"""Name, value, unit."""
_BROADCAST = 240  # PDU formats below have a destination
_ADDRESSES = 3  # columns that messages matched by parameter group have beside their signals


@dataclass(frozen=True)
class Shape:
    """How the signals of a message are laid out, whatever their values: columns of name, value and unit."""

    signals: int
    name: int
    value: int
    unit: int

    def columns(self, width: int) -> int:
        """How many signals stand in one line."""
        return max((width + 2) // (self.name + self.value + self.unit + 4), 1)

    def text(self, cell: Cell) -> str:
        """As wide as all of them."""
        name, value, unit = cell
        return f"{fit(name, self.name)} {fit(value, self.value, right=True)} {fit(unit, self.unit)}"


class SignalTexts:
    """Names of messages, and the values of signals as texts, by a plan with `choices="dictionary"`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._by_id = {(m.is_extended, m.arbitration_id): m for m in plan.messages if not m.by_pgn}
        self._by_pgn = {m.pgn: m for m in plan.messages if m.by_pgn}
        self._shapes: dict[str, Shape] = {}

    def message(self, arbitration_id: int, flags: int) -> Message | None:
        """The message that a frame with this identifier is, as the plan decodes it."""
        extended = bool(flags & FrameFlag.EXTENDED_ID)
        found = self._by_id.get((extended, arbitration_id))
        if found is None and extended and self._by_pgn:
            pgn = arbitration_id >> 8 & 0x3FFFF
            found = self._by_pgn.get(pgn & 0x3FF00 if pgn >> 8 & 0xFF < _BROADCAST else pgn)
        return found

    def name(self, arbitration_id: int, flags: int) -> str:
        """Of its message, or ""; without control characters."""
        message = self.message(arbitration_id, flags)
        return "" if message is None else clean(message.name)

    def shape(self, message: Message) -> Shape:
        """How its signals are laid out."""
        if message.name not in self._shapes:
            names = [s.name for s in message.signals] + ["destination_address"] * message.by_pgn
            texts = [text for s in message.signals for _, text in s.choices]
            self._shapes[message.name] = Shape(
                signals=len(message.signals) + _ADDRESSES * message.by_pgn,
                name=min(max(map(len, names), default=1), 32),
                value=min(max(map(len, texts), default=0), 20) if texts and max(map(len, texts)) > 12 else 12,
                unit=min(max((len(s.unit or "") for s in message.signals), default=0), 8),
            )
        return self._shapes[message.name]

    def cells(self, frames: FrameArray) -> list[list[Cell]]:
        """Of each frame its signals; those that it does not have are left out."""
        found: list[list[Cell]] = [[] for _ in frames]
        for table in self._plan.decode(frames).values():
            for name in table.columns:
                self._add(found, table, name)
        return found

    def _add(self, found: list[list[Cell]], table: Table, name: str) -> None:
        values, held, texts = table.columns[name].tolist(), table.partial.get(name), table.texts.get(name)
        unit, title = clean(table.units.get(name) or ""), clean(name)
        for place, (row, value) in enumerate(zip(table.source_row.tolist(), values, strict=True)):
            if held is None or held[place]:
                found[row].append((title, clean(_text(value) if texts is None else texts[value]), unit))


def _text(value: Any) -> str:
    return f"{value:.7g}" if isinstance(value, float) else str(value)
