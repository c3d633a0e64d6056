"""Channels of drivers that are known by name: the virtual bus, SocketCAN, the USB2CAN adapter."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

import canal_fast.arguments as arguments
from canal_fast.bittiming import BitTiming, usb2can_timing
from canal_fast.bittiming.usb2can import serial_number
from canal_fast.drivers.config_strings import OpenFlag, socketcan_config, warn_of_fd
from canal_fast.drivers.devices import list_devices, only_device, served_by_linux
from canal_fast.errors import DriverNotFoundError

from .opening import ChannelOptions
from .port_owner import part_of_channel

__all__ = ["NamedDrivers"]


@part_of_channel
class NamedDrivers:
    """Opens itself with the configuration string of a driver, made from arguments."""

    if TYPE_CHECKING:  # Channel's

        def __init__(
            self,
            library: str | os.PathLike[str],
            config: str,
            *,
            flags: int,
            fd: bool,
            **options: Unpack[ChannelOptions],
        ) -> None: ...

    @classmethod
    def virtual(
        cls,
        config: str = "bus0",
        *,
        fd: bool = False,
        listen_only: bool = False,
        receive_own_messages: bool = False,
        flags: int = 0,
        **options: Unpack[ChannelOptions],
    ) -> Self:
        """Open the embedded virtual bus, e.g. `"bus0;500000;load=0.8;seed=1"`; the manual lists the keys.

        Parameters
        ----------
        config : str
        fd : bool
            CAN FD frames, too; records are of FD_FRAME_DTYPE. Without it they pass this channel, and the ledger's
            `driver_overruns` counts them.
        listen_only : bool
            Sending is refused.
        receive_own_messages : bool
            What this channel sent comes back, with TX, once it was on the bus.
        **options
            As for `Channel`.

        Returns
        -------
        Channel

        Examples
        --------
        >>> with cf.Channel.virtual("busy;1000000;load=0.8;seed=1") as channel:
        ...     frames = channel.receive(1000, min_frames=1000, timeout=5)
        >>> len(frames)
        1000
        """
        modes = listen_only * OpenFlag.LISTEN_ONLY | receive_own_messages * OpenFlag.LOOPBACK
        return cls("virtual", config, flags=flags | modes, fd=fd, **options)

    @classmethod
    def socketcan(
        cls,
        interface: str,
        *,
        fd: bool = False,
        receive_own_messages: bool = False,
        local_loopback: bool = True,
        error_frames: bool = True,
        kernel_filters: Sequence[Mapping[str, Any]] | None = None,
        receive_buffer: int | None = None,
        stamps: str = "kernel",
        flags: int = 0,
        **options: Unpack[ChannelOptions],
    ) -> Self:
        """Open a CAN interface of Linux, which must be up: `ip link set can0 up type can bitrate 500000`.

        Time stamps are the kernel's, as candump shows them. Error frames are records with ERROR_FRAME, their class in
        `arbitration_id` (linux/can/error.h); `status` tells the controller's state and counters as of the last one.
        What the kernel had to drop is in the ledger's `driver_overruns`, and the frame after it has GAP. Where an
        interface went down and came up again before anybody looked, nobody knows which of the frames that waited came
        later: each of them has GAP, and the outage is in the ledger before them. Several before one look are one.

        Parameters
        ----------
        interface : str
            "can0", 1 to 15 bytes.
        fd : bool
            CAN FD frames, too; records are of FD_FRAME_DTYPE. False on an interface that carries them warns: the
            kernel leaves them out without counting.
        receive_own_messages : bool
            What this channel sent comes back, with TX, once it was on the bus.
        local_loopback : bool
            Other programs on this host see what this channel sends.
        error_frames : bool
            Receive error frames.
        kernel_filters : sequence of mappings, optional
            As for `set_filters`, at most 8, applied by the kernel: what it rejects is in no ledger.
        receive_buffer : int, optional
            Bytes that the kernel may keep for this channel; 8 MiB. Without privileges `net.core.rmem_max` limits it.
        stamps : {"kernel", "hardware"}
            "hardware" takes the adapter's own clock where it has one.
        **options
            As for `Channel`.

        Raises
        ------
        DriverError
            With the reason: no such interface, not CAN, down, classical where `fd` is asked for, permission denied, no
            SocketCAN in this kernel. An interface that goes down or away while open ends the channel, see `reconnect`.

        Examples
        --------
        >>> with cf.Channel.socketcan("can0") as channel:  # doctest: +SKIP
        ...     frames = channel.receive(timeout=1.0)
        """
        filters = arguments.filters(kernel_filters)
        config = socketcan_config(
            interface, receive_own_messages, local_loopback, error_frames, filters, receive_buffer, stamps
        )
        channel = cls("socketcan", config, flags=flags, fd=fd, **options)
        if not fd:
            warn_of_fd(interface)
        return channel

    @classmethod
    def usb2can(
        cls,
        serial: str | None = None,
        bitrate: int = 500_000,
        *,
        library: str | os.PathLike[str] = "usb2can.dll",
        timing: Any = None,
        sample_point: float | None = None,
        listen_only: bool = False,
        loopback: bool = False,
        one_shot: bool = False,
        status_messages: bool = True,
        fd: bool = False,
        flags: int = 0,
        **options: Unpack[ChannelOptions],
    ) -> Self:
        """Open an 8devices USB2CAN adapter through its CANAL DLL.

        Parameters
        ----------
        serial : str, optional
            Eight letters and digits, e.g. "ED000200". None: the only adapter that is attached.
        bitrate : int
            bit/s. 125000, 250000, 500000, 800000 and 1000000 are in the DLL's own table (1.0.9); any other that
            the adapter's 32 MHz make exactly is given as explicit timing, since the DLL would take it for 125000
            without a word.
        sample_point : float, optional
            Percent; makes the timing explicit for every rate.
        timing : object with f_clock, brp, tseg1, tseg2, sjw, optional
            Explicit bit timing instead of `bitrate`: canal_fast's BitTiming or python-can's.
        listen_only, loopback, one_shot, status_messages : bool
            Open flags 1, 2, 4, 8.
        **options
            As for `Channel`.

        Raises
        ------
        BitTimingError
            The adapter does not make this rate: the message names the nearest that it makes.
        ValueError
            The serial number has not eight letters and digits.
        DriverError
            None was given, and not exactly one adapter is attached: the message lists them.
        DriverNotFoundError
            There is no such library. On Linux none is needed: the message says which interface the adapter is.

        Examples
        --------
        >>> with cf.Channel.usb2can("ED000200", bitrate=250_000, listen_only=True) as channel:  # doctest: +SKIP
        ...     frames = channel.receive(timeout=1.0)
        """
        if serial is None:
            serial = only_device(list_devices()).serial
        if timing is None:
            timing = usb2can_timing(bitrate, sample_point)
        if timing is None:
            config = f"{serial_number(serial)};{int(bitrate) // 1000}"
        else:
            explicit = BitTiming(timing.f_clock, timing.brp, timing.tseg1, timing.tseg2, timing.sjw)
            config = explicit.usb2can_config(serial)
        flags |= listen_only * OpenFlag.LISTEN_ONLY | loopback * OpenFlag.LOOPBACK
        flags |= one_shot * OpenFlag.ONE_SHOT | status_messages * OpenFlag.STATUS_FRAMES
        options.setdefault("profile", "auto" if "usb2can" in Path(library).name.lower() else "usb2can")
        try:
            return cls(library, config, flags=flags, fd=fd, **options)
        except DriverNotFoundError as error:
            if hint := served_by_linux(serial):
                raise DriverNotFoundError(f"{hint}; {error}", operation="load") from error
            raise
