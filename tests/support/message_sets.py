"""Random sets of messages with their twins for the response time oracle: 1 bit is 1000 ns."""

from __future__ import annotations

import random
from typing import NamedTuple

from oracle import response_oracle as twin

from canal_fast.analysis import Message

BITRATE, BIT_NS = 1_000_000, 1000


class MessageSet(NamedTuple):
    """Messages in bus order, and the same as streams in bits."""

    messages: list[Message]
    streams: list[twin.Stream]


def random_set(
    rng: random.Random, *, jitter: bool = False, nodes: int = 0, load: float | None = None, fd: bool = False
) -> MessageSet:
    """2 to 8 messages that take `load` of the bus at most, at their longest; `fd`: every second is a CAN FD one."""
    load = rng.uniform(0.3, 0.97) if load is None else load
    count = rng.randint(2, 8)
    shares = [rng.random() + 0.1 for _ in range(count)]
    found = []
    for number, (share, identifier) in enumerate(zip(shares, rng.sample(range(0x800), count), strict=True)):
        extended, size = rng.random() < 0.3, rng.randint(0, 8)
        is_fd = fd and rng.random() < 0.5
        size = rng.choice([size, 12, 16, 20, 32, 64]) if is_fd else size
        bits = twin.fd_bits(size, extended) if is_fd else twin.classical_bits(size, extended)
        period = max(bits, int(bits * sum(shares) / (share * load)) + 1)
        period = rng.choice([period, -(-period // 50) * 50, -(-period // 250) * 250])
        late = rng.randint(0, period // rng.choice([2, 4, 10])) if jitter else 0
        node = f"node{rng.randrange(nodes)}" if nodes else None
        identifier = identifier << 18 | rng.getrandbits(18) if extended else identifier
        key = int("".join(map(str, twin.arbitration_key(identifier, extended, False))).ljust(32, "0"), 2)
        message = Message(
            f"m{number}",
            identifier,
            size,
            period * BIT_NS,
            late * BIT_NS,
            is_extended=extended,
            is_fd=is_fd,
            sender=node,
        )
        found.append((message, twin.Stream(key, bits, period, late, node)))
    found.sort(key=lambda pair: pair[1].key)
    return MessageSet([m for m, _ in found], [s for _, s in found])


def random_jobs(rng: random.Random, streams: list[twin.Stream], count: int) -> list[twin.Job]:
    """About `count` periods of the slowest: offsets and jitters at random, or all at once, or as close as may be."""
    manner = rng.choice(["random", "together", "bunched"])
    length = count * max(int(s.t) for s in streams)
    instant = rng.randint(0, length // 2)
    jobs = []
    for number, stream in enumerate(streams):
        period, jitter = int(stream.t), int(stream.j)
        offset = rng.randint(0, period - 1) if manner == "random" else (instant - jitter) % period
        for n in range(length // period + 1):
            due = offset + n * period
            late = rng.randint(0, jitter)
            if manner == "bunched":  # all that may wait for the instant do
                late = min(max(0, instant - due), jitter)
            jobs.append(twin.Job(number, due, due + late))
            if manner == "random" and rng.random() < 0.05:
                offset += rng.randint(0, period)  # a longer distance than the least
    return jobs


def worst(sent: list[twin.Sent], count: int) -> list[int]:
    """Greatest response time of each stream."""
    found = [0] * count
    for one in sent:
        found[one.job.stream] = max(found[one.job.stream], one.end - one.job.due)
    return found
