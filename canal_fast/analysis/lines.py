"""Lines through times of a periodic frame: period, phase, and how far each frame is off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Line", "fit_line", "median_period", "spread"]

_SILENCE = 16.5  # periods without a frame, behind which a sender may have begun anew
_CLOCK = 0.01  # by which a period may differ from the one that was given
_STEADY = 0.5  # least mean of the phases as unit vectors; even phases over 0.6 of a period have this
_ROUNDS = 64
_ENOUGH = 10_000

Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """Times as start + number * period + residual, in ns; after a silence the line begins anew.

    Attributes
    ----------
    period : float
    steady : bool
        The phases agree; else the rest says nothing.
    numbers : array of i8, shape (n,)
        Of the periods, from 0 in each part.
    residuals : array of f8, shape (n,)
        Off the middle (median) of each part.
    cuts : array of i8, shape (parts + 1,)
        Part k has the frames cuts[k]:cuts[k + 1].
    starts : array of i8, shape (parts,)
        Time of number 0.
    """

    period: float
    steady: bool
    numbers: Times
    residuals: Floats
    cuts: Times
    starts: Times


def median_period(times: Times) -> float:
    """The middle distance of sorted times, equal ones left out; 0 where there is none."""
    distances = np.diff(times)
    distances = distances[distances > 0]
    return float(np.median(distances)) if distances.size else 0.0


def fit_line(times: Times, period: float) -> Line:
    """Sorted times (i8, at least 1) around a line of about this period; a few may be missing, doubled or late."""
    silent = np.flatnonzero(np.diff(times) > _SILENCE * period) + 1
    cuts = np.concatenate([[0], silent, [len(times)]]).astype(np.int64)
    part = np.repeat(np.arange(len(cuts) - 1), np.diff(cuts).astype(np.intp))
    period = _refined(times, part, period)
    numbers, residuals = np.zeros(len(times), np.int64), np.zeros(len(times))
    starts, agreement = np.zeros(len(cuts) - 1, np.int64), 0.0
    for first_round in (True, False):
        agreement = 0.0
        for k, (a, b) in enumerate(pairwise(cuts.tolist())):
            since = (times[a:b] - times[a]).astype(np.float64)
            turned = 2 * np.pi / period * _some(since)
            cosine, sine = float(np.cos(turned).mean()), float(np.sin(turned).mean())
            agreement += math.hypot(cosine, sine) * (b - a)
            phase = math.atan2(sine, cosine) * period / (2 * np.pi)
            at = np.rint((since - phase) / period)
            off = since - phase - at * period
            middle = float(np.median(off))
            again = np.rint((off - middle) / period)
            at, off = at + again, off - middle - again * period
            first = at[0]
            numbers[a:b], residuals[a:b] = (at - first).astype(np.int64), off
            starts[k] = times[a] + round(phase + middle + first * period)
        if first_round:
            period += _slope(numbers, residuals, part)
    return Line(period, agreement / len(times) >= _STEADY, numbers, residuals, cuts, starts)


def _refined(times: Times, part: Times, period: float) -> float:
    """Over distances of 1, 2, 4 ... frames: each is sure of the number of periods in the next."""
    low, high = period * (1 - _CLOCK), period * (1 + _CLOCK)
    lag = 1
    while lag <= len(times) // 2:
        later, earlier = _some(times[lag:]), _some(times[:-lag])
        apart = (later - earlier)[_some(part[lag:]) == _some(part[:-lag])].astype(np.float64)
        count = np.rint(apart / period)
        one = apart[count > 0] / count[count > 0]
        one = one[(one >= low) & (one <= high)]
        if one.size:
            period = float(np.median(one))
        lag *= 2
    return period


def _some(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Evenly spaced ones, where there are more than a median or a mean needs."""
    return array[:: max(1, len(array) // _ENOUGH)]


def _slope(numbers: Times, residuals: Floats, part: Times) -> float:
    """Least squares over what is near the middle."""
    near = np.abs(residuals) <= 3 * np.quantile(np.abs(residuals), 0.5) + 1
    x, y, p = numbers[near].astype(np.float64), residuals[near], part[near]
    count = np.maximum(np.bincount(p), 1)
    x = x - (np.bincount(p, x) / count)[p]
    square = float(x @ x)
    return float(x @ y) / square if square else 0.0


def spread(numbers: Times, times: Times, period: float) -> tuple[float, float, int]:
    """The narrowest strip that holds all times: its height, its slope's period, and the frame that is latest in it.

    The height is convex in the slope: cuts from both sides, as Kelley's, end at its least.
    """
    x, y = numbers.astype(np.float64), (times - times[0]).astype(np.float64)

    def at(slope: float) -> tuple[float, float, int]:
        off = y - slope * x
        high, low = int(off.argmax()), int(off.argmin())
        return off[high] - off[low], x[low] - x[high], high

    best = (*at(period), period)
    left, right = None, None  # slope, height, gradient
    slope, step = period, max(period * 1e-4, 1.0)
    for _ in range(_ROUNDS):
        height, gradient, latest = at(slope)
        if height < best[0]:
            best = (height, gradient, latest, slope)
        if gradient == 0:
            break
        if gradient < 0:
            left = (slope, height, gradient)
        else:
            right = (slope, height, gradient)
        if left is None or right is None:
            slope += step if left else -step
            step *= 2
            continue
        cross = (left[1] - right[1] + right[2] * right[0] - left[2] * left[0]) / (right[2] - left[2])
        if not left[0] < cross < right[0] or cross in (left[0], right[0]):
            break
        slope = cross
    return best[0], best[3], best[2]
