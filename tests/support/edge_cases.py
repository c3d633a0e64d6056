"""Runs of a bus whose nodes have clocks of their own, for the tests: the same in C and in the slow twin."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from bus_cases import FORMATS, MODES, Outcome, Scenario, Setup, add_nodes, outcome, random_frame
from oracle import bus_oracle, edge_oracle
from oracle.edge_oracle import Glitch, Station, Timing
from oracle.wire_oracle import Frame

import canal_fast as cf
from canal_fast.simulation import _simulation

DRIVEN, SEEN, SAMPLED, CHECKED = range(4)  # of cf_edge_kind
NO_BITS = np.zeros(0, np.uint8)
BIT_FS = 2_000_000_000
IDEAL = Timing(125_000_000, 12, 3, 2)


class Clock(NamedTuple):
    """Times in fs."""

    nominal: Timing
    data: Timing
    period: int = 1_000_000
    offset: int = -1
    """Of the secondary sample point, in periods; -1: no compensation."""

    def row(self) -> list[int]:
        phases = [value for t in (self.nominal, self.data) for value in (t.quantum, t.tseg1, t.tseg2, t.sjw)]
        return [*phases, self.period, self.offset, int(self.nominal.triple)]


class EdgeScenario(NamedTuple):
    nodes: list[Setup]
    clocks: list[Clock]
    delays: list[list[int]]
    requests: list[tuple[int, bus_oracle.Request]]
    glitches: list[Glitch]
    bit_fs: int
    until_fs: int


class EdgeOutcome(NamedTuple):
    samples: list[tuple[int, int, int]]
    """Time, node, level."""
    drives: list[tuple[int, int, int]]
    """What is sent; nothing where faults change it."""
    events: list[tuple[int, int, str, str, int, int, int]]
    """Bit, node, event, field, bit in the field, TEC, REC."""
    sent: list[list[Frame]]
    received: list[list[Frame]]


def fault_lines(glitch: Glitch) -> list[str]:
    """As text, nanosecond by nanosecond."""
    begin, step = glitch.begin // 1_000_000, glitch.step // 1_000_000
    side = "" if glitch.node is None else f" {'by' if glitch.driven else 'at'} n{glitch.node}"
    if glitch.action in ("drive", "force"):
        return [f"time {begin} ns {glitch.action} {glitch.levels} each {step} ns{side}"]
    return [f"time {begin} ns {glitch.action} for {step * len(glitch.levels)} ns{side}"]


def clocked_bus(s: EdgeScenario) -> Any:
    bus = _simulation.Bus(500_000, 2_000_000, False)
    add_nodes(bus, s.nodes, s.requests)
    names = [f"n{i}".encode() for i in range(len(s.nodes))]
    for glitch in s.glitches:
        for line in fault_lines(glitch):
            assert bus.inject(line.encode(), names) is None
    bus.start_edges(s.bit_fs, 0)
    bus.connect_edges(np.array([c.row() for c in s.clocks], np.int64), np.array(s.delays, np.int64), 0)
    return bus


def edges_in_c(s: EdgeScenario, chunk_fs: int = 0) -> EdgeOutcome:
    bus = clocked_bus(s)
    parts: list[list[Any]] = [[], [], []]
    arrays = [
        np.zeros(700, _simulation.EVENT_DTYPE), np.zeros(400, cf.FD_FRAME_DTYPE), np.zeros(4000, _simulation.EDGE_DTYPE)
    ]  # fmt: skip
    for stop in [*range(chunk_fs, s.until_fs, chunk_fs or s.until_fs), s.until_fs]:
        while bus.now_fs < stop:
            _, *counts, _ = bus.run_edges(stop, *arrays, NO_BITS, 0)
            for part, array, count in zip(parts, arrays, counts, strict=True):
                part.append(array[:count].copy())
            assert not bus.lost_edges
            assert not bus.lost
            if sum(counts) == 0 and bus.now_fs < stop:
                raise AssertionError("no progress")
    events, frames, edges = (np.concatenate(part) for part in parts)
    told = outcome(len(s.nodes), [], [], events, frames)

    def of(kind: int) -> list[tuple[int, int, int]]:
        rows: list[tuple[int, int, int]] = edges[edges["kind"] == kind][["time_fs", "node", "level"]].tolist()
        return sorted(rows)

    return EdgeOutcome(
        of(SAMPLED),
        [] if any(g.driven for g in s.glitches) else of(DRIVEN),
        sorted(told.events, key=lambda event: event[1]),
        told.sent,
        told.received,
    )


def edges_in_twin(s: EdgeScenario) -> tuple[EdgeOutcome, edge_oracle.Bus]:
    stations = []
    for k, (n, clock) in enumerate(zip(s.nodes, s.clocks, strict=True)):
        queue = [r for number, r in sorted(s.requests, key=lambda pair: pair[1].bit) if number == k]
        node = bus_oracle.Node(
            n.tec, n.rec, mode=n.mode, fd=n.fd, ack_bits=n.ack_bits, exception=n.exception, automatic=n.automatic,
            by_priority=n.by_priority, idle=n.idle, queue=queue,
        )  # fmt: skip
        offset = None if clock.offset < 0 else clock.offset
        stations.append(Station(node, clock.nominal, clock.data, clock.period, offset))
    bus = edge_oracle.Bus(stations, s.delays, s.bit_fs, s.glitches)
    bus.run(s.until_fs)
    nodes = [station.node for station in stations]
    return EdgeOutcome(
        sorted((x.time, x.node, x.level) for x in bus.samples),
        []
        if any(g.driven for g in s.glitches)
        else sorted((time, k, level) for k, station in enumerate(stations) for time, level in station.drives),
        [(bit, k, *rest) for k, node in enumerate(nodes) for bit, *rest in node.events if rest[0] != "abandoned"],
        [[frame for _, frame in node.sent] for node in nodes],
        [[frame for _, frame in node.received] for node in nodes],
    ), bus


def edge_difference(a: EdgeOutcome, b: EdgeOutcome) -> str:
    for name, one, other in zip(EdgeOutcome._fields, a, b, strict=True):
        if one != other:
            rows = [(k, x, y) for k, (x, y) in enumerate(zip(one, other, strict=False)) if x != y]
            return f"{name}: {rows[:2] if rows else (len(one), len(other))}"[:600]
    return ""


def random_timing(rng: random.Random, bit_fs: int, ppm: float, triple: bool = False) -> Timing:
    """About so long a bit; `ppm` off."""
    nbt = rng.choice([4, 5, 8, 8, 10, 16, 20])
    tseg2 = rng.randint(1, max(1, nbt // 2 - 1))
    tseg1 = nbt - 1 - tseg2
    sjw = rng.randint(1, min(tseg1, tseg2, 4))
    return Timing(round(bit_fs / nbt * (1 - ppm / 1e6)), tseg1, tseg2, sjw, triple)


def random_edges(seed: int) -> EdgeScenario:
    """Two to four nodes with clocks and delays within and beyond what holds, frames of both rates, glitches."""
    rng = random.Random(seed)
    count = rng.randint(2, 4)
    fd = rng.random() < 0.6
    bit_fs, data_fs = 2_000_000_000, rng.choice([250_000_000, 500_000_000, 1_000_000_000])
    worst = rng.choice([0, 100, 2000, 2000, 15_000])
    nodes, clocks = [], []
    same = rng.random() < 0.4
    shared = rng.getrandbits(32)
    for _ in range(count):
        nodes.append(
            Setup(
                rng.choices(MODES, [12, 1, 1, 1])[0],
                rng.choices(FORMATS, [8, 1, 1])[0] if fd else "classical",
                rng.choice([1, 1, 1, 2]), rng.random() < 0.5, rng.random() < 0.7, rng.random() < 0.6,
                rng.choice([0, 0, 0, 100, 127, 128, 240]), rng.choice([0, 0, 90, 127, 130]), rng.random() < 0.9,
            )
        )  # fmt: skip
        ppm = rng.uniform(-worst, worst)
        timings = random.Random(shared) if same else rng
        nominal = random_timing(timings, bit_fs, ppm, not fd and timings.random() < 0.3)
        data = random_timing(timings, data_fs, ppm)
        clocks.append(Clock(nominal, data, max(1, data.quantum // rng.choice([1, 2, 5])), rng.choice([-1, 0, 3, 9])))
    longest = rng.choice([0, 0, 100_000_000, 400_000_000, 2_500_000_000])
    delays = [[rng.randrange(longest + 1) for _ in range(count)] for _ in range(count)]
    bits = rng.randint(120, 400)
    requests = []
    for _ in range(rng.randint(1, 4)):
        number = rng.randrange(count)
        frame = random_frame(rng, nodes[number].fd == "enabled")
        if frame.fd:
            frame = frame._replace(brs=rng.random() < 0.7)
        requests.append(
            (number, bus_oracle.Request(frame, rng.choice([0, 0, rng.randrange(bits)]), rng.random() < 0.1))
        )
    glitches = []
    for _ in range(rng.choice([0, 0, 1, 2, 4])):
        action = rng.choice(["dominant", "recessive", "invert", "drive", "force"])
        levels = "".join(rng.choice("01") for _ in range(rng.randint(1, 12))) if action in ("drive", "force") else "0"
        node = rng.choice([None, *range(count)]) if action != "drive" else None
        step = rng.choice([20, 90, 125, 300, 1000, 2000, 5000, 15_000]) * 1_000_000
        begin = rng.choice([rng.randrange(bits * 2000), rng.randrange(bits) * 2000, rng.randrange(bits * 8) * 250])
        driven = node is not None and rng.random() < 0.4
        glitches.append(Glitch(begin * 1_000_000, step, action, levels, node, driven))
    return EdgeScenario(nodes, clocks, delays, requests, glitches, bit_fs, bits * bit_fs)


def ideal_edges(s: Scenario, timing: Timing = IDEAL) -> Outcome:
    """A scenario of bits in the edge gear: one clock, no delays. Levels driven are those in the middle of bits."""
    bus = _simulation.Bus(500_000, 0, False)
    add_nodes(bus, s.nodes, s.requests)
    names = [f"n{i}".encode() for i in range(len(s.nodes))]
    for fault in s.faults:
        assert bus.inject(fault.line().encode(), names) is None
    bus.start_edges(BIT_FS, 0)
    count = len(s.nodes)
    bus.connect_edges(np.array([Clock(timing, timing).row()] * count, np.int64), np.zeros((count, count), np.int64), 0)
    events = np.zeros(1000, _simulation.EVENT_DTYPE)
    arrays = [events, np.zeros(400, cf.FD_FRAME_DTYPE), np.zeros(9000, _simulation.EDGE_DTYPE)]
    parts: list[list[Any]] = [[], [], []]
    for stop in sorted({*s.recover, s.bits} - {0}):
        while bus.now_fs < stop * BIT_FS:
            _, *written, _ = bus.run_edges(stop * BIT_FS, *arrays, NO_BITS, 0)
            for part, array, used in zip(parts, arrays, written, strict=True):
                part.append(array[:used].copy())
        for number in s.recover.get(stop, []):
            bus.recover(number)
    events, frames, edges = (np.concatenate(part) for part in parts)
    middle = np.arange(s.bits, dtype=np.int64) * BIT_FS + BIT_FS // 2
    driven = []
    for k in range(count):
        own = edges[(edges["node"] == k) & (edges["kind"] == DRIVEN)]
        levels = np.concatenate([[1], own["level"]])
        driven.append(levels[np.searchsorted(own["time_fs"], middle)].tolist())
    assert (np.bincount(edges["node"][edges["kind"] == SAMPLED], minlength=count) == s.bits).all()
    return outcome(count, [], driven, events, frames)
