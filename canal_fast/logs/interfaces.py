"""Interfaces of recordings: what a reader says of them, and what a writer is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from . import _logs

__all__ = [
    "ID_ORDERS",
    "Interfaces",
    "LogInterface",
    "by_channel",
    "channel_row",
    "channel_rows",
    "counters_of",
    "plain_name",
]

ID_ORDERS = (None, "little", "big")  # as packet.h numbers them
_UNNAMED = tuple((f"can{number}".encode(), 0) for number in range(_logs.INTERFACES))


@dataclass(frozen=True)
class LogInterface:
    """One interface of a recording.

    Attributes
    ----------
    name : str
    channel : int
        What its frames have in `channel`.
    bitrate : int or None
        In bit/s, where the recording says it.
    frames : int
        Frames read from it so far (modulo 2**32).
    statistics : dict or None
        The last Interface Statistics Block: ifrecv, ifdrop, filteraccept, osdrop, usrdeliv, each an
        int, or None where the block leaves it out. None where there is no such block.
    id_order : "little" or "big", or None
        The byte order that its identifiers were taken in, where captures of its kind have both.

    Examples
    --------
    >>> _ = cf.write_log("drive.pcapng", cf.read_log("drive.blf"), interfaces={0: ("engine", 500_000)})
    >>> frames, [bus] = cf.read_log("drive.pcapng", with_interfaces=True)
    >>> bus.name, bus.channel, bus.bitrate, bus.frames
    ('engine', 0, 500000, 110)
    """

    name: str
    channel: int
    bitrate: int | None
    frames: int
    statistics: dict[str, int | None] | None
    id_order: str | None = None


Interfaces = Mapping[int, str | tuple[str, int | None]] | Iterable[LogInterface]


def counters_of(values: tuple[int | None, ...]) -> dict[str, int | None] | None:
    """Counters by their names; None where none was given."""
    return dict(zip(_logs.COUNTER_NAMES, values, strict=True)) if any(v is not None for v in values) else None


def plain_name(name: str, channel: int) -> str:
    """An interface's name as recordings can take it: no white space, 1 to 63 bytes."""
    return "_".join(name.split()).encode()[: _logs.NAME_MAX].decode(errors="ignore") or f"can{channel}"


def by_channel(interfaces: Interfaces | None) -> dict[int, str | tuple[str, int | None]]:
    """Channel -> name, or (name, bit rate). Of several rows of a channel the first counts."""
    if interfaces is None:
        return {}
    if isinstance(interfaces, Mapping):
        return dict(interfaces)
    rows: dict[int, str | tuple[str, int | None]] = {}
    for row in interfaces:
        rows.setdefault(row.channel, (plain_name(row.name, row.channel), row.bitrate))
    return rows


def channel_rows(interfaces: Interfaces | None) -> list[tuple[bytes, int]]:
    """Name and bit rate (0 when not known) of all channels."""
    rows = list(_UNNAMED)
    for number, row in by_channel(interfaces).items():
        rows[number] = channel_row(number, row)
    return rows


def channel_row(number: int, row: str | tuple[str, int | None]) -> tuple[bytes, int]:
    """One of them, checked."""
    if not isinstance(row, str) and not (isinstance(row, tuple) and len(row) == 2):
        raise TypeError(f"interfaces[{number}] must be a name, or a pair of name and bit rate, not {row!r}")
    name, bitrate = (row, None) if isinstance(row, str) else row
    encoded = name.encode()
    if not 0 <= number < _logs.INTERFACES:
        raise ValueError(f"interfaces: channel {number}, allowed 0..{_logs.INTERFACES - 1}")
    if (
        not 0 < len(encoded) <= _logs.NAME_MAX
        or b"\0" in encoded
        or len(encoded.split()) != 1
        or encoded != encoded.strip()
    ):
        raise ValueError(f"interfaces[{number}]: name {name!r}, allowed 1..{_logs.NAME_MAX} bytes without white space")
    return encoded, bitrate or 0
