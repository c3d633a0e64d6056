"""Where every frame went, and in what state the channel is."""

from __future__ import annotations

import dataclasses
from typing import Any

from canal_fast._gate import canal_status_table, describe_code

__all__ = ["ChannelStatus", "Ledger"]


@dataclasses.dataclass(frozen=True)
class Ledger:
    """The books of a channel at one moment.

    Attributes
    ----------
    received : int
        Everything the driver handed over, status messages included.
    malformed, filtered, dropped : int
        Not delivered because no such frame exists, because of the filters, because the ring was full.
    delivered, pending : int
        Handed to the caller; waiting in the ring.
    status_messages : int
        Status messages among the delivered and pending.
    gaps : int
        Runs of dropped frames, and outages, each marked by GAP on the frame after it.
    high_water : int
        Most records that ever waited in the ring.
    driver_overruns : int or None
        Frames the driver says it lost, read at most once a second and at the end; None where it cannot be
        known. What an adapter loses uncounted is in no ledger.
    driver_queue_high_water : int
        Most frames seen waiting in the driver's own queue at the beginning of a drain.
    longest_drain_gap_ns : int
        Longest time between two drains of the driver.
    outages, outage_ns : int
        Times that the driver failed and was to be opened again; how long all of them lasted, as of the last try
        to end the present one. What passed on the bus meanwhile is in no other number here.
    clock_resets : int
        Times that the device's counter was reset or ran a second ahead of the host's time; see `ChannelClock`.
    clock_steps, clock_step_ns, clock_step_before_ns, clock_step_after_ns : int
        Times that the host's clock was set; for the last one: when (ns since 1970 by the clock as set), and time since
        1970 minus the host's monotonic time before and after. 0 when it never was.
    sent, send_rejected : int
        Frames that the driver accepted for sending; frames it did not take in time.
    discarded : int or None
        Of the sent, those that the driver still had when it was closed, which never came on the bus. None before,
        and where the driver does not tell.

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
    ...     a.send(cf.make_frames([1, 2, 3]))
    ...     frames = b.receive(min_frames=3, timeout=5)
    ...     ledger = b.ledger()
    3
    >>> ledger.received, ledger.delivered, ledger.dropped
    (3, 3, 0)
    >>> ledger.verify()  # raises where the books do not balance
    """

    received: int
    malformed: int
    filtered: int
    dropped: int
    delivered: int
    pending: int
    status_messages: int
    gaps: int
    high_water: int
    driver_overruns: int | None
    driver_queue_high_water: int
    longest_drain_gap_ns: int
    outages: int
    outage_ns: int
    clock_resets: int
    clock_steps: int
    clock_step_ns: int
    clock_step_before_ns: int
    clock_step_after_ns: int
    sent: int
    send_rejected: int
    discarded: int | None = None

    def verify(self) -> None:
        """Raise AssertionError unless received = malformed + filtered + dropped + delivered + pending."""
        parts = self.malformed + self.filtered + self.dropped + self.delivered + self.pending
        if self.received != parts:
            raise AssertionError(f"received {self.received}, but malformed .. pending add up to {parts}: {self}")

    @property
    def lost(self) -> int:
        """Frames known to be lost: dropped here or overrun in the driver."""
        return self.dropped + (self.driver_overruns or 0)

    def as_dict(self) -> dict[str, int | None]:
        return dataclasses.asdict(self)

    def __add__(self, other: Ledger) -> Ledger:
        """The books of two channels together: of high-water marks and steps of the clock the greater."""
        pairs = {row.name: (getattr(self, row.name), getattr(other, row.name)) for row in dataclasses.fields(self)}
        known = {name: [value for value in pair if value is not None] for name, pair in pairs.items()}
        greatest = ("high_water", "driver_queue_high_water", "longest_drain_gap_ns", "clock_steps")
        sums = {name: (max if name in greatest else sum)(values) if values else None for name, values in known.items()}
        last = self if self.clock_step_ns >= other.clock_step_ns else other
        steps = {name: getattr(last, name) for name in pairs if name.startswith("clock_step_")}
        return Ledger(**{**sums, **steps})

    def __str__(self) -> str:
        if self.driver_overruns is None:
            driver = "what the driver lost is unaccounted"
        else:
            driver = f"{self.driver_overruns} lost in the driver"
        if self.outages:
            driver += f"; driver away {self.outages} times, {self.outage_ns / 1e9:.3f} s"
        if self.clock_resets:
            driver += f"; the device's counter was reset {self.clock_resets} times"
        if self.clock_steps:
            by = (self.clock_step_after_ns - self.clock_step_before_ns) / 1e9
            driver += f"; the host's clock was set {self.clock_steps} times, last by {by:+.3f} s"
        return (
            f"{self.received} received = {self.delivered} delivered + {self.pending} pending + {self.filtered} filtered"
            f" + {self.dropped} dropped + {self.malformed} malformed; {driver}"
        )


_ZEROS: dict[str, Any] = {row.name: None if row.type.endswith("None") else 0 for row in dataclasses.fields(Ledger)}
NOTHING = Ledger(**_ZEROS)
"""The books of no channel at all."""


@dataclasses.dataclass(frozen=True)
class ChannelStatus:
    """A driver's CanalGetStatus, decoded.

    `state` is "error_active", "warning", "error_passive", "bus_off", "unknown", or "disconnected" while the
    driver is to be opened again. `tec` and `rec` are the
    transmit and receive error counters, None where the driver's profile does not say that they are there.
    `stopped` says that no more frames will come; `flags` names every bit that is set in `raw`, the word that the
    driver returned. `last_error` names its last error code, `text` is its own sentence, empty where it has none.

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as channel:
    ...     status = channel.status()
    >>> status.state, status.tec, status.bus_off
    ('error_active', 0, False)
    """

    state: str
    tec: int | None
    rec: int | None
    bus_off: bool
    stopped: bool
    flags: tuple[str, ...]
    last_error: str
    text: str
    raw: int


DISCONNECTED = ChannelStatus("disconnected", None, None, False, False, (), "", "", 0)
_STATES = (("BUS_OFF", "bus_off"), ("PASSIVE", "error_passive"), ("WARNING", "warning"), ("ACTIVE", "error_active"))


def decode_status(raw: int, error: int, text: str, profile: dict[str, Any]) -> ChannelStatus:
    flags = tuple(name for bit, name, _ in canal_status_table() if raw & bit)
    return ChannelStatus(
        state=next((state for flag, state in _STATES if flag in flags), "unknown"),
        tec=raw & 0xFF if profile["counters"] else None,
        rec=raw >> 8 & 0x7F if profile["counters"] else None,
        bus_off="BUS_OFF" in flags,
        stopped="STOPPED" in flags,
        flags=flags,
        last_error=describe_code(error),
        text="".join(c if c.isprintable() else "?" for c in text),
        raw=raw,
    )
