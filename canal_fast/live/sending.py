"""What a channel can send, and waiting until its driver has sent what it accepted."""

from __future__ import annotations

import time
from typing import NamedTuple

from . import _live

__all__ = ["Outlet", "sends_errors", "wait_until_sent"]

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
