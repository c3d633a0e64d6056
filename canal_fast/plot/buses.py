"""What was on the buses: load over time, identifiers over time, periods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray, FrameFlag, chosen

from .figure import BLUE, DASHES, new_figure
from .folding import fold

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LoadStatistics", "bus_load", "id_raster", "periods"]

_SHARES = 30  # identifiers with a bar
_RASTER_IDS = 100
_RASTER_COLUMNS = 2000  # frames nearer than that are one mark
_PERIOD_IDS = 40
_NO_FRAME = int(FrameFlag.STATUS | FrameFlag.ERROR_FRAME)
Rows = npt.NDArray[np.void]


class LoadStatistics(Protocol):
    """What is drawn of `canal_fast.analysis.Statistics`."""

    window_ns: int
    names: dict[int, str]

    @property
    def first(self) -> int | None: ...
    def load_over_time(self) -> dict[int, dict[int, float | None]]: ...
    def summary(self) -> dict[str, Any]: ...


def bus_load(statistics: LoadStatistics, summary: Mapping[str, Any] | None = None) -> Figure:
    """The load of each bus over time, and the identifiers with the greatest shares.

    Parameters
    ----------
    statistics : canal_fast.analysis.Statistics
        Of more than 4000 windows, several are drawn as one, by their mean and, as a thin line, their peak.
    summary : mapping, optional
        Its `summary()`, where that has been made already.

    Returns
    -------
    Figure

    Raises
    ------
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> statistics = cf.analysis.Statistics(bitrate=500_000, window_s=0.1)
    >>> statistics.add(cf.read_log("drive.blf"))
    >>> cf.plot.bus_load(statistics).savefig("load.png")
    """
    figure = new_figure(11, 7)
    above, below = figure.subplots(2, 1)
    summary = statistics.summary() if summary is None else summary
    window_s, start_s = statistics.window_ns / 1e9, (statistics.first or 0) / 1e9
    names = {bus["channel"]: bus["name"] for bus in summary["channels"]}
    for number, (channel, windows) in enumerate(statistics.load_over_time().items()):
        folded = fold(windows, 4000)
        edges = (folded.first + folded.each * np.arange(len(folded.mean) + 1, dtype=np.int64)) * window_s - start_s
        (color, dash) = f"C{number % 10}", DASHES[number % len(DASHES)]
        if folded.each > 1:
            above.stairs(100 * folded.most, edges, baseline=None, linewidth=0.6, color=color, alpha=0.6)
        above.stairs(
            100 * folded.mean, edges, baseline=None, linewidth=1.3, color=color, linestyle=dash, label=names[channel]
        )
    above.set(xlabel="time since the first frame, s", ylabel=f"bus load, %\n({window_s:g} s windows)")
    above.set_ylim(bottom=0)
    above.grid(alpha=0.3)
    if summary["channels"]:
        above.legend(fontsize=8, loc="lower left")
    rows = sorted(summary["ids"], key=lambda row: -(row["share"] or 0))[:_SHARES]
    labels = [f"{names[r['channel']]}: {_label(r['arbitration_id'], r['extended'])}" for r in rows]
    below.bar(range(len(rows)), [100 * (r["share"] or 0) for r in rows], color=BLUE)
    below.set_xticks(range(len(rows)), labels, rotation=90, fontsize=8)
    below.set(
        ylabel="share of the bus, %", xlabel=f"bus: identifier (the {len(rows)} with most of {len(summary['ids'])})"
    )
    return figure


def id_raster(frames: FrameArray, names: Mapping[int, str] | None = None) -> Figure:
    """A mark for each frame: identifiers below each other, over time.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        STATUS and ERROR_FRAME records are left out. Of more than 100 identifiers those with most frames are drawn.
    names : mapping of int to str, optional
        Channel -> name of the bus.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        No frame to draw.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> cf.plot.id_raster(cf.read_log("drive.blf")).savefig("raster.png")
    """
    frames = chosen(frames, (frames["flags"] & _NO_FRAME) == 0)
    if not len(frames):
        raise ValueError("no frame to draw")
    extended = (frames["flags"] & int(FrameFlag.EXTENDED_ID)) != 0
    keys = frames["channel"].astype(np.int64) << 33 | extended.astype(np.int64) << 32 | frames["arbitration_id"]
    ids, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
    shown = np.sort(np.argsort(-counts, kind="stable")[:_RASTER_IDS])
    times = frames["timestamp_ns"]
    start, span = int(times.min()), max(int(times.max()) - int(times.min()), 1)
    figure = new_figure(12, 1.4 + 0.19 * max(len(shown), 5))
    axes = figure.add_subplot()
    for line, number in enumerate(shown.tolist()):
        columns = np.unique((times[which == number] - start) * (_RASTER_COLUMNS / span) // 1)
        axes.plot(
            columns * span / _RASTER_COLUMNS / 1e9, np.full(len(columns), line), "|", color="black", ms=7, mew=0.6
        )
    buses = names or ({} if ids[-1] >> 33 else None)
    labels = []
    for number in shown.tolist():
        key = int(ids[number])
        identifier = _label(key & 0xFFFFFFFF, bool(key >> 32 & 1))
        labels.append(f"{_bus(key >> 33, buses)}{identifier} ({counts[number]})")
    axes.set_yticks(range(len(shown)), labels, fontsize=7, family="monospace")
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.margins(x=0.005)
    axes.grid(axis="x", alpha=0.3)
    left_out = f"; {len(ids) - len(shown)} identifiers with fewer frames left out" if len(ids) > len(shown) else ""
    axes.set_xlabel(f"time, s{left_out}")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def periods(rows: Rows, names: Mapping[int, str] | None = None) -> Figure:
    """Least, mean and greatest period of each identifier, and its jitter, on a logarithmic scale.

    Parameters
    ----------
    rows : array of PERIODS_DTYPE, shape (k,)
        As `canal_fast.analysis.periods(frames)` or `Statistics.periods()` gives it. Those without a period are left
        out; of more than 40 those with most frames are drawn.
    names : mapping of int to str, optional
        Channel -> name of the bus.

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        No period to draw.
    ImportError
        matplotlib is not installed.

    Examples
    --------
    >>> cf.plot.periods(cf.analysis.periods(cf.read_log("drive.blf"))).savefig("periods.png")
    """
    known = rows[np.isfinite(rows["mean_ns"]) & (rows["most_ns"] > 0)]
    if not len(known):
        raise ValueError("no period to draw: each identifier has one frame, or its periods are not known")
    known = known[np.sort(np.argsort(-known["count"], kind="stable")[:_PERIOD_IDS])]
    figure = new_figure(11, 1.5 + 0.24 * max(len(known), 4))
    axes = figure.add_subplot()
    lines = np.arange(len(known))
    least = np.maximum(known["least_ns"], 1) / 1e6
    mean, most, jitter = known["mean_ns"] / 1e6, known["most_ns"] / 1e6, known["jitter_ns"] / 1e6
    axes.hlines(lines, least, most, color="black", linewidth=0.8, label="least to greatest")
    axes.hlines(
        lines, np.maximum(mean - jitter, least), mean + jitter, color="#9db8d6", linewidth=6, label="mean ± jitter"
    )
    axes.plot(least, lines, "|", color="black", markersize=8)
    axes.plot(most, lines, "|", color="black", markersize=8)
    axes.plot(mean, lines, "o", color="black", markersize=4, label="mean", zorder=3)
    buses = names or ({} if known["channel"].any() else None)
    labels = [
        _bus(int(row["channel"]), buses) + _label(int(row["arbitration_id"]), bool(row["extended"])) for row in known
    ]
    axes.set_yticks(lines, labels, fontsize=8, family="monospace")
    axes.set_ylim(len(known) - 0.4, -0.6)
    axes.set(xscale="log", xlabel="period, ms")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside lower center", fontsize=8, ncols=3, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _label(arbitration_id: int, extended: bool) -> str:
    return f"{arbitration_id:0{8 if extended else 3}X}"


def _bus(channel: int, names: Mapping[int, str] | None) -> str:
    """Before an identifier; nothing where all are on one bus that has no name."""
    return "" if names is None else f"{names.get(channel, f'can{channel}')}: "
