"""Frames out of a table of Arrow: `from_arrow`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from canal_fast._arrow import join
from canal_fast.errors import FrameError
from canal_fast.extras import imported
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray, FrameFlag

from .columns import COLUMNS, TYPES, Array
from .metadata import interface_rows

__all__ = ["from_arrow"]


def from_arrow(table: Any, fd: bool | None = None, *, interfaces: Any = None) -> FrameArray:
    """Frames out of a table with the columns that `to_arrow` makes (needs pyarrow).

    Parameters
    ----------
    table : object with `__arrow_c_stream__`, or anything else that `pyarrow.table` takes
        Columns timestamp (of any unit, or integers: nanoseconds), arbitration_id, flags, channel, dlc, data, in any
        order and of any width that holds them; others are passed over.
    fd : bool, optional
        None: FD_FRAME_DTYPE where a frame needs it, else FRAME_DTYPE.
    interfaces : mapping, or iterable of LogInterface, optional
        Numbers of the channels' names, where the schema's metadata got lost (polars keeps none).

    Returns
    -------
    array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        Channel names become the numbers that `interfaces` or the schema's metadata give them, else the number that
        ends the name where it is free, else the lowest free ones.

    Raises
    ------
    ImportError
        pyarrow is not installed.
    ValueError
        A column is missing, has another type, nulls or values out of range.
    FrameError
        A payload that is not as long as flags and dlc say (with `.index`), or an FD frame with `fd=False`.

    Examples
    --------
    >>> import pyarrow
    >>> table = pyarrow.table(cf.to_arrow(cf.make_frames([1, 2, 3], b"hello")))
    >>> cf.from_arrow(table)["arbitration_id"].tolist()
    [1, 2, 3]
    """
    arrow = imported("pyarrow", "from_arrow", "canal_fast[arrow]")
    table = table if isinstance(table, arrow.Table) else arrow.table(table)
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise ValueError(f"the table has no column {', '.join(missing)}; needed are {', '.join(COLUMNS)}")
    numbers = tuple(
        _channels(arrow, table, interface_rows(interfaces)) if name == "channel" else _numbers(arrow, table, name, kind)
        for name, kind in zip(COLUMNS, TYPES, strict=False)
    )
    flags, dlc = numbers[2], numbers[4]
    wide = bool((flags & FrameFlag.FD).any())
    if fd is False and wide:
        index = int(np.flatnonzero(flags & FrameFlag.FD)[0])
        raise FrameError(f"row {index} is a CAN FD frame, which fd=False does not hold", index=index)
    if (bad := np.flatnonzero(dlc > 15)).size:
        raise FrameError(f"row {bad[0]}: dlc = {dlc[bad[0]]}, allowed 0..15", index=int(bad[0]))
    frames: FrameArray = np.empty(table.num_rows, FD_FRAME_DTYPE if fd or wide else FRAME_DTYPE)
    at = 0
    for chunk in _cast(arrow, table, "data", arrow.binary()).chunks:
        if len(chunk):
            rows = slice(at, at + len(chunk))
            _, offsets, data = chunk.buffers()
            offsets = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
            payload = np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)
            columns = tuple(values[rows] for values in numbers)
            done = join((*columns, offsets, payload), frames[rows])
            if done < len(chunk):
                index = at + done
                length = int(offsets[done + 1]) - int(offsets[done])
                raise FrameError(
                    f"row {index}: data has {length} bytes, which dlc {dlc[index]} with "
                    f"{FrameFlag(int(flags[index]))!r} does not carry",
                    index=index,
                )
        at += len(chunk)
    return frames


def _cast(arrow: Any, table: Any, name: str, kind: Any) -> Any:
    values = table[name]
    if values.null_count:
        raise ValueError(f"column {name} has {values.null_count} nulls; every frame needs a value")
    try:
        return values.cast(kind)
    except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError) as error:
        raise ValueError(f"column {name} ({values.type}) does not become {kind}: {error}") from None


def _numbers(arrow: Any, table: Any, name: str, kind: str) -> Array:
    """A column as numpy numbers."""
    values = table[name]
    if arrow.types.is_timestamp(values.type) and name == "timestamp":
        values = _cast(arrow, table, name, arrow.timestamp("ns", tz=values.type.tz)).cast(arrow.int64())
    else:
        values = _cast(arrow, table, name, arrow.from_numpy_dtype(np.dtype(kind)))
    return np.ascontiguousarray(values.to_numpy())


def _channels(arrow: Any, table: Any, rows: list[tuple[int, str, int | None]]) -> Array:
    """The column channel as numbers."""
    values = table["channel"]
    if arrow.types.is_integer(values.type):
        return _numbers(arrow, table, "channel", "u1")
    if not arrow.types.is_dictionary(values.type):
        values = _cast(arrow, table, "channel", arrow.string()).dictionary_encode()
    elif values.null_count:
        _cast(arrow, table, "channel", values.type)
    metadata = (table.schema.metadata or {}).get(b"canal_fast.channels", b"[]")
    known = {row["name"]: int(row["channel"]) for row in json.loads(metadata.decode())}
    known |= {name: number for number, name, _ in rows}
    parts = [(chunk.dictionary.to_pylist(), chunk.indices.to_numpy(zero_copy_only=False)) for chunk in values.chunks]
    names = dict.fromkeys(words[code] for words, codes in parts for code in np.unique(codes).tolist())
    numbers = _assigned(list(names), known)
    found = [np.array([numbers.get(word, 0) for word in words], np.uint8)[codes] for words, codes in parts]
    return np.concatenate([np.empty(0, np.uint8), *found])


def _assigned(names: list[str], known: Mapping[str, int]) -> dict[str, int]:
    """Channel numbers of names."""
    found = {name: known[name] for name in names if name in known}
    taken = {*known.values()}
    for name in names:
        ending = name[len(name.rstrip("0123456789")) :]
        if name not in found and ending and int(ending) < 256 and int(ending) not in taken:
            found[name] = int(ending)
            taken.add(found[name])
    free = (number for number in range(256) if number not in taken)
    for name in names:
        if name not in found:
            number = next(free, None)
            if number is None:
                raise ValueError(f"column channel has more than 256 names; {name!r} is one too many")
            found[name] = number
            taken.add(number)
    return found
