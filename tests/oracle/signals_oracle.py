"""Signals bit by bit, in plain Python. Imports nothing of the library.

A signal is a dict or object with start, length, big_endian, is_signed, is_float, scale, offset, multiplexer and
multiplexer_ids, in the meaning of DBC files.
"""

from __future__ import annotations

import struct
from typing import Any


def positions(start: int, length: int, big_endian: bool) -> list[tuple[int, int]]:
    """(byte, bit) of each bit of a signal, its least significant one first; bit 0 is a byte's least significant one."""
    places = []
    byte, bit = start // 8, start % 8
    for _ in range(length):
        places.append((byte, bit))
        if not big_endian:
            byte, bit = (byte, bit + 1) if bit < 7 else (byte + 1, 0)
        else:
            byte, bit = (byte, bit - 1) if bit > 0 else (byte + 1, 7)
    return places[::-1] if big_endian else places


def raw_unsigned(payload: bytes, signal: Any) -> int | None:
    """The bits as a number; None where the payload does not hold them all."""
    value = 0
    for power, (byte, bit) in enumerate(positions(signal.start, signal.length, signal.big_endian)):
        if byte >= len(payload):
            return None
        value += ((payload[byte] >> bit) & 1) * 2**power
    return value


def raw(payload: bytes, signal: Any) -> int | float | None:
    """The raw value: unsigned, two's complement or float."""
    value = raw_unsigned(payload, signal)
    if value is None:
        return None
    if signal.is_float:
        form = {16: "e", 32: "f", 64: "d"}[signal.length]
        return float(struct.unpack("<" + form, value.to_bytes(signal.length // 8, "little"))[0])
    if signal.is_signed and value >= 2 ** (signal.length - 1):
        value -= 2**signal.length
    return value


def physical(payload: bytes, signal: Any) -> int | float | None:
    """raw * scale + offset in Python's numbers: integers are exact, floats round after each operation."""
    value = raw(payload, signal)
    if value is None or (signal.scale == 1 and signal.offset == 0):
        return value
    return value * signal.scale + signal.offset


def present(payload: bytes, signal: Any, signals: dict[str, Any]) -> bool:
    """Is the signal in this payload, as its multiplexer and that one's multiplexer say?"""
    if raw_unsigned(payload, signal) is None:
        return False
    if signal.multiplexer is None:
        return True
    above = signals[signal.multiplexer]
    if not present(payload, above, signals):
        return False
    value = raw_unsigned(payload, above)
    return any(low <= value <= high for low, high in signal.multiplexer_ids)


def put(payload: bytearray, signal: Any, value: int) -> None:
    """Write the low bits of `value` into the signal's places."""
    for power, (byte, bit) in enumerate(positions(signal.start, signal.length, signal.big_endian)):
        payload[byte] = payload[byte] & ~(1 << bit) | ((value >> power) & 1) << bit


def j1939_pgn(identifier: int) -> int:
    """J1939-21: PDU format below 240 is addressed, and its PDU specific byte is no part of the group."""
    fields = {
        "data_page": identifier // 2**24 % 2,
        "extended_data_page": identifier // 2**25 % 2,
        "format": identifier // 2**16 % 256,
        "specific": identifier // 2**8 % 256,
    }
    specific = fields["specific"] if fields["format"] >= 240 else 0
    return fields["extended_data_page"] * 2**17 + fields["data_page"] * 2**16 + fields["format"] * 256 + specific
