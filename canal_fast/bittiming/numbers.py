"""Numbers that users give, as exact integers and rationals."""

from __future__ import annotations

import math
import numbers
import operator
from decimal import Decimal
from fractions import Fraction
from typing import SupportsIndex

from canal_fast.errors import BitTimingError

DEFAULT_LOOP_DELAY_NS = 250.0
"""One node's delay from TXD to RXD, through transceiver and back. ISO 11898-2:2016 allows 255 ns."""

Number = int | float | Fraction | Decimal


def exact(name: str, value: object) -> Fraction:
    """The number as a rational: a float is taken for the decimal number that it prints as."""
    if isinstance(value, (int, Fraction)):
        return Fraction(value)
    if isinstance(value, (float, Decimal)):
        if not math.isfinite(value):
            raise BitTimingError(f"{name} = {value} is not a finite number")
        return Fraction(repr(float(value)) if isinstance(value, float) else value)
    if isinstance(value, numbers.Real):  # numpy's floats, likewise
        if not math.isfinite(value):
            raise BitTimingError(f"{name} = {value} is not a finite number")
        return Fraction(str(value))
    try:
        return Fraction(operator.index(value))  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be a number, not {type(value).__name__}") from None


def whole(name: str, value: SupportsIndex, low: int, high: int) -> int:
    """The integer, if it lies in low..high."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}") from None
    if not low <= number <= high:
        raise BitTimingError(f"{name} = {number}, allowed {low}..{high}")
    return number


def propagation_ns(bus_length_m: Number, loop_delay_ns: Number, ns_per_m: Number) -> Fraction:
    """Two-way delay between the ends of a bus: 2 (length x delay per metre + loop delay)."""
    values = []
    for name, value in (("bus_length_m", bus_length_m), ("loop_delay_ns", loop_delay_ns), ("ns_per_m", ns_per_m)):
        values.append(exact(name, value))
        if values[-1] < 0:
            raise BitTimingError(f"{name} = {value}, must not be negative")
    length, loop, speed = values
    return 2 * (length * speed + loop)
