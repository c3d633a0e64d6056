"""What usb2can.dll makes of a configuration string without saying so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

__all__ = ["KBPS", "Remark", "remarks"]

KBPS = (125, 250, 500, 800, 1000)
"""kbit/s; the table of usb2can.dll 1.0.9."""
_CLOCK_KHZ = 32_000
_FORM = "write SERIAL;KBPS, e.g. ED000200;500"


class Remark(NamedTuple):
    """`kind`: "serial" (no adapter has it), "missing" (no bit rate), "table" (not in the table of the DLL),
    "unread" (no number), "fast" (more than classical CAN's 1 Mbit/s)."""

    kind: Literal["serial", "missing", "table", "unread", "fast"]
    text: str
    advice: str


def remarks(config: str) -> Iterator[Remark]:
    """All that is wrong with `SERIAL;KBPS` or `SERIAL;0;TSEG1;TSEG2;SJW;BRP`."""
    fields = [field.strip() for field in config.split(";")]
    serial = re.sub(r"[^0-9A-Za-z]", "", fields[0])
    if len(serial) != 8:
        yield Remark("serial", f"the serial number {fields[0]!r} has {len(serial)} letters and digits, not 8", _FORM)
    if len(fields) < 2 or not fields[1]:
        yield Remark("missing", "no bit rate is given", _FORM)
        return
    number = fields[1]
    kbps = _read(number)
    if kbps == 0 and len(fields) >= 6:
        yield from _timing(fields[2:6])
    elif kbps not in KBPS:
        octal = number != "0" and number.startswith("0") and number.isdigit()
        as_read = f" (read as octal: {kbps})" if octal else ""
        yield Remark(
            "table" if kbps >= 0 else "unread",
            f"the bit rate {number!r}{as_read} is none that the DLL knows: it is silently 125 kbit/s",
            f"use {', '.join(map(str, KBPS))}, or SERIAL;0;TSEG1;TSEG2;SJW;BRP for any other: a wrong rate disturbs "
            "the whole bus",
        )


def _timing(fields: list[str]) -> Iterator[Remark]:
    tseg1, tseg2, _, brp = map(_read, fields)
    if min(tseg1, tseg2, brp) < 1:
        return  # the DLL refuses that itself
    kbps = _CLOCK_KHZ / (brp * (1 + tseg1 + tseg2))
    if kbps > 1000:
        yield Remark(
            "fast",
            f"tseg1 {tseg1}, tseg2 {tseg2}, brp {brp} at 32 MHz are {kbps:g} kbit/s: classical CAN ends at 1000",
            "take a larger brp",
        )


def _read(number: str) -> int:
    """As the DLL reads it: a leading 0 is octal, 0x hexadecimal; -1 where it is no number."""
    try:
        return int(number, 8 if len(number) > 1 and number.isdigit() and number[0] == "0" else 0)
    except ValueError:
        return -1
