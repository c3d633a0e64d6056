"""Checks of arguments that several places share: each says quantity, value and allowed interval."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, SupportsIndex

import numpy as np

from canal_fast.errors import FrameError
from canal_fast.frames import FrameArray, FrameFlag, check_frames, copied

__all__ = ["check_classical", "check_for", "choice", "filters", "interval", "nanoseconds", "number"]


def interval(name: str, value: Any, low: float, high: float) -> Any:
    number(name, value)
    if not low <= value <= high:
        raise ValueError(f"{name} = {value}, allowed {low}..{high}")
    return value


def number(name: str, value: object) -> None:
    if not isinstance(value, (int, float, Fraction, Decimal, np.number)):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}")


def check_classical(frames: FrameArray) -> None:
    check_frames(frames)
    flexible = np.flatnonzero(frames["flags"] & FrameFlag.FD)
    if flexible.size:
        index = int(flexible[0])
        raise FrameError(f"frames[{index}] is a CAN FD frame; this channel is classical", index=index)


_OF_ERRORS = int(FrameFlag.ERROR_FRAME | FrameFlag.EXTENDED_ID | FrameFlag.TX | FrameFlag.GAP | FrameFlag.CLOCK_STEP)


def with_errors(check: Callable[[FrameArray], None]) -> Callable[[FrameArray], None]:
    """The check that lets error frames pass, too."""

    def checked(frames: FrameArray) -> None:
        try:  # first, since error frames are rare
            return check(frames)
        except FrameError:
            errors = np.asarray(frames["flags"] & FrameFlag.ERROR_FRAME != 0)
            if not errors.any():
                raise
        for name, bad, allowed in (
            ("flags", frames["flags"] & np.uint16(0xFFFF & ~_OF_ERRORS) != 0, "ERROR_FRAME alone"),
            ("dlc", frames["dlc"] > 8, "0..8"),
            ("arbitration_id", frames["arbitration_id"] > 0x1FFFFFFF, "0..0x1fffffff"),
        ):
            if (errors & bad).any():
                index = int(np.flatnonzero(errors & bad)[0])
                value = FrameFlag(int(frames["flags"][index])) if name == "flags" else int(frames[name][index])
                raise FrameError(
                    f"frames[{index}] is an error frame: {name} = {value!r}, allowed {allowed}", index=index
                )
        others = copied(frames)
        others[errors] = np.zeros((), frames.dtype)
        return check(others)

    return checked


def check_for(profile: Mapping[str, Any], fd: bool, errors: bool = False) -> Callable[[FrameArray], None]:
    """The check of frames to send by a driver of this profile; `errors`: it can send error frames, too."""
    check: Callable[[FrameArray], None] = check_frames if fd else check_classical
    if errors:
        check = with_errors(check)
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
    number("timeout", timeout)
    if not timeout >= 0:
        raise ValueError(f"timeout = {timeout} s, allowed 0 and above, or None to wait for ever")
    return 1 << 62 if math.isinf(timeout) else min(int(timeout * 1e9), 1 << 62)


def filters(filters: Sequence[Mapping[str, Any]] | None) -> list[tuple[int, int, bool | None]]:
    rows = []
    if isinstance(filters, (Mapping, str)) or not isinstance(filters, (Iterable, type(None))):
        raise TypeError(f"filters must be a sequence of mappings, not {type(filters).__name__}")
    for index, row in enumerate(filters or ()):
        if not isinstance(row, Mapping):
            raise TypeError(f"filters[{index}] must be a mapping with can_id and can_mask, not {type(row).__name__}")
        if unknown := set(row) - {"can_id", "can_mask", "extended"}:
            raise ValueError(f"filters[{index}] has {sorted(unknown)}; known are can_id, can_mask, extended")
        try:
            can_id, can_mask = operator.index(row["can_id"]), operator.index(row["can_mask"])
        except KeyError as missing:
            raise ValueError(f"filters[{index}] has no {missing.args[0]}") from None
        except TypeError:
            bad = next(name for name in ("can_id", "can_mask") if not isinstance(row[name], SupportsIndex))
            raise TypeError(f"filters[{index}]: {bad} must be an integer, not {type(row[bad]).__name__}") from None
        interval(f"filters[{index}]: can_id", can_id, 0, 0x1FFFFFFF)
        interval(f"filters[{index}]: can_mask", can_mask, 0, 0xFFFFFFFF)
        rows.append((can_id, can_mask, row.get("extended")))
    return rows
