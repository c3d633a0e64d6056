"""Bit timings drawn to scale, as text and as a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from canal_fast.plot.timings import bit_timings

from .timing import BitTiming

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_text", "plot"]

_NAMES = (("sync", "S"), ("propagation", "prop"), ("phase 1", "p1"), ("phase 2", "p2"))


def draw_text(timing: BitTiming, width: int = 72) -> str:
    """The bit to scale in `width` columns of ASCII: segments, time in ns, the sample point.

    Example
    -------
    ::

        0 ns                                                          1750     2000
        +---+------------------------------------------------+--------+--------+
        |1  |propagation: 11                                 |p1: 2   |p2: 2   |
        +---+------------------------------------------------+--------+--------+
                                                                      ^ 87.5 %
    """
    segments = timing.segments
    inner = width - 1
    ends = [round(inner * sum(segments[: i + 1]) / timing.nbt) for i in range(4)]
    starts = [0, *ends[:-1]]
    rule = ["-"] * (inner + 1)
    row = [" "] * (inner + 1)
    for position in (0, *ends):
        rule[position] = "+"
        row[position] = "|"
    for start, end, quanta, names in zip(starts, ends, segments, _NAMES, strict=True):
        room = end - start - 1
        label = next((text for text in (*(f"{n}: {quanta}" for n in names), str(quanta)) if len(text) <= room), "")
        row[start + 1 : start + 1 + len(label)] = label
    bit_ns = timing.nbt * timing.tq_ns
    sample_ns = bit_ns * (1 + timing.tseg1) / timing.nbt
    head = [" "] * (inner + 12)
    for position, label in ((0, "0 ns"), (ends[3], f"{bit_ns:.6g}"), (ends[2], f"{sample_ns:.6g}")):
        if all(c == " " for c in head[max(0, position - 1) : position + len(label) + 1]):
            head[position : position + len(label)] = label
    mark = f"{timing.sample_point:.4g} %"
    foot = " " * ends[2] + f"^ {mark}" if ends[2] + len(mark) + 2 <= width else f"{mark} ^".rjust(ends[2] + 1)
    lines = ["".join(head), "".join(rule), "".join(row), "".join(rule), foot]
    return "\n".join(line.rstrip() for line in lines)


def plot(timings: Sequence[BitTiming], path: str | os.PathLike[str], title: str = "") -> Figure:
    """Draw the bits below each other, to scale, into a picture file (needs matplotlib).

    Parameters
    ----------
    timings : sequence of BitTiming
        At least one; the first is the top one.
    path : str or path
        File to write; its suffix chooses the format.
    title : str
        Headline.

    Returns
    -------
    Figure
        What was drawn.
    """
    figure = bit_timings(timings, title)
    figure.savefig(path, dpi=150)
    return figure
