"""pcapng, slowly: blocks by `struct`, written from draft-ietf-opsawg-pcapng. Imports nothing of ours.

The writer can do what ours never does (big-endian, odd resolutions, other link types, cut packets),
so that the reader has something to read; the reader gives plain dicts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

EXTENDED, REMOTE, STATUS, FD, BRS, ESI, TX, ERROR, GAP = 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x100
FD_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64]
CAN_LINKS = (227, 113, 276, 252)
COUNTERS = ("ifrecv", "ifdrop", "filteraccept", "osdrop", "usrdeliv")


def options(pairs: list[tuple[int, bytes]], order: str = "<", end: bool = True) -> bytes:
    out = b"".join(struct.pack(order + "HH", code, len(v)) + v + bytes(-len(v) % 4) for code, v in pairs)
    return out + (bytes(4) if pairs and end else b"")


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def section(order: str = "<", version: int = 1, extra: list[tuple[int, bytes]] | None = None) -> bytes:
    body = struct.pack(order + "IHHq", 0x1A2B3C4D, version, 0, -1) + options(extra or [], order)
    return block(0x0A0D0D0A, body, order)


def interface(link: int = 227, pairs: list[tuple[int, bytes]] | None = None, order: str = "<") -> bytes:
    return block(1, struct.pack(order + "HHI", link, 0, 0) + options(pairs or [], order), order)


def packet(
    interface_id: int,
    ticks: int,
    data: bytes,
    pairs: list[tuple[int, bytes]] | None = None,
    order: str = "<",
    original: int | None = None,
) -> bytes:
    ticks &= 2**64 - 1
    original = len(data) if original is None else original
    head = struct.pack(order + "IIIII", interface_id, ticks >> 32, ticks & 0xFFFFFFFF, len(data), original)
    return block(6, head + data + bytes(-len(data) % 4) + options(pairs or [], order), order)


def can(arbitration_id: int, flags: int, dlc: int, data: bytes) -> bytes:
    """The LINKTYPE_CAN_SOCKETCAN packet of a frame, 16 or 72 bytes."""
    error = flags & (ERROR | STATUS)
    if flags & FD and not error:
        bits = 4 | (1 if flags & BRS else 0) | (2 if flags & ESI else 0)
        word = arbitration_id | (0x80000000 if flags & EXTENDED else 0)
        return struct.pack(">IBBBB", word, FD_LENGTHS[dlc], bits, 0, 0) + data[: FD_LENGTHS[dlc]].ljust(64, b"\0")
    word = arbitration_id & 0x1FFFFFFF
    if error:
        word |= 0x20000000
    else:
        word |= (0x80000000 if flags & EXTENDED else 0) | (0x40000000 if flags & REMOTE else 0)
    payload = b"" if flags & REMOTE and not error else data[: min(dlc, 8)]
    return struct.pack(">IBBBB", word, min(dlc, 8), 0, 0, dlc if dlc > 8 else 0) + payload.ljust(8, b"\0")


def nanoseconds(ticks: int, resolution: int, offset: int) -> int:
    if resolution == 9 and offset == 0 and ticks >= 2**63:  # what our writer makes of times before zero
        return ticks - 2**64
    power = resolution & 0x7F
    step = Fraction(1, 2**power) if resolution & 0x80 else Fraction(1, 10**power)
    return (ticks * step * 10**9).__floor__() + offset * 10**9


def _blocks(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    at, order = 0, "<"
    while len(data) - at >= 12:
        if data[at : at + 4] == b"\n\r\r\n":
            order = "<" if data[at + 8 : at + 12] == bytes.fromhex("4d3c2b1a") else ">"
        kind, size = struct.unpack_from(order + "II", data, at)
        if size > len(data) - at:
            return
        assert size >= 12
        assert size % 4 == 0
        assert struct.unpack_from(order + "I", data, at + size - 4)[0] == size
        yield order, kind, data[at + 8 : at + size - 4]
        at += size


def _options(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    at = 0
    while len(data) - at >= 4:
        code, size = struct.unpack_from(order + "HH", data, at)
        if code == 0:
            return
        assert at + 4 + size <= len(data)
        yield code, data[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4


def read(data: bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All CAN frames and all interfaces (with their last statistics under their names)."""
    frames: list[dict[str, Any]] = []
    interfaces: list[dict[str, Any]] = []
    for order, kind, body in _blocks(data):
        if kind == 0x0A0D0D0A:
            local: list[dict[str, Any]] = []
        elif kind == 1:
            row: dict[str, Any] = {"link": struct.unpack_from(order + "H", body)[0], "name": "", "speed": None}
            row |= {"resolution": 6, "offset": 0, "channel": None, "statistics": None}
            for code, value in _options(body[8:], order):
                if code == 2:
                    row["name"] = value.decode()
                elif code == 8:
                    row["speed"] = struct.unpack(order + "Q", value)[0]
                elif code == 9:
                    row["resolution"] = value[0]
                elif code == 14:
                    row["offset"] = struct.unpack(order + "q", value)[0]
                elif code == 2989 and value[4:8] == b"CFch":
                    row["channel"] = struct.unpack("<I", value[8:])[0]
            if row["channel"] is None:
                row["channel"] = _channel(row, local, interfaces)
            local.append(row)
            interfaces.append(row)
        elif kind == 5:
            (number,) = struct.unpack_from(order + "I", body)
            counters = dict.fromkeys(COUNTERS)
            for code, value in _options(body[12:], order):
                if 4 <= code <= 8:
                    counters[COUNTERS[code - 4]] = struct.unpack(order + "Q", value)[0]
            local[number]["statistics"] = counters
        elif kind == 6:
            number, high, low, captured, original = struct.unpack_from(order + "IIIII", body)
            row = local[number]
            if row["link"] != 227:
                continue
            frame = _can(body[20 : 20 + captured], original)
            if frame is None:
                continue
            frame["timestamp_ns"] = nanoseconds(high << 32 | low, row["resolution"], row["offset"])
            frame["channel"] = row["channel"]
            for code, value in _options(body[20 + captured + -captured % 4 :], order):
                if code == 2 and struct.unpack(order + "I", value)[0] & 3 == 2:
                    frame["flags"] |= TX
                elif code == 4 and struct.unpack(order + "Q", value)[0]:
                    frame["flags"] |= GAP
                elif code == 2989 and value[:8] == struct.pack(order + "I", 32473) + b"CFrc":
                    names = ("arbitration_id", "flags", "dlc")
                    frame |= dict(zip(names, struct.unpack_from("<IHB", value, 8), strict=True))
                    frame["data"] = value[16:]
            frames.append(frame)
    return frames, interfaces


def _channel(row: dict[str, Any], local: list[dict[str, Any]], interfaces: list[dict[str, Any]]) -> int:
    """Its number in the section; a name keeps the channel of earlier sections, and other names' are not taken."""
    number = len(local)
    if row["link"] not in CAN_LINKS or not row["name"]:
        return number
    named = [other for other in interfaces if other["link"] in CAN_LINKS and other["name"]]
    here = {other["channel"] for other in local}
    taken = here | {other["channel"] for other in named if other["name"] != row["name"]}
    before = [other["channel"] for other in named if other["name"] == row["name"]]
    choices = [*before, *range(number, 256), *range(number)]
    return next((channel for channel in choices if channel not in taken), number)


def _can(data: bytes, original: int) -> dict[str, Any] | None:
    if len(data) < 8:
        return None
    word, length, bits, _, raw = struct.unpack_from(">IBBBB", data)
    flags, dlc = 0, length
    if length > 64:
        return None
    if word & 0x20000000:
        flags = ERROR
    else:
        flags = (EXTENDED if word & 0x80000000 else 0) | (REMOTE if word & 0x40000000 else 0)
        if not flags & REMOTE and (bits & 4 or original == 72 or length > 8):
            flags |= FD | (BRS if bits & 1 else 0) | (ESI if bits & 2 else 0)
            dlc = next(code for code, size in enumerate(FD_LENGTHS) if size >= length)
    if not flags & FD:
        if length > 8:
            return None
        if length == 8 and 8 < raw < 16:
            dlc = raw
    payload = b"" if flags & REMOTE else data[8 : 8 + length]
    if not flags & REMOTE and len(payload) < length:
        return None
    mask = 0x1FFFFFFF if flags & (EXTENDED | ERROR) else 0x7FF
    return {"arbitration_id": word & mask, "flags": flags, "dlc": dlc, "data": payload}
