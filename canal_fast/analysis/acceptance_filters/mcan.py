"""Filter elements of Bosch's M_CAN and of FDCAN."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .rows import BASE, EXTENDED, NO_FILTER, REMOTE, WHOLE, AcceptanceFilters, Row, checked, counted, one_of, row

__all__ = ["McanElement", "McanFilters"]

REJECTS = -1
STORED = ("fifo0", "fifo1", "priority_fifo0", "priority_fifo1", "buffer")


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
