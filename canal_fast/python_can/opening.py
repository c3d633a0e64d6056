"""From the arguments of a `can.Bus` to an open channel."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from can import BitTiming, BitTimingFd, CanInitializationError, CanInterfaceNotImplementedError
from can.util import check_or_adjust_timing_clock

from canal_fast.bittiming.usb2can import CLOCK
from canal_fast.drivers.devices import list_devices
from canal_fast.errors import DriverError, DriverNotFoundError
from canal_fast.live.channel import Channel

__all__ = ["attached_channels", "open_channel"]


log = logging.getLogger("can.canal_fast")

Options = dict[str, Any]
_OPTIONS = (
    "profile",
    "layout",
    "clock",
    "clock_step",
    "ring_frames",
    "ring_full",
    "coalesce_ms",
    "reconnect",
    "convention",
    "bridge",
)


def _virtual(name: str, bitrate: int, flags: int, options: Options) -> Channel:
    return Channel.virtual(name if ";" in name else f"{name or 'bus0'};{bitrate}", flags=flags, **options)


def _socketcan(name: str, bitrate: int, flags: int, options: Options) -> Channel:
    return Channel.socketcan(name, **options)  # bit rate and modes are the system's


_PREFIXES: dict[str, tuple[Callable[[str, int, int, Options], Channel], tuple[str, ...]]] = {
    "virtual": (_virtual, ()),
    "socketcan": (_socketcan, ("receive_own_messages", "local_loopback", "error_frames")),
}
"""What may stand before the colon of a channel: what opens it, and the options it has beside the channel's."""


def open_channel(
    channel: str | int | None,
    *,
    library: str,
    config: str | None,
    flags: int | None,
    bitrate: int,
    timing: BitTiming | BitTimingFd | None,
    options: Options,
) -> Channel:
    """Open what `can.Bus` was asked for; raises python-can's exceptions, or ValueError for a value out of range."""
    prefix, colon, rest = str(channel or "").partition(":")
    opener, more = _PREFIXES.get(prefix, (None, ())) if colon and config is None else (None, ())
    if unknown := sorted(set(options) - {"fd", *_OPTIONS, *more}):
        log.warning("canal_fast has no use for %s", ", ".join(unknown))
    options = {name: value for name, value in options.items() if name not in unknown}
    try:
        if config is not None:
            return Channel(library, config, flags=flags or 0, **options)
        if opener is not None:
            rate = timing.nom_bitrate if isinstance(timing, BitTimingFd) else timing.bitrate if timing else bitrate
            return opener(rest, rate, flags or 0, options)
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


def attached_channels() -> list[str]:
    """A `channel` for each attached adapter; one that Linux serves as a network interface is opened as that."""
    devices = list_devices()
    return [f"socketcan:{device.interface}" if device.interface else device.serial for device in devices]
