"""An open CANAL channel: frames in and out as record arrays."""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, Unpack

import canal_fast.arguments as arguments
from canal_fast.bittiming import BitTiming, usb2can_timing
from canal_fast.bittiming.usb2can import serial_number
from canal_fast.drivers.config_strings import OpenFlag, socketcan_config, warn_of_fd
from canal_fast.drivers.devices import list_devices, only_device, served_by_linux
from canal_fast.drivers.library import DriverInfo, find_library, standard_input_kept, versions
from canal_fast.errors import ChannelClosedError, DriverError, DriverNotFoundError
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray
from canal_fast.status import Status

from . import _live, _periodic, _receiving
from .changes import opened
from .clock import ChannelClock, describe_clock
from .closing import Closing, close_port, warn_of_resets
from .event_loop import until_readable
from .host import Bridge, load
from .ledger import DISCONNECTED, ChannelStatus, Ledger, decode_status
from .opening import OURS, ChannelOptions, check_config, check_options, choose_profile, not_opened, open_channels
from .periodic import PeriodicTask
from .sending import Outlet, sends_errors, wait_until_sent

__all__ = ["Channel"]

_MAX_FRAMES = 1 << 40
_STATISTICS = ("rx_frames", "tx_frames", "rx_bytes", "tx_bytes", "overruns", "bus_warnings", "bus_off")


class Channel(Closing, _receiving.Receiving):
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
        self._port: _live.Port | None = None
        self._discarded: int | None = None
        self._sender: _periodic.Sender | None = None
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
        later: each of them has GAP, and the outage is in the ledger before them.

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

    # -- receiving

    def batches(self, max_frames: int = 4096, *, timeout: float = 0.1) -> Iterator[FrameArray]:
        """Iterate over batches until the channel is stopped and empty.

        A batch is complete at `max_frames`, or after `timeout` seconds with what came by then, which
        may be nothing. A driver's failure is raised after its last frames.

        Yields
        ------
        array of the channel's dtype, shape (n,)

        Examples
        --------
        >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
        ...     a.send(cf.make_frames(range(10)))
        ...     for batch in b.batches(timeout=0.1):
        ...         if len(batch):
        ...             b.stop()  # the rest comes, and then the end
        10
        """
        while True:
            try:
                batch = self.receive(max_frames, min_frames=min(max_frames, self._capacity), timeout=timeout)
            except ChannelClosedError:
                return
            yield batch

    async def abatches(self, max_frames: int = 4096, *, timeout: float = 0.1) -> AsyncIterator[FrameArray]:
        """Like `batches`, for `async for`; the event loop goes on meanwhile.

        Frames leave the channel only when a batch is handed out: cancelling loses none. One iteration at a
        time for a channel. It waits on the descriptor of `fileno`, which meanwhile tells of whole batches.

        Examples
        --------
        >>> import asyncio
        >>> async def count(channel):
        ...     async for batch in channel.abatches(10, timeout=5):
        ...         return len(batch)
        >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
        ...     a.send(cf.make_frames(range(10)))
        ...     asyncio.run(count(b))
        10
        10
        """
        port = self._open_port()
        arguments.interval("max_frames", max_frames, 1, _MAX_FRAMES)
        wanted = min(max_frames, self._capacity)
        waiting_ns = arguments.nanoseconds(timeout)

        def wait_in_thread() -> None:
            with contextlib.suppress(DriverError):  # receive tells
                port.wait(wanted, waiting_ns)

        try:
            while True:
                await until_readable(port.descriptor(wanted), timeout, wait_in_thread)
                batch = self.receive(max_frames, timeout=0)
                yield batch
        except ChannelClosedError:
            return
        finally:
            with contextlib.suppress(ChannelClosedError):
                port.descriptor(1)

    def fileno(self) -> int:
        """A descriptor for select, poll and event loops, made at the first call. Only to be waited for.

        Readable while frames wait, until they are taken, and for ever once no more will come: `receive` with
        timeout=0 then returns, or raises, at once. It lasts as long as the channel object, closed
        or not.

        Raises
        ------
        NotImplementedError
            On Windows.
        """
        descriptor = self._open_port().descriptor(1)
        if descriptor is None:
            raise NotImplementedError("this system's event loops wait on no such descriptor; use abatches")
        return descriptor

    def set_filters(self, filters: Sequence[Mapping[str, Any]] | None, *, waiting: bool = False) -> None:
        """Keep only frames that match one of the filters; None or an empty sequence keeps all.

        Each filter has `can_id`, `can_mask` and optionally `extended`, with python-can's meaning: a frame
        matches when `(arbitration_id ^ can_id) & can_mask == 0` and, where `extended` is given, its
        identifier format is the one asked for. Status messages are never filtered. At most 8192. In force from
        the next drain on; with `waiting` at once, also for frames that wait already. Those then count as
        filtered when they would have been received, and a batch may be smaller than `min_frames`.

        Examples
        --------
        >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
        ...     b.set_filters([{"can_id": 0x100, "can_mask": 0x700, "extended": False}])
        ...     a.send(cf.make_frames([0x123, 0x223, 0x1FF]))
        ...     b.receive(min_frames=2, timeout=5)["arbitration_id"].tolist()
        3
        [291, 511]
        """
        self._open_port().set_filters(arguments.filters(filters), waiting)

    # -- sending and asking

    def send(self, frames: FrameArray, *, timeout: float | None = 0.0) -> int:
        """Hand frames to the driver, in order.

        Parameters
        ----------
        frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
            Checked as a whole before the first is sent.
        timeout : float or None
            Seconds to wait for room in the driver's queue; None waits for ever.

        Returns
        -------
        int
            Accepted frames: queued by the driver, not yet seen on the bus. Less than n when the time was over.

        Raises
        ------
        FrameError
            With `.index`: no controller could send this, it is CAN FD on a classical channel, or the driver's profile
            says that it would not send such a one: remote frames and frames without data of some drivers. Error frames
            can be sent on the virtual bus, where it is not simulated bit by bit, and to Linux' virtual interfaces.
        DriverError
            With `.status` and `.accepted`, the number that the driver took before it failed.

        Examples
        --------
        >>> with cf.Channel.virtual("desk") as channel:
        ...     accepted = channel.send(cf.make_frames(range(100), b"hello"), timeout=1.0)
        ...     channel.drain(5)  # until they were on the bus: frames that are left
        0
        >>> accepted
        100
        """
        port = self._open_port()
        self._check_frames(frames)
        return port.send(frames, arguments.nanoseconds(timeout))

    def send_periodic(
        self, frames: FrameArray, period_s: float, *, in_turn: bool = False, times: int | None = None
    ) -> PeriodicTask:
        """Hand frames to the driver now and every `period_s` seconds, until the task is stopped or the channel closed.

        One native thread serves all tasks of a channel. A task's frames are sent in order at each of its times,
        which lie whole periods after its start, so that delays do not add up: what is overdue is sent at once,
        up to a quarter of a second later. Frames for which the driver has no room are not tried
        again: the task's `statistics` and the ledger count them as rejected. The thread asks the system to run
        it before ordinary ones; where that is refused (on Linux without a limit on rtprio), other
        programs' load delays it.

        Parameters
        ----------
        frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
            As for `send`; copied.
        period_s : float
            0.0001..86400 s.
        in_turn : bool
            Send one of the frames at each time, the first again after the last, instead of all.
        times : int, optional
            Stop after so many times, 1..2**63 - 1.

        Raises
        ------
        FrameError
            As for `send`.
        ValueError
            No frames, or another argument outside its interval.
        ChannelClosedError
            The channel is closed.

        Examples
        --------
        >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
        ...     task = a.send_periodic(cf.make_frames(0x123, b"alive"), 0.01, times=3)
        ...     frames = b.receive(min_frames=3, timeout=5)
        >>> len(frames)
        3
        """
        port = self._open_port()
        self._check_frames(frames)
        if not len(frames):
            raise ValueError("frames is empty: there is nothing to send")
        arguments.interval("period_s", period_s, 1e-4, 86400)
        limit = 0 if times is None else arguments.interval("times", times, 1, (1 << 63) - 1)
        with self._making_sender:  # two threads' first tasks share one
            if self._sender is None:
                self._sender = _periodic.Sender(port)
        task = self._sender.start(frames, round(period_s * 1e9), in_turn, limit)
        return PeriodicTask(task, period_s, self._check_frames)

    def outlet(self) -> Outlet:
        """What native senders, such as the player's, need of an open channel."""
        row = self._profile
        return Outlet(self._open_port(), self._dtype == FD_FRAME_DTYPE, bool(row["no_remote"]), bool(row["no_empty"]))

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

    def drain(self, timeout: float | None = None) -> int | None:
        """Wait until the driver has sent what it accepted.

        Ends at once when that cannot be (bus off, a virtual bus whose clock is stepped), and when the number of
        frames that wait has not fallen for 0.2 s.

        Parameters
        ----------
        timeout : float, optional
            Seconds at most; None sets no limit.

        Returns
        -------
        int or None
            Frames that are left. None, without waiting, where the driver does not tell: only the drivers that come
            with canal_fast do.
        """
        port = self._open_port()
        if timeout is not None:
            arguments.nanoseconds(timeout)
        return wait_until_sent(port, timeout)

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

    def _open_port(self) -> _live.Port:
        if self._port is None:
            raise ChannelClosedError("the channel was never open")
        return self._port

    # What `receive` and `receive_into` ask for where an argument is not the usual one.

    def _max_frames(self, value: Any) -> int:
        return int(arguments.interval("max_frames", value, 1, _MAX_FRAMES))

    def _wait_ns(self, timeout: float) -> int:
        return arguments.nanoseconds(timeout)

    def _wanted(self, min_frames: int, max_frames: int) -> int:
        return int(arguments.interval("min_frames", min_frames, 0, min(max_frames, self._capacity)))


__test__ = {"receive": Channel.receive, "receive_into": Channel.receive_into}  # doctest passes over what is inherited
