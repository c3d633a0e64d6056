"""CSV of python-can and of GVRET, slowly. Imports nothing of ours."""

from __future__ import annotations

import base64
import binascii
import re

from . import records as r

NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)")


def need(condition: object) -> None:
    if not condition:
        raise r.Broken


def python_can(fields: list[str]) -> r.Record:
    need(len(fields) == 7 and re.fullmatch(NUMBER.pattern + r"([eE][-+]?\d{1,3})?", fields[0]))
    r.nanoseconds(re.split("[eE]", fields[0])[0], 9)  # Python writes one digit before the point: it fits by itself
    time = r.nanoseconds(fields[0], 9)
    need(re.fullmatch(r"0[xX][0-9A-Fa-f]{1,8}", fields[1]) and all(field in ("0", "1") for field in fields[2:5]))
    value = int(fields[1], 16)
    extended, remote, error = (field == "1" for field in fields[2:5])
    flags = r.ERROR if error else (r.EXTENDED if extended else 0) | (r.REMOTE if remote else 0)
    need(value <= (0x1FFFFFFF if extended or error else 0x7FF))
    need(re.fullmatch(r"\d{1,19}", fields[5]))
    length = int(fields[5])
    need(length <= (8 if remote or error else 64))
    need(len(fields[6]) % 4 == 0)
    try:
        data = base64.b64decode(fields[6], validate=True)
    except (binascii.Error, ValueError):
        raise r.Broken from None
    need(len(data) == length or ((remote or error) and not data))
    flags |= r.FD if length > 8 else 0
    code = r.fd_code(length)
    return r.Record(time, value, flags, 0, code, b"" if flags & r.REMOTE else data.ljust(r.FD_LENGTHS[code], b"\0"))


def gvret(fields: list[str], with_direction: bool, out: r.Outcome) -> r.Record | None:
    need(len(fields) >= 5 + with_direction and NUMBER.fullmatch(fields[0]))
    time = r.nanoseconds(fields[0], 3)
    match = re.fullmatch(r"(?:0[xX])?([0-9A-Fa-f]{1,8})", fields[1])
    need(match and int(match[1], 16) <= 0x1FFFFFFF and fields[2].lower() in ("true", "false"))
    assert match is not None
    value = int(match[1], 16)
    flags = r.EXTENDED if fields[2].lower() == "true" or value > 0x7FF else 0
    rest = fields[3:]
    if with_direction:
        need(rest[0].lower() in ("rx", "tx"))
        flags |= r.TX if rest[0].lower() == "tx" else 0
        rest = rest[1:]
    need(re.fullmatch(r"\d{1,19}", rest[0]))
    if int(rest[0]) > 255:
        out.skipped["frame of a channel above 256"] += 1
        return None
    need(re.fullmatch(r"\d{1,2}", rest[1]) and int(rest[1]) in r.FD_LENGTHS)
    length = int(rest[1])
    data = rest[2 : 2 + length]
    need(all(re.fullmatch(r"[0-9A-Fa-f]{0,2}", field) for field in data))
    if length > 8:
        flags |= r.FD
        if len([field for field in data if field]) < length:
            out.skipped["CAN FD frame with data left out"] += 1
            return None
    payload = bytes(int(field or "0", 16) for field in data).ljust(length, b"\0")
    return r.Record(time, value, flags, int(rest[0]), r.fd_code(length), payload)


def read(data: bytes) -> r.Outcome:
    """All frames of a file whose last line has its end; up to the first line that is wrong."""
    out = r.Outcome()
    header: list[str] | None = None
    for number, (line, _) in enumerate(r.lines(data), 1):
        fields = line.lstrip(" \t").rstrip(" \t\r").split(",")
        if fields == [""]:
            continue
        try:
            if header is None:
                header = [field.lower() for field in fields]
                ours = ["timestamp", "arbitration_id", "extended", "remote", "error", "dlc", "data"]
                theirs = [["time stamp", "id", "extended", *d, "bus"] for d in ([], ["dir"])]
                plain = header == ours
                need(plain or any(header[: len(t)] == t and header[len(t) : len(t) + 1] == ["len"] for t in theirs))
                continue
            record = python_can(fields) if plain else gvret(fields, "dir" in header, out)
        except r.Broken:
            out.broken_line = number
            break
        if record is not None:
            out.frames.append(record)
    return out
