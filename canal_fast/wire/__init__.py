"""Frames as bits on the wire (ISO 11898-1:2015), over arrays: 0 is dominant, 1 recessive, SOF comes first.

STATUS and ERROR_FRAME records are not frames on the wire and are refused by index. Time stamp, channel, TX and GAP
are not on the wire either.
"""

from __future__ import annotations

from canal_fast.processor import serve

from . import _checksum, _wire
from .codec import Decoded, WireStatus, decode, destuff, encode, encode_stream, stuff
from .drawing import draw
from .drawing import split as fields
from .lengths import bus_load, frame_duration_ns, frame_length_bits, stuff_bit_count

__all__ = [
    "Decoded",
    "WireStatus",
    "bus_load",
    "decode",
    "destuff",
    "draw",
    "encode",
    "encode_stream",
    "fields",
    "frame_duration_ns",
    "frame_length_bits",
    "stuff",
    "stuff_bit_count",
]

for _glue in (_wire, _checksum):
    serve(_glue.select)
