"""A bus with a few controllers for the scenarios in the manner of ISO 16845-1: play one, look at what happened."""

from __future__ import annotations

from typing import Any

import numpy as np
from bus_cases import record
from oracle.wire_oracle import CRC15, CRC17, CRC21, Frame, crc, gray_with_parity, header, number_to_bits, stuff

import canal_fast as cf
from canal_fast import simulation

TIMING = cf.BitTiming(8_000_000, 1, 12, 3, 2)
BASE = Frame(0x2A5, dlc=2, data=b"\x3c\x5a")
FLEXIBLE = BASE._replace(fd=True)
ERRORS = ("BIT_ERROR", "STUFF_ERROR", "FORM_ERROR", "CRC_ERROR", "ACK_ERROR")


def levels(frame: Frame, stuff_count: int | None = None, tail: str = "", **changed: int) -> str:
    """SOF to the last EOF bit as a foreign sender drives them, with other header bits or stuff count.

    The CRC is right. `tail` stands for CRC delimiter to EOF."""
    plain = [changed.get(name, bit) for name, bits in header(frame) for bit in bits]
    plain += [bit for byte in frame.data[: frame.size()] for bit in number_to_bits(byte, 8)]
    if frame.fd:
        out = stuff(plain)
        out = out[:-1] if out[-1] != plain[-1] else out
        field = gray_with_parity(len(out) - len(plain) if stuff_count is None else stuff_count)
        kind = CRC17 if frame.size() <= 16 else CRC21
        for index, bit in enumerate(field + number_to_bits(crc(out + field, *kind), kind[0])):
            out += [1 - out[-1], bit] if index % 4 == 0 else [bit]
    else:
        out = stuff(plain + number_to_bits(crc(plain, *CRC15), 15))
    return "".join(map(str, out)) + (tail or "1" * 10)


class Scene:
    """Nodes by name with their options; frames that they send at once; faults; so many bits.

    Played bit by bit, and edge by edge on ideal clocks, which must give the same events and records.
    """

    def __init__(
        self,
        nodes: dict[str, dict[str, Any]],
        frames: dict[str, list[Frame]] | None = None,
        faults: str = "",
        bits: int = 600,
        at: int = 0,
    ) -> None:
        self.options = nodes
        self.bus, self.run = self._play(frames, faults, bits, at, None)
        _, edges = self._play(frames, faults, bits, at, TIMING)
        assert (self.run.gear, edges.gear) == ("bits", "edges")
        assert np.array_equal(self.run.events, edges.events)
        assert np.array_equal(self.run.logs, edges.logs)
        self.events = [
            (
                self.run.nodes[e["node"]], simulation.Event(e["event"]).name, simulation.FIELDS[e["field"]],
                int(e["field_bit"]), int(e["bit"]), int(e["tec"]), int(e["rec"]),
            )
            for e in self.run.events
        ]  # fmt: skip

    def _play(
        self, frames: dict[str, list[Frame]] | None, faults: str, bits: int, at: int, timing: cf.BitTiming | None
    ) -> tuple[simulation.Bus, simulation.Run]:
        bus = simulation.Bus(500_000)
        for name, options in self.options.items():
            bus.node(name, timing=timing, **options)
        for name, requests in (frames or {}).items():
            bus.send(name, np.concatenate([record(frame) for frame in requests]), at=at)
        bus.inject(faults)
        return bus, bus.run(bits)

    def story(self, node: str) -> list[tuple[str, str, int]]:
        """Errors, overload conditions and counted dominant bits of a node: (event, field, bit in the field)."""
        wanted = (*ERRORS, "OVERLOAD", "DOMINANT")
        return [(kind, field, index) for who, kind, field, index, *_ in self.events if who == node and kind in wanted]

    def bits_of(self, node: str, kind: str) -> list[int]:
        """In which bits that happened."""
        return [bit for who, what, _, _, bit, _, _ in self.events if who == node and what == kind]

    def tec(self, node: str) -> list[int]:
        """After each event at which it changed, with the value at the beginning."""
        return self._changes(node, "tec", 5)

    def rec(self, node: str) -> list[int]:
        return self._changes(node, "rec", 6)

    def _changes(self, node: str, counter: str, column: int) -> list[int]:
        values = [self.options[node].get(counter, 0), *(event[column] for event in self.events if event[0] == node)]
        return [value for k, value in enumerate(values) if k == 0 or value != values[k - 1]]

    def drives(self, node: str, first: int, count: int = 6) -> str:
        part = self.run.levels[first : first + count, self.run.nodes.index(node)]
        return "".join(map(str, part.tolist()))

    def fields(self, node: str) -> list[str]:
        column = self.run.fields[:, self.run.nodes.index(node)] & 0x7F
        return [simulation.FIELDS[code] for code in column.tolist()]

    def frames(self, node: str) -> list[int]:
        """Identifiers received."""
        log = self.run.frames_at(node)
        return [int(row["arbitration_id"]) for row in log if not row["flags"] & 0xC4]

    def starts(self, node: str) -> list[int]:
        """Bits that were the SOF of a frame which the node sends."""
        chosen = (self.run.events["event"] == simulation.Event.START) & (self.run.events["transmitter"] == 1)
        chosen &= self.run.events["node"] == self.run.nodes.index(node)
        return [int(bit) for bit in self.run.events["bit"][chosen]]


def pair(frame: Frame = BASE, faults: str = "", bits: int = 600, r: Any = None, t: Any = None, more: int = 1) -> Scene:
    """T sends to R, and others acknowledge, too."""
    others = {f"h{k}": {} for k in range(more)}
    return Scene({"t": t or {}, "r": r or {}, **others}, {"t": [frame]}, faults, bits)


def lone(pattern: str, bits: int = 0, **options: Any) -> Scene:
    """R alone hears a foreign sender that adds these levels from bit 0 on and never reacts."""
    return Scene({"r": options}, None, f"bit 0 drive {pattern}", bits or len(pattern) + 60)
