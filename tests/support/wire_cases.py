"""Frames for the wire tests, and the way between records and the oracle's frames."""

from __future__ import annotations

import os

import numpy as np
from oracle import wire_oracle as oracle

import canal_fast as cf
from canal_fast import FrameFlag

LONG = os.environ.get("CANAL_FAST_LONG") == "1"
EXTENDED, REMOTE, FD = int(FrameFlag.EXTENDED_ID), int(FrameFlag.REMOTE), int(FrameFlag.FD)
BRS, ESI = int(FrameFlag.BITRATE_SWITCH), int(FrameFlag.ERROR_STATE_INDICATOR)
ON_WIRE = EXTENDED | REMOTE | FD | BRS | ESI


def to_oracle(row: np.void) -> oracle.Frame:
    """The record's wire content."""
    flags, dlc = int(row["flags"]), int(row["dlc"])
    frame = oracle.Frame(
        int(row["arbitration_id"]), bool(flags & EXTENDED), bool(flags & REMOTE), bool(flags & FD),
        bool(flags & BRS), bool(flags & ESI), dlc,
    )  # fmt: skip
    return frame._replace(data=row["data"].tobytes()[: frame.size()])


def random_frames(count: int, seed: int, fd: bool = True) -> cf.FrameArray:
    """Mixed frames of every kind, flag and dlc; payloads random, constant, or made of runs."""
    rng = np.random.default_rng(seed)
    frames = np.zeros(count, cf.FD_FRAME_DTYPE if fd else cf.FRAME_DTYPE)
    extended = rng.integers(0, 2, count).astype(bool)
    is_fd = rng.integers(0, 2, count).astype(bool) & fd
    remote = (rng.random(count) < 0.2) & ~is_fd
    flags = extended * EXTENDED | remote * REMOTE | is_fd * FD
    flags |= is_fd * (rng.integers(0, 2, count) * BRS | rng.integers(0, 2, count) * ESI)
    few = rng.choice([0, 0x7FF, 0x1FFFFFFF, 0x0F0F0F0F, 0x1F07C1F0, 0x555], count)
    ids = np.where(rng.random(count) < 0.3, few, rng.integers(0, 1 << 29, count))
    frames["arbitration_id"] = np.where(extended, ids, ids & 0x7FF)
    frames["flags"] = flags
    frames["dlc"] = rng.integers(0, 16, count)
    width = frames["data"].shape[1]
    data = rng.integers(0, 256, (count, width), np.uint8)
    runs = rng.choice(np.array([0x00, 0xFF, 0x55, 0xAA, 0xF0, 0x0F, 0x07, 0xC1, 0xF8, 0x1F], np.uint8), (count, width))
    constant = np.repeat(runs[:, :1], width, axis=1)
    kind = rng.integers(0, 4, count)[:, None]
    data = np.where(kind == 0, runs, np.where(kind == 1, constant, data))
    frames["data"] = np.where(np.arange(width) < cf.payload_length(frames)[:, None], data, 0)
    return frames


def same_on_wire(left: cf.FrameArray, right: cf.FrameArray) -> bool:
    """Identifier, dlc, flags of the wire and payload are equal."""
    wide = [np.zeros(len(frames), cf.FD_FRAME_DTYPE) for frames in (left, right)]
    for to, frames in zip(wide, (left, right), strict=True):
        to["arbitration_id"], to["dlc"] = frames["arbitration_id"], frames["dlc"]
        to["flags"] = frames["flags"] & ON_WIRE
        to["data"][:, : frames["data"].shape[1]] = frames["data"]
    return bool(np.array_equal(wide[0], wide[1]))
