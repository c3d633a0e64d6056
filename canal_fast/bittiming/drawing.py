"""Bit timings drawn to scale, as text and as a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence

from canal_fast.plot import new_figure

from .timing import BitTiming

__all__ = ["draw_text", "plot"]

_NAMES = (("sync", "S"), ("propagation", "prop"), ("phase 1", "p1"), ("phase 2", "p2"))
_COLOURS = (("#c4c4c4", "black"), ("#35608f", "white"), ("#f5bc61", "black"), ("#c2573f", "white"))  # bar, text on it


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


def plot(timings: Sequence[BitTiming], path: str | os.PathLike[str], title: str = "") -> None:
    """Draw the bits below each other, to scale, into a picture file (needs matplotlib).

    Parameters
    ----------
    timings : sequence of BitTiming
        At least one; the first is the top one.
    path : str or path
        File to write; its suffix chooses the format.
    title : str
        Headline.
    """
    figure = new_figure(9, 1.7 + 0.62 * len(timings))
    axes = figure.add_subplot()
    longest = max(t.nbt * t.tq_ns for t in timings)
    for place, timing in enumerate(timings):
        left = 0.0
        for quanta, (name, _), (colour, ink) in zip(timing.segments, _NAMES, _COLOURS, strict=True):
            length = quanta * timing.tq_ns
            axes.barh(place, length, 0.55, left, color=colour, edgecolor="white", label=name if place == 0 else None)
            text = f"{name}: {quanta}"
            if length < longest * 0.0095 * len(text):  # the width of a letter
                text = f"{quanta}" if length > longest * 0.02 else ""
            axes.text(left + length / 2, place, text, ha="center", va="center", color=ink, fontsize=9)
            left += length
        sample = (1 + timing.tseg1) * timing.tq_ns
        axes.plot([sample, sample], [place - 0.38, place + 0.3], color="black", linewidth=1.6, zorder=3)
        axes.text(sample, place - 0.4, f"{timing.sample_point:.4g} %", ha="center", va="bottom", fontsize=8)
        if timing.nbt <= 64:
            quanta_at = [i * timing.tq_ns for i in range(1, timing.nbt)]
            axes.vlines(quanta_at, place + 0.19, place + 0.275, color="white", linewidth=0.7)
    axes.set_yticks(
        range(len(timings)),
        [f"brp {t.brp}, tseg1 {t.tseg1},\ntseg2 {t.tseg2}, sjw {t.sjw}" for t in timings],
        fontsize=8,
    )
    axes.set_ylim(len(timings) - 0.45, -0.75)
    axes.set_xlim(0, longest * 1.002)
    axes.set_xlabel("time in the bit [ns]")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if title:
        axes.set_title(title, loc="left", fontsize=11)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.savefig(path, dpi=150)
