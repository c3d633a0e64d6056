"""A CAN bus quantum by quantum: clocks, delays, synchronisation, two bit rates, transmitter delay compensation.

ISO 11898-1:2015, clause 11.3. The controllers are those of bus_oracle; here are their clocks. Times are integers of any
one unit. Each node looks at the end of each of its time quanta at the level just before, and acts on it at once: an
edge is seen in the quantum in which it falls, a bit is what the level is just before its sample point. Slow on purpose;
imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .bus_oracle import Node


class Timing(NamedTuple):
    """One bit rate in quanta: sync (1), tseg1, sample, tseg2."""

    quantum: int
    tseg1: int
    tseg2: int
    sjw: int
    triple: bool = False


class Glitch(NamedTuple):
    """From `begin` on each of `levels` lasts `step`. `node` None: on the bus; `driven`: what the node sends."""

    begin: int
    step: int
    action: str
    levels: str
    node: int | None = None
    driven: bool = False

    def apply(self, time: int, level: int) -> int:
        """What is made of a level just before `time`."""
        if not self.begin < time <= self.begin + self.step * len(self.levels):
            return level
        sent = int(self.levels[(time - self.begin - 1) // self.step])
        return {"dominant": 0, "recessive": 1, "invert": 1 - level, "drive": level & sent, "force": sent}[self.action]


class Sample(NamedTuple):
    time: int
    node: int
    level: int


class Station:
    """A controller and its clock."""

    def __init__(
        self, node: Node, nominal: Timing, data: Timing | None = None, clock: int = 1, offset: int | None = None
    ) -> None:
        self.node, self.nominal, self.data = node, nominal, data or nominal
        self.clock, self.offset = clock, offset  # of the secondary sample point, in clock periods; None: none
        self.timing = nominal
        self.drives: list[tuple[int, int]] = []  # (time, level) of what the node drives
        self.out = 1
        self.tick = 0  # end of the present quantum
        self.position = 0  # of the present quantum in its bit
        self.seen = [1, 1, 1]  # at the ends of the last quanta, the last first
        self.armed = True
        self.res: int | None = None  # when the transmitter's res bit began
        self.delay: int | None = None  # measured, in clock periods
        self.unchecked: list[tuple[int, int]] = []  # (secondary sample point, level sent)
        self.mismatch = False
        self.measured: list[int] = []

    def start_bit(self, time: int) -> None:
        self.position = 0
        if self.node.drive != self.out:
            self.out = self.node.drive
            self.drives.append((time, self.out))
        if self.node.transmitter and self.node.place == ("res", 1):
            self.res = time
        if self.delay is not None and self.offset is not None and self.node.fast and self.node.transmitter:
            self.unchecked.append((time + (self.delay + self.offset) * self.clock, self.out))

    def is_hard(self, behind_sample: bool) -> bool:
        field, index = self.node.place
        if field == "sof":
            return behind_sample and self.node.transmitter
        if field == "intermission":
            return index >= 2
        return field in ("idle", "integrating", "bus_off", "suspend") or self.node.before_res

    def edge(self, time: int) -> None:
        """A falling edge in the quantum that ends now."""
        timing = self.timing
        behind_sample = self.position > timing.tseg1
        if self.is_hard(behind_sample):
            if self.node.place[0] == "integrating" and self.node.fd == "enabled":
                self.node.ones = 0
            if behind_sample:
                self.start_bit(time)
            self.position = 0
        else:
            error = self.position - (1 + timing.tseg1 + timing.tseg2 if behind_sample else 0)
            if (self.node.fast and self.node.transmitter) or (error > 0 and self.out == 0):
                return
            self.position -= max(-timing.sjw, min(error, timing.sjw))
            if self.position == 1 + timing.tseg1 + timing.tseg2:
                self.start_bit(time)
        self.armed = False


class Bus:
    """Stations, delays[sender][receiver] and glitches; `bit`: the unit in which requests and events count."""

    def __init__(
        self, stations: Sequence[Station], delays: Sequence[Sequence[int]], bit: int, glitches: Sequence[Glitch] = ()
    ) -> None:
        self.stations, self.delays, self.bit, self.glitches = stations, delays, bit, glitches
        self.samples: list[Sample] = []

    def sent(self, sender: int, time: int) -> int:
        """What its driver puts on the wire just before `time`."""
        level = 1
        for begin, now in self.stations[sender].drives:
            if begin < time:
                level = now
        for glitch in self.glitches:
            if glitch.driven and glitch.node == sender:
                level = glitch.apply(time, level)
        return level

    def level(self, receiver: int, time: int) -> int:
        """What the receiver sees just before `time`."""
        level = min(self.sent(k, time - delays[receiver]) for k, delays in enumerate(self.delays))
        for node in (None, receiver):
            for glitch in self.glitches:
                if not glitch.driven and glitch.node == node:
                    level = glitch.apply(time, level)
        return level

    def run(self, until: int) -> None:
        """To `until`, not included."""
        for station in self.stations:
            if station.tick == 0:
                station.start_bit(0)
                station.tick = station.timing.quantum
        while (time := min(station.tick for station in self.stations)) < until:
            now = [k for k, station in enumerate(self.stations) if station.tick == time]
            levels = [self.level(k, time) for k in now]  # before anybody acts
            for k, level in zip(now, levels, strict=True):
                self.quantum(k, time, level)

    def quantum(self, k: int, time: int, level: int) -> None:
        s = self.stations[k]
        if s.seen[0] and not level and s.armed:
            s.edge(time)
        s.seen = [level, *s.seen[:2]]
        for at, sent in [entry for entry in s.unchecked if entry[0] <= time]:
            s.unchecked.remove((at, sent))
            s.mismatch |= self.level(k, at) != sent
        if s.position == s.timing.tseg1:
            self.sample(k, time)
        s.position += 1
        if s.position == 1 + s.timing.tseg1 + s.timing.tseg2:
            s.start_bit(time)
        s.tick = time + s.timing.quantum

    def sample(self, k: int, time: int) -> None:
        s = self.stations[k]
        level = sorted(s.seen)[1] if s.timing.triple else s.seen[0]
        self.samples.append(Sample(time, k, level))
        taken = level
        fast = s.node.fast
        if fast and s.node.transmitter and s.delay is not None and s.offset is not None:
            taken = s.node.drive ^ s.mismatch  # the bit itself is compared at its secondary sample point
        s.mismatch = False
        s.node.step(taken, time // self.bit)
        s.armed = bool(level)
        if s.node.fast and not fast and s.node.transmitter:
            s.delay = self.measure(k, time)
        if fast and not s.node.fast:
            s.unchecked, s.delay, s.res = [], None, None
        s.timing = s.data if s.node.fast else s.nominal
        s.position = s.timing.tseg1

    def measure(self, k: int, now: int) -> int | None:
        """Clock periods from the beginning of the own res bit to its arrival."""
        s = self.stations[k]
        if s.res is None:
            return None
        count = 0
        while s.res + (count + 1) * s.clock <= now:
            if not self.level(k, s.res + (count + 1) * s.clock):
                s.measured.append(count)
                return count
            count += 1
        return None
