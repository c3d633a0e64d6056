"""An open CANAL channel: frames in and out as record arrays."""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import canal_fast.arguments as arguments
from canal_fast.drivers.config_strings import OpenFlag
from canal_fast.drivers.library import DriverInfo, find_library, standard_input_kept, versions
from canal_fast.errors import ChannelClosedError
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE
from canal_fast.status import Status

from .batches import Batches
from .changes import opened
from .clock import ChannelClock, describe_clock
from .closing import Closing, close_port, warn_of_resets
from .host import Bridge, load
from .ledger import DISCONNECTED, ChannelStatus, Ledger, decode_status
from .named_drivers import NamedDrivers
from .opening import OURS, check_config, check_options, choose_profile, not_opened, open_channels
from .sending import Sending, sends_errors, wait_until_sent

__all__ = ["Channel"]

_STATISTICS = ("rx_frames", "tx_frames", "rx_bytes", "tx_bytes", "overruns", "bus_warnings", "bus_off")


class Channel(Closing, NamedDrivers, Sending, Batches):
    """A CANAL channel, drained by a native thread from open to `stop`.

    Parameters
    ----------
    library : str or path
        Driver library: "virtual", "socketcan", a path, or a file name (see `canal_fast.drivers.library.find_library`).
    config : str
        The driver's configuration string, at most 255 bytes.
    flags : int
        The driver's open flags, 32 bits.
    profile : str
        Name of the driver's profile; "auto" chooses by file name and exported functions.
    layout : {"auto", 28, 48, 84, 104}
        Size of the driver's message; "auto" finds out from the first message received and sends in the
        platform's usual layout until then.
    filters : sequence of mappings, optional
        As for `set_filters`, in force from the first frame on.
    channel : int
        Number, 0..255, that the records carry in their `channel` field.
    fd : bool
        CAN FD: records of FD_FRAME_DTYPE. Refused where the driver has no CAN FD.
    clock : {"epoch", "device"}
        Time stamps in nanoseconds since 1970, or since the device's own zero.
    clock_step : {"mark", "follow"}
        When somebody sets the host's clock while the channel is open, as NTP does on a machine that came up without
        the time. "mark": time stamps go on by the clock as it was at open, and never decrease. "follow": they go with
        the clock from there on, and may decrease there, once. Either way the first record after it has CLOCK_STEP (but
        for clock="device"), and `ledger` and `clock` tell when it was and by how much.
    ring_frames : int
        Records that fit between the native thread and Python; rounded up to a power of two.
    ring_full : {"drop", "wait"}
        When the ring is full: drop the newest frames and count them, or stop draining the driver.
    coalesce_ms : float
        Sleep between two drains, 0.05..1000 ms.
    reconnect : float, optional
        When the driver fails, as it does when its adapter is unplugged: close it and try to open it again every
        so many seconds, 0.01..3600, until that succeeds or the channel is stopped. The ledger tells of
        `outages`; the first frame after one has GAP, since nobody knows what was lost. Calls that need the
        driver raise DriverError meanwhile. None: the failure ends the channel.
    convention : {"auto", "stdcall", "cdecl"}
        Calling convention; matters for 32-bit Windows libraries only. "auto" finds out: decorated names are stdcall,
        and CanalGetLevel shows it when called; stdcall where that function is missing. Any other than what was found
        is refused.
    bridge : {"auto", "always", "never"}
        Whether the driver runs in a host process: "auto" when the library's bitness is not this Python's, "always"
        also so that a driver that crashes or hangs ends its host and not Python. All else is alike, but for
        virtual buses, which are not shared between hosts.
    drain : float
        `close` waits at most so many seconds until the driver has sent what it accepted, where it tells how much that
        is; 0 does not wait. Nothing is waited for when the interpreter ends.

    Raises
    ------
    DriverNotFoundError, DriverError
        No such library, wrong architecture, no CANAL driver, or CanalOpen failed: the message says which.
    ValueError
        An argument outside its interval.
    MemoryError
        There is no room for `ring_frames`.

    Notes
    -----
    Some drivers print to standard output; nothing here keeps them from it. A driver that crashes takes the process
    with it. A host process helps against both: what is printed there goes to standard error. When it ends or no longer
    answers, `receive` returns the frames that the ring still holds and then raises DriverError, which says how it
    ended, or ChannelTimeoutError; what else the driver held is unaccounted. The host ends when this process does.

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
    ...     a.send(cf.make_frames([0x100, 0x200], b"hello"))
    ...     frames = b.receive(min_frames=2, timeout=5)
    2
    >>> frames["arbitration_id"].tolist()
    [256, 512]

    An adapter, drained into a recording until Ctrl+C:

    >>> with (  # doctest: +SKIP
    ...     cf.Channel.usb2can(bitrate=500_000) as channel,
    ...     cf.logs.Recorder("car.pcapng") as recorder,
    ... ):
    ...     for batch in channel.batches():
    ...         recorder.write(batch)
    """

    def __init__(
        self,
        library: str | os.PathLike[str],
        config: str = "",
        *,
        flags: int = 0,
        profile: str = "auto",
        layout: Literal["auto"] | int = "auto",
        filters: Sequence[Mapping[str, Any]] | None = None,
        channel: int = 0,
        fd: bool = False,
        clock: Literal["epoch", "device"] = "epoch",
        clock_step: Literal["mark", "follow"] = "mark",
        ring_frames: int = 262_144,
        ring_full: Literal["drop", "wait"] = "drop",
        coalesce_ms: float = 1.0,
        reconnect: float | None = None,
        convention: Literal["auto", "stdcall", "cdecl"] = "auto",
        bridge: Bridge = "auto",
        drain: float = 1.0,
    ) -> None:
        self._port = self._sender = None
        self._discarded: int | None = None
        self._making_sender = threading.Lock()
        check_options(
            library, config, flags, profile, layout, channel, clock, clock_step, ring_frames, ring_full, coalesce_ms,
            reconnect, convention, bridge,
        )  # fmt: skip
        self._drain_s = arguments.interval("drain", drain, 0, 3600)
        self._config, self._path = config, find_library(library)
        self._capacity = 1 << (int(ring_frames) - 1).bit_length()
        self._dtype = FD_FRAME_DTYPE if fd else FRAME_DTYPE
        port = load(self._path, convention, bridge, self._capacity, fd)
        self._profile = choose_profile(port, self._path, profile, fd, clock, reconnect is not None)
        check_config(config, self._profile)
        if fd and self._profile["name"] in OURS:
            flags |= OpenFlag.FD
        status, code, why = port.open(
            config.encode(),
            self._profile["name"],
            arguments.filters(filters),
            flags=flags,
            layout_size=0 if layout == "auto" else layout,
            channel=channel,
            wait_when_full=ring_full == "wait",
            device_clock=clock == "device",
            follow_clock=clock_step == "follow",
            coalesce_ns=int(coalesce_ms * 1e6),
            reconnect_ns=0 if reconnect is None else int(reconnect * 1e9),
        )
        if status != Status.OK:
            raise not_opened(Status(status), code, why, config, self._path, self._profile, self._capacity)
        self._port = port
        self._receive_from(port, self._dtype)
        self._check_frames = arguments.check_for(self._profile, fd, sends_errors(port, self._profile["sends_errors"]))
        self._info: DriverInfo | None = None
        self._changes = opened(self, f"{self._path.name} {config!r}")

    # -- asking

    def status(self) -> ChannelStatus:
        """The driver's status, decoded; its state is "disconnected" while `reconnect` waits for the driver."""
        row = self._open_port().status()
        return DISCONNECTED if row is None else decode_status(row[0], row[1], row[3], self._profile)

    def finished(self) -> bool:
        """Did the driver say that no more frames will come (the end of a replay)? False where it cannot say so."""
        return bool(self._profile["stopped"]) and self.status().stopped

    def statistics(self) -> dict[str, int] | None:
        """The driver's counters, or None when it did not fill them in.

        Some devices reset theirs when they are read; see `driver.profile`.
        """
        counters = self._open_port().statistics()
        return None if counters is None else dict(zip(_STATISTICS, counters, strict=True))

    def clock(self) -> ChannelClock:
        """Where the time stamps come from and how good they are.

        Device time is mapped to the host's monotonic clock, with offset and drift followed, and that to
        the epoch with the offset frozen at open. Corrections slew: they change the rate of time by 0.05 % at
        most, by half before the clock has settled and while it is more than a millisecond off. Time stamps
        never decrease, but where somebody sets the host's clock under `clock_step="follow"`.
        """
        return describe_clock(self._open_port().clock())

    def data_available(self) -> int:
        """Frames in the driver's own queue, as of the last drain."""
        return self._open_port().snapshot()[2]

    def set_driver_filter(self, code: int, mask: int) -> None:
        """Set the driver's own filter (CanalSetFilter, CanalSetMask). Most drivers ignore it: see `set_filters`."""
        port = self._open_port()
        port.set_filter(arguments.interval("code", code, 0, 0xFFFFFFFF))
        port.set_mask(arguments.interval("mask", mask, 0, 0xFFFFFFFF))

    def set_driver_baudrate(self, code: int) -> None:
        """CanalSetBaudrate, deprecated: codes 1 (1000 kbit/s) .. 9 (10 kbit/s), 0 user-defined."""
        self._open_port().set_baudrate(arguments.interval("code", code, 0, 9))

    @property
    def driver(self) -> DriverInfo:
        """Path, profile, layout, capabilities, versions of the driver."""
        if self._info is None or self._info.layout != self._open_port().snapshot()[1]:
            self._info = versions(self._open_port(), self._path, self._profile)
        return self._info

    def ledger(self) -> Ledger:
        """Where every frame went; also after `close`."""
        if self._port is None:
            raise ChannelClosedError("the channel was never open")
        return self._changes.tell(Ledger(**self._port.snapshot()[0], discarded=self._discarded))

    # -- ending

    def stop(self) -> None:
        """End the native thread after a last drain. `receive` still returns what the ring holds.

        Examples
        --------
        >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
        ...     a.send(cf.make_frames([1, 2, 3]))
        ...     a.drain(5)
        ...     b.stop()
        ...     len(b.receive())  # once more, and it raises ChannelClosedError
        3
        0
        3
        """
        if self._port is not None:
            self._port.stop()

    def close(self) -> None:
        """Wait for what is being sent, stop, close the driver, free the ring.

        Waits at most `drain` seconds, as the method `drain` does; what the driver still had then is `discarded` in
        the ledger. What was not received by then is `pending`.

        Raises
        ------
        DriverError
            CanalClose returned an error; or the driver did not return from a call in its time, which the message names:
            then it is not called again, and its thread is left behind.
        """
        self._close(self._drain_s)

    def _close(self, drain_s: float) -> None:
        was_open = self in open_channels
        open_channels.discard(self)
        if self._sender is not None:
            self._sender.stop()
        if self._port is not None:
            if self._discarded is None:
                with contextlib.suppress(ChannelClosedError):
                    self._discarded = wait_until_sent(self._port, drain_s)
            with standard_input_kept():
                close_port(self, self._port, self._path)
            if was_open:
                warn_of_resets(self._changes.closed(self.ledger()).clock_resets, self._path, self._profile)

    def __del__(self) -> None:
        if self in open_channels:
            warnings.warn(f"unclosed channel {self!r}", ResourceWarning, stacklevel=2)
            self._close(0)

    def __repr__(self) -> str:
        if getattr(self, "_port", None) is None:
            return "<canal_fast.Channel, never open>"
        state = "open" if self in open_channels else "closed"
        return f"<canal_fast.Channel {self._config!r} of {self._path.name}, {state}, {self.ledger().received} received>"
