"""Vector BLF, slowly: `struct` and zlib over the whole file. Imports nothing of ours.

Reads whole files without damage, and writes what tests need. Padding: the next object is looked for.
"""

from __future__ import annotations

import datetime as dt
import struct
import zlib
from collections import Counter
from dataclasses import dataclass, field

EXTENDED, REMOTE, FD, BRS, ESI, TX, ERROR, GAP = 1, 2, 8, 0x10, 0x20, 0x40, 0x80, 0x100
FD_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64]
EPOCH = dt.datetime(1970, 1, 1)
CODE_KINDS = {0: 1, 1: 2, 2: 4}  # bit, form, stuff; as data[2] of an error frame has them
SKIPPED = {4: "bus statistics", 31: "driver error", 74: "driver error", 72: "system variable", 92: "comment"}
SKIPPED |= {96: "marker", 11: "LIN", 57: "LIN", 71: "Ethernet", 120: "Ethernet", 115: "restore points", 65: "text"}


@dataclass
class Record:
    timestamp_ns: int
    arbitration_id: int
    flags: int
    channel: int
    dlc: int
    data: bytes = b""


@dataclass
class Outcome:
    frames: list[Record] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    start: dt.datetime | None = None


def objects(data: bytes) -> list[tuple[int, bytes]]:
    """(place, object) of a stream without damage."""
    found, at = [], 0
    while (at := data.find(b"LOBJ", at)) >= 0 and at + 16 <= len(data):
        size = struct.unpack_from("<L", data, at + 8)[0]
        if at + size > len(data):
            break
        found.append((at, data[at : at + size]))
        at += size
    return found


def read(data: bytes) -> Outcome:
    out = Outcome()
    year, month, _, day, hour, minute, second, milli = struct.unpack_from("<8H", data, 40)
    if year:
        out.start = dt.datetime(year, month, day, hour, minute, second, milli * 1000)
    epoch = (out.start - EPOCH) // dt.timedelta(microseconds=1) * 1000 if out.start else 0
    gaps: set[int] = set()
    inner = b""
    for _, item in objects(data[struct.unpack_from("<L", data, 4)[0] :]):
        if struct.unpack_from("<L", item, 12)[0] != 10:
            take(item, epoch, gaps, out)
            continue
        method = struct.unpack_from("<H", item, 16)[0]
        inner += zlib.decompressobj().decompress(item[32:]) if method == 2 else item[32:]
        whole = objects(inner)
        for _, part in whole:
            take(part, epoch, gaps, out)
        if whole:
            inner = inner[whole[-1][0] + len(whole[-1][1]) :]
    return out


def take(item: bytes, epoch: int, gaps: set[int], out: Outcome) -> None:
    header, _, _, kind, flags = struct.unpack_from("<HHLLL", item, 4)
    body = item[header:]
    time = struct.unpack_from("<q", item, 24)[0] * (10_000 if flags & 3 == 1 else 1) + epoch
    if kind in (91, 125, 126):
        if kind == 91 and struct.unpack_from("<L", body)[0] == 1:
            gaps.add(max(struct.unpack_from("<H", body, 4)[0], 1) - 1)
        if kind != 91:
            gaps.update(range(256))
        out.skipped["overrun" if kind == 91 else "loss of data"] += 1
        return
    record = frame(kind, body, header, time)
    if record is None:
        out.skipped[SKIPPED.get(kind, f"object type {kind}")] += 1
        return
    if record.channel > 255:
        out.skipped["frame of a channel above 256"] += 1
        return
    limit = 0x1FFFFFFF if record.flags & (EXTENDED | ERROR) else 0x7FF
    if record.dlc > 15:
        out.skipped["frame with a dlc above 15"] += 1
    elif record.arbitration_id > limit:
        out.skipped["frame with an identifier above its limit"] += 1
    else:
        if record.channel in gaps:
            gaps.discard(record.channel)
            record.flags |= GAP
        out.frames.append(record)


def frame(kind: int, body: bytes, header: int, time: int) -> Record | None:
    if kind in (1, 86, 100):
        channel, bits, dlc, word = struct.unpack_from("<HBBL", body)
        flags = (EXTENDED if word >> 31 else 0) | (TX if bits & 15 else 0)
        data = body[8:]
        if kind == 100:
            fd, valid = body[13], body[14]
            data = body[20:][:valid]
            flags |= (FD | (BRS if fd & 2 else 0) | (ESI if fd & 4 else 0)) if fd & 1 else 0
        if bits & 0x80 and not flags & FD:
            flags |= REMOTE
        return Record(time, word & 0x7FFFFFFF, flags, max(channel, 1) - 1, dlc, payload(flags, dlc, data))
    if kind == 101:
        channel, dlc, valid, _, word, _, bits = struct.unpack_from("<BBBBLLL", body)
        direction, extension = body[34], body[35]
        end = extension - header if extension else len(body)
        flags = (EXTENDED if word >> 31 else 0) | (TX if direction else 0)
        if bits & 0x1000:
            flags |= FD | (BRS if bits & 0x2000 else 0) | (ESI if bits & 0x4000 else 0)
        elif bits & 0x10:
            flags |= REMOTE
        data = body[40:end][:valid]
        return Record(time, word & 0x7FFFFFFF, flags, max(channel, 1) - 1, dlc, payload(flags, dlc, data))
    if kind in (2, 3):
        channel = struct.unpack_from("<H", body)[0]
        return error(time, channel) if kind == 2 else Record(time, 8, ERROR, max(channel, 1) - 1, 8, b"\0\0\x20")
    if kind == 73:
        channel, _, valid, ecc = struct.unpack_from("<HHLB", body)
        return error(time, channel, valid, struct.unpack_from("<H", body, 20)[0], ecc)
    if kind == 104:
        channel, _, _, ecc, valid, code = struct.unpack_from("<BBBBHH", body)
        return error(time, channel, valid, code, ecc)
    return None


def payload(flags: int, dlc: int, data: bytes) -> bytes:
    if flags & REMOTE or dlc > 15:
        return b""
    return data[: FD_LENGTHS[dlc] if flags & FD else min(dlc, 8)]


def error(time: int, channel: int, valid: int = 0, code: int = 0, ecc: int = 0) -> Record:
    classes, kind, place = 0x88, 0, 0
    if valid & 2:
        number = code >> 6 & 63
        if number == 8:
            return Record(time, 8, ERROR, max(channel, 1) - 1, 8, b"\0\0\x20")
        classes |= 0x20 if number == 7 else 0
        kind, place = CODE_KINDS.get(number, 0) | (0x80 if code & 0x1000 else 0), code & 31
    elif valid & 1:
        kind, place = CODE_KINDS.get(ecc >> 6, 0) | (0 if ecc & 32 else 0x80), ecc & 31
    return Record(time, classes, ERROR, max(channel, 1) - 1, 8, bytes([0, 0, kind, place]))


def item(kind: int, body: bytes, ticks: int, flags: int = 2, padding: int | None = None, version: int = 1) -> bytes:
    """An object; padding: bytes behind it, None as most writers do."""
    header = 40 if version == 2 else 32
    head = struct.pack("<4sHHLL", b"LOBJ", header, version, header + len(body), kind)
    head += struct.pack("<LHHq", flags, 0, 0, ticks) + bytes(header - 32)
    return head + body + bytes((header + len(body)) % 4 if padding is None else padding)


def message(
    kind: int, channel: int, word: int, dlc: int, data: bytes, ticks: int, bits: int = 0, unit: int = 2
) -> bytes:
    """Type 1, 86 or 100 (bits above 8: FD flags)."""
    head = struct.pack("<HBBL", channel, bits & 255, dlc, word)
    if kind == 100:
        body = head + struct.pack("<LBBB5x64s4x", 0, 0, bits >> 8, len(data), data)
    else:
        body = head + data.ljust(8, b"\0")[:8] + (bytes(8) if kind == 86 else b"")
    return item(kind, body, ticks, unit)


def message_64(channel: int, word: int, dlc: int, data: bytes, ticks: int, bits: int, direction: int = 0) -> bytes:
    body = struct.pack("<BBBBLLLLLLLHBBL", channel, dlc, len(data), 0, word, 0, bits, 0, 0, 0, 0, 0, direction, 0, 0)
    return item(101, body + data, ticks, padding=0)


def container(data: bytes, method: int = 2) -> bytes:
    packed = zlib.compress(data, 1) if method == 2 else data
    out = struct.pack("<4sHHLL", b"LOBJ", 16, 1, 32 + len(packed), 10)
    out += struct.pack("<HHLLL", method, 0, 0, len(data), 0) + packed
    return out + bytes(len(out) % 4)


def file(body: bytes, start: dt.datetime | None = dt.datetime(2024, 5, 1, 12, 30, 15, 250_000)) -> bytes:
    words = (0,) * 8
    if start is not None:
        words = (start.year, start.month, start.isoweekday() % 7, start.day)  # type: ignore[assignment]
        words += (start.hour, start.minute, start.second, start.microsecond // 1000)
    head = struct.pack("<4sLLBBBBQQLL8H8HQ", b"LOGG", 144, 4080200, 2, 6, 0, 0, 0, 0, 0, 0, *words, *words, 0)
    return head + bytes(64) + body
