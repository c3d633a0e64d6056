"""What happens to a channel, for the log `canal_fast`: it is seen when a ledger is asked for, and at the end."""

from __future__ import annotations

import logging
import time

from .ledger import Ledger
from .opening import open_channels

__all__ = ["Changes", "opened"]

log = logging.getLogger("canal_fast")

_LOSSES_S = 1.0  # losses are told at most so often


class Changes:
    """Tells the differences between one ledger and the next."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._outages = self._steps = self._lost = 0
        self._received: int | None = None  # when the last outage was seen; None: there is none
        self._lost_at = -_LOSSES_S

    def tell(self, ledger: Ledger, *, last: bool = False) -> Ledger:
        """Tell what is new in it, and give it back. `last`: no other comes."""
        now = time.monotonic()
        if self._received is not None and ledger.received > self._received and ledger.outages == self._outages:
            log.info("%s: reopened; away %.3f s so far in %d outages", self.name, ledger.outage_ns / 1e9, self._outages)
            self._received = None
        if ledger.outages > self._outages:
            log.warning("%s: outage %d: the driver failed, and is opened again", self.name, ledger.outages)
            self._outages, self._received = ledger.outages, ledger.received
        if ledger.clock_steps > self._steps:
            by = (ledger.clock_step_after_ns - ledger.clock_step_before_ns) / 1e9
            log.warning("%s: the host's clock was set by %+.3f s", self.name, by)
            self._steps = ledger.clock_steps
        if ledger.lost > self._lost and (last or now - self._lost_at >= _LOSSES_S):
            log.warning("%s: %d frames lost, %d in all", self.name, ledger.lost - self._lost, ledger.lost)
            self._lost, self._lost_at = ledger.lost, now
        return ledger

    def closed(self, ledger: Ledger) -> Ledger:
        """The same of the last ledger."""
        self.tell(ledger, last=True)
        log.info("%s: closed: %s", self.name, ledger)
        return ledger


def opened(channel: object, name: str) -> Changes:
    """Tell that a channel is open; from here on the end of the program closes it."""
    open_channels.add(channel)
    log.info("%s: opened", name)
    return Changes(name)
