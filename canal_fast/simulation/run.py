"""What a run of a bus recorded: `Run`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from canal_fast.bittiming import Margin
from canal_fast.errors import SimulationError
from canal_fast.frames import FrameArray

from .events import EDGE_DTYPE, FIELDS, EdgeKind


class Run(NamedTuple):
    """What was recorded.

    Examples
    --------
    >>> bus = cf.simulation.Bus()
    >>> ecu, logger = bus.node("ecu"), bus.node("logger")
    >>> bus.send(ecu, cf.make_frames(0x123, b"hello"))
    >>> run = bus.run(bits=150, at="logger")
    >>> run.frames["data"][0, :5].tobytes()
    b'hello'
    >>> [cf.simulation.Event(event).name for event in run.events["event"]]
    ['START', 'START', 'ACKNOWLEDGED', 'RECEIVED', 'SENT']
    """

    events: npt.NDArray[np.void]
    """EVENT_DTYPE, in the order of bits, then of nodes."""
    logs: FrameArray
    """FD_FRAME_DTYPE: what the loggers at all nodes record; `channel` is the node's number."""
    bits: npt.NDArray[np.uint8]
    """Level of the bus in each bit. With clocks: what the node `at` of `Bus.run` samples, at either bit rate."""
    levels: npt.NDArray[np.uint8]
    """What each node drives, shape (bits, nodes); empty when not recorded."""
    fields: npt.NDArray[np.uint8]
    """What each node takes each bit for, the same shape: index into `FIELDS`, 128 more in a stuff bit."""
    first_bit: int
    """Number on the bus of the first bit here."""
    start_ns: int
    """From the bus's beginning to the run's."""
    duration_ns: int
    """Of the run."""
    nodes: list[str]
    """Their names."""
    shown: int
    """Number of the node whose logger `frames` is."""
    has_bits: bool
    """Whether `bits` were recorded."""
    has_levels: bool
    """Whether `levels` and `fields` were."""
    gear: str = "bits"
    """"bits": all nodes were in step. "edges": each had its own time, at least from the bit `handed_over` on."""
    edges: npt.NDArray[np.void] = np.empty(0, EDGE_DTYPE)
    """EDGE_DTYPE, in the order of time: what each node drove, saw and sampled; for pictures of each sender."""
    warnings: Sequence[str] = ()
    """Clocks and delays beyond what the nodes' bit timings allow."""
    handed_over: int | None = None
    """The bit from which on edges are simulated, where bits were before: a bit at the data rate at some nodes only."""
    bit_fs: int = 0
    """A nominal bit in fs, in the edge gear."""

    @property
    def frames(self) -> FrameArray:
        """FD_FRAME_DTYPE: what a logger at the node `at` of `Bus.run` records, time stamps from the bus's beginning.

        Frames received and (TX) sent; an ERROR_FRAME record for each error that the node finds, laid out as in
        SocketCAN (class in arbitration_id, detail in data[1..3], TEC and REC in data[6] and data[7]); a STATUS record
        for each change of its error state, laid out as in CANAL (code, REC, TEC).
        """
        return self.frames_at(self.shown)

    def frames_at(self, node: int | str) -> FrameArray:
        """What a logger at another node records."""
        found: FrameArray = self.logs[self.logs["channel"] == self._number(node)]
        return found

    def _number(self, node: int | str) -> int:
        if not isinstance(node, str):
            return node
        if node not in self.nodes:
            raise SimulationError(f"no node {node!r}: there are {', '.join(map(repr, self.nodes))}")
        return self.nodes.index(node)

    def margin(self, node: int | str) -> Margin:
        """How near changes of level came to the node's sample points in frames, SOF to CRC delimiter.

        `BitTiming.margin` is the theory of it.

        Raises
        ------
        SimulationError
            No such node, or a run that recorded no edges.

        Examples
        --------
        >>> bus = cf.simulation.Bus()
        >>> ecu, far = bus.node("ecu", delay_ns=200), bus.node("far", delay_ns=300)
        >>> bus.send(ecu, cf.make_frames(0x123, b"hello"))
        >>> bus.run(bits=150).margin("far")
        Margin(before_ns=1625.0, after_ns=375.0)
        """
        number = self._number(node)
        own = self.edges[self.edges["node"] == number]
        field = own["field"] & 0x7F
        in_frames = (field >= FIELDS.index("sof")) & (field <= FIELDS.index("crc_delimiter"))
        samples = own["time_fs"][(own["kind"] == EdgeKind.SAMPLED) & in_frames]
        changes = own["time_fs"][own["kind"] == EdgeKind.SEEN]
        if not len(samples) or not len(changes):
            raise SimulationError(f"node {self.nodes[number]!r}: the run recorded no edges of a frame at it")
        following = np.searchsorted(changes, samples)
        behind, before = following < len(changes), following > 0
        return Margin(
            float((samples[before] - changes[following[before] - 1]).min(initial=1 << 62)) / 1e6,
            float((changes[following[behind]] - samples[behind]).min(initial=1 << 62)) / 1e6,
        )

    def draw(
        self, first: int | None = None, count: int | None = None, *, width: int = 100,
        plot: str | os.PathLike[str] | None = None,
    ) -> str:  # fmt: skip
        """Bus, levels and fields of each node and what happened, as text.

        Parameters
        ----------
        first : int, optional
            Bit on the bus to begin with. Default: the run's first.
        count : int, optional
            Bits. Default: to the end of the run, at most 2000.
        width : int
            Bits a line.
        plot : path, optional
            Also draw a picture (its suffix says which format). Needs matplotlib, the extra `plot`.

        Raises
        ------
        SimulationError
            A run without bits, or bits outside it.

        Examples
        --------
        >>> bus = cf.simulation.Bus()
        >>> bus.send(bus.node("ecu", mode="self_test"), cf.make_frames(0x123))
        >>> print(bus.run(bits=60).draw(count=24))
        bit    0         10        20
        bus    000100100011000001001101
        ecu    000100100011000001001101
               ||id........||||dlc.|crc
        """
        from .drawing import picture, text

        if self.gear == "edges":
            from .edge_drawing import edge_picture, edge_text

            if not len(self.edges):
                raise SimulationError("nothing to draw: the run recorded no edges")
            if plot is not None:
                edge_picture(self, first, count, width).savefig(plot, dpi=110)
            return edge_text(self, first, count, width)
        if not self.has_bits and not self.has_levels:
            raise SimulationError("nothing to draw: the run recorded no bits")
        first = self.first_bit if first is None else first
        end = self.first_bit + len(self.bits)
        if not self.first_bit <= first <= end:
            raise SimulationError(f"first = {first}, the run has bits {self.first_bit}..{end - 1}")
        last = end if count is None else min(end, first + count)
        last = min(last, first + 2000) if count is None else last
        if plot is not None:
            picture(self, first, last, width).savefig(plot, dpi=110)
        return text(self, first, last, width)
