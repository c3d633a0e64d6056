"""Clocks, delays and bit timings of nodes: what the edge gear is given, and what it says to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from canal_fast.arguments import interval
from canal_fast.bittiming import BitTiming, BitTimingFd
from canal_fast.errors import SimulationError

if TYPE_CHECKING:
    from .node import Node

FS = 1_000_000  # in a nanosecond
LONGEST_NS = 4_000_000_000_000  # of a run with clocks
_QUANTA, _TSEG2 = 16, 3  # of a bit without a timing
_DELAY_MAX_NS = 1_000_000
_PPM_MAX = 100_000
_OFFSET_MAX = 1 << 16


class Clock(NamedTuple):
    """What a node was given."""

    timing: BitTiming | BitTimingFd | None = None
    clock_ppm: float = 0
    delay_ns: float = 0
    """From its transmit to its receive pin; half of it on the way out, half on the way in."""
    lines_ns: Mapping[str, float] = {}
    """Between it and other nodes, there alone."""
    tdc: bool | None = None
    tdc_offset: int | None = None

    @property
    def chosen(self) -> bool:
        """Whether this needs the edge gear."""
        return self != Clock()


class Phases(NamedTuple):
    """Timings of both bit rates; the clocks may differ where a node has no timing of its own."""

    nominal: BitTiming
    data: BitTiming


def bit_fs(bitrate: int) -> int:
    """A bit of the bus in fs: whole quanta of a node without a timing."""
    return _QUANTA * round(10**15 / (_QUANTA * bitrate))


def check_rates(name: str, timing: BitTiming | BitTimingFd | None, bitrate: int, data_bitrate: int) -> None:
    """Raise SimulationError where a node's timing is not of the bus's rates."""
    if timing is None:
        return
    rates = [("bitrate", bitrate)]
    if isinstance(timing, BitTimingFd):
        rates = [("nominal_bitrate", bitrate), ("data_bitrate", data_bitrate)]
    for attribute, rate in rates:
        if getattr(timing, attribute) != rate:
            raise SimulationError(
                f"node {name!r}: timing.{attribute} = {getattr(timing, attribute):.10g}, the bus has {rate} bit/s"
            )


def _plain(bitrate: int) -> BitTiming:
    return BitTiming(_QUANTA * bitrate, 1, _QUANTA - 1 - _TSEG2, _TSEG2, _TSEG2)


def phases(clock: Clock, bitrate: int, data_bitrate: int) -> Phases:
    """The timings that count: a node without one has 16 quanta a bit, 3 of them behind the sample point, and sjw 3."""
    timing = clock.timing
    if isinstance(timing, BitTimingFd):
        return Phases(timing.nominal, timing.data)
    if timing is not None:
        return Phases(timing, timing if data_bitrate == bitrate else _plain(data_bitrate))
    return Phases(_plain(bitrate), _plain(data_bitrate))


def checked_clock(
    name: str, timing: object, clock_ppm: float, delay_ns: object, tdc: object, tdc_offset: int | None,
    known: Sequence[str],
) -> Clock:  # fmt: skip
    """What `Bus.node` was told about a node's clock; errors name the node."""
    if timing is not None and not isinstance(timing, (BitTiming, BitTimingFd)):
        raise TypeError(
            f"node {name!r}: timing = {timing!r}, must be a BitTiming or BitTimingFd, with all segments and sjw"
        )
    clock_ppm = interval(f"node {name!r}: clock_ppm", clock_ppm, -_PPM_MAX, _PPM_MAX)
    lines = {}
    if isinstance(delay_ns, Mapping):
        lines = {
            str(other): float(interval(f"node {name!r}: delay_ns to {other!r}", value, 0, _DELAY_MAX_NS))
            for other, value in delay_ns.items()
        }
        delay_ns = lines.pop(name, 0)
        for other in lines:
            if other not in known:
                raise SimulationError(
                    f"node {name!r}: delay_ns to {other!r}, but there are {', '.join(map(repr, known)) or 'no nodes'}"
                )
    delay = float(interval(f"node {name!r}: delay_ns", delay_ns, 0, _DELAY_MAX_NS))
    if tdc not in (None, True, False):
        raise TypeError(f"node {name!r}: tdc = {tdc!r}, must be True, False or None")
    if tdc and isinstance(timing, BitTimingFd) and not timing.tdc_allowed:
        raise SimulationError(f"node {name!r}: tdc = True, but the data prescaler is {timing.data.brp}, allowed 1..2")
    if tdc_offset is not None:
        tdc_offset = int(interval(f"node {name!r}: tdc_offset", tdc_offset, 0, _OFFSET_MAX))
    return Clock(timing, float(clock_ppm), delay, lines, None if tdc is None else bool(tdc), tdc_offset)


def _offset(clock: Clock, data: BitTiming) -> int:
    """Of the secondary sample point in clock periods; -1: no delay compensation."""
    allowed = not isinstance(clock.timing, BitTimingFd) or clock.timing.tdc_allowed
    if clock.tdc is False or (clock.tdc is None and not allowed):
        return -1
    return data.brp * (1 + data.tseg1) if clock.tdc_offset is None else clock.tdc_offset


def _segments(timing: BitTiming, ppm: float) -> tuple[int, list[int]]:
    """Clock period in fs; quantum, tseg1, tseg2, sjw."""
    period = round(10**15 / (timing.f_clock * (1 + ppm / 1e6)))
    return period, [timing.brp * period, timing.tseg1, timing.tseg2, timing.sjw]


def timing_rows(nodes: Sequence[Node], bitrate: int, data_bitrate: int) -> npt.NDArray[np.int64]:
    """As `_simulation.Bus.connect_edges` takes them."""
    rows = []
    for node in nodes:
        own = phases(node.clock, bitrate, data_bitrate)
        _, nominal = _segments(own.nominal, node.clock.clock_ppm)
        period, data = _segments(own.data, node.clock.clock_ppm)
        rows.append([*nominal, *data, period, _offset(node.clock, own.data), own.nominal.nof_samples == 3])
    return np.array(rows, np.int64)


def delay_rows(nodes: Sequence[Node]) -> npt.NDArray[np.int64]:
    """From each node to each, fs."""
    half = np.array([node.clock.delay_ns / 2 for node in nodes])
    between = half[:, None] + half[None, :]
    number = {node.name: node.number for node in nodes}
    for node in nodes:
        for other, line in node.clock.lines_ns.items():
            between[node.number, number[other]] += line
            between[number[other], node.number] += line
    rows: npt.NDArray[np.int64] = np.rint(between * FS).astype(np.int64)
    return rows


def warnings(nodes: Sequence[Node], bitrate: int, data_bitrate: int) -> Iterator[str]:
    """What is beyond the nodes' timings, in words."""
    delays = delay_rows(nodes) / FS
    for node in nodes:
        clock, own = node.clock, phases(node.clock, bitrate, data_bitrate)
        fd = clock.timing if isinstance(clock.timing, BitTimingFd) and node.fd == "enabled" else None
        tolerance = (fd or own.nominal).oscillator_tolerance_ppm()
        if abs(clock.clock_ppm) > tolerance:
            yield (
                f"node {node.name!r}: clock_ppm = {clock.clock_ppm:g} is beyond what its timing tolerates, "
                f"{float(tolerance):.4g} ppm ({tolerance.binding})"
            )
        there = delays[node.number].copy()
        there[node.number] = 0
        far = int(there.argmax())
        room = own.nominal.segments.prop_seg * own.nominal.tq_ns
        if 2 * there[far] > room:
            yield (
                f"node {node.name!r}: {2 * there[far]:.6g} ns to {nodes[far].name!r} and back do not fit its "
                f"propagation segment, {room:.6g} ns"
            )
        loop, sample = delays[node.number, node.number], own.data.tq_ns * (1 + own.data.tseg1)
        if data_bitrate > bitrate and node.fd == "enabled" and loop > sample and _offset(clock, own.data) < 0:
            yield (
                f"node {node.name!r}: its own bits come back after {loop:.6g} ns, behind the data sample point at "
                f"{sample:.6g} ns, and it has no delay compensation"
            )
