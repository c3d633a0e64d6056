"""Of more points than a picture is wide, as many as it can show, so that no peak is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Folded", "fold", "thinned", "with_gaps"]

POINTS = 4_000  # a picture is not wider: of more, the least and greatest of each stretch are drawn
GAP = 20  # times the usual distance of two values


class Folded(NamedTuple):
    """Windows of one length, folded together. A window that nothing is known of counts 0."""

    first: int
    """Number of the first window."""
    each: int
    """Windows in one point."""
    windows: int
    """Windows in all: the last point may have fewer."""
    mean: npt.NDArray[np.float64]
    most: npt.NDArray[np.float64]


def fold(
    windows: Mapping[int, float | None], points: int = 1000, first: int | None = None, last: int | None = None
) -> Folded:
    """Numbered windows as at most `points` means and peaks.

    Parameters
    ----------
    windows : mapping of int to float or None
        Number -> value; what is missing or None is 0. At least one, unless `first` and `last` are given.
    points : int
    first, last : int, optional
        The first and the last window that are shown. Default: those of `windows`.
    """
    first = min(windows) if first is None else first
    last = max(windows) if last is None else last
    count = last - first + 1
    each = -(-count // points)
    size = -(-count // each)
    numbers = np.fromiter(windows, np.int64, len(windows))
    values = np.array([value or 0.0 for value in windows.values()], np.float64)
    kept = (numbers >= first) & (numbers <= last)
    places, values = (numbers[kept] - first) // each, values[kept]
    mean, most = np.zeros(size), np.zeros(size)
    np.add.at(mean, places, values)
    np.maximum.at(most, places, values)
    sizes = np.full(size, float(each))
    sizes[-1] = count - each * (size - 1)
    return Folded(first, each, count, mean / sizes, most)


def with_gaps(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """NaN where nothing came for much longer than usual, so that no line says what was not measured."""
    distances = np.diff(x)
    if len(distances) < 3:
        return x, y
    gaps = np.flatnonzero(distances > GAP * np.median(distances)) + 1
    return np.insert(x, gaps, x[gaps - 1]), np.insert(y, gaps, np.nan)


def thinned(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Of very many points the least and greatest of each stretch."""
    if len(x) <= 2 * POINTS:
        return x, y
    size = len(x) // POINTS
    count = len(x) // size
    blocks = y[: count * size].reshape(count, size)
    ends = np.stack([np.argmin(blocks, 1), np.argmax(blocks, 1)], 1)
    rows = (np.sort(ends, 1) + np.arange(count)[:, None] * size).ravel()
    rows = np.append(rows, np.arange(count * size, len(x)))
    return x[rows], y[rows]
