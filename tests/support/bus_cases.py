"""Runs of a bus for the tests: the same scenario in the C simulation and in its slow twin."""

from __future__ import annotations

import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from oracle import bus_oracle as oracle
from oracle.wire_oracle import FD_LENGTHS, Frame

import canal_fast as cf
from canal_fast.simulation import _simulation

MODES = ["normal", "self_test", "restricted", "listen_only"]
FORMATS = ["enabled", "tolerant", "classical"]
EVENTS = [name.lower() for _, name, _ in _simulation.event_table()]
PLACES = [name for name, _ in _simulation.place_table()]
OFF = 3
NEEDS_EDGES = 2


class Setup(NamedTuple):
    """Options of a node."""

    mode: str = "normal"
    fd: str = "enabled"
    ack_bits: int = 1
    exception: bool = True
    automatic: bool = True
    by_priority: bool = True
    tec: int = 0
    rec: int = 0
    idle: bool = True


class Fault(NamedTuple):
    bit: int
    action: str
    length: int = 1
    node: int | None = None
    driven: bool = False
    """What the node drives instead of what it samples."""
    pattern: str = ""

    def line(self) -> str:
        what = f"{self.action} {self.pattern}" if self.pattern else f"{self.action} for {self.length}"
        side = "" if self.node is None else f" {'by' if self.driven else 'at'} n{self.node}"
        return f"bit {self.bit} {what}{side}"

    def apply(self, bit: int, level: int) -> int:
        at = bit - self.bit
        if not 0 <= at < (len(self.pattern) or self.length):
            return level
        sent = int(self.pattern[at]) if self.pattern else 0
        return {"dominant": 0, "recessive": 1, "invert": 1 - level, "drive": level & sent, "force": sent}[self.action]


class Scenario(NamedTuple):
    nodes: list[Setup]
    requests: list[tuple[int, oracle.Request]]
    faults: list[Fault]
    bits: int
    recover: Mapping[int, list[int]] = MappingProxyType({})


class Outcome(NamedTuple):
    bits: list[int]
    driven: list[list[int]]
    events: list[tuple[int, int, str, str, int, int, int]]
    """Bit, node, event, field, bit in the field, TEC, REC."""
    times: list[tuple[int, ...]]
    """Of the events: time, identifier, state, transmitter, driven."""
    sent: list[list[Frame]]
    received: list[list[Frame]]


def record(frame: Frame) -> cf.FrameArray:
    frames = np.zeros(1, cf.FD_FRAME_DTYPE)
    frames["arbitration_id"], frames["dlc"] = frame.arbitration_id, frame.dlc
    frames["flags"] = frame.extended | frame.remote << 1 | frame.fd << 3 | frame.brs << 4 | frame.esi << 5
    frames["data"][0, : frame.size()] = list(frame.data[: frame.size()])
    return frames


def to_frame(row: Any) -> Frame:
    flags, dlc = int(row["flags"]), int(row["dlc"])
    frame = Frame(int(row["arbitration_id"]), *(bool(flags & f) for f in (1, 2, 8, 16, 32)), dlc)
    return frame._replace(data=bytes(row["data"][: frame.size()].tolist()))


def add_nodes(bus: Any, nodes: list[Setup], requests: list[tuple[int, oracle.Request]]) -> None:
    """To the simulation's glue."""
    none = np.zeros(0, np.uint32)
    for n in nodes:
        bus.add_node(
            MODES.index(n.mode), FORMATS.index(n.fd), n.ack_bits, n.exception, not n.automatic, not n.idle,
            not n.by_priority, n.tec, n.rec, none,
        )  # fmt: skip
    for number, r in requests:
        assert bus.send(number, record(r.frame), np.array([r.bit]), r.one_shot | r.own << 1) == (0, 1)


def outcome(count: int, bits: list[int], driven: list[list[int]], events: Any, frames: Any) -> Outcome:
    """Of the arrays that the glue has filled."""
    told = [
        (bit, node, EVENTS[event], PLACES[field], index, tec, rec)
        for bit, node, event, field, index, tec, rec in events[
            ["bit", "node", "event", "field", "field_bit", "tec", "rec"]
        ].tolist()
    ]
    logged = [(row["channel"], row["flags"] & 0x40, to_frame(row)) for row in frames if not row["flags"] & 0x84]
    return Outcome(
        bits,
        driven,
        [event for event in told if event[2] not in ("state", "abandoned")],
        events[["timestamp_ns", "arbitration_id", "state", "transmitter", "driven"]].tolist(),
        [[frame for node, tx, frame in logged if node == k and tx] for k in range(count)],
        [[frame for node, tx, frame in logged if node == k and not tx] for k in range(count)],
    )


def in_c(scenario: Scenario, whole_frames: bool | None = None, chunk: int = 0, data_bitrate: int = 0) -> Outcome:
    """The simulation's glue. `whole_frames`: None also records what each node drives; `chunk`: so many bits a call."""
    bus = _simulation.Bus(500_000, data_bitrate, bool(whole_frames))
    add_nodes(bus, scenario.nodes, scenario.requests)
    names = [f"n{i}".encode() for i in range(len(scenario.nodes))]
    for fault in scenario.faults:
        assert bus.inject(fault.line().encode(), names) is None
    stops = sorted({*scenario.recover, *range(0, scenario.bits, chunk or scenario.bits), scenario.bits} - {0})
    events, frames = np.zeros(1000, _simulation.EVENT_DTYPE), np.zeros(400, cf.FD_FRAME_DTYPE)
    parts: list[list[Any]] = [[], [], [], []]
    end = 0
    for stop in stops:
        while bus.bit < stop:
            begin = bus.bit
            bits, driven = (
                np.zeros(stop - begin, np.uint8),
                np.zeros(stop - begin if whole_frames is None else 0, np.uint64),
            )
            end, event_count, frame_count = bus.run(stop, events, frames, bits, driven, np.zeros(0, np.uint8))
            done = bus.bit - begin
            for part, array, count in zip(
                parts, (bits, driven, events, frames), (done, done, event_count, frame_count), strict=True
            ):
                part.append(array[:count].copy())
            if end == NEEDS_EDGES:
                break
        for number in scenario.recover.get(stop, []):
            bus.recover(number)
        if end == NEEDS_EDGES:
            break
    bits, driven, events, frames = (np.concatenate(part) for part in parts)
    count = len(scenario.nodes)
    levels = [(1 - (driven >> np.uint64(k) & np.uint64(1)).astype(int)).tolist() for k in range(count)]
    return outcome(count, bits.tolist(), levels, events, frames)


def in_twin(scenario: Scenario) -> Outcome:
    nodes = [
        oracle.Node(
            n.tec, n.rec, mode=n.mode, fd=n.fd, ack_bits=n.ack_bits, exception=n.exception, automatic=n.automatic,
            by_priority=n.by_priority, idle=n.idle,
            queue=[r for number, r in sorted(scenario.requests, key=lambda pair: pair[1].bit) if number == k],
        )
        for k, n in enumerate(scenario.nodes)
    ]  # fmt: skip

    def force(bit: int, node: int, level: int, driven: bool = False) -> int:
        for fault in scenario.faults:
            if (-1 if fault.node is None else fault.node) == node and fault.driven == driven:
                level = fault.apply(bit, level)
        return level

    run = oracle.simulate(nodes, scenario.bits, force, scenario.recover)
    events = [(bit, k, *rest) for k, node in enumerate(nodes) for bit, *rest in node.events]
    return Outcome(
        run.bits,
        run.driven,
        sorted((event for event in events if event[2] != "abandoned"), key=lambda event: event[:2]),
        [],
        [[frame for _, frame in node.sent] for node in nodes],
        [[frame for _, frame in node.received] for node in nodes],
    )


def random_frame(rng: random.Random, fd: bool) -> Frame:
    extended = rng.random() < 0.35
    flexible = fd and rng.random() < 0.5
    remote = not flexible and rng.random() < 0.15
    dlc = rng.choice([0, 1, 2, 3, 8, 9, 11, 13]) if flexible else rng.randrange(11)
    width = 29 if extended else 11
    identifier = rng.choice([rng.getrandbits(width), 0x123 << (width - 11) | rng.randrange(4), 0])
    size = 0 if remote else FD_LENGTHS[dlc] if flexible else min(dlc, 8)
    data = rng.choice([rng.randbytes(size), bytes(size), b"\xff" * size])
    brs = flexible and rng.random() < 0.5
    return Frame(identifier, extended, remote, flexible, brs, flexible and rng.random() < 0.2, dlc, data)


def random_scenario(seed: int, count: int | None = None, faults: int | None = None, fd: bool | None = None) -> Scenario:
    """Two to six nodes, their requests, and many faults close together."""
    rng = random.Random(seed)
    fd = rng.random() < 0.5 if fd is None else fd
    count = rng.randint(2, 6) if count is None else count
    counters = [0, 0, 0, 1, 90, 100, 120, 127, 128, 130, 140, 200, 248, 255]
    nodes = [
        Setup(
            rng.choices(MODES, [12, 1, 1, 1])[0], rng.choices(FORMATS, [6, 1, 1])[0] if fd else "classical",
            rng.choice([1, 1, 2]), rng.random() < 0.5, rng.random() < 0.7, rng.random() < 0.6,
            rng.choice(counters), rng.choice(counters), rng.random() < 0.9,
        )
        for _ in range(count)
    ]  # fmt: skip
    bits = rng.randint(150, 700) if rng.random() < 0.9 else 3000
    requests = []
    for _ in range(rng.randint(1, 6)):
        number = rng.randrange(count)
        frame = random_frame(rng, nodes[number].fd == "enabled")
        at = rng.choice([0, 0, rng.randrange(bits)])
        requests.append((number, oracle.Request(frame, at, rng.random() < 0.15, rng.random() < 0.15)))
    hits = []
    for _ in range(rng.randint(0, 12) if faults is None else faults):
        near = rng.choice(hits).bit if hits and rng.random() < 0.6 else rng.randrange(bits)
        bit = min(bits - 1, near + rng.randint(0, 25))
        action = rng.choice(["dominant", "recessive", "invert", "invert", "drive", "force"])
        node = rng.choice([None, *range(count)])
        if action in ("drive", "force"):
            pattern = "".join(rng.choice("0001") for _ in range(rng.randint(1, 30)))
            node = None if action == "drive" else node
        else:
            pattern = ""
        length = rng.choice([1, 1, 1, 2, 3, 5, 6, 7, 9, 14, 17, 40])
        hits.append(Fault(bit, action, length, node, node is not None and rng.random() < 0.3, pattern))
    recover = {rng.randrange(1, bits): [rng.randrange(count)] for _ in range(rng.randint(0, 3))}
    return Scenario(nodes, requests, hits, bits, recover)


def calm_scenario(seed: int) -> Scenario:
    """Two to five error active nodes with much to send, and at most one fault."""
    rng = random.Random(seed)
    fd = rng.random() < 0.5
    count = rng.randint(2, 5)
    ack_bits = rng.choice([1, 1, 2])
    modes = ["normal"] + rng.choices(MODES, [12, 1, 1, 1], k=count - 1)
    nodes = [
        Setup(
            mode, "enabled" if fd else rng.choice(FORMATS), ack_bits, rng.random() < 0.5,
            tec=rng.choice([0, 50, 127]), rec=rng.choice([0, 1, 100]), by_priority=rng.random() < 0.7,
        )
        for mode in modes
    ]  # fmt: skip
    requests = [
        (number := rng.randrange(count), oracle.Request(random_frame(rng, nodes[number].fd == "enabled" and fd), at))
        for at in sorted(rng.choice([0, rng.randrange(3000)]) for _ in range(rng.randint(1, 20)))
    ]
    faults = [Fault(rng.randrange(3000), "invert")] if rng.random() < 0.3 else []
    return Scenario(nodes, requests, faults, rng.choice([3000, 3000, 500]))


def first_difference(a: Outcome, b: Outcome) -> str:
    """Empty where they are equal."""
    for name, one, other in zip(Outcome._fields, a, b, strict=True):
        if one != other and (name != "times" or (one and other)):
            rows = [(k, x, y) for k, (x, y) in enumerate(zip(one, other, strict=False)) if x != y]
            return f"{name}: {rows[:2] if rows else (len(one), len(other))}"[:600]
    return ""
