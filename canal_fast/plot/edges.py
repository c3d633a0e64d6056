"""Nodes with clocks of their own, over time: what each drives, sees and samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .figure import BLUE, TROUBLE, field_colour, new_figure, strips

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["EdgeTrack", "node_edges"]

_LETTER = 0.004  # of a picture's width
_HEIGHT = 2.9
_Rows = npt.NDArray[Any]


class EdgeTrack(NamedTuple):
    """One node. Rows have the fields time_fs and level."""

    name: str
    driven: _Rows
    """Changes of the level that it sends."""
    seen: _Rows
    """Of the level that it sees."""
    sampled: _Rows
    checked: _Rows
    """Secondary sample points."""
    spans: Sequence[tuple[str, int, int]] = ()
    """(field, its first sample, the sample after its last), without what is quiet."""
    errors: Sequence[float] = ()
    """Ends of bits in which it found an error, us."""


def node_edges(tracks: Sequence[EdgeTrack], first: int, count: int, width: int, bit_us: float) -> Figure:
    """Driven levels (black) above seen ones (blue) with sample points, fields coloured, errors hatched.

    Parameters
    ----------
    tracks : sequence of EdgeTrack
        From above.
    first, count : int
        Nominal bits that are drawn.
    width : int
        Nominal bits in a row.
    bit_us : float
        Length of one.

    Returns
    -------
    Figure

    Raises
    ------
    ImportError
        matplotlib is not installed.

    Examples
    --------
    Drawn by `Run.draw` where nodes have clocks of their own:

    >>> bus = cf.simulation.Bus()
    >>> bus.send(bus.node("ecu", clock_ppm=100, mode="self_test"), cf.make_frames(0x123))
    >>> text = bus.run(bits=60).draw(plot="edges.png")
    """
    rows = max(1, -(-count // width))
    figure = new_figure(16, (0.85 * len(tracks) + 0.5) * rows + 0.4)
    for row, axes in enumerate(strips(figure, rows, ("top", "right", "left"))):
        left, right = (first + row * width) * bit_us, (first + (row + 1) * width) * bit_us
        for place, track in enumerate(tracks):
            _draw(axes, track, _HEIGHT * (len(tracks) - 1 - place), left, right, bit_us)
        axes.set(xlim=(left, right), ylim=(-0.4, _HEIGHT * len(tracks)), yticks=[])
    axes.set_xlabel("us", fontsize=8)
    figure.suptitle(
        f"bits {first}..{first + count - 1}: driven above, seen below, dots and crosses sampled", fontsize=9
    )
    return figure


def _steps(axes: Axes, rows: _Rows, base: float, left: float, right: float, color: str) -> None:
    times = np.concatenate([[left], rows["time_fs"] / 1e9, [right]])
    levels = np.concatenate([1 - rows["level"][:1], rows["level"]]) if len(rows) else np.ones(1)
    axes.stairs(levels + base, np.clip(times, left, right), baseline=None, color=color, linewidth=1, zorder=3)


def _draw(axes: Axes, track: EdgeTrack, base: float, left: float, right: float, bit_us: float) -> None:
    _steps(axes, track.driven, base + 1.2, left, right, "black")
    _steps(axes, track.seen, base, left, right, BLUE)
    axes.text(left - 0.3 * bit_us, base + 1.1, track.name, ha="right", va="center", fontsize=8)
    for rows, mark in ((track.sampled, "."), (track.checked, "x")):
        times = rows["time_fs"] / 1e9
        here = (times >= left) & (times < right)
        axes.plot(times[here], rows["level"][here] + base, mark, color=BLUE, markersize=3, zorder=4)
    ends = track.sampled["time_fs"] / 1e9
    for number, (field, begin, end) in enumerate(track.spans):
        a, b = max(ends[begin - 1] if begin else left, left), min(ends[end - 1], right)
        if a >= b:
            continue
        color = field_colour(field, number)
        axes.fill_between([a, b], base - 0.1, base + 2.3, color=color, linewidth=0)
        if b - a >= _LETTER * (right - left) * len(field):
            axes.text((a + b) / 2, base + 2.33, field, ha="center", va="bottom", fontsize=5)
    for at in track.errors:
        if left <= at < right:
            axes.fill_between([at - bit_us / 4, at], base - 0.1, base + 2.3, **TROUBLE)
