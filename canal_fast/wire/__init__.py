"""Frames as bits on the wire (ISO 11898-1:2015), over arrays: 0 is dominant, 1 recessive, SOF comes first.

STATUS and ERROR_FRAME records are not frames on the wire and are refused by index. Time stamp, channel, TX and GAP
are not on the wire either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from canal_fast.later import later
from canal_fast.processor import serve

from . import _checksum, _wire

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

serve(_wire.select)
serve(_checksum.select)

if TYPE_CHECKING:
    from .codec import Decoded, WireStatus, decode, destuff, encode, encode_stream, stuff
    from .drawing import draw, fields
    from .lengths import bus_load, frame_duration_ns, frame_length_bits, stuff_bit_count
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "codec": "Decoded WireStatus decode destuff encode encode_stream stuff",
            "drawing": "draw fields",
            "lengths": "bus_load frame_duration_ns frame_length_bits stuff_bit_count",
        },
    )
