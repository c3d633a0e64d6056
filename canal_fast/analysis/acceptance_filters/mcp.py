"""Masks and filters of Microchip's MCP2515, filter objects of its MCP2517FD."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .rows import BASE, EXTENDED, FD, NO_FILTER, WHOLE, AcceptanceFilters, Row, checked, counted, row

__all__ = ["Mcp2515Filters", "Mcp2517fdFilters"]


@dataclass(frozen=True)
class Mcp2515Filters(AcceptanceFilters):
    """Masks and filters of an MCP2515.

    Parameters
    ----------
    masks : tuple of 2 int
        RXM0, shared by filters 0 and 1, and RXM1, shared by 2..5: SID10..0 above EID17..0, 29 bits; 1: must match.
    filters : tuple of 6 (int, bool)
        RXF0..5: the same 29 bits, and EXIDE: for extended frames.
    any_frame : tuple of 2 bool
        RXM = 11 of the two buffers: no filters.

    Notes
    -----
    Source: MCP2515 data sheet (DS20001801), 4.5. Of base frames EID15..8 and EID7..0 are laid over data bytes 0 and 1.
    What a frame without these bytes is compared with the sheet does not say: here it passes, as in Microchip's later
    controllers. CAN FD frames never pass.

    Examples
    --------
    >>> only = (0x100 << 18, False)
    >>> filters = cf.analysis.Mcp2515Filters(masks=(0x7FF << 18, 0x7FF << 18), filters=(only,) * 6)
    >>> cf.analysis.accepts(cf.make_frames([0x100, 0x101]), filters).tolist()
    [True, False]
    """

    masks: tuple[int, int]
    filters: tuple[tuple[int, bool], ...]
    any_frame: tuple[bool, bool] = (False, False)

    def __post_init__(self) -> None:
        counted(self, "masks", 2, 2)
        counted(self, "filters", 6, 6)
        counted(self, "any_frame", 2, 2)
        for index, mask in enumerate(self.masks):
            checked(f"masks[{index}]", mask, WHOLE)
        for index, (value, _) in enumerate(self.filters):
            checked(f"filters[{index}]", value, WHOLE)

    def rows(self) -> Iterator[Row]:
        for buffer, numbers in enumerate(((0, 1), (2, 3, 4, 5))):
            if self.any_frame[buffer]:
                yield row(0, FD, NO_FILTER)
                return
            mask = self.masks[buffer]
            for number in numbers:
                value, extended = self.filters[number]
                if extended:
                    yield row((value & mask) | EXTENDED, mask | EXTENDED | FD, number)
                else:
                    yield row(
                        (value & mask) >> 18,
                        mask >> 18 | EXTENDED | FD,
                        number,
                        data=value & 0xFFFF,
                        care=mask & 0xFFFF,
                    )


@dataclass(frozen=True)
class Mcp2517fdFilters(AcceptanceFilters):
    """Filter objects of an MCP2517FD or MCP2518FD.

    Parameters
    ----------
    objects : tuple of (int, int) or (int, int, bool)
        CiFLTOBJ, CiMASK and whether it is enabled, at most 32: bit 30 EXIDE and MIDE, 29 SID11, 28..11 EID17..0, 10..0
        SID10..0; mask bit 1: must match.
    sid11 : bool
        SID11EN: the RRS bit of CAN FD base frames, which senders make dominant, is a twelfth identifier bit.

    Notes
    -----
    Source: MCP2517FD data sheet. The first object that matches counts. Filtering of data bytes (DNCNT) is not modelled.

    Examples
    --------
    >>> filters = cf.analysis.Mcp2517fdFilters(((0x100, 1 << 30 | 0x7FF),))
    >>> cf.analysis.accepts(cf.make_frames([0x100, 0x101]), filters).tolist()
    [True, False]
    """

    objects: tuple[tuple[int, int] | tuple[int, int, bool], ...]
    sid11: bool = False

    def __post_init__(self) -> None:
        counted(self, "objects", 0, 32)
        for index, one in enumerate(self.objects):
            for name, value in zip(("filter", "mask"), one, strict=False):
                checked(f"objects[{index}]: {name}", value, 0xFFFFFFFF)

    def rows(self) -> Iterator[Row]:
        for number, (value, mask, *enabled) in enumerate(self.objects):
            if enabled and not enabled[0]:
                continue
            kinds = [bool(value >> 30 & 1)] if mask >> 30 & 1 else [False, True]
            ids = [(v & BASE) << 18 | (v >> 11 & 0x3FFFF) for v in (value & mask, mask)]
            for extended in kinds:
                if extended:
                    yield row(ids[0] | EXTENDED, ids[1] | EXTENDED, number)
                elif self.sid11 and value & mask & 0x20000000:  # a recessive RRS, which no FD frame has
                    yield row(ids[0] >> 18, ids[1] >> 18 | EXTENDED | FD, number)
                else:
                    yield row(ids[0] >> 18, ids[1] >> 18 | EXTENDED, number)
