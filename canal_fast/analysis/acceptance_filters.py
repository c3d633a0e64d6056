"""Acceptance filters of controllers, by their registers. Each compiles to the same rows (analysis/acceptance.h)."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from . import _acceptance

__all__ = [
    "AcceptanceFilters", "BxcanBank", "BxcanFilters", "Mailbox", "MailboxFilters", "McanElement", "McanFilters",
    "Mcp2515Filters", "Mcp2517fdFilters", "Sja1000Filters", "SocketcanFilters",
]  # fmt: skip

EXTENDED, REMOTE, FD = 0x80000000, 0x40000000, 0x20000000  # of a frame's word, above its identifier
BASE, WHOLE, ERROR_CLASSES = 0x7FF, 0x1FFFFFFF, 0x1FFFFFFF
REJECTS, NO_FILTER = -1, -2
MOST = 32_767  # filters that a row can number
STORED = ("fifo0", "fifo1", "priority_fifo0", "priority_fifo1", "buffer")

Row = tuple[int, int, int, int, int, int, int]
"""mask, low, span, data, data_mask, index, inverted: fields of a row."""


def row(
    value: int, mask: int, index: int, *, span: int = 0, data: int = 0, care: int = 0, inverted: bool = False
) -> Row:
    """Lets `value` + 0..span of the masked word through."""
    return mask, value, span, data, care, index, int(inverted)


def checked(name: str, value: object, high: int, low: int = 0) -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}") from None
    if not low <= number <= high:
        numbers = (number, low, high) if high <= MOST else tuple(map(hex, (number, low, high)))
        raise ValueError("{} = {}, allowed {}..{}".format(name, *numbers))
    return number


def counted(filters: AcceptanceFilters, name: str, least: int, most: int) -> None:
    """The field as a tuple of so many elements."""
    values = getattr(filters, name)
    if not isinstance(values, (tuple, list)):
        raise TypeError(f"{name} must be a tuple, not {type(values).__name__}")
    object.__setattr__(filters, name, tuple(tuple(one) if isinstance(one, list) else one for one in values))
    if not least <= len(values) <= most:
        raise ValueError(f"{name} has {len(values)} elements, allowed {least if least == most else f'{least}..{most}'}")


def one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} = {value!r}, allowed {', '.join(map(repr, allowed))}")


class AcceptanceFilters:
    """What all of them have: rows, tried in their order.

    Examples
    --------
    >>> filters = cf.analysis.SocketcanFilters(((0x100, 0x7FF),))
    >>> isinstance(filters, cf.analysis.AcceptanceFilters)
    True
    """

    error_mask: int = 0
    """Classes of error frames that pass (SocketCAN alone)."""

    def rows(self) -> Iterator[Row]:
        raise NotImplementedError

    @cached_property
    def compiled(self) -> _acceptance.Acceptance:
        """The rows as the kernel takes them."""
        return _acceptance.Acceptance(np.array(list(self.rows()), _acceptance.ROW_DTYPE), self.error_mask)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "compiled"}


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


@dataclass(frozen=True)
class McanElement:
    """A filter element of M_CAN or FDCAN.

    Parameters
    ----------
    kind : "range", "dual", "mask", "range_no_xidam" or "off"
        SFT, EFT: id1 <= identifier <= id2; either of the two; id1 with mask id2. "range_no_xidam" is for extended
        identifiers alone (EFT = 3), "off" for base ones (SFT = 3).
    id1, id2 : int
    config : str
        SFEC, EFEC: "off", "fifo0", "fifo1", "reject", "priority" (tells of the frame and does not store it),
        "priority_fifo0", "priority_fifo1", or "buffer": id1 alone, whatever `kind` says.

    Examples
    --------
    >>> element = cf.analysis.McanElement("range", 0x100, 0x1FF)
    >>> cf.analysis.accepts(cf.make_frames([0x123, 0x223]), cf.analysis.McanFilters((element,))).tolist()
    [True, False]
    """

    kind: str
    id1: int
    id2: int
    config: str = "fifo0"

    def __post_init__(self) -> None:
        one_of("kind", self.kind, ("range", "dual", "mask", "range_no_xidam", "off"))
        one_of("config", self.config, ("off", "reject", "priority", *STORED))
        for name in ("id1", "id2"):
            checked(name, getattr(self, name), WHOLE)


@dataclass(frozen=True)
class McanFilters(AcceptanceFilters):
    """Filter elements of M_CAN (Bosch; many microcontrollers) and FDCAN (STM32).

    Parameters
    ----------
    standard, extended : tuple of McanElement
        At most 128 and 64 (STM32G4: 28 and 8). Base and extended frames have a list each; the first that matches
        decides, and its number is the one told.
    xidam : int
        Extended identifiers are ANDed with it first, but for "range_no_xidam".
    accept_others : tuple of 2 bool
        ANFS, ANFE: base and extended frames that no element matches are stored.
    reject_remote : tuple of 2 bool
        RRFS, RRFE.

    Notes
    -----
    Source: Bosch M_CAN user's manual, acceptance filtering.

    Examples
    --------
    >>> reject = cf.analysis.McanElement("dual", 0x123, 0x124, config="reject")
    >>> filters = cf.analysis.McanFilters(standard=(reject,), accept_others=(True, True))
    >>> cf.analysis.match_index(cf.make_frames([0x123, 0x223]), filters).tolist()
    [-1, -2]
    """

    standard: tuple[McanElement, ...] = ()
    extended: tuple[McanElement, ...] = ()
    xidam: int = WHOLE
    accept_others: tuple[bool, bool] = (False, False)
    reject_remote: tuple[bool, bool] = (False, False)

    def __post_init__(self) -> None:
        counted(self, "standard", 0, 128)
        counted(self, "extended", 0, 64)
        checked("xidam", self.xidam, WHOLE)
        for name in ("accept_others", "reject_remote"):
            counted(self, name, 2, 2)
        for number, one in enumerate(self.standard):
            checked(f"standard[{number}]: id1", one.id1, BASE)
            checked(f"standard[{number}]: id2", one.id2, BASE)
            one_of(f"standard[{number}]: kind", one.kind, ("range", "dual", "mask", "off"))
        for number, one in enumerate(self.extended):
            one_of(f"extended[{number}]: kind", one.kind, ("range", "dual", "mask", "range_no_xidam"))

    def rows(self) -> Iterator[Row]:
        for extended, elements in enumerate((self.standard, self.extended)):
            kind, whole = EXTENDED * extended, self.xidam if extended else BASE
            if self.reject_remote[extended]:
                yield row(kind | REMOTE, EXTENDED | REMOTE, REJECTS)
            for number, one in enumerate(elements):
                index = number if one.config in STORED else REJECTS
                if one.config == "off":
                    continue
                if one.config == "buffer":
                    yield row(kind | one.id1, EXTENDED | whole, index)
                elif one.kind.startswith("range"):
                    seen = whole if one.kind == "range" else WHOLE
                    if one.id1 <= one.id2:
                        yield row(kind | one.id1, EXTENDED | seen, index, span=one.id2 - one.id1)
                elif one.kind == "dual":
                    yield row(kind | one.id1, EXTENDED | whole, index)
                    yield row(kind | one.id2, EXTENDED | whole, index)
                elif one.kind == "mask":
                    yield row(kind | (one.id1 & one.id2), EXTENDED | (whole & one.id2), index)
            if self.accept_others[extended]:
                yield row(kind, EXTENDED, NO_FILTER)


@dataclass(frozen=True)
class Mailbox:
    """A receive mailbox: identifier, mask (1: must match), and which frames it is for; None: both.

    Attributes
    ----------
    can_id, can_mask : int
    extended, remote : bool or None

    Examples
    --------
    >>> mailbox = cf.analysis.Mailbox(0x100, 0x700, extended=False)
    >>> cf.analysis.accepts(cf.make_frames([0x123, 0x223]), cf.analysis.MailboxFilters((mailbox,))).tolist()
    [True, False]
    """

    can_id: int
    can_mask: int = WHOLE
    extended: bool | None = None
    remote: bool | None = None

    def __post_init__(self) -> None:
        checked("can_id", self.can_id, WHOLE)
        checked("can_mask", self.can_mask, WHOLE)


@dataclass(frozen=True)
class MailboxFilters(AcceptanceFilters):
    """Mailboxes with a mask each, as many controllers have them: the first that matches takes the frame.

    Attributes
    ----------
    mailboxes : tuple of Mailbox

    Examples
    --------
    >>> filters = cf.analysis.MailboxFilters((cf.analysis.Mailbox(0x100), cf.analysis.Mailbox(0x200, 0x700)))
    >>> cf.analysis.match_index(cf.make_frames([0x100, 0x101, 0x234]), filters).tolist()
    [0, -1, 1]
    """

    mailboxes: tuple[Mailbox, ...]

    def __post_init__(self) -> None:
        counted(self, "mailboxes", 0, MOST)

    def rows(self) -> Iterator[Row]:
        for number, box in enumerate(self.mailboxes):
            value, mask = box.can_id, box.can_mask
            for flag, wanted in ((EXTENDED, box.extended), (REMOTE, box.remote)):
                mask |= 0 if wanted is None else flag
                value |= flag if wanted else 0
            yield row(value & mask, mask, number)


@dataclass(frozen=True)
class SocketcanFilters(AcceptanceFilters):
    """Filters of a CAN_RAW socket of Linux, any of which lets a frame through; none at all: no frame passes.

    Parameters
    ----------
    filters : tuple of (int, int)
        can_id and can_mask as linux/can.h has them: bit 31 extended, 30 remote. Bit 29 of can_id: inverted
        (CAN_INV_FILTER). Bit 29 of can_mask: a filter for error frames; one class in common is enough, and can_id does
        not count.
    error_mask : int
        CAN_RAW_ERR_FILTER: classes of error frames that pass.

    Notes
    -----
    A filter for base frames (bit 31 of the mask, not of the identifier) looks at 11 identifier bits only.

    Examples
    --------
    >>> filters = cf.analysis.SocketcanFilters(((0x100, 0x700),))
    >>> cf.analysis.accepts(cf.make_frames([0x123, 0x223]), filters).tolist()
    [True, False]
    """

    filters: tuple[tuple[int, int], ...]
    error_mask: int = 0

    def __post_init__(self) -> None:
        counted(self, "filters", 0, MOST)
        checked("error_mask", self.error_mask, ERROR_CLASSES)
        for index, (can_id, can_mask) in enumerate(self.filters):
            checked(f"filters[{index}]: can_id", can_id, 0xFFFFFFFF)
            checked(f"filters[{index}]: can_mask", can_mask, 0xFFFFFFFF)
        for _, can_mask in self.filters:
            if can_mask & FD:  # the error bit, which no data frame has
                object.__setattr__(self, "error_mask", self.error_mask | (can_mask & ERROR_CLASSES))

    def rows(self) -> Iterator[Row]:
        for number, (can_id, can_mask) in enumerate(self.filters):
            if can_mask & FD:
                continue
            mask = can_mask & (BASE | EXTENDED | REMOTE) if can_mask & EXTENDED and not can_id & EXTENDED else can_mask
            yield row(can_id & mask, mask, number, inverted=bool(can_id & FD))
