"""Worst-case response times on CAN, in fractions, and a queue that is simply run.

The formulas are those of Davis, Burns, Bril, Lukkien: Controller Area Network (CAN) schedulability analysis (Real-Time
Systems 35, 2007); those of FIFO queues follow Davis, Kollmann, Pollex, Slomka (2011). Slow on purpose; imports nothing
of ours. All times are in one unit that the caller chooses.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

ERROR_BITS = 31


class Stream(NamedTuple):
    """A message: longest transmission C, period or least distance T, queueing jitter J. The lowest key wins."""

    key: int
    c: Fraction | int
    t: Fraction | int
    j: Fraction | int = 0
    node: str | None = None


class Bound(NamedTuple):
    response: Fraction
    busy: Fraction
    instances: int


def classical_bits(payload: int, extended: bool) -> int:
    """Longest frame with its intermission, in bits (Davis et al. 2007, equation 1 and its extended form)."""
    return (80 if extended else 55) + 10 * payload


def fd_bits(payload: int, extended: bool) -> int:
    """The same of a CAN FD frame at one bit rate (ISO 11898-1:2015, 10.4): SOF to the last data bit with all dynamic
    stuff bits that fit; stuff count and CRC with a fixed stuff bit before every fourth; delimiters, ACK, EOF,
    intermission."""
    stuffed = (41 if extended else 22) + 8 * payload
    fixed = 4 + (17 if payload <= 16 else 21)
    return stuffed + (stuffed - 2) // 4 + fixed + math.ceil(fixed / 4) + 10 + 3


def arbitration_key(identifier: int, extended: bool, remote: bool) -> list[int]:
    """Levels in the order sent, 0 dominant: identifier, RTR or SRR, IDE, 18 more bits, RTR."""
    if not extended:
        return [identifier >> bit & 1 for bit in range(10, -1, -1)] + [int(remote), 0]
    high, low = identifier >> 18, identifier & 0x3FFFF
    head = [high >> bit & 1 for bit in range(10, -1, -1)] + [1, 1]
    return head + [low >> bit & 1 for bit in range(17, -1, -1)] + [int(remote)]


def faults(t: Fraction, interval: Fraction | None) -> int:
    """The most faults within t, half open, when they are at least `interval` apart."""
    return 0 if interval is None else math.ceil(t / interval)


def bound(
    streams: Sequence[Stream],
    which: int,
    bit: Fraction | int,
    interval: Fraction | None = None,
    *,
    first_only: bool = False,
) -> Bound:
    """Response time of streams[which]; all wait in priority queues. Utilisation must be below 1.

    `first_only`: of the first instance, as the refuted analysis of 1994 has it.
    """
    m = streams[which]
    bit = Fraction(bit)
    higher = [s for s in streams if s.key < m.key]
    level = [*higher, m]
    blocking = max((Fraction(s.c) for s in streams if s.key > m.key), default=Fraction(0))
    again = ERROR_BITS * bit + max(Fraction(s.c) for s in level)
    t = Fraction(m.c)
    while True:
        longer = blocking + faults(t, interval) * again + sum(math.ceil((t + s.j) / Fraction(s.t)) * s.c for s in level)
        if longer == t:
            break
        t = longer
    instances = 1 if first_only else math.ceil((t + m.j) / Fraction(m.t))
    worst = Fraction(0)
    for q in range(instances):
        w = blocking + q * Fraction(m.c)
        while True:
            longer = blocking + q * m.c + faults(w + m.c, interval) * again
            longer += sum(math.ceil((w + s.j + bit) / Fraction(s.t)) * s.c for s in higher)
            if longer == w:
                break
            w = longer
        worst = max(worst, m.j + w - q * m.t + m.c)
    return Bound(worst, t, instances)


def fifo_bounds(streams: Sequence[Stream], fifos: Iterable[str], bit: Fraction | int) -> list[Fraction] | None:
    """Response times where the named nodes have FIFO queues; None where one of theirs exceeds its period."""
    bit, names = Fraction(bit), set(fifos)
    found = {s.key: Fraction(s.j) + s.c for s in streams if s.node in names}
    while True:
        seen = [s._replace(j=found.get(s.key, Fraction(s.j))) for s in streams]
        after = {}
        for m in (s for s in streams if s.node in names):
            group = [s for s in streams if s.node == m.node]
            lowest = max(s.key for s in group)
            higher = [s for s in seen if s.key < lowest and s.node != m.node]
            below = [Fraction(s.c) for s in streams if s.key > lowest]
            base = max([*below, *(Fraction(s.c) for s in group)]) + sum(s.c for s in group) - m.c
            w = Fraction(base)
            while True:
                longer = base + sum(math.ceil((w + s.j + bit) / Fraction(s.t)) * s.c for s in higher)
                if m.j + longer + m.c > m.t:
                    return None
                if longer == w:
                    break
                w = longer
            after[m.key] = m.j + w + m.c
        if after == found:
            break
        found = after
    return [
        found[s.key] if s.key in found else bound([*seen[:i], s, *seen[i + 1 :]], i, bit).response
        for i, s in enumerate(streams)
    ]


class Job(NamedTuple):
    """One frame to send: when it is due (its period's beginning), when it is queued."""

    stream: int
    due: int
    queued: int


class Sent(NamedTuple):
    job: Job
    start: int
    end: int


def run_queue(
    streams: Sequence[Stream], jobs: Iterable[Job], fifos: Iterable[str] = (), hits: Sequence[int] = (), bit: int = 1
) -> list[Sent]:
    """Send the jobs: whenever the bus is free, the lowest key that is queued by then; nothing is interrupted.

    A fault in `hits` destroys the frame that is being sent, which costs 31 bits more and is sent again.
    """
    coming = sorted(jobs, key=lambda job: job.queued)
    ready: list[tuple[int, int, Job]] = []
    queues = {name: deque[Job]() for name in fifos}
    waiting = deque(sorted(hits))
    sent: list[Sent] = []
    now = at = 0
    while at < len(coming) or ready or any(queues.values()):
        if not ready and not any(queues.values()):
            now = max(now, coming[at].queued)
        while at < len(coming) and coming[at].queued <= now:
            job = coming[at]
            node = streams[job.stream].node
            if node in queues:
                queues[node].append(job)
            else:
                heapq.heappush(ready, (streams[job.stream].key, at, job))
            at += 1
        heads = [(streams[q[0].stream].key, name) for name, q in queues.items() if q]
        first = min(heads, default=None)
        from_queue = first is not None and (not ready or first[0] < ready[0][0])
        job = queues[first[1]][0] if from_queue and first is not None else ready[0][2]
        end = now + int(streams[job.stream].c)
        while waiting and waiting[0] < now:
            waiting.popleft()
        if waiting and waiting[0] < end:
            now = waiting.popleft() + ERROR_BITS * bit
            continue
        if from_queue and first is not None:
            queues[first[1]].popleft()
        else:
            heapq.heappop(ready)
        sent.append(Sent(job, now, end))
        now = end
    return sent


def critical_instant(streams: Sequence[Stream], which: int, length: int, bit: int = 1) -> list[Sent]:
    """Everything of at least the priority of streams[which] queued at `bit`, the longest lower frame begun at 0."""
    m = streams[which]
    jobs = [
        Job(i, bit + n * int(s.t), bit + n * int(s.t))
        for i, s in enumerate(streams)
        if s.key <= m.key
        for n in range(length // int(s.t) + 1)
    ]
    lower = [i for i, s in enumerate(streams) if s.key > m.key]
    if lower:
        jobs.append(Job(max(lower, key=lambda i: streams[i].c), 0, 0))
    return run_queue(streams, jobs)
