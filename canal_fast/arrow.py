"""Arrow's hand-over without Arrow: columns of numpy arrays as an object with `__arrow_c_stream__`."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast._arrow import pack_validity, stream_capsule

__all__ = ["binary_column", "column", "dictionary_column", "stream", "struct_column"]

Column = tuple[Any, ...]
"""(name, format, metadata, nullable, length, null_count, buffers, children, dictionary), as the glue takes it."""
Array = npt.NDArray[Any]

TIMESTAMP_NS = "tsn:UTC"
"""Format of int64 nanoseconds since 1970."""
_FORMATS = {
    "i1": "c",
    "u1": "C",
    "i2": "s",
    "u2": "S",
    "i4": "i",
    "u4": "I",
    "i8": "l",
    "u8": "L",
    "f4": "f",
    "f8": "g",
}


def column(
    name: str,
    values: Array,
    valid: Array | None = None,
    form: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Column:
    """A column of numbers: `values` borrowed, `valid` (u1 or bool, one a row) made a bitmap."""
    bitmap, nulls = _bitmap(valid)
    if values.dtype == np.bool_:
        ones = _bitmap(values)[0]
        return name, "b", _metadata(metadata), bitmap is not None, len(values), nulls, (bitmap, ones), (), None
    form = form or _FORMATS[values.dtype.str[1:]]
    return name, form, _metadata(metadata), bitmap is not None, len(values), nulls, (bitmap, values), (), None


def dictionary_column(
    name: str, codes: Array, texts: Sequence[str], valid: Array | None = None, metadata: Mapping[str, str] | None = None
) -> Column:
    """A column of `texts` by number."""
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(texts) + 1, np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    data = np.frombuffer(b"".join(encoded) or b"\0", np.uint8)
    words = ("", "u", None, False, len(texts), 0, (None, offsets, data), (), None)
    return (*column(name, codes, valid, None, metadata)[:-1], words)


def stream(columns: Iterable[Column], rows: int) -> object:
    """The `arrow_array_stream` capsule of a table with these columns: one batch."""
    table = struct_column(columns, rows)
    return stream_capsule(table, [table])


def struct_column(columns: Iterable[Column], rows: int, metadata: Mapping[str, str] | None = None) -> Column:
    """A table: the column that holds others."""
    return "", "+s", _metadata(metadata), False, rows, 0, (None,), tuple(columns), None


def binary_column(name: str, offsets: Array, data: Array) -> Column:
    """A column of bytes: row i has data[offsets[i]:offsets[i + 1]]."""
    return name, "z", None, False, len(offsets) - 1, 0, (None, offsets, data), (), None


def _bitmap(valid: Array | None) -> tuple[Array | None, int]:
    if valid is None:
        return None, 0
    bitmap = np.empty((len(valid) + 7) // 8, np.uint8)
    return bitmap, pack_validity(valid.view(np.uint8), bitmap)


def _metadata(pairs: Mapping[str, str] | None) -> bytes | None:
    if not pairs:
        return None
    parts = [struct.pack("=i", len(pairs))]
    for text in (text.encode() for pair in pairs.items() for text in pair):
        parts += [struct.pack("=i", len(text)), text]
    return b"".join(parts)
