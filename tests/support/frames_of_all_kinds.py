"""Frames of every kind that a recording may hold, and their records as the oracles have them."""

from __future__ import annotations

import numpy as np
from oracle.records import FD_LENGTHS, Record

import canal_fast as cf
from canal_fast import FrameFlag as F

START = 1_700_000_000_123_456_789
NAMES = {0: ("drive", 500_000), 1: "can1", 2: "body"}


def frames_of_all_kinds(count: int = 400, seed: int = 1) -> cf.FrameArray:
    """Classical, FD, remote and error frames and status messages on channels 0 to 3, with every mark; their times also
    decrease, and some have whole microseconds."""
    rng = np.random.default_rng(seed)
    frames: cf.FrameArray = np.zeros(count, cf.FD_FRAME_DTYPE)
    for number, frame in enumerate(frames):
        _fill(frame, number, rng)
    steps = rng.integers(-200_000, 2_000_000, count)
    times = START + np.cumsum(steps)
    whole = rng.random(count) < 0.4
    frames["timestamp_ns"] = np.where(whole, times // 100_000 * 100_000, times)
    return frames


def _fill(frame: np.void, number: int, rng: np.random.Generator) -> None:
    kind = number % 9
    flags = int(rng.choice([0, F.TX])) | int(rng.choice([0, 0, 0, F.GAP])) | int(rng.choice([0, 0, 0, 0, F.CLOCK_STEP]))
    dlc = int(rng.integers(0, 9))
    extended = bool(rng.random() < 0.4)
    length = dlc
    if kind < 3:
        dlc = int(rng.integers(9, 16)) if kind == 2 else dlc
        length = min(dlc, 8)
    elif kind < 6:
        flags |= F.FD | int(rng.choice([0, F.BITRATE_SWITCH])) | int(rng.choice([0, F.ERROR_STATE_INDICATOR]))
        dlc = int(rng.integers(0, 16))
        length = FD_LENGTHS[dlc]
    elif kind == 6:
        flags |= F.REMOTE
        length = 0
    data = rng.integers(0, 256, length, np.uint8).tobytes()
    identifier = int(rng.integers(0, 1 << (29 if extended else 11)))
    if kind == 7:
        flags, extended, dlc = flags & ~F.TX | F.ERROR_FRAME, False, 8
        identifier, data = _error(rng)
    elif kind == 8:
        flags |= F.STATUS
        extended = False
    frame["arbitration_id"], frame["dlc"], frame["channel"] = identifier, dlc, rng.integers(0, 4)
    frame["flags"] = flags | (F.EXTENDED_ID if extended else 0)
    frame["data"][: len(data)] = np.frombuffer(data, np.uint8)


def _error(rng: np.random.Generator) -> tuple[int, bytes]:
    place = int(rng.integers(0, 32))
    kind = int(rng.choice([0, 1, 2, 4])) | int(rng.choice([0, 0x80]))
    which = int(rng.integers(0, 5))
    if which == 0:
        return 0x8, bytes([0, 0, 0x20, 0, 0, 0, 0, 0])
    if which == 1:
        return 0x288, bytes([0, 0, kind, place, 0, 0, 17, 33])
    if which == 2:
        return 0xA8, bytes([0, 0, kind & 0x80, place, 0, 0, 0, 0])
    if which == 3:
        return 0x88, bytes([0, 0, kind, place, 0, 0, 0, 0])
    return 0x204, bytes([0, 12, 0, 0, 0, 0, 96, 0])  # counters of an error-passive node


def records(frames: cf.FrameArray) -> list[Record]:
    lengths = cf.payload_length(frames).tolist()
    return [
        Record(
            int(frame["timestamp_ns"]), int(frame["arbitration_id"]), int(frame["flags"]), int(frame["channel"]),
            int(frame["dlc"]), bytes(frame["data"][:length]),
        )
        for frame, length in zip(frames, lengths, strict=True)
    ]  # fmt: skip
