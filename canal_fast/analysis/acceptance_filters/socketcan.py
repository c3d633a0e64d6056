"""Filters of a CAN_RAW socket of Linux."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .rows import BASE, EXTENDED, FD, MOST, REMOTE, AcceptanceFilters, Row, checked, counted, row

__all__ = ["SocketcanFilters"]

ERROR_CLASSES = 0x1FFFFFFF


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
