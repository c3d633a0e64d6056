"""Mailboxes with a mask each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .rows import EXTENDED, MOST, REMOTE, WHOLE, AcceptanceFilters, Row, checked, counted, row

__all__ = ["Mailbox", "MailboxFilters"]


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
