"""Descriptions to the tables of plan.h: where each signal lies, which rule makes its column, of which type."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from . import _signals
from .description import Message, Ranges, Signal

__all__ = ["build", "column_dtype", "has_words", "initial_bits"]

_KINDS, _RULES = _signals.KINDS, _signals.RULES
_INTEGERS = [np.dtype(f"{sign}{size}") for size in (1, 2, 4, 8) for sign in "ui"]
_EXACT = 1 << 53  # up to here doubles hold every whole number
_NULL_BYTE = 0xFE  # J1939-71: this and above in the first byte are "error" and "not available"
_FLOATS = {16: "<e", 32: "<f", 64: "<d"}


def has_words(signal: Signal, dictionary: bool) -> bool:
    """Does its column hold texts, looked up by raw value? Floats stay numbers."""
    return dictionary and not signal.is_float and bool(signal.texts)


def column_dtype(signal: Signal, scaling: bool) -> tuple[str, np.dtype[np.generic]]:
    """Name of the rule and type of the column.

    Integer scale and offset: the smallest integer type that holds every value, f8 where 64 bits do not. A float32
    as it is: f4. Otherwise f8.
    """
    identity = not scaling or (signal.scale == 1 and signal.offset == 0)
    if signal.is_float:
        if not identity:
            return "LINEAR", np.dtype("f8")
        return ("HALF", np.dtype("f4")) if signal.length == 16 else ("BITS", np.dtype(f"f{signal.length // 8}"))
    scale, offset = (1, 0) if identity else (signal.scale, signal.offset)
    ends = [raw * scale for raw in signal.raw_bounds]
    if isinstance(scale, int) and isinstance(offset, int):
        low, high = min(ends) + offset, max(ends) + offset
        for dtype in _INTEGERS:
            info = np.iinfo(dtype.str)
            if info.min <= low and high <= info.max:
                return ("BITS" if identity else "INTEGER"), dtype
        return "WIDE", np.dtype("f8")
    exact = not isinstance(scale, int) or max(map(abs, ends)) <= _EXACT
    return ("LINEAR" if exact else "WIDE"), np.dtype("f8")


def initial_bits(signal: Signal) -> int:
    """Raw bits of the initial value; 0 where it does not fit."""
    if signal.is_float:
        try:
            packed = struct.pack(_FLOATS[signal.length], signal.initial)
        except OverflowError:
            return 0
        return int.from_bytes(packed, "little")
    low, high = signal.raw_bounds
    return int(signal.initial) & (1 << signal.length) - 1 if low <= signal.initial <= high else 0


def _place(signal: Signal, row_bytes: int) -> tuple[int, int, int]:
    """(first byte of the window, shift in it, kind bit of a ninth byte)."""
    first = min(signal.first_position // 8, row_bytes - 8)
    shift = signal.first_position - 8 * first
    if shift + signal.length <= 64:
        return first, shift, 0
    return first, shift, _KINDS["NINE"]


def _nulls_from(signal: Signal) -> int | None:
    """The first raw value that J1939 keeps for "error"; None where it keeps none."""
    if signal.is_float or signal.is_signed or signal.length < 2:
        return None
    return (1 << signal.length) - 2 if signal.length < 8 else _NULL_BYTE << signal.length - 8


def _integer(value: int | float) -> int:
    return value if isinstance(value, int) else 0


class _Selectors:
    """The selectors of a message's signals, each made once, after its parent."""

    def __init__(
        self,
        message: Message,
        places: dict[str, int],
        selectors: list[tuple[int, int, int, int]],
        ranges: list[tuple[int, int]],
    ) -> None:
        self._message, self._places, self._selectors, self._ranges = message, places, selectors, ranges
        self._known: dict[tuple[str, Ranges], int] = {}

    def __call__(self, signal: Signal) -> int:
        if signal.multiplexer is None:
            return -1
        key = signal.multiplexer, signal.multiplexer_ids
        if key not in self._known:
            parent = self(self._message[signal.multiplexer])
            row = (self._places[signal.multiplexer], parent, len(self._ranges), len(signal.multiplexer_ids))
            self._selectors.append(row)
            self._ranges.extend(signal.multiplexer_ids)
            self._known[key] = len(self._selectors) - 1
        return self._known[key]


def build(
    messages: Sequence[Message], scaling: bool, nulls: bool, dictionary: bool
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], list[np.dtype[np.generic]]]:
    """(messages, signals, selectors, ranges) as records, and the type of each signal's column."""
    records: list[tuple[int | float, ...]] = []
    heads: list[tuple[int, ...]] = []
    selectors: list[tuple[int, int, int, int]] = []
    ranges: list[tuple[int, int]] = []
    dtypes: list[np.dtype[np.generic]] = []
    for number, message in enumerate(messages):
        row_bytes = 8 if all(signal.payload_bytes <= 8 for signal in message.signals) else 64
        first = len(records)
        places = {signal.name: first + index for index, signal in enumerate(message.signals)}
        selected = _Selectors(message, places, selectors, ranges)
        for signal in message.signals:
            rule, dtype = column_dtype(signal, scaling and not has_words(signal, dictionary))
            window, shift, kind = _place(signal, row_bytes)
            threshold = _nulls_from(signal) if nulls and message.by_pgn else None
            kind |= _KINDS["BIG"] * signal.big_endian | _KINDS["FLOAT"] * signal.is_float
            kind |= _KINDS["SIGNED"] * (signal.is_signed and not signal.is_float)
            kind |= _KINDS["REAL"] * (dtype.kind == "f") | _KINDS["NULLS"] * (threshold is not None)
            records.append(
                (float(signal.scale), float(signal.offset), _integer(signal.scale), _integer(signal.offset))
                + (threshold or 0, number, selected(signal), window, shift, signal.length, signal.payload_bytes)
                + (kind, _RULES[rule], dtype.itemsize, 0)
            )
            dtypes.append(dtype)
        exact = message.arbitration_id | (_signals.KEY_EXTENDED if message.is_extended else 0)
        key = message.pgn | _signals.KEY_PGN | _signals.KEY_EXTENDED if message.by_pgn else exact
        heads.append((key, exact, first, len(message.signals), row_bytes, 0))
    tables = (
        _table(heads, _signals.MESSAGE_DTYPE),
        _table(records, _signals.SIGNAL_DTYPE),
        _table(selectors, _signals.SELECTOR_DTYPE),
        _table(ranges, _signals.RANGE_DTYPE),
    )
    return tables, dtypes


def _table(rows: Sequence[tuple[int | float, ...]], dtype: np.dtype[np.void]) -> np.ndarray:
    """Records that nobody can change."""
    return np.frombuffer(np.array(rows, dtype).tobytes(), dtype)
