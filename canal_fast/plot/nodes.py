"""A bus and its nodes, bit by bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy.typing as npt

from .figure import TROUBLE, field_colour, new_figure, strips

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Track", "node_levels"]

_BIT = 0.16  # inches
_LETTER = 0.36  # of a bit


class Track(NamedTuple):
    """The bus, or what one node sends."""

    name: str
    levels: npt.NDArray[Any]
    """Of each bit that is drawn, 0 dominant."""
    spans: Sequence[tuple[str, int, int]] = ()
    """(field, first bit, bit after it), counted from the first that is drawn; without what is quiet."""
    errors: Sequence[int] = ()
    """Bits where the node found an error, likewise."""


def node_levels(tracks: Sequence[Track], first: int, width: int) -> Figure:
    """The waveforms of the bus and of each node, fields coloured, errors hatched.

    Parameters
    ----------
    tracks : sequence of Track
        From above, all of one length.
    first : int
        Number of the first bit.
    width : int
        Bits in a row.

    Returns
    -------
    Figure

    Raises
    ------
    ImportError
        matplotlib is not installed.

    Examples
    --------
    Drawn by `Run.draw`:

    >>> bus = cf.simulation.Bus()
    >>> bus.send(bus.node("ecu", mode="self_test"), cf.make_frames(0x123))
    >>> text = bus.run(bits=60).draw(plot="levels.png")
    """
    count = len(tracks[0].levels)
    rows = max(1, -(-count // width))
    figure = new_figure(_BIT * width, (0.55 * len(tracks) + 0.5) * rows + 0.4)
    for row, axes in enumerate(strips(figure, rows, ("top", "right", "left"))):
        begin, end = row * width, min((row + 1) * width, count)
        for place, track in enumerate(tracks):
            _draw(axes, track, 1.6 * (len(tracks) - 1 - place), first, begin, end)
        axes.set(xlim=(first + begin, first + begin + width), ylim=(-0.4, 1.6 * len(tracks)), yticks=[])
        axes.set_xticks(range(first + begin, first + end + 1, 10))
    figure.suptitle(f"bits {first}..{first + count - 1}, flags red, errors hatched", fontsize=9)
    return figure


def _draw(axes: Axes, track: Track, base: float, first: int, begin: int, end: int) -> None:
    edges = range(first + begin, first + end + 1)
    axes.stairs(track.levels[begin:end] + base, edges, baseline=None, color="black", linewidth=1.2, zorder=3)
    axes.text(first + begin - 0.5, base + 0.5, track.name, ha="right", va="center", fontsize=8)
    for number, (field, left, right) in enumerate(track.spans):
        left, right = max(left, begin), min(right, end)
        if left >= right:
            continue
        color = field_colour(field, number)
        axes.fill_between([first + left, first + right], base - 0.1, base + 1.1, color=color, linewidth=0)
        if right - left >= _LETTER * len(field):
            middle = first + (left + right) / 2
            axes.text(middle, base + 1.12, field, ha="center", va="bottom", fontsize=6.5)
    for at in track.errors:
        if begin <= at < end:
            axes.fill_between([first + at, first + at + 1], base - 0.1, base + 1.1, **TROUBLE)
