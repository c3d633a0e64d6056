"""The equations of worst-case response times, in whole ticks.

Davis, Burns, Bril, Lukkien: Controller Area Network (CAN) schedulability analysis: refuted, revisited and revised
(Real-Time Systems 35, 2007); FIFO queues as in Davis, Kollmann, Pollex, Slomka (2011), with the whole response time as
the jitter of their messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ERROR_BITS", "Bound", "Faults", "Stream", "fifo_bounds", "level", "priority_bounds"]

ERROR_BITS = 31  # error flags, delimiter and intermission at most, Tindell's figure as the paper takes it


@dataclass(frozen=True)
class Stream:
    """A message in ticks: longest transmission, period, jitter; its FIFO queue's name, if it waits in one."""

    longest: int
    period: int
    jitter: int
    fifo: str | None = None


MOST_INSTANCES = 1_000_000  # some seconds; no node has such a queue


@dataclass(frozen=True)
class Bound:
    """What is found of one message, in ticks."""

    blocking: int
    worst: int
    busy: int
    instances: int


@dataclass(frozen=True)
class Faults:
    """Faults at least `interval` ticks apart, each costing `overhead` and the frame once more."""

    interval: int
    overhead: int

    def cost(self, time: int, longest: int) -> int:
        return -(-time // self.interval) * (self.overhead + longest)


Higher = list[tuple[int, int, int]]  # longest, period, jitter


def level(
    stream: Stream, higher: Higher, blocking: int, bit: int, faults: Faults | None, limit: int | None = None
) -> Bound:
    """A message in a priority queue. `limit`: stop at a response time above it."""
    c, period, jitter = stream.longest, stream.period, stream.jitter
    again = max([c, *(row[0] for row in higher)])
    busy, before = c, 0
    everyone = [*higher, (c, period, jitter)]
    while busy != before:
        before = busy
        busy = blocking + sum([-(-(before + j) // t) * k for k, t, j in everyone])
        if faults:
            busy += faults.cost(before, again)
    instances = -(-(busy + jitter) // period)
    if instances > MOST_INSTANCES:
        raise ValueError(
            f"{instances} frames of one message are to be looked at, allowed 0..{MOST_INSTANCES}; "
            f"its jitter is {jitter // period} periods"
        )
    worst, wait = 0, 0
    for q in range(instances):
        wait, before = max(wait, blocking + q * c), -1
        while wait != before:
            before = wait
            wait = blocking + q * c + sum([-(-(before + j + bit) // t) * k for k, t, j in higher])
            if faults:
                wait += faults.cost(before + c, again)
        worst = max(worst, jitter + wait - q * period + c)
        if limit is not None and worst > limit:
            break
    return Bound(blocking, worst, busy, instances)


def priority_bounds(
    streams: Sequence[Stream], bit: int, faults: Faults | None, jitters: Sequence[int], limits: Sequence[int] | None
) -> list[Bound | None]:
    """Every message that waits in a priority queue; streams in bus order, `jitters` as the others see them.

    `limits`: stop behind the first message whose response time exceeds its limit.
    """
    blocking = [0] * len(streams)
    for i in range(len(streams) - 2, -1, -1):
        blocking[i] = max(blocking[i + 1], streams[i + 1].longest)
    found: list[Bound | None] = []
    higher: Higher = []
    for i, stream in enumerate(streams):
        one = None
        if stream.fifo is None:
            one = level(stream, higher, blocking[i], bit, faults, limits[i] if limits else None)
        found.append(one)
        if limits and one and one.worst > limits[i]:
            return found
        higher.append((stream.longest, stream.period, jitters[i]))
    return found


def fifo_bounds(streams: Sequence[Stream], bit: int, faults: Faults | None) -> tuple[dict[int, Bound], int | None]:
    """Every message that waits in a FIFO queue; and the number of one whose response time exceeds its period, where
    the bound does not hold."""
    members = [i for i, stream in enumerate(streams) if stream.fifo is not None]
    found = {i: Bound(0, streams[i].jitter + streams[i].longest, 0, 1) for i in members}
    while True:
        seen = [found[i].worst if i in found else stream.jitter for i, stream in enumerate(streams)]
        after = {}
        for i in members:
            one = _behind(streams, i, seen, bit, faults)
            if one is None:
                return found, i
            after[i] = one
        if all(after[i].worst == found[i].worst for i in members):
            return after, None
        found = after


def _behind(
    streams: Sequence[Stream], which: int, seen: Sequence[int], bit: int, faults: Faults | None
) -> Bound | None:
    """Behind one frame of each other member of the queue, all at the lowest member's priority."""
    stream = streams[which]
    group = [i for i, other in enumerate(streams) if other.fifo == stream.fifo]
    lowest = group[-1]
    sizes = [streams[i].longest for i in group]
    higher = [
        (s.longest, s.period, seen[i])
        for i, s in enumerate(streams[:lowest])
        if s.fifo is None or s.fifo != stream.fifo
    ]
    again = max([*sizes, *(row[0] for row in higher)])
    blocking = max([*sizes, *(s.longest for s in streams[lowest + 1 :])])
    ahead = blocking + sum(sizes) - stream.longest
    wait, before = ahead, -1
    while wait != before:
        before = wait
        wait = ahead + sum([-(-(before + j + bit) // t) * k for k, t, j in higher])
        if faults:
            wait += faults.cost(before + stream.longest, again)
        if stream.jitter + wait + stream.longest > stream.period:
            return None
    return Bound(blocking, stream.jitter + wait + stream.longest, wait + stream.longest, 1)
