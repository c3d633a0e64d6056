"""Response times of messages: the worst moment of one frame by frame, and all beside their deadlines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .figure import BLUE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BusSlot", "RatedMessage", "critical_instant", "deadline_bars", "response_times", "slot_rows"]

_MOST = 40  # messages that a picture has room for
_RED = "#d9534f"
_EDGES: dict[str, Any] = {"edgecolor": "black", "linewidth": 0.4}
_WAIT: dict[str, Any] = {"color": "#f0c27b"}
_OTHER: dict[str, Any] = {"facecolor": BLUE, "edgecolor": "white", "linewidth": 0.4}
_OWN: dict[str, Any] = {"facecolor": _RED, "hatch": "////", **_EDGES}
_LOWER: dict[str, Any] = {"facecolor": "#d0d0d0", "hatch": "xxx", **_EDGES}


class TimedMessage(Protocol):
    """What is drawn of `canal_fast.analysis.Message`."""

    @property
    def name(self) -> str: ...
    @property
    def identifier(self) -> str: ...
    @property
    def due_ns(self) -> int: ...


class RatedMessage(Protocol):
    """What is drawn of `canal_fast.analysis.ResponseTime`."""

    @property
    def message(self) -> TimedMessage: ...
    @property
    def priority(self) -> int: ...
    @property
    def worst_ns(self) -> int: ...


class BusSlot(Protocol):
    """A frame on the bus, as `canal_fast.analysis.ResponseTimes.critical_instant` gives it."""

    @property
    def message(self) -> TimedMessage: ...
    @property
    def queued_ns(self) -> float: ...
    @property
    def start_ns(self) -> float: ...
    @property
    def end_ns(self) -> float: ...


def critical_instant(rows: Sequence[RatedMessage], slots: Sequence[BusSlot]) -> Figure:
    """The worst moment of a message: when each frame is queued, waits and is on the bus.

    Parameters
    ----------
    rows : sequence of ResponseTime
        In bus order, as `ResponseTimes.rows`.
    slots : sequence of Slot
        As `ResponseTimes.critical_instant(name)` gives them. Of more than 40 messages the highest are drawn.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        No slot.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> found = cf.analysis.response_times(cf.load_database("car.dbc"), 500_000)
    >>> cf.plot.critical_instant(found.rows, found.critical_instant()).savefig("worst.png")
    """
    if not slots:
        raise ValueError("no frame to draw")
    figure = new_figure(11, 1.6 + 0.24 * min(len(rows), _MOST))
    slot_rows(figure.add_subplot(), rows, slots)
    return figure


def response_times(rows: Sequence[RatedMessage], title: str = "") -> Figure:
    """Worst response times, in percent of the deadlines.

    Parameters
    ----------
    rows : sequence of ResponseTime
        As `ResponseTimes.rows`. Of more than 40 those that have the least of their deadline left are drawn.
    title : str

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        No message.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> found = cf.analysis.response_times(cf.load_database("car.dbc"), 500_000)
    >>> cf.plot.response_times(found.rows).savefig("response.png")
    """
    if not rows:
        raise ValueError("no message to draw")
    figure = new_figure(11, 1.4 + 0.24 * min(len(rows), _MOST))
    deadline_bars(figure.add_subplot(), rows, title)
    return figure


def slot_rows(axes: Axes, rows: Sequence[RatedMessage], slots: Sequence[BusSlot]) -> None:
    """A line for each message: when it waits, when it is on the bus."""
    own = slots[-1].message
    priorities = {row.message.name: row.priority for row in rows}
    lower = priorities[own.name]
    lines = sorted({priorities[slot.message.name] for slot in slots})
    left_out = 0
    if len(lines) > _MOST:  # the highest take the bus most often
        left_out = len(lines) - _MOST
        lines = [*lines[: _MOST - 2], *lines[-2:]]
    place = {priority: number for number, priority in enumerate(lines)}
    for slot in slots:
        priority = priorities[slot.message.name]
        if priority not in place:
            continue
        at, style = place[priority], _OWN if slot.message == own else _LOWER if priority > lower else _OTHER
        queued, start, end = slot.queued_ns / 1e6, slot.start_ns / 1e6, slot.end_ns / 1e6
        if start > queued:
            axes.barh(at, start - queued, left=queued, height=0.3, zorder=2, **_WAIT)
        axes.barh(at, end - start, left=start, height=0.75, zorder=3, **style)
        axes.plot([queued, queued], [at - 0.42, at + 0.42], color="black", linewidth=0.9, zorder=4)
    end = slots[-1].end_ns / 1e6
    worst = next(row.worst_ns for row in rows if row.message.name == own.name) / 1e6
    begin = end - worst
    left = own.due_ns / 1e6 - worst
    label = f"worst response time {worst:.3f} ms, deadline {own.due_ns / 1e6:g} ms"
    arrow = place[lower] + 0.55
    axes.annotate("", (end, arrow), (begin, arrow), arrowprops={"arrowstyle": "<->", "color": _RED})
    axes.axvline(begin + own.due_ns / 1e6, color=_RED, linestyle="--", linewidth=1)
    axes.set_yticks(
        range(len(lines)), [f"{rows[p].message.name} {rows[p].message.identifier}" for p in lines], fontsize=8
    )
    axes.set(
        ylim=(len(lines) - 0.1, -0.7),
        xlim=(begin - 0.02 * worst, end + (1.05 * left if 0.05 * worst < left < worst else 0.05 * worst)),
        xlabel="ms since all was queued\ntick: queued; thin: waits; wide: on the bus; crossed: a lower frame",
    )
    axes.set_title(f"{own.name}: {label}" + (f" ({left_out} messages not shown)" if left_out else ""), fontsize=10)
    axes.grid(axis="x", alpha=0.3)


def deadline_bars(axes: Axes, rows: Sequence[RatedMessage], title: str) -> None:
    """A bar for each message; those that miss their deadline hatched."""
    shown = sorted(rows, key=lambda row: -row.worst_ns / row.message.due_ns)[:_MOST]
    shown.sort(key=lambda row: row.priority)
    for at, row in enumerate(shown):
        share = 100 * row.worst_ns / row.message.due_ns
        axes.barh(at, share, height=0.7, **(_OTHER if row.worst_ns <= row.message.due_ns else _OWN))
        words = f" {row.worst_ns / 1e6:.3f} of {row.message.due_ns / 1e6:g} ms"
        axes.text(share, at, words, fontsize=8, va="center")
    axes.axvline(100, color="black", linewidth=1.2)
    axes.set_yticks(range(len(shown)), [f"{r.message.name} {r.message.identifier}" for r in shown], fontsize=8)
    axes.set(ylim=(len(shown) - 0.3, -0.7), xlabel="worst response time, % of the deadline")
    axes.margins(x=0.16)
    left_out = len(rows) - len(shown)
    more = f" ({left_out} with more left of their deadline not shown)" if left_out else ""
    if title or more:
        axes.set_title(title + more, fontsize=10)
    axes.grid(axis="x", alpha=0.3)
