"""Pictures of response times and load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from canal_fast.plot import new_figure
from canal_fast.plot.responses import deadline_bars, slot_rows

from .forecast import LoadForecast, MeasuredLoad
from .response import ResponseTimes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_response"]

_MOST = 40  # messages that a panel has room for
_BEST = "#4878a8"


def plot_response(
    result: ResponseTimes,
    forecast: LoadForecast,
    measured: MeasuredLoad | None = None,
    message: str | None = None,
) -> Figure:
    """The worst moment of a message, frame by frame (where it is known; else response times beside deadlines), and
    the load of each message.

    Parameters
    ----------
    result : ResponseTimes
    forecast : LoadForecast
        Of the same messages.
    measured : MeasuredLoad, optional
    message : str, optional
        Default: the one that has the least of its deadline left.

    Returns
    -------
    Figure

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
        slot_rows(above, result.rows, result.critical_instant(message))
    else:
        deadline_bars(above, result.rows, "; ".join(result.assumptions[:-1]))
    loads(below, forecast, measured)
    return figure


def loads(axes: Any, forecast: LoadForecast, measured: MeasuredLoad | None) -> None:
    """Best, expected and worst share of the bus, and what a recording has."""
    order = sorted(range(len(forecast.rows)), key=lambda i: -forecast.rows[i].worst)[:_MOST]
    rows = [forecast.rows[i] for i in order]
    best, expected, worst = ([100 * getattr(row, name) for row in rows] for name in ("best", "expected", "worst"))
    places = range(len(rows))
    axes.bar(places, worst, color="#d5e3f0", label=f"worst {100 * forecast.worst:.1f} %")
    axes.bar(places, expected, color="#7fa8cf", label=f"expected {100 * forecast.expected:.1f} %")
    axes.bar(places, best, color=_BEST, label=f"best {100 * forecast.best:.1f} %")
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
