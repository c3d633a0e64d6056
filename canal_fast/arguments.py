"""Checks of arguments that several places share: each says quantity, value and allowed interval."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from canal_fast.errors import FrameError
from canal_fast.frames import FrameArray, FrameFlag, check_frames

__all__ = ["check_classical", "check_for", "choice", "filters", "interval", "nanoseconds"]


def interval(name: str, value: Any, low: float, high: float) -> Any:
    if not low <= value <= high:
        raise ValueError(f"{name} = {value}, allowed {low}..{high}")
    return value


def check_classical(frames: FrameArray) -> None:
    check_frames(frames)
    flexible = np.flatnonzero(frames["flags"] & FrameFlag.FD)
    if flexible.size:
        index = int(flexible[0])
        raise FrameError(f"frames[{index}] is a CAN FD frame; this channel is classical", index=index)


def check_for(profile: Mapping[str, Any], fd: bool) -> Callable[[FrameArray], None]:
    """The check of frames to send by a driver of this profile."""
    check = check_frames if fd else check_classical
    if not (profile["no_remote"] or profile["no_empty"]):
        return check

    def checked(frames: FrameArray) -> None:
        check(frames)
        remote = frames["flags"] & FrameFlag.REMOTE != 0
        for refused, words in (
            (remote & profile["no_remote"], "a remote frame, which would go out as a data frame"),
            ((frames["dlc"] == 0) & profile["no_empty"], "a frame without data, which would wedge the driver"),
        ):
            if refused.any():
                index = int(np.flatnonzero(refused)[0])
                raise FrameError(f"frames[{index}] is {words} ({profile['title']}); nothing was sent", index=index)

    return checked


def choice(name: str, value: object, allowed: Sequence[object]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} = {value!r}, allowed {', '.join(map(repr, allowed))}")


def nanoseconds(timeout: float | None) -> int:
    """Seconds -> ns; negative for None, which waits for ever."""
    if timeout is None:
        return -1
    if not timeout >= 0:
        raise ValueError(f"timeout = {timeout} s, allowed 0 and above, or None to wait for ever")
    return 1 << 62 if math.isinf(timeout) else min(int(timeout * 1e9), 1 << 62)


def filters(filters: Sequence[Mapping[str, Any]] | None) -> list[tuple[int, int, bool | None]]:
    rows = []
    for index, row in enumerate(filters or ()):
        if unknown := set(row) - {"can_id", "can_mask", "extended"}:
            raise ValueError(f"filters[{index}] has {sorted(unknown)}; known are can_id, can_mask, extended")
        try:
            can_id, can_mask = operator.index(row["can_id"]), operator.index(row["can_mask"])
        except KeyError as missing:
            raise ValueError(f"filters[{index}] has no {missing.args[0]}") from None
        interval(f"filters[{index}]: can_id", can_id, 0, 0x1FFFFFFF)
        interval(f"filters[{index}]: can_mask", can_mask, 0, 0xFFFFFFFF)
        rows.append((can_id, can_mask, row.get("extended")))
    return rows
