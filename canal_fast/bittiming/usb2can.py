"""What 8devices' usb2can.dll wants to be told: serial numbers and the bit rates of its own table."""

from __future__ import annotations

import re

__all__ = ["CLOCK", "RATES", "serial_number"]

CLOCK = 32_000_000
"""Hz; of the adapter's CAN controller."""

RATES = (125_000, 250_000, 500_000, 800_000, 1_000_000)
"""bit/s; the rates in the table of usb2can.dll 1.0.9. Any other number there silently means 125,000."""


def serial_number(serial: str) -> str:
    """The serial number as the DLL compares it: eight upper-case letters and digits, as in "ED000200".

    Raises
    ------
    ValueError
        It has not eight of them.
    """
    plain = re.sub(r"[^0-9A-Za-z]", "", serial).upper()
    if len(plain) != 8:
        raise ValueError(f"serial = {serial!r}: must have exactly eight letters and digits, has {len(plain)}")
    return plain
