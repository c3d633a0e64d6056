"""Opening a channel, asking its driver, closing it; `channel.py` adds the frames."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
import warnings
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, NoReturn, Self, TypedDict

import canal_fast.arguments as arguments
from canal_fast._gate import describe_code, describe_exit, status_table
from canal_fast.drivers import _profiles
from canal_fast.drivers.config_strings import FD_FLAG
from canal_fast.drivers.library import (
    CONVENTIONS,
    DriverInfo,
    find_library,
    standard_input_kept,
    versions,
    why_open_failed,
)
from canal_fast.errors import ChannelClosedError, ChannelTimeoutError, DriverError
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, check_frames

from . import _live, _periodic
from .clock import ChannelClock, describe_clock
from .host import Bridge, load
from .ledger import DISCONNECTED, ChannelStatus, Ledger, decode_status
from .sending import wait_until_sent

__all__ = ["ChannelOptions", "OpenChannel"]

_OURS = ("virtual", "socketcan")  # profiles of drivers that know FD_FLAG
_STATISTICS = ("rx_frames", "tx_frames", "rx_bytes", "tx_bytes", "overruns", "bus_warnings", "bus_off")
_open_channels: weakref.WeakSet[OpenChannel] = weakref.WeakSet()


class ChannelOptions(TypedDict, total=False):
    """Those of `Channel` that every way of opening one takes."""

    profile: str
    layout: Literal["auto"] | int
    filters: Sequence[Mapping[str, Any]] | None
    channel: int
    clock: Literal["epoch", "device"]
    ring_frames: int
    ring_full: Literal["drop", "wait"]
    coalesce_ms: float
    reconnect: float | None
    convention: Literal["auto", "stdcall", "cdecl"]
    bridge: Bridge
    drain: float


class OpenChannel:
    """What a channel is between open and close: the driver, its answers, the books. See `Channel`."""

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
        ring_frames: int = 262_144,
        ring_full: Literal["drop", "wait"] = "drop",
        coalesce_ms: float = 1.0,
        reconnect: float | None = None,
        convention: Literal["auto", "stdcall", "cdecl"] = "auto",
        bridge: Bridge = "auto",
        drain: float = 1.0,
    ) -> None:
        self._handle: _live.Handle | None = None
        self._discarded: int | None = None
        self._sender: _periodic.Sender | None = None
        self._making_sender = threading.Lock()
        if not isinstance(config, str):
            raise TypeError(f"config must be a str, not {type(config).__name__}")
        if not isinstance(library, (str, os.PathLike)):
            raise TypeError(f"library must be a str or a path, not {type(library).__name__}")
        self._config = config
        encoded = config.encode()
        if "\0" in config:
            raise ValueError(
                f"config has a NUL character at {config.index(chr(0))}; drivers would not see what follows"
            )
        if len(encoded) >= _live.CONFIG_BYTES:
            raise ValueError(f"config has {len(encoded)} bytes, allowed 0..{_live.CONFIG_BYTES - 1}")
        arguments.interval("flags", flags, 0, 0xFFFFFFFF)
        arguments.interval("channel", channel, 0, 255)
        arguments.interval("ring_frames", ring_frames, 1, 1 << 30)
        arguments.interval("coalesce_ms", coalesce_ms, 0.05, 1000)
        if reconnect is not None:
            arguments.interval("reconnect", reconnect, 0.01, 3600)
        self._drain_s = arguments.interval("drain", drain, 0, 3600)
        arguments.choice("clock", clock, ("epoch", "device"))
        arguments.choice("ring_full", ring_full, ("drop", "wait"))
        arguments.choice("convention", convention, CONVENTIONS)
        arguments.choice("bridge", bridge, ("auto", "always", "never"))
        arguments.choice("layout", layout, ("auto", *_profiles.layout_sizes()))
        rows = {row["name"]: row for row in _profiles.profiles()}
        arguments.choice("profile", profile, ("auto", *rows))
        self._path = find_library(library)
        self._capacity = 1 << (int(ring_frames) - 1).bit_length()
        self._dtype = FD_FRAME_DTYPE if fd else FRAME_DTYPE
        loaded = load(self._path, convention, bridge, self._capacity, self._dtype.itemsize)
        self._profile = rows[loaded.profile(self._path.name) if profile == "auto" else profile]
        missing = {"CanalReceiveFD", "CanalSendFD"} - set(loaded.exported()) if fd else set()
        if missing:
            raise DriverError(f"{self._path} has no CAN FD: it does not export {min(missing)}", operation="open")
        if fd and self._profile["name"] in _OURS:
            flags |= FD_FLAG
        if clock == "device" and not self._profile["tick_num"]:
            raise ValueError(f"clock='device': the profile {self._profile['name']} knows of no usable device clock")
        status, code, self._handle = _live.Handle.open(
            loaded,
            encoded,
            flags,
            self._profile["name"],
            0 if layout == "auto" else layout,
            channel,
            ring_full == "wait",
            clock == "device",
            int(coalesce_ms * 1e6),
            self._capacity,
            arguments.filters(filters),
            0 if reconnect is None else int(reconnect * 1e9),
            fd,
        )
        if self._handle is None:
            self._raise_open(status, code, config, loaded)
        self._receive_into = self._handle.receive_into
        self._check_frames = check_frames if fd else arguments.check_classical
        self._info: DriverInfo | None = None
        _open_channels.add(self)

    def _raise_open(self, status: int, code: int, config: str, library: _live.Library) -> NoReturn:
        name, sentence = {number: row for number, *row in status_table()}[status]
        if name == "NO_MEMORY":
            raise MemoryError(f"no memory for {self._capacity} records; take a smaller ring_frames")
        if name == "HOST_ENDED":
            raise DriverError(
                f"{self._path.name} did not open {config!r}: {sentence}: {describe_exit(code)}",
                operation="CanalOpen",
            )
        kind = ChannelTimeoutError if name in {"HOST_SILENT", "DRIVER_HANGS"} else DriverError
        if self._profile["name"] == "socketcan":
            code = -code  # this driver tells a CANAL code instead of a handle
        reason = library.why or why_open_failed(self._path, self._profile)
        raise kind(
            f"{self._path.name} did not open {config!r}: {sentence} ({code}); {reason}",
            status=code,
            operation="CanalOpen",
        )

    def status(self) -> ChannelStatus:
        """The driver's status, decoded; its state is "disconnected" while `reconnect` waits for the driver."""
        row = self._open_handle().status()
        return DISCONNECTED if row is None else decode_status(row[0], row[1], row[3], self._profile)

    def finished(self) -> bool:
        """Did the driver say that no more frames will come (the end of a replay)? False where it cannot say so."""
        return bool(self._profile["stopped"]) and self.status().stopped

    def statistics(self) -> dict[str, int] | None:
        """The driver's counters, or None when it did not fill them in.

        Some devices reset theirs when they are read; see `driver.profile`.
        """
        counters = self._open_handle().statistics()
        return None if counters is None else dict(zip(_STATISTICS, counters, strict=True))

    def clock(self) -> ChannelClock:
        """Where the time stamps come from and how good they are.

        Device time is mapped to the host's monotonic clock, with offset and drift followed, and that to
        the epoch with the offset frozen at open. Corrections slew: they change the rate of time by 0.05 % at
        most, by half before the clock has settled and while it is more than a millisecond off. Time stamps
        never decrease.
        """
        return describe_clock(self._open_handle().clock())

    def data_available(self) -> int:
        """Frames in the driver's own queue, as of the last drain."""
        return self._open_handle().queue()

    def set_driver_filter(self, code: int, mask: int) -> None:
        """Set the driver's own filter (CanalSetFilter, CanalSetMask). Most drivers ignore it: see `set_filters`."""
        handle = self._open_handle()
        handle.set_filter(arguments.interval("code", code, 0, 0xFFFFFFFF))
        handle.set_mask(arguments.interval("mask", mask, 0, 0xFFFFFFFF))

    def set_driver_baudrate(self, code: int) -> None:
        """CanalSetBaudrate, deprecated: codes 1 (1000 kbit/s) .. 9 (10 kbit/s), 0 user-defined."""
        self._open_handle().set_baudrate(arguments.interval("code", code, 0, 9))

    @property
    def driver(self) -> DriverInfo:
        """Path, profile, layout, capabilities, versions of the driver."""
        if self._info is None or self._info.layout != self._open_handle().layout():
            self._info = versions(self._open_handle(), self._path, self._profile)
        return self._info

    def ledger(self) -> Ledger:
        """Where every frame went; also after `close`."""
        if self._handle is None:
            raise ChannelClosedError("the channel was never open")
        return Ledger(**self._handle.ledger(), discarded=self._discarded)

    # -- ending

    def stop(self) -> None:
        """End the native thread after a last drain. `receive` still returns what the ring holds."""
        if self._handle is not None:
            self._handle.stop()

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
            with canal_fast do, outside a host process.
        """
        return wait_until_sent(self._open_handle(), timeout)

    def close(self) -> None:
        """Wait for what is being sent, stop, close the driver, free the ring.

        Waits at most `drain` seconds, as the method `drain` does; what the driver still had then is `discarded` in
        the ledger. What was not received by then is `pending`.

        Raises
        ------
        DriverError
            CanalClose returned an error; or the driver did not return from CanalReceive within two seconds: then
            it is not called again, and its thread is left behind.
        """
        self._close(self._drain_s)

    def _close(self, drain_s: float) -> None:
        _open_channels.discard(self)
        if self._sender is not None:
            self._sender.stop()
        if self._handle is not None:
            if self._discarded is None:
                with contextlib.suppress(ChannelClosedError):
                    self._discarded = wait_until_sent(self._handle, drain_s)
            with standard_input_kept():
                hangs, code = self._handle.close()
            if hangs:
                raise DriverError(
                    f"{self._path.name} hangs in CanalReceive; it was not closed", operation="CanalReceive"
                )
            if code:
                raise DriverError(f"CanalClose: {describe_code(code)}", status=code, operation="CanalClose")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def __del__(self) -> None:
        if self in _open_channels:
            warnings.warn(f"unclosed channel {self!r}", ResourceWarning, stacklevel=2)
            self._close(0)

    def __repr__(self) -> str:
        if self._handle is None:
            return "<canal_fast.Channel, never open>"
        state = "open" if self in _open_channels else "closed"
        return f"<canal_fast.Channel {self._config!r} of {self._path.name}, {state}, {self.ledger().received} received>"

    def __reduce__(self) -> Any:
        raise TypeError("a channel cannot be pickled: it is a thread and a device")

    def _open_handle(self) -> _live.Handle:
        if self._handle is None:
            raise ChannelClosedError("the channel was never open")
        return self._handle


OpenChannel.__init__.__qualname__ = "Channel"  # for Python's own messages on arguments


@atexit.register
def _close_all() -> None:
    """Drivers have threads: close every channel before libraries unload, whichever close fails."""
    with contextlib.ExitStack() as closing:
        for channel in list(_open_channels):
            closing.callback(channel._close, 0)


if hasattr(os, "register_at_fork"):

    def _forget_all() -> None:
        _live.after_fork_in_child()
        _periodic.after_fork_in_child()
        _open_channels.clear()

    os.register_at_fork(after_in_child=_forget_all)
