"""Charts as SVG that stretches: lines in the SVG, words beside it as HTML, so that no width makes them small."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .text import safe

__all__ = ["Decades", "bars", "line", "scale_of_time", "sparkline", "ticks"]

_WIDTH, _HEIGHT = 1000, 100  # units of the SVG, whatever its size on the screen
_STEPS = (1, 2, 2.5, 5, 10)


def ticks(low: float, high: float, most: int, least: float = 0.0) -> list[float]:
    """Round numbers from `low` to `high`, at most about so many, `least` or more apart."""
    if not high > low:
        return [low]
    rough = max((high - low) / most, least)
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * one for one in _STEPS if power * one >= rough * 0.999999)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def scale_of_time(seconds: float) -> tuple[float, str]:
    """What a time axis of this length counts in."""
    for limit, unit, name in ((180, 1, "s"), (10_800, 60, "min"), (259_200, 3600, "h")):
        if seconds < limit:
            return unit, name
    return 86_400, "days"


def line(name: str, title: str, words: str, row: dict[str, Any], end_s: float, factor: float, number: int) -> str:
    """Mean and peak of windows over time, as stairs.

    Parameters
    ----------
    name : str
        Of the element, and of what is beside it.
    title, words : str
        Already safe: what it shows, and what it says in words.
    row : dict
        start_s, step_s, mean, peak.
    end_s : float
        Where the axis ends; it begins at 0.
    factor : float
        What values are multiplied with: 100 for a share, which becomes percent, 1 for a number of frames.
    number : int
        Place among the page's lines, for the reading at the pointer.
    """
    mean, peak = ([value * factor for value in row[key]] for key in ("mean", "peak"))
    top = _top(max(peak, default=0))
    drawn = _stairs(mean, row["start_s"], row["step_s"], end_s, top)
    shapes = f'<path class="mean" d="{drawn}"/>'
    if row["windows_in_one"] > 1:
        shapes = f'<path class="peak" d="{_stairs(peak, row["start_s"], row["step_s"], end_s, top)}"/>' + shapes
    return _chart(name, title, words, shapes, top, end_s, f'data-line="{number}"')


def bars(name: str, title: str, words: str, row: dict[str, Any], end_s: float, number: int) -> str:
    """Counts of windows over time, as bars of at least a pixel."""
    counts = [value * row["windows_in_one"] for value in row["mean"]]
    top = _top(max(counts, default=0), 1)
    step = _WIDTH * row["step_s"] / end_s
    first = _WIDTH * row["start_s"] / end_s
    path = "".join(
        f"M{max(first + place * step, 0):.1f} {_HEIGHT}V{_y(value, top)}H{min(first + (place + 1) * step, _WIDTH):.1f}"
        f"V{_HEIGHT}Z"
        for place, value in enumerate(counts)
        if value
    )
    shapes = f'<path class="bar" d="{path}"/>'
    return _chart(name, title, words, shapes, top, end_s, f'data-bars="{number}"', 1)


def sparkline(points: Sequence[tuple[float, float, float]], end_s: float, label: str) -> str:
    """Least and greatest of a signal over time, as one thin line."""
    low, high = min(p[1] for p in points), max(p[2] for p in points)
    span = high - low or 1.0
    steps = []
    for at, least, most in points:
        x = _WIDTH * max(at, 0) / end_s / 10
        ends = {round(19 - 18 * (value - low) / span, 1) for value in (least, most)} if high > low else {10}
        steps += [f"{x:.1f} {y:g}" for y in sorted(ends, reverse=True)]
    if len(steps) == 1:
        steps.append(f"{_WIDTH / 10:.0f} {steps[0].split()[1]}")
    path = "M" + "L".join(steps)
    return (
        f'<svg class="spark" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f'<path d="{path}"/></svg>'
    )


class Decades:
    """A logarithmic scale from the least to the greatest of some numbers above 0, the same for many small pictures."""

    def __init__(self, low: float, high: float) -> None:
        self.low = math.log10(low)
        self.span = max(math.log10(high) - self.low, 1e-9)

    def place(self, value: float) -> float:
        """0 to 100; what is below, and 0, is at 0."""
        return 100 * min(max((math.log10(value) - self.low) / self.span, 0), 1) if value > 0 else 0.0

    def range(self, least: float, mean: float, most: float, jitter: float) -> str:
        """A line from least to greatest, a band of the jitter around the mean, a mark at the mean."""
        left, right, low, middle, high = (
            f"{self.place(value):.1f}" for value in (least, most, max(mean - jitter, least), mean, mean + jitter)
        )
        return (
            '<svg class="range" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
            f'<path class="band" d="M{low} 5H{high}"/><path d="M{left} 5H{right}M{middle} 1V9"/></svg>'
        )


def _top(value: float, least: float = 0.0) -> float:
    """A round number not below the value: of the axis."""
    if not value > 0:
        return 1.0
    marks = ticks(0, value * 1.0001, 4, least)
    return marks[-1] + (marks[1] - marks[0] if marks[-1] < value else 0)


def _y(value: float, top: float) -> str:
    return f"{_HEIGHT * (1 - min(value / top, 1)):.2f}".rstrip("0").rstrip(".")


def _stairs(values: Sequence[float], start: float, step: float, end: float, top: float) -> str:
    parts: list[str] = []
    for place, value in enumerate(values):
        at = _WIDTH * min(max((start + place * step) / end, 0), 1)
        parts.append(f"{'H' if parts else 'M'}{at:.1f}{'V' if parts else ' '}{_y(value, top)}")
    return "".join(parts) + f"H{_WIDTH * min((start + len(values) * step) / end, 1):.1f}"


def _chart(
    name: str, title: str, words: str, shapes: str, top: float, end_s: float, data: str, least: float = 0.0
) -> str:
    unit, unit_name = scale_of_time(end_s)
    y_marks = ticks(0, top, 4, least)
    x_marks = ticks(0, end_s / unit, 8)
    grid = "".join(f"M0 {_y(mark, top)}H{_WIDTH}" for mark in y_marks)
    beside = "".join(f'<span class="y" style="top:{_y(mark, top)}%">{_label(mark)}</span>' for mark in y_marks)
    below = "".join(_mark(100 * mark * unit / end_s, _label(mark)) for mark in x_marks)
    return (
        f'<figure class="chart"><figcaption>{title} <output for="{name}"></output></figcaption>'
        f'<div class="plot" id="{name}" {data}>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img" tabindex="0" '
        f'aria-labelledby="{name}-t {name}-d"><title id="{name}-t">{title}</title><desc id="{name}-d">{words}</desc>'
        f'<path class="grid" d="{grid}"/>{shapes}</svg>{beside}{below}</div>'
        f'<p class="words"><span class="unit">time, {safe(unit_name)}</span>{words}</p></figure>'
    )


def _mark(percent: float, label: str) -> str:
    """Below the axis; at its end not beyond it."""
    place = f"left:{percent:.2f}%" if percent < 97 else "right:0"
    return f'<span class="x{" end" * (percent >= 97)}" style="{place}">{label}</span>'


def _label(value: float) -> str:
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.3g}"
