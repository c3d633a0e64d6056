"""Signals over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .figure import BLUE, new_figure
from .folding import thinned, with_gaps

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["signals"]

_MOST = 16
_TEXTS = 12  # beside an axis
_LETTERS = 24
Series = Mapping[str, tuple[npt.NDArray[np.int64], npt.NDArray[Any]]]


def signals(
    series: Series,
    units: Mapping[str, str | None] | None = None,
    title: str | None = None,
    texts: Mapping[str, Mapping[float, str]] | None = None,
) -> Figure:
    """Each signal above the next, over a common time axis.

    Parameters
    ----------
    series : mapping of name to (timestamp_ns, values)
        At most 16.
    units : mapping of name to unit, optional
    title : str, optional
    texts : mapping of name to mapping of value to text, optional
        Value tables: those signals are drawn as steps between the texts that occur.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        Nothing to draw, or more than 16 signals.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> engine = cf.load_database("car.dbc").plan().decode(cf.read_log("drive.blf"))["Engine"]
    >>> series = {"speed": (engine.timestamp_ns, engine.columns["speed"])}
    >>> cf.plot.signals(series, units=engine.units).savefig("signals.png")
    """
    if not 1 <= len(series) <= _MOST:
        raise ValueError(f"{len(series)} signals to draw, allowed 1..{_MOST}; choose some by name or pattern")
    start = min((int(times.min()) for times, _ in series.values() if len(times)), default=0)
    figure = new_figure(11, 1.2 + 1.9 * len(series))
    axes = figure.subplots(len(series), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (name, (times, values)) in zip(axes, series.items(), strict=True):
        values = np.asarray(values, float)
        table = (texts or {}).get(name)
        if table:
            values = _steps(axis, values, table)
        x, y = with_gaps(*thinned((times - start) / 1e9, values))
        axis.plot(x, y, linewidth=1.1, color=BLUE, drawstyle="steps-post")
        unit = (units or {}).get(name)
        last = name.rpartition(".")[2]
        axis.set_ylabel(f"{last}\n[{unit}]" if unit and not table else last, fontsize=9)
        axis.grid(alpha=0.3)
        axis.margins(x=0.01, y=0.1)
    first = np.datetime64(start, "ns")
    axes[-1].set_xlabel(f"time since {np.datetime_as_string(first, unit='ms')} UTC, s")
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def _steps(axis: Axes, values: npt.NDArray[np.float64], table: Mapping[float, str]) -> npt.NDArray[np.float64]:
    """The places of the values on the axis, whose marks are the texts; values without one are numbers between."""
    found = np.unique(values[np.isfinite(values)])
    if len(found) > _TEXTS:
        return values
    words = [table.get(value, f"{value:g}") for value in found.tolist()]
    axis.set_yticks(
        range(len(found)), [w if len(w) <= _LETTERS else w[: _LETTERS - 1] + "\N{HORIZONTAL ELLIPSIS}" for w in words]
    )
    axis.tick_params(axis="y", labelsize=8)
    places = np.searchsorted(found, values).astype(np.float64)
    places[~np.isfinite(values)] = np.nan
    return places
