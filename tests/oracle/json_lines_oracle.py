"""Frames as lines of JSON, by Python's own json, a record at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

FLAGS = (
    (0x0001, "EXTENDED_ID"),
    (0x0002, "REMOTE"),
    (0x0004, "STATUS"),
    (0x0008, "FD"),
    (0x0010, "BITRATE_SWITCH"),
    (0x0020, "ERROR_STATE_INDICATOR"),
    (0x0040, "TX"),
    (0x0080, "ERROR_FRAME"),
    (0x0100, "GAP"),
    (0x0200, "CLOCK_STEP"),
)
FD_LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)


def payload(frame: Any) -> bytes:
    flags, dlc = int(frame["flags"]), int(frame["dlc"])
    length = 0 if flags & 2 else FD_LENGTHS[dlc & 15] if flags & 8 else min(dlc, 8)
    return bytes(frame["data"][:length])


def lines(frames: Any, names: Mapping[int, str]) -> Iterator[str]:
    for frame in frames:
        row = {
            "timestamp_ns": int(frame["timestamp_ns"]),
            "interface": names.get(int(frame["channel"]), f"can{frame['channel']}"),
            "channel": int(frame["channel"]),
            "arbitration_id": int(frame["arbitration_id"]),
            "dlc": int(frame["dlc"]),
            "flags": [name for bit, name in FLAGS if int(frame["flags"]) & bit],
            "data": payload(frame).hex(),
        }
        yield json.dumps(row) + "\n"
