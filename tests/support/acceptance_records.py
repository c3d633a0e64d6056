"""The acceptance oracle's frames as records."""

from __future__ import annotations

import numpy as np
from oracle.acceptance_oracle import Frame

import canal_fast as cf

FLAG = cf.FrameFlag


def records(frames: list[Frame]) -> cf.FrameArray:
    out = np.zeros(len(frames), cf.FD_FRAME_DTYPE)
    for record, frame in zip(out, frames, strict=True):
        kind = {"frame": 0, "error": FLAG.ERROR_FRAME, "status": FLAG.STATUS}[frame.kind]
        flags = (FLAG.EXTENDED_ID * frame.extended, FLAG.REMOTE * frame.remote, FLAG.FD * frame.fd)
        record["arbitration_id"], record["flags"] = frame.identifier, sum(map(int, flags)) | int(kind)
        record["dlc"] = len(frame.data)
        if not frame.remote:
            record["data"][: len(frame.data)] = list(frame.data)
    return out


def narrow(wide: cf.FrameArray) -> cf.FrameArray:
    """The same as classical records."""
    out = np.zeros(len(wide), cf.FRAME_DTYPE)
    for name in ("arbitration_id", "flags", "dlc"):
        out[name] = wide[name]
    out["data"] = wide["data"][:, :8]
    return out
