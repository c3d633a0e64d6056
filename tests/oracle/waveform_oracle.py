"""A listening node over edges, one bit at a time, from ISO 11898-1:2015, 11.3 and 10.4 to 10.7.

Time is whole numbers of any unit. Before each bit the node asks what all bits since SOF mean. Slow on purpose; imports
nothing of ours.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from . import wire_oracle as wire

INTEGRATION, STUCK, IDLE, FIRST_IDLE = 11, 32, 13, 6


class Phase(NamedTuple):
    bit: int
    sample: int
    jump: int
    quantum: int = 0  # 0: one sample


class Row(NamedTuple):
    status: str
    start: int  # time
    bit_index: int  # from the row's first bit
    frame: wire.Frame | None
    end: int = -1  # of a stuck line


def place(bits: list[int]) -> str:
    """What the next bit is: 'nominal', 'res', 'data' (at the data rate) or 'exception' (after a recessive res)."""
    plain: list[int] = []
    run, last, fdf = 0, -1, 14
    for index, bit in enumerate(bits):
        if run == 5:
            if bit == last:
                return "nominal"
            run, last = 1, bit
            continue
        run = run + 1 if bit == last else 1
        last = bit
        plain.append(bit)
        got = len(plain)
        if got == 14 and bit:
            fdf = 33
        if got == fdf + 1 and bit == 0:
            return "nominal"
        if got == fdf + 1 and index == len(bits) - 1:
            return "res"
        if got == fdf + 2 and bit:
            return "exception"
        if got == fdf + 3 and bit == 0:
            return "nominal"
        if got >= fdf + 8:
            size = wire.FD_LENGTHS[wire.bits_to_number(plain[fdf + 4 : fdf + 8])]
            if got == fdf + 8 + 8 * size:
                return fixed_part(bits[: index + 1], bits[index + 1 :], 17 if size <= 16 else 21)
    return "data" if len(plain) >= fdf + 3 else "nominal"


def fixed_part(before: list[int], after: list[int], width: int) -> str:
    """The same, `after` the last data bit of a frame with rate switch."""
    count = 4 + width + -(-(4 + width) // 4)
    for index, bit in enumerate(after[:count]):
        if index % 5 == 0 and bit == (before + after)[len(before) + index - 1]:
            return "nominal"
    return "data" if len(after) <= count else "nominal"


def last_event(bits: list[int]) -> str:
    """What a dominant bit after `bits` would begin."""
    whole = [1] * INTEGRATION + bits + [0]
    events = [event for event in wire.stream(whole) if event.start == len(whole) - 1]
    return events[-1].status if events else ""


class Node:
    def __init__(self, edges: list[int], level: int, end: int, nominal: Phase, data: Phase) -> None:
        self.edges, self.level, self.end = edges, level, end
        self.nominal, self.data = nominal, data

    def level_at(self, time: int) -> int:
        return (self.level + bisect_right(self.edges, time)) % 2

    def value(self, phase: Phase, time: int) -> int:
        if not phase.quantum:
            return self.level_at(time)
        return int(sum(self.level_at(time - k * phase.quantum) for k in range(3)) >= 2)

    def stretch(self, first: int) -> tuple[list[int], list[int], int, bool]:
        """Bits from the SOF at edge `first` to an idle bus, times of their samples, next edge, whether it was cut."""
        bits: list[int] = []
        times: list[int] = []
        sample = self.edges[first] + self.nominal.sample
        armed = False
        at = first + 1
        while True:
            where = place(bits)
            phase = self.data if where == "data" else self.nominal
            while at < len(self.edges) and self.edges[at] <= sample:
                time = self.edges[at]
                if self.level_after(at) == 0 and armed:
                    meaning = last_event(bits)
                    if meaning == "TRUNCATED":
                        return bits, times, at, False
                    pausing = meaning == "OVERLOAD" and last_event([*bits, 1]) == "TRUNCATED"
                    error = time - (sample - phase.sample)
                    if not (pausing or where in ("res", "exception")):
                        error = max(-phase.jump, min(phase.jump, error))
                    sample += error
                    armed = False
                at += 1
            if at == len(self.edges) and sample >= self.end:
                return bits, times, at, True
            if bits[-STUCK:] == [0] * STUCK and self.level_after(at - 1) == 0:
                if at == len(self.edges):
                    return bits, times, at, True
                sample += (self.edges[at] - sample) // self.nominal.bit * self.nominal.bit
            bits.append(self.value(phase, sample))
            times.append(sample)
            if bits[-IDLE:] == [1] * IDLE:
                return bits, times, at, False
            armed = bits[-1] == 1
            following = self.data if place(bits) == "data" else self.nominal
            sample += following.bit

    def level_after(self, edge: int) -> int:
        return (self.level + edge + 1) % 2

    def rows(self) -> list[Row]:
        out: list[Row] = []
        edges, bit = self.edges, self.nominal.bit
        at, idle, tentative = 0, False, False
        if self.level == 1 and edges and edges[0] >= FIRST_IDLE * bit:
            idle, tentative = True, edges[0] < INTEGRATION * bit
        while at < len(edges):
            before = edges[at - 1] if at else 0
            if not idle:
                long = edges[at] - before
                if at and self.level_after(at) == 0 and long >= INTEGRATION * bit:
                    idle = True
                    continue
                if self.level_after(at) == 1 and long >= STUCK * bit:
                    out.append(Row("STUCK", before, 0, None, edges[at]))
                at += 1
                continue
            following = edges[at + 1] if at + 1 < len(edges) else self.end
            if at + 1 < len(edges) and following - edges[at] <= self.nominal.sample:
                if edges[at] - before >= INTEGRATION * bit and 2 * (following - edges[at]) >= bit:
                    out.append(Row("FORM_ERROR", edges[at], 0, None))
                at += 2  # no SOF
                continue
            bits, times, after, cut = self.stretch(at)
            found = self.events(at, bits, times, cut)
            if tentative and not (found and found[0].frame):
                idle, tentative, at = False, False, at + 1
                continue
            out += found
            at, tentative = after, False
        if not idle and edges and self.level_after(len(edges) - 1) == 0 and self.end - edges[-1] >= STUCK * bit:
            out.append(Row("STUCK", edges[-1], 0, None, self.end))
        return out

    def events(self, first: int, bits: list[int], times: list[int], cut: bool) -> list[Row]:
        out: list[Row] = []
        lead = [1] * INTEGRATION
        for event in wire.stream(lead + bits):
            start = event.start - INTEGRATION
            if event.status == "TRUNCATED" and not cut:
                break
            run = next((i for i, b in enumerate(bits[start:]) if b), len(bits) - start)
            if run >= STUCK:
                if event.status == "ERROR_FLAG":
                    begin = max(edge for edge in self.edges if edge <= times[start])
                    whole = start + run < len(bits)
                    end = max(e for e in self.edges if e <= times[start + run]) if whole else self.end
                    out.append(Row("STUCK", begin, 0, None, end))
                continue
            index = -1 if event.bit_index < 0 else event.bit_index - INTEGRATION - start
            fast = place(bits[:start]) == "data"
            phase = self.data if fast else self.nominal
            time = self.edges[first] if start == 0 else times[start] - phase.sample
            out.append(Row(event.status, time, index, event.frame))
        return out
