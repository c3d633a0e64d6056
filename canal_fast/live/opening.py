"""What opening a channel checks, and what it says when that fails; and the end of channels that nobody closed."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

import canal_fast._gate as _gate
import canal_fast.arguments as arguments
from canal_fast._gate import describe_exit
from canal_fast.drivers import _profiles
from canal_fast.drivers.library import CONVENTIONS, why_open_failed
from canal_fast.drivers.usb2can_config import remarks
from canal_fast.errors import ChannelTimeoutError, DriverError
from canal_fast.status import Status

from . import _live
from .host import Bridge, no_memory

__all__ = [
    "OURS",
    "ChannelOptions",
    "check_config",
    "check_options",
    "choose_profile",
    "close_all",
    "not_opened",
    "open_channels",
]

EXIT_S = 2.0
"""Seconds that closing all channels may take at the end of the interpreter."""

OURS = ("virtual", "socketcan")  # profiles of drivers that know OpenFlag.FD
open_channels: weakref.WeakSet[Any] = weakref.WeakSet()


class ChannelOptions(TypedDict, total=False):
    """Those of `Channel` that every way of opening one takes."""

    profile: str
    layout: Literal["auto"] | int
    filters: Sequence[Mapping[str, Any]] | None
    channel: int
    clock: Literal["epoch", "device"]
    clock_step: Literal["mark", "follow"]
    ring_frames: int
    ring_full: Literal["drop", "wait"]
    coalesce_ms: float
    reconnect: float | None
    convention: Literal["auto", "stdcall", "cdecl"]
    bridge: Bridge
    drain: float


def check_options(
    library: object,
    config: str,
    flags: int,
    profile: str,
    layout: str | int,
    channel: int,
    clock: str,
    clock_step: str,
    ring_frames: int,
    ring_full: str,
    coalesce_ms: float,
    reconnect: float | None,
    convention: str,
    bridge: str,
) -> None:
    """Each of Channel's arguments is in its interval."""
    if not isinstance(config, str):
        raise TypeError(f"config must be a str, not {type(config).__name__}")
    if not isinstance(library, (str, os.PathLike)):
        raise TypeError(f"library must be a str or a path, not {type(library).__name__}")
    if "\0" in config:
        raise ValueError(f"config has a NUL character at {config.index(chr(0))}; drivers would not see what follows")
    if (size := len(config.encode())) >= _live.CONFIG_BYTES:
        raise ValueError(f"config has {size} bytes, allowed 0..{_live.CONFIG_BYTES - 1}")
    arguments.interval("flags", flags, 0, 0xFFFFFFFF)
    arguments.interval("channel", channel, 0, 255)
    arguments.interval("ring_frames", ring_frames, 1, 1 << 30)
    arguments.interval("coalesce_ms", coalesce_ms, 0.05, 1000)
    if reconnect is not None:
        arguments.interval("reconnect", reconnect, 0.01, 3600)
    arguments.choice("clock", clock, ("epoch", "device"))
    arguments.choice("clock_step", clock_step, ("mark", "follow"))
    arguments.choice("ring_full", ring_full, ("drop", "wait"))
    arguments.choice("convention", convention, CONVENTIONS)
    arguments.choice("bridge", bridge, ("auto", "always", "never"))
    arguments.choice("layout", layout, ("auto", *_profiles.layout_sizes()))
    arguments.choice("profile", profile, ("auto", *(row["name"] for row in _profiles.profiles())))


def choose_profile(port: _live.Port, path: Path, profile: str, fd: bool, clock: str, reconnect: bool) -> dict[str, Any]:
    """The profile's row, for a loaded library that offers what is asked for."""
    name = _profiles.choose(path.name, port.functions) if profile == "auto" else profile
    row = next(row for row in _profiles.profiles() if row["name"] == name)
    missing = {"CanalReceiveFD", "CanalSendFD"} - set(_profiles.exported(port.functions)) if fd else set()
    if missing:
        raise DriverError(f"{path} has no CAN FD: it does not export {min(missing)}", operation="open")
    if reconnect and row["send_only"]:
        raise ValueError(f"reconnect: {row['title']}: nothing tells that it failed")
    if clock == "device" and not row["tick_num"]:
        raise ValueError(f"clock='device': the profile {name} knows of no usable device clock")
    return row


def not_opened(
    status: Status, code: int, why: str, config: str, path: Path, profile: dict[str, Any], ring_capacity: int
) -> Exception:
    """The error that says why a driver could not be opened."""
    if status == Status.NO_MEMORY:
        return no_memory(ring_capacity)
    if status == Status.HOST_ENDED:
        return DriverError(
            f"{path.name} did not open {config!r}: {status.sentence}: {describe_exit(code)}", operation="CanalOpen"
        )
    kind = ChannelTimeoutError if status in {Status.HOST_SILENT, Status.DRIVER_HANGS} else DriverError
    if profile["name"] == "socketcan":
        code = -code  # this driver tells a CANAL code instead of a handle
    if status == Status.DRIVER_HANGS:
        return kind(f"{path.name} did not open {config!r}: it hangs in CanalOpen", operation="CanalOpen")
    reason = why or why_open_failed(path, profile, config)
    return kind(
        f"{path.name} did not open {config!r}: {status.sentence} ({code}); {reason}", status=code, operation="CanalOpen"
    )


def check_config(config: str, profile: dict[str, Any]) -> None:
    """Bit rates that the driver would change without a word, or that no bus has."""
    if not profile["name"].startswith("usb2can"):
        return
    found = list(remarks(config))
    if any(remark.kind == "serial" for remark in found):
        return  # that opens nothing
    for remark in found:
        if remark.kind == "fast" or (remark.kind == "table" and profile["table_rates"] and config.count(";") == 1):
            raise ValueError(f"config = {config!r}: {remark.text}; {remark.advice}")
        if remark.kind == "table":
            warnings.warn(f"config {config!r}: perhaps {remark.text}", RuntimeWarning, stacklevel=4)


def close_all() -> None:
    """Drivers have threads: close every channel before libraries unload, whichever close fails.

    `canal_fast/__init__.py` has this called when the interpreter ends.
    All together take at most EXIT_S: they close at the same time. A host that is not waited for closes its driver by
    itself, when this process has gone.
    """
    end = time.monotonic() + EXIT_S
    channels = list(open_channels)
    for channel in channels:
        channel._port.hurry(int((end - time.monotonic()) * 1e9))

    def close(channel: Any) -> None:
        if channel._port.host is None or time.monotonic() < end:
            channel._close(0)

    with contextlib.ExitStack() as closing:
        for channel in channels:
            closing.callback(close, channel)


if hasattr(os, "register_at_fork"):

    def _forget_all() -> None:
        _gate.after_fork_in_child()
        open_channels.clear()

    os.register_at_fork(after_in_child=_forget_all)
