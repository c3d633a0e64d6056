"""From the arguments of a `can.Bus` to an open channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from can import BitTiming, BitTimingFd, CanInitializationError, CanInterfaceNotImplementedError
from can.util import check_or_adjust_timing_clock

from canal_fast.channel import Channel
from canal_fast.devices import list_devices
from canal_fast.errors import DriverError, DriverNotFoundError
from canal_fast.usb2can import CLOCK

__all__ = ["open_channel"]


def _virtual(name: str, bitrate: int, options: dict[str, Any]) -> Channel:
    return Channel.virtual(name if ";" in name else f"{name or 'bus0'};{bitrate}", **options)


def _socketcan(name: str, bitrate: int, options: dict[str, Any]) -> Channel:
    return Channel.socketcan(name, **options)  # type: ignore[attr-defined, no-any-return]


PREFIXES: dict[str, Callable[[str, int, dict[str, Any]], Channel]] = {"virtual": _virtual, "socketcan": _socketcan}
"""What may stand before the colon of a channel."""


def open_channel(
    channel: str | int | None,
    *,
    library: str,
    config: str | None,
    flags: int | None,
    bitrate: int,
    timing: BitTiming | BitTimingFd | None,
    options: dict[str, Any],
) -> Channel:
    """Open what `can.Bus` was asked for; raises python-can's exceptions, or ValueError for a value out of range."""
    prefix, colon, rest = str(channel or "").partition(":")
    try:
        if config is not None:
            return Channel(library, config, flags=flags or 0, **options)
        if colon and prefix in PREFIXES:
            rate = timing.nom_bitrate if isinstance(timing, BitTimingFd) else timing.bitrate if timing else bitrate
            return PREFIXES[prefix](rest, rate, {"flags": flags or 0, **options})
        if isinstance(timing, BitTimingFd):
            raise NotImplementedError("USB2CAN adapters have no CAN FD: give a BitTiming, not a BitTimingFd")
        return Channel.usb2can(
            str(channel or _first_device()),
            bitrate,
            library=library,
            timing=timing and check_or_adjust_timing_clock(timing, valid_clocks=[CLOCK]),
            status_messages=False,
            flags=8 if flags is None else flags,
            **options,
        )
    except DriverNotFoundError as error:
        raise CanInterfaceNotImplementedError(str(error)) from error
    except DriverError as error:
        raise CanInitializationError(str(error), error.status) from error


def _first_device() -> str:
    devices = list_devices()
    if not devices:
        raise CanInitializationError("no channel given, and no USB2CAN adapter is attached")
    return devices[0].serial
