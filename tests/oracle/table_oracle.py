"""Frames as rows of plain Python values: the slow twin of the hand-over to data frames and of the tools over arrays."""

from __future__ import annotations

from typing import Any

FD_LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)
REMOTE, FD = 0x02, 0x08


def payload(flags: int, dlc: int, data: bytes) -> bytes:
    """What the record carries of its data field."""
    if flags & REMOTE:
        return b""
    return data[: FD_LENGTHS[dlc] if flags & FD else min(dlc, 8)]


def rows(frames: Any) -> list[dict[str, Any]]:
    """One dict a frame, with Arrow's column names."""
    found = []
    for timestamp, identifier, flags, channel, dlc, data in frames.tolist():
        row = {"timestamp": timestamp, "arbitration_id": identifier, "flags": flags, "channel": channel, "dlc": dlc}
        found.append({**row, "data": payload(flags, dlc, bytes(data))})
    return found


def batches(frames: Any, limit: int) -> list[int]:
    """Rows of each batch whose payloads together have at most `limit` bytes."""
    sizes = [len(row["data"]) for row in rows(frames)]
    found, held = [0], 0
    for size in sizes:
        if held + size > limit:
            found.append(0)
            held = 0
        found[-1] += 1
        held += size
    return found
