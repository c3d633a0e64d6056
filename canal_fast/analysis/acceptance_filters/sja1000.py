"""The SJA1000's acceptance filter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .rows import BASE, EXTENDED, FD, REMOTE, AcceptanceFilters, Row, checked, counted, row

__all__ = ["Sja1000Filters"]


@dataclass(frozen=True)
class Sja1000Filters(AcceptanceFilters):
    """Acceptance code and mask registers of an SJA1000 in PeliCAN mode.

    Parameters
    ----------
    codes, masks : tuple of 4 int
        ACR0..3 and AMR0..3. A 1 in a mask: do not care.
    dual : bool
        Two filters (mode register AFM = 0) instead of one.

    Notes
    -----
    Source: SJA1000 data sheet, acceptance filter. Filters do not look at the format: the same registers are laid over
    base frames (11 identifier bits, RTR, data bytes) and over extended ones (29, RTR; dual: the upper 16). A frame that
    lacks a data byte passes that part. Numbers of filters are 0 and 1. CAN FD frames never pass.

    Examples
    --------
    >>> filters = cf.analysis.Sja1000Filters(codes=(0x20, 0, 0, 0), masks=(0, 0x1F, 0xFF, 0xFF))  # 0x100
    >>> cf.analysis.accepts(cf.make_frames([0x100, 0x101]), filters).tolist()
    [True, False]
    """

    codes: tuple[int, ...]
    masks: tuple[int, ...]
    dual: bool = False

    def __post_init__(self) -> None:
        for name in ("codes", "masks"):
            counted(self, name, 4, 4)
            for index, value in enumerate(getattr(self, name)):
                checked(f"{name}[{index}]", value, 0xFF)

    def rows(self) -> Iterator[Row]:
        code = int.from_bytes(bytes(self.codes), "big")
        care = ~int.from_bytes(bytes(self.masks), "big") & 0xFFFFFFFF
        if not self.dual:
            yield self._base(code, care >> 20, 0, care & 0xFFFF)
            mask = care >> 3 | EXTENDED | FD | (REMOTE if care & 4 else 0)
            yield row((code >> 3 | EXTENDED | (REMOTE if code & 4 else 0)) & mask, mask, 0)
            return
        nibbles = (care >> 12 & 0xF0) | (care & 0x0F)
        yield self._base((code & 0xFFF00000) | (code >> 4 & 0xF000) | (code << 8 & 0xF00), care >> 20, 0, nibbles << 8)
        yield self._base(code << 16, care >> 4 & 0xFFF, 1, 0)
        for number, shift in ((0, 16), (1, 0)):
            mask = (care >> shift & 0xFFFF) << 13 | EXTENDED | FD
            yield row(((code >> shift & 0xFFFF) << 13 | EXTENDED) & mask, mask, number)

    @staticmethod
    def _base(code: int, care: int, number: int, data_care: int) -> Row:
        """Identifier and RTR in the upper 12 of the code's 32 bits, two data bytes in the lower 16."""
        mask = care >> 1 | EXTENDED | FD | (REMOTE if care & 1 else 0)
        value = (code >> 21 & BASE) | (REMOTE if code & 1 << 20 else 0)
        return row(value & mask, mask, number, data=code & 0xFFFF, care=data_care)
