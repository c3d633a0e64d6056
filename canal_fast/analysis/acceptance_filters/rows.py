"""What acceptance filters of all controllers have: rows of one kind, and the checks of their registers."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from .. import _acceptance

__all__ = ["AcceptanceFilters", "Row", "checked", "counted", "one_of", "row"]

EXTENDED, REMOTE, FD = 0x80000000, 0x40000000, 0x20000000  # of a frame's word, above its identifier
BASE, WHOLE = 0x7FF, 0x1FFFFFFF
NO_FILTER = -2
MOST = 32_767  # filters that a row can number

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
