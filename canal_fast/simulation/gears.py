"""How a bus runs: bit by bit while all nodes are in step, edge by edge from when each has its own time."""

from __future__ import annotations

from collections.abc import Sequence

from canal_fast.errors import SimulationError

from . import _simulation
from .clocks import FS, LONGEST_NS, bit_fs, delay_rows, timing_rows
from .node import Node
from .tape import NEEDS_EDGES, Tape

__all__ = ["Gears"]


class Gears:
    """The two gears of a bus, and the time in either."""

    def __init__(self, core: _simulation.Bus, bitrate: int, data_bitrate: int) -> None:
        self._core, self._rates = core, (bitrate, data_bitrate)
        self.bit_fs = bit_fs(bitrate)
        self._zero = 0, 0  # a bit and the time (fs) when it began
        self._connected = 0  # nodes that the edge gear knows

    @property
    def bit(self) -> int:
        """Number of the coming bit."""
        return self._core.bit

    @property
    def time_ns(self) -> int:
        return self.ns(self._core.bit) if self._core.now_fs < 0 else self._core.now_fs // FS

    @property
    def gear(self) -> str:
        return "bits" if self._core.now_fs < 0 else "edges"

    def ns(self, bit: int) -> int:
        """When `bit`, at or after the present one, begins at the nominal rate."""
        if self._core.now_fs < 0:
            return self._core.ns(bit)
        return (self._zero[1] + (bit - self._zero[0]) * self.bit_fs) // FS

    def bits_to(self, until_ns: int) -> int:
        """Bits at the nominal rate that fit before a time."""
        return max(0, (until_ns - self.time_ns) * self._rates[0] // 1_000_000_000)

    def advance(
        self, tape: Tape, nodes: Sequence[Node], fine: bool, until: int, until_ns: int | None, shown: Node
    ) -> int | None:
        """Runs in whatever gear it needs. Returns the bit that was handed over from one to the other."""
        handed_over = None
        if self.gear == "bits" and not fine and not any(node.clock.chosen for node in nodes):
            end = tape.record(self._core, until)
            while until_ns is not None and end != NEEDS_EDGES and (more := self.bits_to(until_ns)) > 0:
                end = tape.record(self._core, self.bit + more)
            if end != NEEDS_EDGES:
                return None
            handed_over = self.bit
        if self.gear == "bits":
            self._zero = self.bit, self._core.ns(self.bit) * FS
            self._core.start_edges(self.bit_fs, self._zero[1])
        until_fs = self._zero[1] + (until - self._zero[0]) * self.bit_fs if until_ns is None else until_ns * FS
        if until_fs > LONGEST_NS * FS:
            raise SimulationError(
                f"the run ends at {until_fs / 1e15:.6g} s, with clocks at most {LONGEST_NS / 1e9:g} s"
            )
        if self._connected < len(nodes):
            begin = self._zero[1] + -((self._zero[1] - self._core.now_fs) // self.bit_fs) * self.bit_fs
            timings = timing_rows(nodes, *self._rates)
            self._core.connect_edges(timings, delay_rows(nodes), begin)
            self._connected = len(nodes)
        tape.record_edges(self._core, until_fs, self.bit_fs, shown.number)
        return handed_over
