"""Value change dumps (VCD)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import TypeVar

import numpy as np

from canal_fast.errors import LogFormatError

from . import _waveform
from .channels import choose_channel, likely_resolution
from .wave import PICOSECONDS, Edges, Source, held_on

_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9, "ps": 10**12, "fs": 10**15}
_PIECE = 1 << 20
_ROOM = 1 << 16
_VALUE = re.compile(rb"(?<!\S)(?:[bB][01xXzZ]*)?([01])\s*(\S+)")
_VALUE_BYTES = 100  # that a value and its variable have at most
Times = TypeVar("Times", int, Edges)


def _header(path: str) -> tuple[Fraction, dict[str, str], int]:
    """Ticks of a time unit, identifier code of each one-bit variable, offset of the second part."""
    with open(path, "rb") as file:
        head = b""
        while b"$enddefinitions" not in head:
            piece = file.read(_PIECE)
            if not piece:
                raise LogFormatError("a VCD file without $enddefinitions", path=path)
            head += piece
    text = head.decode("latin-1")
    end = re.compile(r"\$enddefinitions\s*\$end").search(text)
    if end is None:
        raise LogFormatError("a VCD file without the $end of $enddefinitions", path=path)
    scale = re.search(r"\$timescale\s+(\d+)\s*(s|ms|us|ns|ps|fs)\s*\$end", text, re.I)
    if scale is None:
        raise LogFormatError("a VCD file without $timescale, so that its times have no unit", path=path)
    scopes: list[str] = []
    names: dict[str, str] = {}
    others: list[str] = []
    for match in re.finditer(r"\$(scope|upscope|var)\s+(.*?)\s*\$end", text[: end.start()], re.S):
        words = match[2].split()
        if match[1] == "scope":
            scopes.append(words[-1] if words else "")
        elif match[1] == "upscope":
            scopes = scopes[:-1]
        elif len(words) >= 4 and words[1] == "1" and words[0] != "event":
            whole = " ".join(words[3:])
            usual = re.sub(r" \[\d+\]$", "", whole), whole, ".".join([*scopes, whole])
            names[next((name for name in usual if name not in names), f"{usual[-1]} ({words[2]})")] = words[2]
        elif len(words) >= 4:
            others.append(f"{words[3]!r} ({words[0]}, {words[1]} bits)")
    if not names:
        raise LogFormatError(
            f"no variable of one bit; there are {', '.join(others) or 'none'}: export a logic channel, or voltages as "
            "CSV",
            path=path,
        )
    return Fraction(PICOSECONDS * int(scale[1]), _UNITS[scale[2].lower()]), names, end.end()


def _moving(path: str, offset: int, names: dict[str, str]) -> list[str]:
    """Variables that are 0 at some time and 1 at another."""
    seen: set[tuple[bytes, bytes]] = set()
    with open(path, "rb") as file:
        file.seek(offset)
        rest = b""
        while piece := file.read(_PIECE):
            text = rest + piece
            seen.update(_VALUE.findall(text))
            rest = text[-_VALUE_BYTES:].partition(b"\n")[2]
    codes = {name: code.encode("latin-1") for name, code in names.items()}
    return [name for name, code in codes.items() if {(b"0", code), (b"1", code)} <= seen]


def open_vcd(path: str, channel: str | int | None, invert: bool | None) -> Source:
    """One variable of a dump."""
    unit, names, offset = _header(path)
    guesses: list[str] = []
    name = choose_channel([*names], channel, path, guesses, moving=lambda: _moving(path, offset, names))
    vcd = _waveform.Vcd(names[name].encode("latin-1"), not invert)
    notes = {"unknown": 0}

    def ticks(times: Times) -> Times:
        return (times * unit.numerator + unit.denominator // 2) // unit.denominator

    def changes() -> Iterator[tuple[Edges, int]]:
        room, rest = np.empty(_ROOM, np.int64), b""
        with open(path, "rb") as file:
            file.seek(offset)
            while True:
                piece = file.read(_PIECE)
                text = np.frombuffer(rest + piece, np.uint8)
                done = 0
                while True:
                    found, used = vcd.scan(text[done:], not piece, room)
                    done += used
                    yield ticks(room[:found]), int(ticks(vcd.stand[0]))
                    if not used or done == len(text):
                        break
                time, _, _, notes["unknown"], backwards = vcd.stand
                if backwards:
                    raise LogFormatError(f"times run backwards before {time} units", path=path)
                rest = text[done:].tobytes()
                if not piece:
                    return

    blocks = changes()
    first = np.empty(0, np.int64), 0
    for edges, end in blocks:
        first = np.concatenate([first[0], edges]), end
        _, begin, value, _, _ = vcd.stand
        if value is not None:
            break
    else:
        raise LogFormatError("the variable never has a value", path=path)
    level = value ^ bool(invert)

    def all_blocks() -> Iterator[tuple[Edges, int]]:
        yield first
        yield from blocks

    whole = held_on(all_blocks(), level, PICOSECONDS)
    resolution = likely_resolution(first[0], PICOSECONDS)
    return Source(level, PICOSECONDS, resolution, ticks(max(begin, 0)), whole, notes, guesses)
