"""The virtual bus told bit by bit: who sends when, who wins, what arrives. Slow and obvious.

A frame is (identifier, extended, remote, dlc, data); time is whole bits since the bus was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

MASK64 = (1 << 64) - 1


class Frame(NamedTuple):
    identifier: int
    extended: bool
    remote: bool
    dlc: int
    data: bytes  # as many bytes as are sent


class Arrival(NamedTuple):
    end: int  # bits
    node: int
    frame: Frame

    def stamp(self, bitrate: int, t0: int = 0) -> int:
        return (self.end * 1_000_000 // bitrate + t0) % 2**32


def bits_of(value: int, width: int) -> list[int]:
    return [value >> i & 1 for i in reversed(range(width))]


def arbitration_field(frame: Frame) -> list[int]:
    if frame.extended:
        return [*bits_of(frame.identifier >> 18, 11), 1, 1, *bits_of(frame.identifier & 0x3FFFF, 18), int(frame.remote)]
    return [*bits_of(frame.identifier, 11), int(frame.remote), 0]


def frame_bits(frame: Frame) -> int:
    """SOF to the last EOF bit, stuff bits included."""
    stream = [0, *arbitration_field(frame), *([0, 0] if frame.extended else [0]), *bits_of(frame.dlc, 4)]
    for byte in frame.data:
        stream += bits_of(byte, 8)
    crc = 0
    for bit in stream:
        top = crc >> 14 & 1
        crc = crc << 1 & 0x7FFF
        if top != bit:
            crc ^= 0x4599
    stream += bits_of(crc, 15)
    sent: list[int] = []
    for bit in stream:
        sent.append(bit)
        if len(sent) >= 5 and len(set(sent[-5:])) == 1:
            sent.append(1 - bit)
    return len(sent) + 1 + 2 + 7


def simulate(nodes: list[list[tuple[int, Frame]]]) -> Iterator[Arrival]:
    """Each node sends its (ready, frame) list in order; those waiting when the bus is free arbitrate."""
    queues = [list(node) for node in nodes]
    free = 0
    while any(queues):
        start = max(free, min(queue[0][0] for queue in queues if queue))
        rivals = [i for i, queue in enumerate(queues) if queue and queue[0][0] <= start]
        winner = min(rivals, key=lambda i: arbitration_field(queues[i][0][1]))
        frame = queues[winner].pop(0)[1]
        end = start + frame_bits(frame)
        free = end + 3
        yield Arrival(end, winner, frame)


def splitmix64(seed: int) -> Iterator[int]:
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & MASK64
        x = ((seed ^ seed >> 30) * 0xBF58476D1CE4E5B9) & MASK64
        x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK64
        yield x ^ x >> 31


def generate(
    count: int,
    *,
    bitrate: int,
    load: Fraction | None = None,
    rate: Fraction | None = None,
    seed: int = 0,
    ids: list[int] | range = range(0x800),
    extids: list[int] | range = range(0x20000000),
    dlc: list[int] | range = range(8, 9),
    ext: Fraction = Fraction(0),
    remote: Fraction = Fraction(0),
) -> list[tuple[int, Frame]]:
    """The generator's first frames, each with the bit at which it is ready."""
    random = splitmix64(seed)
    out: list[tuple[int, Frame]] = []
    due = Fraction(0)
    for sequence in range(count):
        kind, choice, tail = next(random), next(random), next(random)
        code = dlc[(kind >> 40) % len(dlc)]
        is_remote = (kind & 0xFFFFF) * 1_000_000 >> 20 < remote * 1_000_000
        extended = (kind >> 20 & 0xFFFFF) * 1_000_000 >> 20 < ext * 1_000_000
        pool = extids if extended else ids
        identifier = pool[choice % len(pool)]
        length = 0 if is_remote else min(code, 8)
        data = tail.to_bytes(8, "little")[:length]
        if length >= 4:
            data = sequence.to_bytes(4, "little") + data[4:]
        else:
            identifier, extended = sequence % 2**29, True
        frame = Frame(identifier, extended, is_remote, code, data)
        out.append((int(due), frame))
        if load is not None:
            due += (frame_bits(frame) + 3) / load
        elif rate is not None:
            due += Fraction(bitrate) / rate
    return out


def arrived(arrivals: list[Arrival], ns: int, bitrate: int) -> list[Arrival]:
    """Those whose last bit is over after `ns`."""
    now = ns * bitrate // 1_000_000_000
    return [a for a in arrivals if a.end <= now]
