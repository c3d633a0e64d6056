"""Error counters of nodes over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .figure import BLUE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["error_counters"]

_LIMITS = ((96, "warning"), (128, "passive"), (256, "bus off"))
_STATES: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (2, "error passive", {"facecolor": "#fbeedb", "edgecolor": "#c98a2b", "hatch": "..", "linewidth": 0}),
    (3, "bus off", {"facecolor": "#e9c3c0", "edgecolor": "#7a1f1a", "hatch": "//", "linewidth": 0}),
)
Rows = npt.NDArray[np.void]


def error_counters(events: Rows, nodes: Sequence[str], end_ns: int | None = None) -> Figure:
    """TEC and REC of each node over time; hatched, where it was error passive or bus off.

    Parameters
    ----------
    events : array of canal_fast.simulation.EVENT_DTYPE, shape (n,)
        As `Run.events` has them. Used are timestamp_ns, node, tec, rec, state.
    nodes : sequence of str
        Names, as `Run.nodes`. Nodes whose counters stay 0 are left out.
    end_ns : int, optional
        Where the picture ends. Default: at the last event.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        No counter left 0.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> bus = cf.simulation.Bus(500_000)
    >>> alone = bus.node("alone")
    >>> bus.send(alone, cf.make_frames(0x123, b"nobody"))
    >>> run = bus.run(seconds=0.01)
    >>> cf.plot.error_counters(run.events, run.nodes).savefig("counters.png")
    """
    counted = (events["tec"] > 0) | (events["rec"] > 0)
    shown = [number for number in range(len(nodes)) if (counted & (events["node"] == number)).any()]
    if not shown:
        raise ValueError("no error counter to draw: all stayed 0")
    end = max(int(events["timestamp_ns"].max()), end_ns or 0)
    figure = new_figure(9, 0.9 + 2.1 * len(shown))
    all_axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axes, number in zip(all_axes, shown, strict=True):
        _node(axes, events[events["node"] == number], end)
        axes.set_ylabel(f"{nodes[number]}:\nTEC, REC")
    all_axes[-1].set_xlabel("time since the bus began, ms")
    known = {
        label: handle for axes in all_axes for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def _node(axes: Axes, rows: Rows, end: int) -> None:
    times = np.concatenate([[0], rows["timestamp_ns"], [end]]) / 1e6
    edges = np.append(times[:-1], times[-1])
    highest = 0
    for name, colour, dash, width in (("tec", BLUE, "-", 1.8), ("rec", "black", (0, (4, 1.5)), 1.3)):
        values = np.concatenate([[0], rows[name]])
        axes.stairs(values, edges, baseline=None, color=colour, linestyle=dash, linewidth=width, label=name.upper())
        highest = max(highest, int(values.max()))
    for state, label, style in _STATES:
        for begin, after in _stretches(rows["state"] == state):
            axes.axvspan(times[begin + 1], times[after + 1], label=label, zorder=0, **style)
    top = next((limit for limit, _ in _LIMITS if limit >= highest), 256)
    for limit, _ in _LIMITS:
        if limit <= top:
            axes.axhline(limit, color="gray", linewidth=0.8, linestyle=":")
    marks = [(limit, f"{label} {limit}") for limit, label in _LIMITS if limit <= top]
    axes.set_yticks([0, *(limit for limit, _ in marks)], ["0", *(label for _, label in marks)], fontsize=8)
    axes.set(xlim=(0, end / 1e6), ylim=(0, 1.18 * top))
    axes.spines[["top", "right"]].set_visible(False)


def _stretches(marks: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first row, row after the last) of each stretch of marked rows; a state lasts until the next row."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(np.int8), [0]])))
    return [(int(begin), int(after)) for begin, after in edges.reshape(-1, 2)]
