"""Worst-case response times of the messages of a bus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from canal_fast.arguments import number
from canal_fast.frames import FrameArray
from canal_fast.signals.description import suggest

from .bounds import ERROR_BITS, Bound, Faults, Stream, fifo_bounds, priority_bounds
from .messages import NANOSECONDS, BusTime, Message, bus_order_key, check_distinct, records
from .sources import Source, timed_messages

if TYPE_CHECKING:
    from .critical import Slot
    from .refute import Comparison

__all__ = ["Breakdown", "ResponseTime", "ResponseTimes", "response_times"]

NOT_COVERED = (
    "not covered: transmit buffers that cannot be aborted and hold fewer frames than the node has messages, error "
    "passive senders (8 bits more), overload frames, frames of other messages"
)
_FULL = 1 - 1e-5  # nearer to 1 a busy period lasts for minutes, and its sum for as long
_PARTS = 1024  # of the breakdown's scale


@dataclass(frozen=True)
class ResponseTime:
    """One message's row.

    Attributes
    ----------
    message : Message
    priority : int
        0 is the highest on the bus.
    queue : str
        "priority", or "fifo" behind its node's other messages.
    blocking_ns : int
        The longest frame of lower priority, which is let through once.
    best_ns, longest_ns : int
        Its own frame without and with all stuff bits, intermission included.
    worst_ns : int
        From the period's beginning to the frame's end and intermission: the bound.
    busy_ns : int
        The longest time that its priority and those above keep the bus busy.
    instances : int
        Frames of its own within that time: each was looked at.
    utilisation : float
        Of the bus, by this message.

    Examples
    --------
    >>> row = cf.analysis.response_times(cf.load_database("car.dbc"), 500_000).rows[0]
    >>> row.message.name, row.blocking_ns, row.best_ns, row.longest_ns, row.slack_ns
    ('Engine', 150000, 222000, 270000, 9580000)
    """

    message: Message
    priority: int
    queue: str
    blocking_ns: int
    best_ns: int
    longest_ns: int
    worst_ns: int
    busy_ns: int
    instances: int
    utilisation: float

    @property
    def slack_ns(self) -> int:
        """What is left to the deadline; below 0 it is missed."""
        return self.message.due_ns - self.worst_ns

    @property
    def schedulable(self) -> bool:
        return self.slack_ns >= 0


@dataclass(frozen=True)
class Breakdown:
    """How far the bus is from missing a deadline.

    Attributes
    ----------
    scale : float
        All frames could be so many times as long (to 1/1024, from below); below 1 a deadline is missed as it is.
    utilisation : float
        The bus load then.
    bitrate : float
        The bit rate that is as slow, bit/s.
    """

    scale: float
    utilisation: float
    bitrate: float


@dataclass(frozen=True)
class ResponseTimes:
    """What `response_times` finds: a row for each message in bus order, and what it holds for.

    Attributes
    ----------
    rows : tuple of ResponseTime
    bitrate, data_bitrate : float
    utilisation : float
        Of the bus, by all of them, at their longest.
    assumptions : tuple of str

    Examples
    --------
    >>> result = cf.analysis.response_times(cf.load_database("car.dbc"), 500_000)
    >>> round(result.utilisation, 4), result.schedulable
    (0.0285, True)
    >>> comparison = result.compare(cf.read_log("drive.blf"))
    >>> comparison.refuted
    False
    """

    rows: tuple[ResponseTime, ...]
    bitrate: float
    data_bitrate: float | None
    utilisation: float
    assumptions: tuple[str, ...]
    streams: tuple[Stream, ...] = field(repr=False)
    time: BusTime = field(repr=False)
    faults: Faults | None = field(repr=False, default=None)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[ResponseTime]:
        return iter(self.rows)

    def __getitem__(self, name: str) -> ResponseTime:
        for row in self.rows:
            if row.message.name == name:
                return row
        raise KeyError(f"there is no message {name!r}{suggest(name, [r.message.name for r in self.rows])}")

    @property
    def schedulable(self) -> bool:
        """Every message meets its deadline."""
        return all(row.schedulable for row in self.rows)

    @property
    def busy_ns(self) -> int:
        """The longest time that the bus is busy without a pause."""
        return max(row.busy_ns for row in self.rows)

    def breakdown(self) -> Breakdown:
        """The greatest factor on all frames' lengths with which every deadline is still met, by bisection.

        Examples
        --------
        >>> round(cf.analysis.response_times(cf.load_database("car.dbc"), 500_000).breakdown().scale, 2)
        23.81
        """
        low, high = 0, int(_PARTS / self.utilisation) + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._holds(middle) else (low, middle)
        scale = low / _PARTS
        return Breakdown(scale, scale * self.utilisation, float(self.bitrate) / scale if scale else float("inf"))

    def _holds(self, parts: int) -> bool:
        scaled = [Stream(s.longest * parts, s.period * _PARTS, s.jitter * _PARTS, s.fifo) for s in self.streams]
        limits = [row.message.due_ns * self.time.per_ns * _PARTS for row in self.rows]
        faults = self.faults and Faults(self.faults.interval * _PARTS, self.faults.overhead * parts)
        if _first_full(scaled, faults) is not None:
            return False
        found, refused = _bounds(scaled, self.time.bit * parts, faults, limits)
        return refused is None and all(b is not None and b.worst <= x for b, x in zip(found, limits, strict=True))

    def critical_instant(self, name: str | None = None) -> list[Slot]:
        """Frames from the moment that is worst for a message: everything of its priority and above is queued at once,
        the longest lower frame has just begun.

        Parameters
        ----------
        name : str, optional
            Default: the message that has the least of its deadline left.

        Returns
        -------
        list of Slot
            In the order sent, to the end of the worst frame of that message.

        Raises
        ------
        KeyError, ValueError
            No such message; one of a FIFO queue, or an analysis with FIFO queues or errors, whose worst is another.
        """
        from .critical import critical_instant

        return critical_instant(self, name)

    def compare(
        self,
        frames: FrameArray,
        *,
        tolerance_ns: int | None = None,
        clock_ppm: float = 100,
        stamp: str = "end",
    ) -> Comparison:
        """What a recording can refute: it has no queueing times, so that no finding proves nothing.

        Parameters
        ----------
        frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
            Of this bus, in the order recorded.
        tolerance_ns : int, optional
            Of the time stamps. Default: 2 bits.
        clock_ppm : float
            By which senders' clocks may be fast.
        stamp : {"end", "start"}
            What of a frame its time stamp is.

        Returns
        -------
        Comparison
            With `.findings`: identifiers that are not among the messages, frames longer than theirs, distances
            shorter than the period less the jitter that the bound allows, delays behind the best period line, and
            busy stretches longer than the bound, each with its time.

        Raises
        ------
        TypeError, ValueError

        Examples
        --------
        >>> result = cf.analysis.response_times(cf.load_database("car.dbc"), 500_000)
        >>> result.compare(cf.read_log("drive.blf")).refuted
        False
        """
        from .refute import compare

        return compare(self, frames, tolerance_ns, clock_ppm, stamp)


def response_times(
    messages: Source,
    bitrate: float,
    data_bitrate: float | None = None,
    errors: float | None = None,
    *,
    fifo: Sequence[str] = (),
    **options: Any,
) -> ResponseTimes:
    """Worst-case response times on CAN and CAN FD.

    After Davis, Burns, Bril, Lukkien (Real-Time Systems 35, 2007): priorities in bus order, longest stuffed lengths
    with intermission, blocking by the longest lower frame, jitter, all instances of the busy period. Integers
    throughout; bounds are rounded up to the ns.

    Parameters
    ----------
    messages : Database, array of frames, or iterable of Message or dict
        As for `timed_messages`.
    bitrate, data_bitrate : float
        bit/s. With a data bit rate, FD messages switch to it unless they say otherwise.
    errors : float, optional
        Faults on the bus are at least so many seconds apart; each costs 31 bits and the longest frame of the same or
        higher priority once more. Default: none.
    fifo : sequence of str
        Senders whose frames wait in one FIFO queue in place of a priority queue. The bound is sufficient: each message
        counts at its queue's lowest priority behind one frame of each other, and needs a response time within its
        period. Messages without a sender wait in priority queues.
    **options
        As for `timed_messages`: cycle_ms, default_cycle_ms, jitter_ms, deadline_ms, leave_out.

    Returns
    -------
    ResponseTimes
        Holds where no node has transmit buffers that cannot be aborted and are fewer than its messages.

    Raises
    ------
    TypeError, ValueError
        Values outside their interval; messages without a cycle time; two messages with one name or arbitration field;
        utilisation of 1 and above, with the priority where it is reached; senders that are none; a FIFO queue whose
        bound does not hold.

    Examples
    --------
    >>> result = cf.analysis.response_times(cf.load_database("car.dbc"), 500_000)
    >>> for row in result.rows:
    ...     print(row.message.name, row.worst_ns, row.schedulable)
    Engine 420000 True
    Body 420000 True
    """
    chosen = timed_messages(messages, **options)
    check_distinct(chosen)
    _check_senders(chosen, fifo)
    time = BusTime(bitrate, data_bitrate)
    faults = None
    if errors is not None:
        number("errors", errors)
        if not 1e-9 <= errors < 9e9:
            raise ValueError(f"errors = {errors} s between faults, allowed 1e-9..9e9")
        faults = Faults(int(errors * NANOSECONDS) * time.per_ns, ERROR_BITS * time.bit)
    chosen = [chosen[i] for i in np.argsort(bus_order_key(records(chosen)))]
    longest, best = time.durations(chosen, "worst_case"), time.durations(chosen, "unstuffed")
    queues = [m.sender if m.sender is not None and m.sender in fifo else None for m in chosen]
    streams = [
        Stream(c, m.period_ns * time.per_ns, m.jitter_ns * time.per_ns, queue)
        for m, c, queue in zip(chosen, longest, queues, strict=True)
    ]
    _refuse_full(chosen, streams, faults)
    bounds, refused = _bounds(streams, time.bit, faults, None)
    if refused is not None:
        m = chosen[refused]
        raise ValueError(
            f"message {m.name!r} in the FIFO queue of {m.sender!r}: its response time exceeds its period of "
            f"{m.period_ns / 1e6:g} ms, and the bound for FIFO queues does not hold"
        )
    rows = tuple(
        ResponseTime(
            m, i, "priority" if s.fifo is None else "fifo", time.up(b.blocking), low // time.per_ns, time.up(s.longest),
            time.up(b.worst), time.up(b.busy), b.instances, s.longest / s.period,
        )
        for i, (m, s, b, low) in enumerate(zip(chosen, streams, bounds, best, strict=True))
        if b is not None
    )  # fmt: skip
    told = [f"FIFO queues of {', '.join(fifo)}, priority queues elsewhere" if fifo else "priority queues in all nodes"]
    told.append(f"faults at least {errors:g} s apart" if errors is not None else "no errors on the bus")
    return ResponseTimes(
        rows,
        bitrate,
        data_bitrate,
        sum(r.utilisation for r in rows),
        (*told, NOT_COVERED),
        tuple(streams),
        time,
        faults,
    )


def _bounds(
    streams: Sequence[Stream], bit: int, faults: Faults | None, limits: Sequence[int] | None
) -> tuple[list[Bound | None], int | None]:
    """In bus order; and the message for which a FIFO queue's bound does not hold."""
    behind, refused = fifo_bounds(streams, bit, faults)
    if refused is not None:
        return [], refused
    jitters = [behind[i].worst if i in behind else s.jitter for i, s in enumerate(streams)]
    found = priority_bounds(streams, bit, faults, jitters, limits)
    if len(found) < len(streams):  # one exceeds its limit
        return [*found, *[None] * (len(streams) - len(found))], None
    return [behind.get(i, one) for i, one in enumerate(found)], None


def _first_full(streams: Sequence[Stream], faults: Faults | None) -> tuple[int, float] | None:
    """The first priority up to which the bus has no time left, and the utilisation there."""
    used, longest = 0.0, 0
    for i, stream in enumerate(streams):
        used += stream.longest / stream.period
        longest = max(longest, stream.longest)
        total = used + ((faults.overhead + longest) / faults.interval if faults else 0.0)
        if total >= _FULL:
            return i, total
    return None


def _refuse_full(messages: Sequence[Message], streams: Sequence[Stream], faults: Faults | None) -> None:
    full = _first_full(streams, faults)
    if full is not None:
        i, used = full
        m = messages[i]
        raise ValueError(
            f"utilisation is {used:.6g} up to priority {i} of 0..{len(messages) - 1} ({m.identifier}, {m.name!r}), "
            f"allowed below 1{' (faults included)' if faults else ''}: from there on response times have no bound"
        )


def _check_senders(messages: Sequence[Message], fifo: Sequence[str]) -> None:
    if isinstance(fifo, str):
        raise TypeError(f"fifo must be a sequence of senders, not the text {fifo!r}")
    known = [m.sender for m in messages if m.sender is not None]
    for name in fifo:
        if name not in known:
            raise ValueError(f"fifo: no message has the sender {name!r}{suggest(name, known)}")
