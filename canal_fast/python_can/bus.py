"""`can.Bus(interface="canal_fast")`."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import can
from can.bus import LOG
from can.typechecking import AutoDetectedConfig, CanFilter, CanFilters

import canal_fast.arguments as arguments
from canal_fast._messages import converter
from canal_fast.drivers.config_strings import OpenFlag
from canal_fast.errors import DriverError
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray
from canal_fast.messages import from_messages
from canal_fast.python_can.cyclic import CanalCyclicTask
from canal_fast.python_can.errors import SendTimeoutError, translated
from canal_fast.python_can.opening import attached_channels, open_channel
from canal_fast.python_can.recording import register

__all__ = ["CanalBus"]

log = logging.getLogger("can.canal_fast")
register()

_ID_BITS = 0x1FFFFFFF
_STATES = {
    "error_passive": can.BusState.PASSIVE,
    "bus_off": can.BusState.ERROR,
    "disconnected": can.BusState.ERROR,
}


def _within_bits(row: CanFilter) -> CanFilter:
    """python-can compares whole integers: a bit above the 29 that is asked for matches nothing, others do not count."""
    can_id, mask = row.get("can_id", 0), row.get("can_mask", 0)
    if not 0 <= can_id <= _ID_BITS or not 0 <= mask <= _ID_BITS:
        nothing: CanFilter = {
            "can_id": 1 << 28,
            "can_mask": 1 << 28,
            "extended": False,
        }  # base identifiers have 11 bits
        return (
            nothing if can_id & mask & ~_ID_BITS else {**row, "can_id": can_id & _ID_BITS, "can_mask": mask & _ID_BITS}
        )
    return row


class CanalBus(can.BusABC):
    """A CANAL channel as a python-can bus.

    Parameters
    ----------
    channel : str
        Serial number of an 8devices USB2CAN adapter ("ED000200", "usb2can:ED000200"; None: the first), "virtual:NAME"
        for the embedded virtual bus (with its keys, if wanted: "virtual:bus0;500000;load=0.5"), "socketcan:can0" for
        a CAN interface of Linux.
    dll : path
        The adapter's driver library.
    flags : int, optional
        The driver's open flags. None: 8 (deliver status messages) for an adapter, 0 otherwise.
    bitrate : int
        bit/s.
    timing : can.BitTiming, optional
        Instead of `bitrate`; another clock than the adapter's 32 MHz is converted where that is exact.
    serial : str, optional
        Goes before `channel`.
    library, config : str, optional
        Any CANAL driver: its library and configuration string. `library` alone is another name of `dll`.
    fd : bool
        CAN FD, where the driver has it.
    receive_own_messages : bool
        For "virtual:" and "socketcan:" channels: what this bus sent comes back with `is_rx` False. Refused elsewhere.
    data_bitrate : int, optional
        bit/s, for a "virtual:" channel with `fd`; that of a CAN interface is the system's.
    can_filters : list of dict, optional
        As for `set_filters`.
    ... : other arguments
        Those of `canal_fast.Channel` are passed on, and `listen_only`, `loopback`, `one_shot` where the driver has
        them: asked for elsewhere they are refused. Others are ignored with a warning, for the sake of configuration
        files; `single_handle`, which python-can's programs give to every bus, without one.

    Raises
    ------
    can.CanInterfaceNotImplementedError
        There is no such driver library.
    can.CanInitializationError
        The driver did not load or open: the message says why.
    ValueError
        An argument outside its interval; a bit rate that the adapter does not make.

    Examples
    --------
    >>> import can
    >>> a, b = (can.Bus(interface="canal_fast", channel="virtual:desk") for _ in range(2))
    >>> with a, b:
    ...     a.send(can.Message(arbitration_id=0x123, is_extended_id=False, data=b"hello"))
    ...     message = b.recv(5)
    >>> message.arbitration_id, message.data
    (291, bytearray(b'hello'))
    """

    def __init__(
        self,
        channel: str | int | None = None,
        dll: str | os.PathLike[str] = "usb2can.dll",
        flags: int | None = None,
        bitrate: int = 500_000,
        timing: can.BitTiming | can.BitTimingFd | None = None,
        serial: str | None = None,
        *,
        library: str | os.PathLike[str] | None = None,
        config: str | None = None,
        fd: bool = False,
        can_filters: CanFilters | None = None,
        **kwargs: Any,
    ) -> None:
        self.channel = serial or channel or config
        self._dtype = FD_FRAME_DTYPE if fd else FRAME_DTYPE
        self._can_protocol = can.CanProtocol.CAN_FD if fd else can.CanProtocol.CAN_20
        self._listen_only = bool((flags or 0) & OpenFlag.LISTEN_ONLY)
        self.canal = open_channel(
            serial or channel,
            library=os.fspath(library or dll),
            config=config,
            flags=flags,
            bitrate=bitrate,
            timing=timing,
            options={"fd": fd, **kwargs},
        )
        self._port = self.canal._open_port()
        self.channel_info = f"canal_fast {self.canal.driver.title}: {self.channel}"
        try:
            super().__init__(channel=channel or "", can_filters=can_filters)
        except BaseException:
            self.canal.close()
            raise

    # -- receiving

    def recv(self, timeout: float | None = None) -> can.Message | None:
        # Not BusABC's: that one measures time-outs with the wall clock, which may be set meanwhile.
        try:
            message: can.Message | None = self._port.receive(converter, can.Message, self.channel, 0)
            if message is None and timeout != 0:
                message = self._wait(timeout)
        except DriverError as error:
            raise can.CanOperationError(str(error), error.status) from error
        if message is not None and LOG.isEnabledFor(self.RECV_LOGGING_LEVEL):
            LOG.log(self.RECV_LOGGING_LEVEL, "Received: %s", message)
        return message

    def _recv_internal(self, timeout: float | None) -> tuple[can.Message | None, bool]:
        return self.recv(timeout), True

    def _wait(self, timeout: float | None) -> can.Message | None:
        left = arguments.nanoseconds(timeout if timeout is None else max(timeout, 0.0))
        deadline = time.monotonic_ns() + left
        message = None
        while message is None and left:
            message = self._port.receive(converter, can.Message, self.channel, left)
            left = left if left < 0 else max(deadline - time.monotonic_ns(), 0)
        return message

    def receive_frames(
        self, max_frames: int = 4096, *, min_frames: int = 1, timeout: float | None = None
    ) -> FrameArray:
        """Take frames out as an array of records instead of messages; see `canal_fast.Channel.receive`.

        Raises
        ------
        can.CanOperationError
            The driver failed, or the bus is shut down.
        """
        with translated():
            return self.canal.receive(max_frames, min_frames=min_frames, timeout=timeout)

    def _apply_filters(self, filters: CanFilters | None) -> None:
        with translated():
            self.canal.set_filters([_within_bits(row) for row in filters or ()], waiting=True)

    def fileno(self) -> int:
        with translated():
            return self.canal.fileno()

    # -- sending

    def make_frames(self, messages: Iterable[can.Message]) -> FrameArray:
        """Messages as records of this bus's dtype; what a controller could not send raises `can.CanOperationError`."""
        with translated():
            return from_messages(messages, fd=self._dtype is FD_FRAME_DTYPE)

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        """Hand a message to the driver, waiting at most `timeout` seconds (None: as long as it takes) for room.

        Raises
        ------
        can.CanTimeoutError
            No room in time; it is a CanOperationError, too.
        can.CanOperationError
            No controller could send this message, or the driver failed.
        """
        with translated():
            wait = timeout if timeout is None else max(timeout, 0.0)
            accepted = self.canal.send(self.make_frames([msg]), timeout=wait)
        if not accepted:
            raise SendTimeoutError(f"no room in the driver's queue within {timeout} s")

    def _send_periodic_internal(
        self,
        msgs: Sequence[can.Message] | can.Message,
        period: float,
        duration: float | None = None,
        autostart: bool = True,
        modifier_callback: Callable[[can.Message], None] | None = None,
    ) -> can.CyclicSendTaskABC:
        if modifier_callback is not None:  # needs Python each time
            return super()._send_periodic_internal(msgs, period, duration, autostart, modifier_callback)
        task = CanalCyclicTask(self, msgs, period, duration)
        if autostart:
            task.start()
        return task

    # -- the rest

    @property
    def state(self) -> can.BusState:
        """ACTIVE, PASSIVE (error passive) or ERROR (bus off, or the driver is away)."""
        with translated():
            return _STATES.get(self.canal.status().state, can.BusState.ACTIVE)

    @state.setter
    def state(self, new_state: can.BusState) -> None:
        if new_state is not can.BusState.ACTIVE or self._listen_only:
            raise NotImplementedError("a CANAL driver listens only, or not, from its open on: see its flags")

    def flush_tx_buffer(self) -> None:
        """Not possible: what a CANAL driver has queued cannot be taken back, and nothing is queued before it."""
        raise NotImplementedError("a CANAL driver has no call that discards what it has queued")

    def shutdown(self) -> None:
        if self._is_shutdown:
            return
        super().shutdown()
        with translated():
            self.canal.close()

    @staticmethod
    def _detect_available_configs() -> Sequence[AutoDetectedConfig]:
        """One for each attached USB2CAN adapter. Never raises: one interface's trouble is not to end the search."""
        try:
            return [{"interface": "canal_fast", "channel": channel} for channel in attached_channels()]
        except Exception as error:
            log.debug("adapters cannot be listed: %s", error)
            return []
