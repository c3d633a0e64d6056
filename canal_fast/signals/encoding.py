"""Columns as users have them to what the encoding kernel takes, and its complaints in words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from canal_fast.errors import SignalError
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray, FrameFlag, make_frames

from .description import Message, Signal, suggest
from .records import initial_bits
from .tables import Table

if TYPE_CHECKING:
    from .plan import Plan

__all__ = ["encode"]

Array = npt.NDArray[Any]
Given = tuple[Array | None, Array | None, bool]
"""Values as f8, i8 or u8 (None: none), where they are given as u1 (None: everywhere), are they raw?"""


def encode(
    plan: Plan,
    number: int,
    columns: Mapping[str, npt.ArrayLike] | Table | None,
    timestamp_ns: npt.ArrayLike,
    channel: npt.ArrayLike,
    count: int | None,
    *,
    saturate: bool,
    padding: int,
) -> FrameArray:
    """As `Plan.encode`."""
    if padding not in (0, 1):
        raise ValueError(f"padding = {padding}, allowed 0, 1")
    message = plan.messages[number]
    given = _given(message, columns)
    sizes = {name: len(values) for name, (values, _, _) in given.items() if values is not None}
    for name, values in (("timestamp_ns", timestamp_ns), ("channel", channel)):
        sizes[name] = np.size(values)
    rows = _rows(message, sizes, count)
    if isinstance(columns, Table) and np.ndim(timestamp_ns) == 0 and not timestamp_ns:
        timestamp_ns = columns.timestamp_ns
    entries = []
    for signal in message.signals:
        column, held, raw = given.get(signal.name, (None, None, False))
        if column is not None and len(column) != rows:
            column, held = np.repeat(column, rows), None if held is None else np.repeat(held, rows)
        entries.append((column, held, raw or not plan.options.scaling, initial_bits(signal)))
    payloads, status, row, index = plan.encode_payloads(number, entries, rows, saturate, padding)
    if status:
        signal = message.signals[index]
        column, _, raw = entries[index][:3]
        raise _refusal(message, signal, row, None if column is None else column[row], raw)
    return _framed(message, payloads, timestamp_ns, channel, 0xFF * padding)


def _framed(
    message: Message, payloads: Array, timestamp_ns: npt.ArrayLike, channel: npt.ArrayLike, fill: int
) -> FrameArray:
    """Records around payloads, which are cut, or filled up, to the message's length."""
    if message.length > (64 if message.is_fd else 8):
        raise SignalError(
            f"{message.name} has {message.length} bytes, allowed 0..{64 if message.is_fd else 8} in a "
            f"{'CAN FD' if message.is_fd else 'classical'} frame; what comes in several frames is not encoded"
        )
    (flags, dlc), channels = _head(message), np.asarray(channel)
    if channels.size and not (channels.min() >= 0 and channels.max() <= 255):
        raise ValueError(f"channel = {channels.min()}..{channels.max()}, allowed 0..255")
    frames: FrameArray = np.zeros(len(payloads), FD_FRAME_DTYPE if message.is_fd else FRAME_DTYPE)
    frames["timestamp_ns"], frames["arbitration_id"], frames["channel"] = timestamp_ns, message.arbitration_id, channels
    frames["flags"], frames["dlc"] = flags, dlc
    width = min(message.length, payloads.shape[1])
    if width == 8:
        frames["data"].view("u8")[:, 0] = payloads.view("u8")[:, 0]
    else:
        frames["data"][:, :width] = payloads[:, :width]
    if fill and width < message.length:
        frames["data"][:, width : message.length] = fill
    return frames


@cache
def _head(message: Message) -> tuple[int, int]:
    """Flags and dlc of the message's frames."""
    flags = FrameFlag.EXTENDED_ID if message.is_extended else 0
    frame = make_frames(message.arbitration_id, bytes(message.length), flags=flags, fd=message.is_fd)[0]
    return int(frame["flags"]), int(frame["dlc"])


def _rows(message: Message, sizes: Mapping[str, int], count: int | None) -> int:
    """The number of rows that everything agrees on; one value goes to every row."""
    longer = {name: size for name, size in sizes.items() if size != 1}
    rows = count if count is not None else next(iter(longer.values()), 1)
    for name, size in longer.items():
        if size != rows:
            other = "count" if count is not None else next(iter(longer))
            raise ValueError(
                f"{message.name}: columns differ in length: {other} has {rows}, {name} has {size}; "
                "each has one value, or one for each row"
            )
    return rows


def _given(message: Message, columns: Any) -> dict[str, Given]:
    if columns is None:
        return {}
    if isinstance(columns, Table):
        return {signal.name: _of_table(columns, signal) for signal in message.signals if signal.name in columns.columns}
    known = {signal.name: signal for signal in message.signals}
    found = {}
    for name, values in columns.items():
        if name not in known:
            raise SignalError(f"{message.name} has no signal {name!r}{suggest(name, known)}")
        found[name] = _column(message, known[name], values)
    return found


def _of_table(table: Table, signal: Signal) -> Given:
    values, held = table.columns[signal.name], table.partial.get(signal.name)
    given = None if held is None else held.view(np.uint8)
    if signal.name in table.texts:
        words = _raw_values(signal)
        raw = [words[text] if text in words else _number(signal, text) for text in table.texts[signal.name]]
        return _integers(raw)[values], given, True
    return _numbers(values), given, False


def _raw_values(signal: Signal) -> dict[str, int]:
    """Text -> raw value, the least that has it."""
    return dict(reversed([(text, raw) for raw, text in signal.texts.items()]))


def _number(signal: Signal, text: str) -> int:
    """Raw value of a physical one that the value table has no text for; with a scale of 0 any will do."""
    if not signal.scale:
        return 0
    scale, offset = signal.scale, signal.offset
    if isinstance(scale, int) and isinstance(offset, int):
        raw = (int(text) - offset) // scale
    else:
        value = float(text)
        raw = round((value - offset) / scale)
        raw += round((value - (raw * scale + offset)) / scale)  # of large numbers the quotient is out by some
    low, high = signal.raw_bounds
    return min(max(raw, low), high)


def _integers(values: list[int]) -> Array:
    return np.array(values, np.uint64 if max(values, default=0) >= 1 << 63 else np.int64)


def _numbers(values: Array) -> Array:
    """f8, i8 or u8, contiguous."""
    kind = values.dtype.kind
    wanted = np.float64 if kind == "f" else np.uint64 if kind == "u" and values.dtype.itemsize == 8 else np.int64
    with np.errstate(invalid="ignore"):  # a signalling NaN is one like another
        return np.ascontiguousarray(values, wanted)


def _column(message: Message, signal: Signal, values: Any) -> Given:
    mask = None
    if isinstance(values, np.ma.MaskedArray):
        mask, values = np.ma.getmaskarray(values), values.filled(0)
    array = np.atleast_1d(np.asarray(values))
    if array.ndim != 1:
        raise ValueError(f"{message.name}.{signal.name}: one dimension, not {array.ndim}")
    if array.dtype.kind == "O":
        missing = np.array([value is None for value in array.tolist()], np.bool_)
        mask = missing if mask is None else mask | missing
        filler = "" if any(isinstance(value, str) for value in array.tolist()) else 0
        array = np.asarray([filler if value is None else value for value in array.tolist()])
    given = None if mask is None or not mask.any() else (~np.atleast_1d(mask)).view(np.uint8)
    if array.dtype.kind == "U":
        return _of_texts(message, signal, array, given), given, True
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{message.name}.{signal.name}: numbers or texts, not {array.dtype}")
    return _numbers(array), given, False


def _of_texts(message: Message, signal: Signal, texts: Array, given: Array | None) -> Array:
    words = _raw_values(signal)
    unique, inverse = np.unique(texts, return_inverse=True)
    if given is not None:
        words.setdefault("", 0)  # stands where none is given
    for text in unique.tolist():
        if text not in words:
            row = int(np.flatnonzero(texts == text)[0])
            name = f"{message.name}.{signal.name}"
            raise SignalError(f"{name}: row {row}: no such text {text!r}{suggest(text, words)}", signal=name, row=row)
    return _integers([words[text] for text in unique.tolist()])[inverse]


def _refusal(message: Message, signal: Signal, row: int, value: Any, raw: bool) -> SignalError:
    name = f"{message.name}.{signal.name}"
    if signal.is_float:
        allowed = f"what a float of {signal.length} bits holds"
    else:
        low, high = signal.raw_bounds
        ends = sorted((low, high) if raw else (low * signal.scale + signal.offset, high * signal.scale + signal.offset))
        unit = f" {signal.unit}" if signal.unit and not raw else ""
        allowed = f"{ends[0]}..{ends[1]}{unit}{'' if raw else f' (raw {low}..{high})'}"
    advice = "None gives the initial value" if value != value else "saturate=True takes the nearest end"
    return SignalError(
        f"{name}: row {row}: {'raw ' if raw else ''}value {value}, allowed {allowed}; {advice}", signal=name, row=row
    )
