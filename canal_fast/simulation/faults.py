"""The faults of a bus, line by line. What a line says is in `Bus.inject`."""

from __future__ import annotations

from collections.abc import Sequence

from canal_fast.errors import SimulationError

from . import _simulation

__all__ = ["Faults"]


class Faults:
    """Faults that were added to a bus, in their order."""

    def __init__(self, core: _simulation.Bus) -> None:
        self._core = core
        self._lines: list[str] = []
        self.fine = False
        """One is told in parts of a bit."""

    def add(self, lines: Sequence[str], names: list[bytes], trial: _simulation.Bus, now: tuple[int, int]) -> int:
        """Add all or, where one is refused, none; `trial` is an empty bus of the same rates, `now` (bit, ns)."""
        found = [_tried(trial, number, line, names, now) for number, line in enumerate(lines, 1)]
        for line, good in zip(lines, found, strict=True):
            if good:
                self._core.inject(line.encode(), names)
                self.fine |= self._core.fault_is_fine(-1)
                self._lines.append(line.strip())
        return sum(found)

    def check(self, until: int, end_ns: int) -> None:
        """Each that is still to come lies in the run that ends there."""
        for number, line in enumerate(self._lines):
            bit, ns, fired = self._core.fault_at(number)
            if fired == 0 and ((bit is not None and bit >= until) or (ns is not None and ns >= end_ns)):
                raise SimulationError(f"fault {line!r} is outside the run, which ends at bit {until}, {end_ns} ns")


def _tried(trial: _simulation.Bus, number: int, line: str, names: list[bytes], now: tuple[int, int]) -> bool:
    """Whether a line is a fault, and no blank or comment."""
    answer = trial.inject(line.encode(), names)
    if answer is False:
        return False
    if isinstance(answer, tuple):
        reason, column = answer
        word = line.encode()[column - 1 :].split(maxsplit=1)
        shown = f"{word[0].decode()!r}" if word else "the line ends"
        raise SimulationError(
            f"fault, line {number}, column {column}: {shown}: {reason}", line_number=number, column=column
        )
    bit, ns, _ = trial.fault_at(-1)
    if (bit is not None and bit < now[0]) or (ns is not None and ns < now[1]):
        raise SimulationError(
            f"fault, line {number}: {line.strip()!r} has passed: the bus is at bit {now[0]}, {now[1]} ns",
            line_number=number,
        )
    return True
