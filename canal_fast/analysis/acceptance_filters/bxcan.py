"""Filter banks of an STM32's bxCAN."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .rows import EXTENDED, FD, REMOTE, AcceptanceFilters, Row, checked, counted, one_of, row

__all__ = ["BxcanBank", "BxcanFilters"]


@dataclass(frozen=True)
class BxcanBank:
    """One filter bank of bxCAN: its two registers, scale and mode.

    Parameters
    ----------
    scale : 16 or 32
    mode : "mask" or "list"
    fr1, fr2 : int
        32-bit registers. 32 bits: STID 31..21, EXID 20..3, IDE 2, RTR 1; 16 bits: STID 15..5, RTR 4, IDE 3, EXID17..15
        2..0, identifiers in the low halves before the high ones, masks above their identifiers. Mask bit 1: must match.
    active : bool
    fifo : 0 or 1

    Examples
    --------
    >>> bank = cf.analysis.BxcanBank(scale=32, mode="mask", fr1=0x100 << 21, fr2=0x700 << 21)
    >>> cf.analysis.accepts(cf.make_frames([0x123, 0x223]), cf.analysis.BxcanFilters((bank,))).tolist()
    [True, False]
    """

    scale: int
    mode: str
    fr1: int
    fr2: int
    active: bool = True
    fifo: int = 0

    def __post_init__(self) -> None:
        one_of("scale", self.scale, (16, 32))
        one_of("mode", self.mode, ("mask", "list"))
        one_of("fifo", self.fifo, (0, 1))
        for name in ("fr1", "fr2"):
            checked(name, getattr(self, name), 0xFFFFFFFF)

    def pairs(self) -> list[tuple[int, int]]:
        """(value, mask) of its filters in the 32-bit layout."""
        a, b = self.fr1, self.fr2
        if self.scale == 32:
            return [(a, 0xFFFFFFFE), (b, 0xFFFFFFFE)] if self.mode == "list" else [(a, b)]
        halves = [a & 0xFFFF, a >> 16, b & 0xFFFF, b >> 16]
        if self.mode == "list":
            return [(widened(half), widened(0xFFFF)) for half in halves]
        return [(widened(halves[i]), widened(halves[i + 1])) for i in (0, 2)]


def widened(half: int) -> int:
    """A 16-bit filter in the layout of 32 bits."""
    return (half & 0xFFE0) << 16 | (half & 7) << 18 | (half >> 3 & 1) << 2 | (half >> 4 & 1) << 1


@dataclass(frozen=True)
class BxcanFilters(AcceptanceFilters):
    """Filter banks of an STM32's bxCAN.

    Parameters
    ----------
    banks : tuple of BxcanBank
        At most 28.

    Notes
    -----
    Source: RM0008, identifier filtering. The number told is the filter match index that the FIFO shows (FMI): filters
    of a FIFO counted through its banks, active or not; 32-bit filters come before 16-bit ones, lists before masks, then
    the lower number. A base frame's EXID bits read as 0. CAN FD frames never pass.

    Examples
    --------
    >>> design = cf.analysis.design_filters([0x100, 0x101, 0x7DF], "bxcan")
    >>> len(design.config.banks)
    1
    >>> cf.analysis.match_index(cf.make_frames([0x100, 0x123]), design.config).tolist()
    [0, -1]
    """

    banks: tuple[BxcanBank, ...]

    def __post_init__(self) -> None:
        counted(self, "banks", 0, 28)

    def rows(self) -> Iterator[Row]:
        numbers = [0, 0]
        found: list[tuple[bool, bool, int, int, int, int]] = []
        for bank in self.banks:
            for value, mask in bank.pairs():
                if bank.active:
                    found.append((bank.scale == 16, bank.mode == "mask", len(found), numbers[bank.fifo], value, mask))
                numbers[bank.fifo] += 1
        for *_, number, value, mask in sorted(found):
            for extended in (0, 1):
                if mask & 4 and (value >> 2 & 1) != extended:
                    continue
                if not extended and value & mask & 0x1FFFF8:
                    continue  # asks for EXID bits that a base frame has not
                ids = [v >> 3 if extended else v >> 21 for v in (value & mask, mask)]
                remote = mask >> 1 & 1
                yield row(
                    ids[0] | (EXTENDED * extended) | (REMOTE if value & mask & 2 else 0),
                    ids[1] | EXTENDED | FD | REMOTE * remote,
                    number,
                )
