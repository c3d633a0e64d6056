"""What a recorder does about the disk: when it waits for it, and what is done when it is full."""

from __future__ import annotations

import canal_fast.arguments as arguments

from .rotation import Rotation

__all__ = ["makes_room", "sync_period"]


def sync_period(fsync: bool | float) -> float | None:
    """Seconds from one fsync to the next; None: there is none. Errors as `Recorder`."""
    if isinstance(fsync, bool):
        return 0.0 if fsync else None
    return float(arguments.interval("fsync", fsync, 0.01, 86400))


def makes_room(on_full: str, rotation: Rotation | None) -> bool:
    """Are old files deleted when the disk is full? Errors as `Recorder`."""
    arguments.choice("on_full", on_full, ("stop", "oldest"))
    if on_full == "oldest" and (rotation is None or not rotation.keeps):
        raise ValueError("on_full = 'oldest' deletes old files: it needs keep or keep_bytes")
    return on_full == "oldest"
