"""What writes a recording: a `Recorder`, or a package's writer for formats that cannot be appended to."""

from __future__ import annotations

import os
from typing import BinaryIO

from .interfaces import Interfaces, by_channel
from .mf4_write import Mf4Writer
from .targets import Target
from .writing import Recorder
from .zones import Zone

__all__ = ["Writer", "open_writer"]

Writer = Recorder | Mf4Writer


def open_writer(
    path: str | os.PathLike[str] | BinaryIO,
    target: Target,
    *,
    tz: Zone = "UTC",
    nanoseconds: bool = False,
    strict: bool = False,
    interfaces: Interfaces | None = None,
) -> Writer:
    """A writer of that format; errors as those of `Recorder`."""
    if target.row.index >= 0:
        return Recorder(
            path, format=target.row.name, compression=target.compression or "none", tz=tz, nanoseconds=nanoseconds,
            strict=strict, interfaces=interfaces,
        )  # fmt: skip
    writer = Mf4Writer(path, tz=tz, strict=strict)
    for channel, row in by_channel(interfaces).items():
        writer.describe(channel, row if isinstance(row, str) else row[0])
    return writer
