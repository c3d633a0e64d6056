"""Arrays of random frames for tests of what works on arrays."""

from __future__ import annotations

import numpy as np

import canal_fast as cf
from canal_fast import FrameFlag

_FD_BYTES = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64])


def random_frames(
    count: int, seed: int = 1, fd: bool = False, ids: int = 40, channels: int = 3, step_ns: int = 250_000
) -> cf.FrameArray:
    """Data, remote, status and error records of a few identifiers, most of them forward in time."""
    rng = np.random.default_rng(seed)
    frames: cf.FrameArray = np.zeros(count, cf.FD_FRAME_DTYPE if fd else cf.FRAME_DTYPE)
    frames["timestamp_ns"] = 1_700_000_000_000_000_000 + np.cumsum(rng.integers(-step_ns // 8, 2 * step_ns, count))
    frames["arbitration_id"] = rng.integers(0, ids, count)
    frames["channel"] = rng.integers(0, channels, count)
    kinds = [0, 0, 0, 0, FrameFlag.EXTENDED_ID, FrameFlag.REMOTE, FrameFlag.TX, FrameFlag.STATUS, FrameFlag.ERROR_FRAME]
    kinds += [FrameFlag.FD, FrameFlag.FD | FrameFlag.BITRATE_SWITCH] * 3 * fd
    frames["flags"] = np.array(kinds, np.uint16)[rng.integers(0, len(kinds), count)]
    frames["dlc"] = rng.integers(0, 16, count)
    width = frames["data"].shape[1]
    flexible = frames["flags"] & FrameFlag.FD != 0
    sizes = np.where(flexible, _FD_BYTES[frames["dlc"]], np.minimum(frames["dlc"], 8))
    sizes[frames["flags"] & FrameFlag.REMOTE != 0] = 0
    data = rng.integers(0, 256, (count, width), dtype=np.uint8)
    frames["data"] = np.where(np.arange(width) < sizes[:, None], data, 0)
    return frames
