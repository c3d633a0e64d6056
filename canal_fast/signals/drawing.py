"""Signals over time as a picture. Needs the extra `plot` (matplotlib)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.plot import new_figure

__all__ = ["plot_signals"]

_MOST = 16
_GAP = 20  # times the usual distance of two values
_POINTS = 4_000  # a picture is not wider: of more, the least and greatest of each stretch are drawn


def plot_signals(
    path: str | os.PathLike[str],
    signals: Mapping[str, tuple[npt.NDArray[np.int64], npt.NDArray[Any]]],
    units: Mapping[str, str | None] | None = None,
    title: str | None = None,
) -> None:
    """Draw each signal above the next, over a common time axis.

    Parameters
    ----------
    path : path-like
        The ending chooses the format (.png, .svg, .pdf).
    signals : mapping of name to (timestamp_ns, values)
        At most 16.
    units : mapping of name to unit, optional
    title : str, optional

    Raises
    ------
    ValueError
        Nothing to draw, or more than 16 signals.
    ImportError
        matplotlib is not installed.
    """
    if not 1 <= len(signals) <= _MOST:
        raise ValueError(f"{len(signals)} signals to draw, allowed 1..{_MOST}; choose some by name or pattern")
    start = min(int(times.min()) for times, _ in signals.values() if len(times))
    figure = new_figure(11, 1.2 + 1.9 * len(signals))
    axes = figure.subplots(len(signals), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (name, (times, values)) in zip(axes, signals.items(), strict=True):
        x, y = _with_gaps(*_thinned((times - start) / 1e9, np.asarray(values, float)))
        axis.plot(x, y, linewidth=1.1, color="#2a6099", drawstyle="steps-post")
        unit = (units or {}).get(name)
        axis.set_ylabel(f"{name.rpartition('.')[2]}\n[{unit}]" if unit else name.rpartition(".")[2], fontsize=9)
        axis.grid(alpha=0.3)
        axis.margins(x=0.01, y=0.1)
    first = np.datetime64(start, "ns")
    axes[-1].set_xlabel(f"time since {np.datetime_as_string(first, unit='ms')} UTC, s")
    if title:
        figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=110)


def _with_gaps(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """NaN where nothing came for much longer than usual, so that no line says what was not measured."""
    distances = np.diff(x)
    if len(distances) < 3:
        return x, y
    gaps = np.flatnonzero(distances > _GAP * np.median(distances)) + 1
    return np.insert(x, gaps, x[gaps - 1]), np.insert(y, gaps, np.nan)


def _thinned(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Of very many points the least and greatest of each stretch, so that no peak is lost."""
    if len(x) <= 2 * _POINTS:
        return x, y
    size = len(x) // _POINTS
    count = len(x) // size
    blocks = y[: count * size].reshape(count, size)
    ends = np.stack([np.argmin(blocks, 1), np.argmax(blocks, 1)], 1)
    rows = (np.sort(ends, 1) + np.arange(count)[:, None] * size).ravel()
    return x[rows], y[rows]
