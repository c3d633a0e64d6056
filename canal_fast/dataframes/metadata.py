"""What a schema says beside the columns: channels, clock, what the caller adds."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["interface_rows", "schema_metadata"]

SCHEMA_VERSION = 1


def interface_rows(interfaces: Any) -> list[tuple[int, str, int | None]]:
    """(channel, name, bit rate) of what `write_log` takes as interfaces."""
    if interfaces is None:
        return []
    found: dict[int, tuple[str, int | None]] = {}
    pairs = interfaces.items() if isinstance(interfaces, Mapping) else ((row.channel, row) for row in interfaces)
    for number, row in pairs:
        if hasattr(row, "name"):  # a LogInterface: not every format names them
            name, bitrate = row.name or f"can{number}", row.bitrate
        else:
            name, bitrate = (row, None) if isinstance(row, str) else row
        if not 0 <= number <= 255:
            raise ValueError(f"interfaces: channel {number}, allowed 0..255")
        if not isinstance(name, str) or not name:
            raise ValueError(f"interfaces[{number}]: name {name!r}, allowed a text that is not empty")
        found.setdefault(number, (name, bitrate))
    return [(number, *row) for number, row in sorted(found.items())]


def schema_metadata(
    rows: list[tuple[int, str, int | None]], epoch: bool, more: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """What the schema says beside the columns."""
    found = {"canal_fast.schema": str(SCHEMA_VERSION), "canal_fast.clock": "epoch" if epoch else "not epoch"}
    if rows:
        channels = [{"channel": number, "name": name, "bitrate": rate} for number, name, rate in rows]
        found["canal_fast.channels"] = json.dumps(channels)
    for key, value in (more or {}).items():
        found[key] = value if isinstance(value, str) else json.dumps(value, default=_plain)
    return found


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, np.generic):
        return value.item()
    return dict(value) if isinstance(value, Mapping) else str(value)
