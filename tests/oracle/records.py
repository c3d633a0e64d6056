"""What the slow readers of text share: the record, its flags, the outcome of a file. Imports nothing of ours."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

EXTENDED, REMOTE, FD, BRS, ESI, TX, ERROR, GAP = 1, 2, 8, 0x10, 0x20, 0x40, 0x80, 0x100
FD_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64]
PROTOCOL, BUS_ERROR, ACKNOWLEDGE, COUNTERS = 0x8, 0x80, 0x20, 0x200  # Linux error classes

MONTHS = {
    "jan": 1, "ene": 1, "gen": 1, "feb": 2, "fév": 2, "fev": 2, "mar": 3, "mär": 3, "mrz": 3, "mrt": 3, "apr": 4,
    "avr": 4, "abr": 4, "may": 5, "mai": 5, "mag": 5, "mei": 5, "jun": 6, "jui": 6, "giu": 6, "jul": 7, "lug": 7,
    "aug": 8, "aou": 8, "aoû": 8, "ago": 8, "sep": 9, "set": 9, "oct": 10, "okt": 10, "ott": 10, "out": 10,
    "nov": 11, "dec": 12, "dez": 12, "déc": 12, "dic": 12,
}  # fmt: skip


class Broken(Exception):
    """A line that breaks its format."""


@dataclass
class Record:
    timestamp_ns: int = 0
    arbitration_id: int = 0
    flags: int = 0
    channel: int = 0
    dlc: int = 0
    data: bytes = b""


@dataclass
class Outcome:
    """Frames before the end or the trouble; the trouble's line from 1, or None."""

    frames: list[Record] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    broken_line: int | None = None
    truncated: bool = False
    start_ns: int | None = None


def words(text: str) -> list[str]:
    """What stands between blanks and tabs."""
    return [word for word in re.split(r"[ \t]+", text) if word]


def month(word: str) -> int:
    word = word.lower()
    if word.startswith("juil"):
        return 7
    return MONTHS.get(word[:3], 0)


def nanoseconds(text: str, scale: int) -> int:
    """A decimal number times 10**scale, to the nearest (halves away from zero)."""
    value = abs(Fraction(text)) * 10**scale
    ns = int(value + Fraction(1, 2))
    ns = -ns if text.startswith("-") else ns
    if not -(2**63) <= ns < 2**63:
        raise Broken(text)
    return ns


def fd_code(length: int) -> int:
    return next(code for code, size in enumerate(FD_LENGTHS) if size >= length)


def lines(data: bytes) -> list[tuple[str, bool]]:
    """(line without its end, whether it has one)."""
    text = data.decode("latin-1")
    parts = text.split("\n")
    result = [(part, True) for part in parts[:-1]]
    if parts[-1]:
        result.append((parts[-1], False))
    return result


def error(bits: int = 0, location: int = 0) -> Record:
    """A bus error as Linux reports one."""
    return Record(0, PROTOCOL | BUS_ERROR, ERROR, 0, 8, bytes([0, 0, bits, location, 0, 0, 0, 0]))
