"""A recording and a database whose names are HTML and script."""

from __future__ import annotations

import struct
from pathlib import Path

__all__ = ["NAMES", "TEXTS", "write_hostile"]

NAMES = [
    "<script>document.title = 'taken'</script>",
    "</script><script>document.title = 'taken'</script>",
    '"><img src=x onerror="document.title = 1">',
    "{{data}}\u2028&lt;b&gt;\u202e",
]
TEXTS = ["</script><b onclick=alert(1)>", "<img src=x onerror=alert(1)>"]  # a unit, and a text of a value table
_DATABASE = f"""VERSION ""

BU_: A

BO_ 256 M: 2 A
 SG_ S : 0|8@1+ (0.5,0) [0|0] "{TEXTS[0]}" A
 SG_ T : 8|8@1+ (1,0) [0|0] "" A

VAL_ 256 T 1 "{TEXTS[1]}" 0 "off" ;
"""


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def write_hostile(folder: Path, frames: int = 400) -> tuple[Path, Path]:
    """Paths of a pcapng recording, an interface for each of NAMES, and of a DBC file."""
    parts = [_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    for name in NAMES:
        options = _option(2, name.encode()) + _option(9, b"\x09") + _option(8, struct.pack("<Q", 500_000))
        parts.append(_block(1, struct.pack("<HHI", 227, 0, 0) + options + _option(0, b"")))
    for number in range(frames):
        time = 1_764_150_000_000_000_000 + number * 1_000_000
        packet = struct.pack(">IB3x", 0x100 + number % 3, 2) + bytes([number % 256, 1]) + bytes(6)
        head = struct.pack("<IIIII", number % len(NAMES), time >> 32, time & 0xFFFFFFFF, len(packet), len(packet))
        parts.append(_block(6, head + packet))
    recording, database = folder / "hostile.pcapng", folder / "hostile.dbc"
    recording.write_bytes(b"".join(parts))
    database.write_text(_DATABASE)
    return recording, database
