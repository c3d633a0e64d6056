"""What a recording that is to be written is, by its name and by what was asked for."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import BinaryIO

from .format_rows import LogFormat, all_by_suffix, by_name, formats
from .packing import COMPRESSIONS

__all__ = ["Target", "find_target"]


@dataclass(frozen=True)
class Target:
    """The format of a recording, and how it is compressed: "gzip", "zstd" or None."""

    row: LogFormat
    compression: str | None


def find_target(
    path: str | os.PathLike[str] | BinaryIO, name: str, format: str | None, compression: str | None = None
) -> Target:
    """What is to be written.

    Parameters
    ----------
    path : path-like, "-" or binary file object
    name : str
        What messages call it.
    format : str, optional
        A name of `formats`; None: by the suffix, "pcapng" where there is none and "-", an object, a FIFO or a device is
        written to.
    compression : "gzip", "zstd" or "none", optional
        None: by the suffix of a path; a file object gets plain bytes.

    Raises
    ------
    ValueError
        No format, or several, for this suffix; one that is not written, or not compressed in this way.
    """
    stem, suffix = os.path.splitext(name)
    packed = COMPRESSIONS.get(suffix.lower())
    if packed is not None:
        suffix = os.path.splitext(stem)[1]
        if not isinstance(path, (str, os.PathLike)):
            packed = None  # a file object of that name may compress by itself
    if compression is not None:
        known = {"none": None, **{word: word for word in COMPRESSIONS.values()}}
        if compression not in known:
            raise ValueError(f"compression = {compression!r}, allowed {', '.join(map(repr, known))}")
        packed = known[compression]
    row = _by_suffix(path, name, suffix) if format is None else by_name(format)
    if not row.writes:
        raise ValueError(f"{name}: format {row.name!r} is not written")
    if packed is not None and row.compresses:
        raise ValueError(f"{name}: {row.title} is compressed in itself; compressed again it is read, but not written")
    return Target(row, packed)


def _by_suffix(path: str | os.PathLike[str] | BinaryIO, name: str, suffix: str) -> LogFormat:
    rows = [row for row in all_by_suffix(suffix) if row.writes]
    if len(rows) == 1:
        return rows[0]
    if rows:
        names = " and ".join(row.name for row in rows)
        raise ValueError(f"{name}: {suffix} is the suffix of {names}: say which one with format= (--to)")
    if not isinstance(path, (str, os.PathLike)) or path == "-" or (not suffix and _only_takes(path)):
        return by_name("pcapng")
    known = ", ".join(dict.fromkeys(known for row in formats() if row.writes for known in row.suffixes))
    has = f"not {suffix!r}" if suffix else "and this name has no suffix; format= (--to) says what is written, too"
    raise ValueError(f"{name}: recordings end with {known} (or these and {' or '.join(COMPRESSIONS)}), {has}")


def _only_takes(path: str | os.PathLike[str]) -> bool:
    """A FIFO or a device."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)
