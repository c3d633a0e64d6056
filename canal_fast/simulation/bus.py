"""A bus of controllers, bit by bit: `Bus`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.arguments import choice, interval
from canal_fast.arguments import filters as checked_filters
from canal_fast.bittiming import BitTiming, BitTimingFd
from canal_fast.errors import FrameError, SimulationError
from canal_fast.frames import FD_FRAME_DTYPE, FrameArray, FrameFlag, check_frames, copy_records

from . import _simulation
from .clocks import check_rates, checked_clock, warnings
from .faults import Faults
from .gears import Gears
from .node import Node
from .run import Run
from .tape import Tape

_MODES = ("normal", "self_test", "restricted", "listen_only")  # in the order of cf_node_mode
_FORMATS = ("enabled", "tolerant", "classical")  # of cf_node_fd
_QUEUES = ("priority", "fifo")
_RECOVERIES = ("automatic", "on_request")
_ANY_FORMAT = 2
_LEVELS_UP_TO = 100_000  # bits of a run whose levels are recorded unasked
_COUNTER_MAX = 255


class Bus:
    """A CAN bus, bit by bit.

    Parameters
    ----------
    bitrate : int
        Nominal bit rate, bit/s.
    data_bitrate : int, optional
        Of FD frames with BITRATE_SWITCH. Default: as `bitrate`.
    whole_frames : bool
        Let frames go at once where no fault, error passive or off node is near; the result is the same.

    Examples
    --------
    >>> bus = cf.simulation.Bus(bitrate=500_000)
    >>> ecu, logger = bus.node("ecu"), bus.node("logger")
    >>> bus.send(ecu, cf.make_frames(0x123, b"hello"))
    >>> bus.inject("id 123 crc 3 invert at logger")  # the first try is destroyed
    1
    >>> run = bus.run(bits=400)
    >>> ecu.tec, ecu.sent, logger.received
    (7, 1, 1)
    """

    def __init__(self, bitrate: int = 500_000, data_bitrate: int | None = None, *, whole_frames: bool = True) -> None:
        self.bitrate = int(interval("bitrate", bitrate, 1_000, 10_000_000))
        self.data_bitrate = self.bitrate
        if data_bitrate is not None:
            self.data_bitrate = int(interval("data_bitrate", data_bitrate, self.bitrate, 20_000_000))
        self._core = _simulation.Bus(self.bitrate, self.data_bitrate, whole_frames)
        self._lock = threading.Lock()
        self._faults = Faults(self._core)
        self._gears = Gears(self._core, self.bitrate, self.data_bitrate)
        self.nodes: list[Node] = []

    @property
    def bit(self) -> int:
        """Number of the coming bit, from 0."""
        return self._core.bit

    @property
    def time_ns(self) -> int:
        """Nanoseconds that have passed."""
        return self._gears.time_ns

    @property
    def gear(self) -> str:
        """ "bits" while all nodes are in step, "edges" from when each has its own time."""
        return self._gears.gear

    def node(
        self,
        name: str,
        *,
        mode: str = "normal",
        one_shot: bool = False,
        self_reception: bool = False,
        recovery: str = "automatic",
        tec: int = 0,
        rec: int = 0,
        fd: str = "enabled",
        fd_ack_bits: int = 1,
        protocol_exception: bool = True,
        queue: str = "priority",
        filters: Sequence[Mapping[str, Any]] | None = None,
        integrating: bool = False,
        clock_ppm: float = 0,
        delay_ns: float | Mapping[str, float] = 0,
        timing: BitTiming | BitTimingFd | None = None,
        tdc: bool | None = None,
        tdc_offset: int | None = None,
    ) -> Node:
        """A controller joins the bus.

        Parameters
        ----------
        name : str
            Unlike the others'; no blank and no # in it, since faults name nodes.
        mode : {"normal", "self_test", "restricted", "listen_only"}
            self_test: a missing ACK is no error. restricted: acknowledges, but sends no frames and no flags.
            listen_only: drives nothing. The latter two count no errors and integrate after them.
        one_shot : bool
            Requests end with lost arbitration or an error; `send` may say otherwise.
        self_reception : bool
            Own frames are received, too.
        recovery : {"automatic", "on_request"}
            From bus off. On request: `Node.recover`; the requests of a node that goes off are gone.
        tec, rec : int
            Error counters at the beginning, 0 to 255.
        fd : {"enabled", "tolerant", "classical"}
            tolerant: a recessive FDF is a protocol exception. classical: takes it for a reserved bit.
        fd_ack_bits : {1, 2}
            ACK slot of FD frames: 1, and a second dominant bit is taken; or always 2, as some controllers have it.
        protocol_exception : bool
            A recessive res bit: sit the frame out, or (False) a form error.
        queue : {"priority", "fifo"}
            Which request goes next.
        filters : list of dict, optional
            What is recorded of the frames received, as for `Channel.set_filters`.
        integrating : bool
            Wait for 11 recessive bits first, as after power-up. Default: idle at once.
        clock_ppm : float
            How much faster its clock is than it should be, -100,000 to 100,000.
        delay_ns : float or dict of str to float
            From the node's transmit pin through its transceiver to its receive pin, 0 to 1,000,000; half of it delays
            what it sends, half what it sees. A dict adds the delay of the line between it and each node named, one way
            (5 ns/m, or a repeater); the node's own name stands for its transceiver.
        timing : BitTiming or BitTimingFd, optional
            Must have the bus's bit rates. Default, also for the data phase beside a BitTiming: 16 quanta a bit, the
            last 3 behind the sample point, sjw 3.
        tdc : bool, optional
            Transmitter delay compensation in the data phase. Default: where the data prescaler allows it (1 or 2).
        tdc_offset : int, optional
            Of the secondary sample point, in clock periods. Default: as far as the data phase's sample point.

            Any of clock_ppm to tdc_offset chooses the edge gear for the bus (`Run.gear`): each node has its own time
            quanta, sample points and synchronisation, and `bit` counts nominal bit times.

        Raises
        ------
        SimulationError
            A name that is taken or cannot be written in a fault; more than 64 nodes; a timing of another bit rate, or
            delay compensation with a prescaler that bars it.
        ValueError
            An argument outside its interval.
        TypeError
            A timing that is none.

        Examples
        --------
        >>> bus = cf.simulation.Bus()
        >>> weak = bus.node("weak", tec=120)
        >>> weak.state
        <NodeState.WARNING: 1>
        """
        if not name or any(c.isspace() or c in "#\0" for c in name):
            raise SimulationError(f"node name {name!r}: must be one word without #")
        if any(name == node.name for node in self.nodes):
            raise SimulationError(f"node name {name!r} is taken: names must differ")
        if len(self.nodes) == _simulation.NODES_MAX:
            raise SimulationError(f"node {name!r} would be number {len(self.nodes) + 1}: at most {len(self.nodes)}")
        choice("mode", mode, _MODES)
        choice("recovery", recovery, _RECOVERIES)
        choice("fd", fd, _FORMATS)
        choice("queue", queue, _QUEUES)
        choice("fd_ack_bits", fd_ack_bits, (1, 2))
        interval("tec", tec, 0, _COUNTER_MAX)
        interval("rec", rec, 0, _COUNTER_MAX)
        clock = checked_clock(name, timing, clock_ppm, delay_ns, tdc, tdc_offset, [node.name for node in self.nodes])
        check_rates(name, timing, self.bitrate, self.data_bitrate)
        rows = [
            (can_id, mask, _ANY_FORMAT if extended is None else int(extended))
            for can_id, mask, extended in checked_filters(filters)
        ]
        with self._lock:
            number = self._core.add_node(
                _MODES.index(mode), _FORMATS.index(fd), fd_ack_bits, protocol_exception, recovery == "on_request",
                integrating, queue == "fifo", tec, rec, np.array(rows, np.uint32).ravel(),
            )  # fmt: skip
            self.nodes.append(Node(self, number, name, mode, fd, one_shot, self_reception, clock))
        return self.nodes[-1]

    def send(
        self,
        node: Node | str,
        frames: FrameArray,
        *,
        at: int | npt.ArrayLike | None = None,
        one_shot: bool | None = None,
        self_reception: bool | None = None,
    ) -> None:
        """Requests to send frames, queued at a node.

        Parameters
        ----------
        node : Node or str
        frames : array of FRAME_DTYPE or FD_FRAME_DTYPE
        at : int or array of int, optional
            The first bit that may be a frame's SOF. Default: from each frame's timestamp_ns, counted from the bus's
            beginning at the nominal bit rate.
        one_shot, self_reception : bool, optional
            Default: as the node has it.

        Raises
        ------
        FrameError
            A record that no controller could send, or an FD frame at a node that is not FD enabled; with its `.index`.
        SimulationError
            A node that sends no frames.

        Examples
        --------
        >>> bus = cf.simulation.Bus()
        >>> ecu, rival = bus.node("ecu"), bus.node("rival")
        >>> bus.send(ecu, cf.make_frames(0x200), at=20)
        >>> bus.send(rival, cf.make_frames(0x100), at=20)  # wins
        >>> bus.run(bits=200).frames["arbitration_id"].tolist()
        [256, 512]
        """
        node = self._node(node)
        frames = np.ascontiguousarray(np.atleast_1d(frames))
        check_frames(frames)
        mode, fd = node.mode, node.fd
        if mode in ("restricted", "listen_only"):
            raise SimulationError(f"node {node.name!r} is {mode}: it sends no frames")
        flexible = np.flatnonzero(frames["flags"] & FrameFlag.FD)
        if flexible.size and fd != "enabled":
            index = int(flexible[0])
            raise FrameError(f"frames[{index}] is an FD frame, node {node.name!r} is {fd}", index=index)
        records: FrameArray = np.empty(len(frames), FD_FRAME_DTYPE)
        copy_records(frames, records)
        if at is None:
            times = frames["timestamp_ns"]
            bits = times // 1_000_000_000 * self.bitrate - (-(times % 1_000_000_000) * self.bitrate // 1_000_000_000)
        else:
            bits = np.broadcast_to(np.asarray(at, np.int64), len(frames))
        options = int(node.one_shot if one_shot is None else one_shot)  # CF_REQUEST_ONE_SHOT
        options |= int(node.self_reception if self_reception is None else self_reception) << 1
        with self._lock:
            self._core.send(node.number, records, np.ascontiguousarray(bits, np.int64), options)

    def _node(self, node: Node | str) -> Node:
        if isinstance(node, Node):
            if node._bus is not self:
                raise SimulationError(f"node {node.name!r} is on another bus")
            return node
        for known in self.nodes:
            if known.name == node:
                return known
        raise SimulationError(f"no node {node!r}: there are {', '.join(repr(n.name) for n in self.nodes) or 'none'}")

    def inject(self, faults: str | Sequence[str]) -> int:
        """Add faults. Returns how many.

        Parameters
        ----------
        faults : str or list of str
            Lines, one fault each; # begins a comment::

                WHEN [after N UNIT] WHAT [for N | for N UNIT] [each N UNIT] [times N] [at NODE | by NODE]

                bit 22 invert                             the level that all nodes sample in bit 22 (from 0)
                bit 40 dominant for 7 at ecu              only what this node samples
                bit 100 dominant for ever by ecu          what this node drives: its transceiver is stuck
                time 1.5 ms recessive for 3               the bit in which that is, since the bus began
                frame 3 end_of_frame 7 dominant           field and bit (from 1) of the third frame on the bus
                id 123 data 5 invert times ever           in each frame with this identifier (8 digits: extended)
                any flag_end 1 dominant for 8             after the next error flag
                bit 50 drive 00101                        a foreign sender adds these levels to the bus
                bit 50 force 1101                         these levels, whatever is driven
                time 12.5 us dominant for 80 ns           a glitch (s, ms, us, ns), from that very time on
                frame 1 data 3 after 250 ns invert for 90 ns at ecu
                frame 1 data 3 recessive for 150 ns by ecu    its dominant bit begins late: an edge moved
                frame 1 data 3 force 0110 each 500 ns     levels of parts of a bit, such as Janus frames

            Times below a bit choose the edge gear. Fields are those of `FIELDS`, and ``stuff`` and ``fixed``: stuff
            bits, counted through the frame. Named ones:
            ``error_attack ID``, ``bus_off_attack ID``, ``double_receive N``, ``no_ack N``, ``prolonged_flag N``,
            ``recessive_override WHEN [for N]``, ``stuck_dominant WHEN [by NODE]``.

        Raises
        ------
        SimulationError
            A line that is none, or a bit that has passed, with `.line_number` and `.column`. Then none is added.

        Examples
        --------
        >>> bus = cf.simulation.Bus()
        >>> ecu, other = bus.node("ecu"), bus.node("other")
        >>> bus.inject("bus_off_attack 123")
        1
        >>> bus.send(ecu, cf.make_frames(0x123))
        >>> run = bus.run(bits=5_000)
        >>> ecu.state
        <NodeState.BUS_OFF: 3>
        """
        lines = faults.splitlines() if isinstance(faults, str) else list(faults)
        names = [node.name.encode() for node in self.nodes]
        with self._lock:
            trial = _simulation.Bus(self.bitrate, self.data_bitrate, False)
            return self._faults.add(lines, names, trial, (self.bit, self.time_ns))

    def run(
        self,
        bits: int | None = None,
        *,
        seconds: float | None = None,
        at: Node | str | None = None,
        record_bits: bool = True,
        record_events: bool = True,
        record_frames: bool = True,
        record_levels: bool | None = None,
    ) -> Run:
        """Let the bus run on, with the GIL released.

        Parameters
        ----------
        bits : int
            So many bits; or
        seconds : float
            so long.
        at : Node or str, optional
            Whose logger `Run.frames` shows. Default: the first node's.
        record_bits, record_events, record_frames : bool
            Fill `Run.bits`, `Run.events`, `Run.frames`.
        record_levels : bool, optional
            Fill `Run.levels` and `Run.fields`, in the edge gear `Run.edges`, which `Run.draw` shows. Default: for up to
            100,000 bits.

        Returns
        -------
        Run

        Raises
        ------
        SimulationError
            A fault whose bit or time is not in this run; no node; with clocks, more than 4,000 s since the bus began.
        ValueError
            Both or neither of `bits` and `seconds`, or one that is negative, not whole, or longer than can be recorded.

        Notes
        -----
        A bit at the data rate that not all nodes take for one (an error in the data phase, a classical or integrating
        node) is handed over to the edge gear, which then keeps the bus; `Run.handed_over` is its number. From there on
        `bits` are nominal bit times.

        Examples
        --------
        >>> bus = cf.simulation.Bus()
        >>> bus.send(bus.node("ecu", mode="self_test"), cf.make_frames(0x123, b"hello"))
        >>> run = bus.run(seconds=0.001)
        >>> run.frames["arbitration_id"].tolist(), run.duration_ns
        ([291], 1000000)
        """
        if (bits is None) == (seconds is None):
            raise ValueError("run takes either bits or seconds")
        if not self.nodes:
            raise SimulationError("the bus has no node")
        shown = self._node(at) if at is not None else self.nodes[0]
        with self._lock:
            start, start_ns = self.bit, self.time_ns
            if bits is not None:
                if not float(interval("bits", bits, 0, 1 << 60)).is_integer():
                    raise ValueError(f"bits = {bits}, must be a whole number")
                until, until_ns = start + int(bits), None
            else:
                until_ns = start_ns + round(interval("seconds", seconds, 0, 1e9) * 1e9)
                until = start + self._gears.bits_to(until_ns)
            self._faults.check(until, self._gears.ns(until) if until_ns is None else until_ns)
            count = until - start
            if record_levels is None:
                record_levels = count <= _LEVELS_UP_TO
            tape = Tape(len(self.nodes), record_bits, record_events, record_frames, record_levels)
            tape.check(count, f"bits = {bits}" if seconds is None else f"seconds = {seconds}, {count} bits")
            handed_over = self._gears.advance(tape, self.nodes, self._faults.fine, until, until_ns, shown)
            events, frames, levels, driven, fields = tape.joined()
            run = Run(
                events, frames, levels, driven, fields, start, start_ns, self.time_ns - start_ns,
                [node.name for node in self.nodes], shown.number, record_bits, record_levels, self.gear, tape.edges,
                tuple(warnings(self.nodes, self.bitrate, self.data_bitrate)), handed_over, self._gears.bit_fs,
            )  # fmt: skip
        return run
