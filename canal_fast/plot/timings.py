"""Bit timings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from .figure import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["NAMES", "TimedBit", "bit_timings"]

NAMES = ("sync", "propagation", "phase 1", "phase 2")
_COLOURS = (("#ececec", "black"), ("#35608f", "white"), ("#f7cf8a", "black"), ("#d98873", "black"))  # bar, text on it


class TimedBit(Protocol):
    """What is drawn of a `canal_fast.BitTiming`."""

    @property
    def brp(self) -> int: ...
    @property
    def tseg1(self) -> int: ...
    @property
    def tseg2(self) -> int: ...
    @property
    def sjw(self) -> int: ...
    @property
    def nbt(self) -> int: ...
    @property
    def tq_ns(self) -> float: ...
    @property
    def sample_point(self) -> float: ...
    @property
    def segments(self) -> Sequence[int]: ...


def bit_timings(timings: Sequence[TimedBit], title: str = "") -> Figure:
    """The bits below each other, to scale: segments, quanta, sample point.

    Parameters
    ----------
    timings : sequence of BitTiming
        At least one; the first is the top one.
    title : str
        Headline.

    Returns
    -------
    Figure

    Raises
    ------
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> timings = cf.bittiming.solve(500_000, limits="usb_8dev")[:3]
    >>> cf.plot.bit_timings(timings, "500 kbit/s").savefig("timings.png")
    """
    figure = new_figure(9, 1.7 + 0.62 * len(timings))
    axes = figure.add_subplot()
    longest = max(t.nbt * t.tq_ns for t in timings)
    for place, timing in enumerate(timings):
        left = 0.0
        for quanta, name, (colour, ink) in zip(timing.segments, NAMES, _COLOURS, strict=True):
            length = quanta * timing.tq_ns
            axes.barh(place, length, 0.55, left, color=colour, edgecolor="white", label=name if place == 0 else None)
            text = f"{name}: {quanta}"
            if length < longest * 0.0095 * len(text):  # the width of a letter
                text = f"{quanta}" if length > longest * 0.02 else ""
            axes.text(left + length / 2, place, text, ha="center", va="center", color=ink, fontsize=9)
            left += length
        sample = (1 + timing.tseg1) * timing.tq_ns
        axes.plot([sample, sample], [place - 0.38, place + 0.3], color="black", linewidth=1.6, zorder=3)
        axes.text(sample, place - 0.4, f"{timing.sample_point:.4g} %", ha="center", va="bottom", fontsize=8)
        if timing.nbt <= 64:
            quanta_at = [i * timing.tq_ns for i in range(1, timing.nbt)]
            axes.vlines(quanta_at, place + 0.19, place + 0.275, color="white", linewidth=0.7)
    axes.set_yticks(
        range(len(timings)),
        [f"brp {t.brp}, tseg1 {t.tseg1},\ntseg2 {t.tseg2}, sjw {t.sjw}" for t in timings],
        fontsize=8,
    )
    axes.set_ylim(len(timings) - 0.45, -0.75)
    axes.set_xlim(0, longest * 1.002)
    axes.set_xlabel("time in the bit [ns]")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if title:
        axes.set_title(title, loc="left", fontsize=11)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure
