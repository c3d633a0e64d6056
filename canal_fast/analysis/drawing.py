"""Pictures of response times and load."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from canal_fast.plot import new_figure

from .forecast import LoadForecast, MeasuredLoad
from .response import ResponseTimes

if TYPE_CHECKING:
    from .critical import Slot

__all__ = ["plot_response"]

_MOST = 40  # messages that a panel has room for
_OWN, _OTHER, _LOWER, _WAIT = "#d9534f", "#4878a8", "#9a9a9a", "#f0c27b"


def plot_response(
    path: str | os.PathLike[str],
    result: ResponseTimes,
    forecast: LoadForecast,
    measured: MeasuredLoad | None = None,
    message: str | None = None,
) -> None:
    """The worst moment of a message, frame by frame (where it is known; else response times beside deadlines), and
    the load of each message.

    Parameters
    ----------
    path : path-like
        Picture; its suffix says which format.
    result : ResponseTimes
    forecast : LoadForecast
        Of the same messages.
    measured : MeasuredLoad, optional
    message : str, optional
        Default: the one that has the least of its deadline left.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    KeyError
        No such message.
    """
    height = max(3.0, 0.22 * min(len(result), _MOST) + 1.2)
    figure = new_figure(13, height + 4)
    above, below = figure.subplots(2, 1, height_ratios=[height, 3.5])
    if result.faults is None and not any(stream.fifo for stream in result.streams):
        gantt(above, result, result.critical_instant(message))
    else:
        bars(above, result)
    loads(below, forecast, measured)
    figure.savefig(path, dpi=110)


def gantt(axes: Any, result: ResponseTimes, slots: list[Slot]) -> None:
    """A row for each message: when it waits, when it is on the bus."""
    own = slots[-1].message
    lower = result[own.name].priority
    rows = sorted({result[slot.message.name].priority for slot in slots})
    left_out = 0
    if len(rows) > _MOST:  # the highest take the bus most often
        left_out = len(rows) - _MOST
        rows = [*rows[: _MOST - 2], *rows[-2:]]
    place = {priority: number for number, priority in enumerate(rows)}
    for slot in slots:
        priority = result[slot.message.name].priority
        if priority not in place:
            continue
        at, colour = place[priority], _OWN if slot.message == own else _LOWER if priority > lower else _OTHER
        queued, start, end = (value / 1e6 for value in slot[1:])
        if start > queued:
            axes.barh(at, start - queued, left=queued, height=0.3, color=_WAIT, zorder=2)
        axes.barh(at, end - start, left=start, height=0.75, color=colour, edgecolor="white", linewidth=0.4, zorder=3)
        axes.plot([queued, queued], [at - 0.42, at + 0.42], color="black", linewidth=0.9, zorder=4)
    end = slots[-1].end_ns / 1e6
    worst = result[own.name].worst_ns / 1e6
    begin = end - worst
    left = own.due_ns / 1e6 - worst
    label = f"worst response time {worst:.3f} ms, deadline {own.due_ns / 1e6:g} ms"
    axes.annotate(
        "", (end, place[lower] + 0.55), (begin, place[lower] + 0.55), arrowprops={"arrowstyle": "<->", "color": _OWN}
    )
    axes.axvline(begin + own.due_ns / 1e6, color=_OWN, linestyle="--", linewidth=1)
    names = [f"{result.rows[p].message.name} {result.rows[p].message.identifier}" for p in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=7)
    axes.set(
        ylim=(len(rows) - 0.1, -0.7),
        xlim=(begin - 0.02 * worst, end + (1.05 * left if 0.05 * worst < left < worst else 0.05 * worst)),
        xlabel="ms since all was queued (black: queued; yellow: waits; blue, red: on the bus; grey: lower frame)",
    )
    axes.set_title(f"{own.name}: {label}" + (f" ({left_out} messages not shown)" if left_out else ""), fontsize=10)
    axes.grid(axis="x", alpha=0.3)


def bars(axes: Any, result: ResponseTimes) -> None:
    """Response times beside deadlines."""
    rows = sorted(result.rows, key=lambda row: row.slack_ns / row.message.due_ns)[:_MOST]
    rows.sort(key=lambda row: row.priority)
    for at, row in enumerate(rows):
        share = 100 * row.worst_ns / row.message.due_ns
        axes.barh(at, share, height=0.7, color=_OTHER if row.schedulable else _OWN)
        words = f" {row.worst_ns / 1e6:.3f} of {row.message.due_ns / 1e6:g} ms"
        axes.text(share, at, words, fontsize=7, va="center")
    axes.axvline(100, color="black", linewidth=1.2)
    axes.set_yticks(range(len(rows)), [f"{r.message.name} {r.message.identifier}" for r in rows], fontsize=7)
    axes.set(ylim=(len(rows) - 0.3, -0.7), xlabel="worst response time, % of the deadline")
    axes.margins(x=0.12)
    left_out = len(result) - len(rows)
    more = f" ({left_out} with more left of their deadline not shown)" if left_out else ""
    axes.set_title("; ".join(result.assumptions[:-1]) + more, fontsize=10)
    axes.grid(axis="x", alpha=0.3)


def loads(axes: Any, forecast: LoadForecast, measured: MeasuredLoad | None) -> None:
    """Best, expected and worst share of the bus, and what a recording has."""
    order = sorted(range(len(forecast.rows)), key=lambda i: -forecast.rows[i].worst)[:_MOST]
    rows = [forecast.rows[i] for i in order]
    best, expected, worst = ([100 * getattr(row, name) for row in rows] for name in ("best", "expected", "worst"))
    places = range(len(rows))
    axes.bar(places, worst, color="#d5e3f0", label=f"worst {100 * forecast.worst:.1f} %")
    axes.bar(places, expected, color="#7fa8cf", label=f"expected {100 * forecast.expected:.1f} %")
    axes.bar(places, best, color=_OTHER, label=f"best {100 * forecast.best:.1f} %")
    if measured is not None:
        seen = [100 * measured.rows[i] for i in order]
        total = f"measured {100 * measured.total:.1f} % in {measured.seconds:.1f} s"
        axes.plot(places, seen, "_", color="black", markersize=12, markeredgewidth=2, label=total)
    axes.set_xticks(places, [row.message.name for row in rows], rotation=90, fontsize=7)
    left_out = len(forecast.rows) - len(rows)
    rate = f"share of the bus at {float(forecast.bitrate):g} bit/s, %"
    axes.set(ylabel=rate, xlim=(-0.7, len(rows) - 0.3), ylim=(0, 1.3 * max(worst)))
    if left_out:
        axes.set_xlabel(f"the {len(rows)} messages with most of {len(forecast.rows)}")
    axes.legend(fontsize=8, loc="upper right", ncols=4)
    axes.grid(axis="y", alpha=0.3)
