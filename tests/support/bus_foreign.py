"""Random runs with foreign senders: whole frames, some of them malformed, that react to nothing."""

from __future__ import annotations

import random

from bus_cases import FORMATS, MODES, Fault, Scenario, Setup, random_frame
from bus_scenes import levels
from oracle.bus_oracle import Request
from oracle.wire_oracle import header

GAPS = [0, 1, 2, 2, 3, 3, 4, 5, 8, 10, 11, 12, 14, 20]  # from EOF to the next SOF: overload, join, suspend, integrate
TAILS = ["", "", "", "0", "10", "110", "1001", "101" + "0", "1111110", "11111110", "111111110", "1" * 9 + "0"]
COUNTERS = [0, 0, 0, 1, 7, 96, 119, 120, 126, 127, 128, 129, 135, 247, 248, 255]


def foreign_frame(rng: random.Random) -> str:
    """SOF to EOF; a reserved bit, the stuff count or the end may be unlike a controller's."""
    frame = random_frame(rng, fd=True)
    kind = rng.random()
    odd = [name for name, _ in header(frame) if name in ("SRR", "RRS", "r0", "r1", "res")]
    changed = {name: rng.randrange(2) for name in odd} if kind < 0.3 else {}
    stuff_count = rng.randrange(8) if frame.fd and kind > 0.8 else None
    out = levels(frame, stuff_count, rng.choice(TAILS), **changed)
    if rng.random() < 0.3:
        at = rng.randrange(1, len(out))
        out = out[:at] + str(1 - int(out[at])) + out[at + 1 :]
    return out


def foreign_scenario(seed: int) -> Scenario:
    """Two to six nodes of all modes and formats, requests between foreign frames that stand close together, faults."""
    rng = random.Random(seed)
    count = rng.randint(2, 6)
    nodes = [
        Setup(
            rng.choices(MODES, [5, 2, 2, 2])[0], rng.choices(FORMATS, [3, 1, 1])[0], rng.choice([1, 2]),
            rng.random() < 0.5, rng.random() < 0.7, rng.random() < 0.5, rng.choice(COUNTERS), rng.choice(COUNTERS),
            rng.random() < 0.8,
        )
        for _ in range(count)
    ]  # fmt: skip
    faults, at = [], rng.choice([0, 0, 5, 12, 30])
    ends = [0]
    for _ in range(rng.randint(1, 4)):
        pattern = foreign_frame(rng)
        faults.append(Fault(at, "drive", pattern=pattern))
        at += len(pattern) + rng.choice(GAPS)
        ends.append(at)
    bits = at + 150
    requests = []
    for _ in range(rng.randint(0, 6)):
        number = rng.randrange(count)
        frame = random_frame(rng, nodes[number].fd == "enabled")
        bit = max(0, rng.choice(ends) + rng.randint(-14, 4))
        requests.append((number, Request(frame, bit, rng.random() < 0.4, rng.random() < 0.3)))
    for _ in range(rng.randint(0, 6)):
        bit = max(0, rng.choice([rng.choice(ends) + rng.randint(-14, 20), rng.randrange(bits)]))
        node = rng.choice([None, *range(count)])
        action, length = rng.choice(["dominant", "recessive", "invert"]), rng.choice([1, 1, 1, 2, 6, 8, 14, 22])
        faults.append(Fault(bit, action, length, node, node is not None and rng.random() < 0.3))
    recover = {rng.randrange(1, bits): [rng.randrange(count)] for _ in range(rng.randint(0, 2))}
    return Scenario(nodes, requests, [fault for fault in faults if fault.bit < bits], bits, recover)
