"""Captured waveforms: one frame bit by bit, and where edges of many lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .figure import BANDS, DASHES, STUFF, TROUBLE, new_figure, strips

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BitTrace", "Part", "eye", "wave_bits"]

_ROW_BITS = 64
_AROUND = 2  # bits drawn before and after the row
_SAMPLE = "#1b6e3c"
Array = npt.NDArray[Any]


class Part(NamedTuple):
    """A field of the frame."""

    name: str
    start: int
    """Number of its first bit."""
    stuff: tuple[bool, ...]
    """Which of its bits are stuff bits."""


class BitTrace(NamedTuple):
    """Bits of a frame; times in us since its SOF."""

    bits: Array
    starts: Array
    ends: Array
    samples: Array


def wave_bits(
    edges: Array, level: int, trace: BitTrace, parts: Sequence[Part], trouble: int = -1, title: str = ""
) -> Figure:
    """One frame's line with bits, sample points, stuff bits and fields.

    Parameters
    ----------
    edges : array, shape (n,)
        Times of the line's edges, us since SOF.
    level : 0 or 1
        Before the first edge.
    trace : BitTrace
    parts : sequence of Part
    trouble : int
        Number of a bit that is marked; -1: none.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    ImportError
        matplotlib is not installed.

    Examples
    --------
    Drawn by `canal_fast.waveform.draw`:

    >>> wave = cf.waveform.synthesise(cf.make_frames(0x123), 500_000)
    >>> text = cf.waveform.draw(wave, cf.waveform.decode(wave, 500_000), plot="frame.png")
    """
    count = len(trace.bits)
    rows = -(-count // _ROW_BITS)
    figure = new_figure(15, 1.75 * rows + 0.6)
    for number, axes in enumerate(strips(figure, rows)):
        first, last = number * _ROW_BITS, min((number + 1) * _ROW_BITS, count) - 1
        bit = float(trace.ends[first] - trace.starts[first])
        left = float(trace.starts[first]) - (_AROUND * bit if number == 0 else 0)
        right = float(trace.ends[last]) + (_AROUND * bit if last == count - 1 else 0)
        _levels(axes, edges, level, left, right)
        for index, part in enumerate(parts):
            low, high = max(part.start, first), min(part.start + len(part.stuff) - 1, last)
            if low <= high:
                _field(axes, part, index, trace, low, high, (right - left) / _ROW_BITS)
        _bits(axes, trace, first, last, trouble)
        # shorter than the others in its last row, so that bits are equally wide
        shortest = (_ROW_BITS + 4) * bit if number == rows - 1 and number else 0
        axes.set(xlim=(left, left + max(right - left, shortest)))
        axes.set(ylim=(-0.5, 2.9), yticks=[0, 1], yticklabels=["dominant", "recessive"])
    axes.set_xlabel("time since SOF, us", fontsize=8)
    figure.suptitle(f"{title}; dots: samples, hatched: stuff bits", fontsize=9)
    return figure


def _levels(axes: Axes, edges: Array, level: int, left: float, right: float) -> None:
    """The line between two times."""
    low, high = np.searchsorted(edges, [left, right])
    times = np.concatenate([[left], edges[low:high], [right]])
    levels = (level + low + np.arange(len(times) - 1)) % 2
    axes.stairs(levels, times, baseline=None, color="black", linewidth=1.3, zorder=3)


def _field(axes: Axes, part: Part, index: int, trace: BitTrace, low: int, high: int, bit: float) -> None:
    begin, end = float(trace.starts[low]), float(trace.ends[high])
    axes.axvspan(begin, end, color=BANDS[index % 2], linewidth=0)
    upright = end - begin < 0.42 * len(part.name) * bit
    axes.text((begin + end) / 2, 1.18, part.name, fontsize=7, ha="center", va="bottom", rotation=90 * upright)
    for at in range(low, high + 1):
        if part.stuff[at - part.start]:
            axes.axvspan(float(trace.starts[at]), float(trace.ends[at]), **STUFF)


def _bits(axes: Axes, trace: BitTrace, first: int, last: int, trouble: int) -> None:
    for at in range(first, last + 1):
        start, end = float(trace.starts[at]), float(trace.ends[at])
        colour = "#c0392b" if at == trouble else "dimgray"
        axes.text((start + end) / 2, -0.14, str(trace.bits[at]), fontsize=6.5, ha="center", va="top", color=colour)
        axes.axvline(start, 0.12, 0.36, color="silver", linewidth=0.5)
        if at == trouble:
            axes.axvspan(start, end, zorder=2, **TROUBLE)
    part = slice(first, last + 1)
    axes.plot(trace.samples[part], trace.bits[part], ".", color=_SAMPLE, markersize=3.5, zorder=4)


def eye(
    places: Sequence[tuple[Array, Array]], sample_points: Sequence[float], margins: Mapping[int, Array], title: str = ""
) -> Figure:
    """Where edges lie in their bit, and how wide the margins between samples and edges are.

    Parameters
    ----------
    places : sequence of (to dominant, to recessive)
        Places of edges after the nearest bit boundary, % of a bit: at the nominal rate, and where there is a second
        rate, at that.
    sample_points : sequence of float
        Percent, of the same rates.
    margins : mapping of identifier to array
        The smallest margin of each frame, % of a bit. Of more than 8 identifiers those with most frames are drawn.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    ImportError
        matplotlib is not installed.

    Examples
    --------
    Drawn by `canal_fast.waveform.draw_eye`; by hand:

    >>> rng = np.random.default_rng(1)
    >>> places = [(rng.normal(0, 1, 500), rng.normal(0, 1, 500))]
    >>> cf.plot.eye(places, [87.5], {0x123: rng.normal(12, 1, 50)}).savefig("eye.png")
    """
    figure = new_figure(7, 6.4)
    above, below = figure.subplots(2, 1)
    bins = np.linspace(-50, 150, 201)
    for speed, (at_rate, sample_point) in enumerate(zip(places, sample_points, strict=True)):
        for level, colour in ((0, "#1f5fa8"), (1, "#c7712b")):
            counts, _ = np.histogram(np.concatenate([at_rate[level], at_rate[level] + 100]), bins)
            name = f"to {('dominant', 'recessive')[level]}" + (", data rate" if speed else "")
            style: Any = DASHES[level + 2 * speed]
            above.stairs(np.maximum(counts, 0.5), bins, color=colour, linestyle=style, label=name)
        above.axvline(sample_point, color=_SAMPLE, linestyle=("-", "--")[speed], linewidth=1)
        above.text(sample_point, 0.6, " sample", color=_SAMPLE, fontsize=8, rotation=90, va="bottom")
    above.set(yscale="log", xlim=(-50, 150), xlabel="place in the bit by the receiver's time base, %", ylabel="edges")
    above.legend(fontsize=8)
    above.grid(alpha=0.3)
    _margins(below, margins)
    figure.suptitle(title, fontsize=10)
    return figure


def _margins(axes: Axes, margins: Mapping[int, Array]) -> None:
    largest = sorted(margins, key=lambda name: -len(margins[name]))
    most = max((float(np.nanmax(values)) for values in margins.values() if not np.isnan(values).all()), default=0.0)
    bins = np.linspace(0, max(5.0, most), 60).tolist()
    for number, name in enumerate(largest[:8]):
        style = DASHES[number % len(DASHES)]
        axes.hist(margins[name], bins, histtype="step", linewidth=1.3, linestyle=style, label=f"{name:X}")
    if others := largest[8:]:
        values = np.concatenate([margins[name] for name in others])
        axes.hist(values, bins, histtype="step", linestyle="--", color="gray", label="others")
    axes.set(xlabel="smallest margin of a frame between sample and edge, % of a bit", ylabel="frames")
    axes.legend(fontsize=8, title="identifier", title_fontsize=8, loc="upper left")
    axes.grid(alpha=0.3)
