"""The worst moment of a message, frame by frame."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

from .messages import Message

if TYPE_CHECKING:
    from .response import ResponseTimes

__all__ = ["Slot", "critical_instant"]


class Slot(NamedTuple):
    """One frame on the bus: when it was queued, begins and ends (with its intermission), ns from the worst moment."""

    message: Message
    queued_ns: float
    start_ns: float
    end_ns: float


def critical_instant(result: ResponseTimes, name: str | None) -> list[Slot]:
    """As `ResponseTimes.critical_instant`."""
    if result.faults is not None or any(s.fifo for s in result.streams):
        raise ValueError("the worst moment is known for priority queues without errors only")
    row = min(result.rows, key=lambda r: r.slack_ns / r.message.due_ns) if name is None else result[name]
    m, streams, bit = row.priority, result.streams, result.time.bit
    length = row.busy_ns * result.time.per_ns
    coming = sorted(
        (max(0, n * s.period - s.jitter), i)
        for i, s in enumerate(streams[: m + 1])
        for n in range((length + s.jitter) // s.period + 1)
    )
    lower = range(m + 1, len(streams))
    sent: list[tuple[int, int, int, int]] = []  # stream, queued, start, end
    now = 0
    if lower:
        longest = max(lower, key=lambda i: streams[i].longest)
        now = streams[longest].longest - bit
        sent.append((longest, -bit, -bit, now))
    ready: list[tuple[int, int]] = []
    at = nominal = end_of_worst = 0
    worst = -1
    while at < len(coming) or ready:
        if not ready and coming[at][0] > now:
            break  # the busy period ends
        while at < len(coming) and coming[at][0] <= now:
            heapq.heappush(ready, (coming[at][1], coming[at][0]))
            at += 1
        i, queued = heapq.heappop(ready)
        sent.append((i, queued, now, now + streams[i].longest))
        now += streams[i].longest
        if i == m:
            response = now - (nominal * streams[m].period - streams[m].jitter)
            nominal += 1
            if response > worst:
                worst, end_of_worst = response, now
    per = result.time.per_ns
    return [
        Slot(result.rows[i].message, queued / per, start / per, end / per)
        for i, queued, start, end in sent
        if end <= end_of_worst
    ]
