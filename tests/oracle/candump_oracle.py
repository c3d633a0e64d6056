"""candump log lines, slowly: one regular expression and plain integers. Imports nothing of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

EXTENDED, REMOTE, STATUS, FD, BRS, ESI, TX, ERROR = 1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80
FD_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64]

LINE = re.compile(
    r"""[ \t]*\((?P<sign>-?)(?P<seconds>[0-9]{1,10})\.(?P<fraction>[0-9]{1,9})\)[ \t]*
        (?P<name>[^ \t]{1,63})[ \t]+
        (?P<id>[0-9A-Fa-f]{3}|[0-9A-Fa-f]{8})\#
        (?: \#(?P<bits>[0-9A-Fa-f])(?P<fd>(?:[0-9A-Fa-f]{2}(?:\.(?=[0-9A-Fa-f]{2}))?){0,64})
          | [Rr](?:(?P<length>[0-7])|8(?:_(?P<remote_raw>[9A-Fa-f]))?)?
          | (?P<data>(?:[0-9A-Fa-f]{2}(?:\.(?=[0-9A-Fa-f]{2}))?){0,8})(?:(?<=[0-9A-Fa-f]{2})_(?P<raw>[9A-Fa-f]))?
        )
        (?:[ \t]+(?P<direction>[RT]))?[ \t\r\n]*""",
    re.VERBOSE,
)


@dataclass
class Line:
    timestamp_ns: int
    name: str
    arbitration_id: int
    flags: int
    dlc: int
    data: bytes


def parse(line: str) -> Line | None:
    """The frame of a line, None for a line without one; ValueError for a line that is wrong."""
    text = line.strip(" \t\r\n")
    if not text or text[0] in "#;":
        return None
    match = LINE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    time = Fraction(f"{match['seconds']}.{match['fraction']}") * 10**9
    timestamp = -int(time) if match["sign"] else int(time)
    value = int(match["id"], 16)
    flags = 0
    if len(match["id"]) == 8:
        flags = ERROR if value & 0x20000000 else EXTENDED
        value &= ~0x20000000
    if value > (0x1FFFFFFF if flags else 0x7FF) or not -(2**63) <= timestamp < 2**63:
        raise ValueError(text)
    payload = text[match.end("id") + 1 :]
    if match["bits"] is not None:
        if flags & ERROR:
            raise ValueError(text)
        bits = int(match["bits"], 16)
        flags |= FD | (BRS if bits & 1 else 0) | (ESI if bits & 2 else 0)
        data = bytes.fromhex(match["fd"].replace(".", ""))
        dlc = next(code for code, length in enumerate(FD_LENGTHS) if length >= len(data))
        data = data.ljust(FD_LENGTHS[dlc], b"\0")
    elif payload[:1] in ("R", "r"):
        if flags & ERROR:
            raise ValueError(text)
        flags |= REMOTE
        data = b""
        eight = payload[1:2] == "8"
        dlc = int(match["remote_raw"], 16) if match["remote_raw"] else 8 if eight else int(match["length"] or 0)
    else:
        data = bytes.fromhex((match["data"] or "").replace(".", ""))
        dlc = len(data)
        if match["raw"]:
            if dlc != 8:
                raise ValueError(text)
            dlc = int(match["raw"], 16)
    if match["direction"] == "T":
        flags |= TX
    return Line(timestamp, match["name"], value, flags, dlc, data)


def format_line(line: Line, nanoseconds: bool = False) -> str:
    """The line, as candump writes it: with microseconds, rounded down, or nanoseconds."""
    decimals = 9 if nanoseconds else 6
    units = line.timestamp_ns // 10 ** (9 - decimals)
    seconds, fraction = divmod(abs(units), 10**decimals)
    sign = "-" if units < 0 else ""
    error = line.flags & (ERROR | STATUS)
    if error:
        word = f"{line.arbitration_id | 0x20000000:08X}"
    else:
        word = f"{line.arbitration_id:08X}" if line.flags & EXTENDED else f"{line.arbitration_id:03X}"
    if line.flags & FD:
        bits = (1 if line.flags & BRS else 0) + (2 if line.flags & ESI else 0)
        payload = f"#{bits}{line.data.hex().upper()}"
    else:
        payload = f"R{min(line.dlc, 8)}" if line.flags & REMOTE and not error else line.data.hex().upper()
        payload += f"_{line.dlc:X}" if line.dlc > 8 else ""
    direction = " T" if line.flags & TX else ""
    return f"({sign}{seconds:010d}.{fraction:0{decimals}d}) {line.name} {word}#{payload}{direction}\n"
