"""From the arguments of a `can.Bus` to an open channel."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from can import BitTiming, BitTimingFd, CanInitializationError, CanInterfaceNotImplementedError
from can.util import check_or_adjust_timing_clock

from canal_fast.bittiming.usb2can import CLOCK, serial_number
from canal_fast.drivers.devices import list_devices
from canal_fast.errors import DriverError, DriverNotFoundError
from canal_fast.live.channel import Channel
from canal_fast.live.sources import parse_source

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
    "drain",
)


_SILENT = ("single_handle", "data_bitrate", "receive_own_messages", "listen_only", "loopback", "one_shot")
"""What python-can's programs and configurations give to every bus; one that is asked for, and that there is not, is
refused, but `single_handle`, which concerns Kvaser's, and a data bit rate without CAN FD."""


_ADAPTER = ("listen_only", "loopback", "one_shot")
_KINDS: dict[str, tuple[str, ...]] = {
    "virtual": ("receive_own_messages", "listen_only"),
    "socketcan": ("receive_own_messages", "local_loopback", "error_frames"),
    "usb2can": _ADAPTER,
    "library": (),
}
"""What `parse_source` knows of as `channel=`: the options it has beside the channel's."""


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
    text = str(channel or "")
    kind = "library" if text.startswith("library=") else text.partition(":")[0] if ":" in text else ""
    source = parse_source(text) if config is None and kind in _KINDS else None
    if text and source is None and config is None:
        _check_serial(text)
    more = _ADAPTER if source is None else _KINDS[source.kind]
    if config is not None:
        more = ("receive_own_messages",) if library == "virtual" else ()
    data_bitrate = options.get("data_bitrate")
    options = _usable(options, {"fd", *_OPTIONS, *more})
    try:
        if config is not None:
            own = options.pop("receive_own_messages", False)
            return Channel(library, config, flags=(flags or 0) | own * 2, **options)
        if source is not None and source.kind != "usb2can":
            rates = source.bitrate or bitrate, data_bitrate
            if isinstance(timing, BitTimingFd):
                rates = timing.nom_bitrate, timing.data_bitrate
            elif timing is not None:
                rates = timing.bitrate, data_bitrate
            options = {"fd": source.fd, **options}
            if source.kind == "virtual" and ";" not in source.config and options["fd"] and rates[1]:
                config = f"{source.config or 'bus0'};{rates[0]};data_bitrate={rates[1]}"
                source = replace(source, config=config)
            modes = (
                source.flags if source.kind == "socketcan" else source.flags | (flags or 0)
            )  # those are the system's
            return replace(source, bitrate=rates[0]).open(**{"flags": modes, **options})
        if isinstance(timing, BitTimingFd):
            raise NotImplementedError("USB2CAN adapters have no CAN FD: give a BitTiming, not a BitTimingFd")
        if source is not None:
            channel, bitrate = source.config, source.bitrate or bitrate
            flags = flags if flags is not None or not source.flags else source.flags
            options = {"profile": source.profile, **options} if source.profile != "auto" else options
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


def _usable(options: Options, known: set[str]) -> Options:
    """The options that there are. Others that are not asked for (None, False) or concern nobody here are left out."""
    for name in sorted(set(options) - known):
        if name not in _SILENT:
            log.warning("canal_fast has no use for %s", name)
        elif options[name] and name not in ("single_handle", "data_bitrate"):
            raise CanInitializationError(f"{name} = {options[name]!r}: this driver has no such mode; leave it out")
    return {name: value for name, value in options.items() if name in known}


def _check_serial(channel: str) -> None:
    try:
        serial_number(channel)
    except ValueError as error:
        other = 'channel="socketcan:can0" or "virtual:bus0"'
        raise ValueError(f"{error}; a bus that is no USB2CAN adapter is given as {other}") from None


def _first_device() -> str:
    devices = list_devices()
    if not devices:
        raise CanInitializationError("no channel given, and no USB2CAN adapter is attached")
    return devices[0].serial


def attached_channels() -> list[str]:
    """A `channel` for each attached adapter; one that Linux serves as a network interface is opened as that."""
    devices = list_devices()
    return [f"socketcan:{device.interface}" if device.interface else device.serial for device in devices]
