"""The ends of whole items of a recording, slowly, from the formats' texts. Imports nothing of ours."""

from __future__ import annotations

import struct

from . import candump_oracle


def pcapng_end(data: bytes) -> int:
    """Bytes of whole little-endian blocks that the data begin with."""
    at = 0
    while len(data) - at >= 12:
        size = struct.unpack_from("<I", data, at + 4)[0]
        if size < 12 or size % 4 or at + size > len(data):
            break
        if struct.unpack_from("<I", data, at + size - 4)[0] != size:
            break
        at += size
    return at


def candump_end(data: bytes) -> int:
    """Bytes of whole lines that the data begin with, of frames that each take a line."""
    at = 0
    for line in data.splitlines(keepends=True):
        if not line.endswith(b"\n") or candump_oracle.parse(line.decode("ascii", "replace").rstrip("\n")) is None:
            break
        at += len(line)
    return at


def blf_end(data: bytes) -> int:
    """Bytes of whole containers, with their padding, behind the header of 144 bytes."""
    at = 144
    while data[at : at + 4] == b"LOBJ" and len(data) - at >= 16:
        size = struct.unpack_from("<I", data, at + 8)[0]
        if at + size > len(data):
            break
        at = min(at + size + size % 4, len(data))
    return at
