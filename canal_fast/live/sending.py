"""Sending on a channel, at once and periodically, and waiting until its driver has sent what it accepted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import canal_fast.arguments as arguments
from canal_fast.frames import FD_FRAME_DTYPE, FrameArray

from . import _live, _periodic
from .periodic import PeriodicTask
from .port_owner import PortOwner, part_of_channel

__all__ = ["Outlet", "Sending", "sends_errors", "wait_until_sent"]

_STALL_S = 0.2  # without a frame going: a frame takes 0.16 s at 1 kbit/s
_STEP_S = 0.001


class Outlet(NamedTuple):
    """A channel for native senders.

    Attributes
    ----------
    port : Port
        Open.
    fd : bool
        CAN FD frames, too.
    no_remote, no_empty : bool
        The driver cannot send remote frames, or frames without data.
    """

    port: _live.Port
    fd: bool
    no_remote: bool
    no_empty: bool


def sends_errors(port: _live.Port, bit: int) -> bool:
    """Does the driver take error frames to send? `bit` of its status tells; 0: it does not, as most."""
    row = port.status() if bit else None
    return row is not None and bool(row[0] & bit)


def wait_until_sent(port: _live.Port, timeout: float | None) -> int | None:
    """See `Channel.drain`."""
    begin = fell = time.monotonic()
    least: int | None = None
    while True:
        told = port.transmit_pending()
        if told is None:
            return None
        left, moving = told
        now = time.monotonic()
        if least is None or left < least:
            least, fell = left, now
        if not left or not moving or now - fell > _STALL_S or (timeout is not None and now - begin >= timeout):
            return left
        time.sleep(_STEP_S)


@part_of_channel
class Sending(PortOwner):
    """Hands frames to the driver of a channel."""

    _profile: dict[str, Any]
    _dtype: np.dtype[Any]
    _check_frames: Callable[[FrameArray], None]
    _sender: _periodic.Sender | None
    _making_sender: threading.Lock

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
