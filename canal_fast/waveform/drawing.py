"""One row of a decoded waveform as text or picture; eye diagram and margins. Public as `canal_fast.waveform.draw`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from canal_fast.frames import FrameFlag
from canal_fast.plot import new_figure
from canal_fast.wire.drawing import split

from .kernel import Decoded, WaveStatus
from .trace import Trace, trace_frame
from .wave import Wave

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW_BITS = 64
_COLOURS = ("#dce9f7", "#fbeedb")
_TROUBLE, _STUFF = "#c0392b", "#d9534f"
_AROUND = 2  # bits drawn before and after the row
_EYE_FRAMES = 2_000
_WITH_TIMES = (WaveStatus.ERROR_FLAG, WaveStatus.OVERLOAD, WaveStatus.STUCK)

Path = str | os.PathLike[str]


class _Part(NamedTuple):
    name: str
    start: int
    stuff: tuple[bool, ...]


def _parts(d: Decoded, row: int, trace: Trace) -> list[_Part]:
    """Fields of a valid frame; a frame with trouble is one part."""
    if not d.valid[row]:
        return [_Part(WaveStatus(int(d.status[row])).name.lower().replace("_", " "), 0, (False,) * len(trace.bits))]
    fields = split(d.frames[row : row + 1])
    return [_Part(field.name, field.start, field.stuff) for field in fields if field.start < len(trace.bits)]


def _title(d: Decoded, row: int) -> str:
    frame, status = d.frames[row], WaveStatus(int(d.status[row]))
    words = [f"row {row}: {status.name}"]
    if d.valid[row]:
        flags = int(frame["flags"])
        digits = 8 if flags & FrameFlag.EXTENDED_ID else 3
        words.append(f"id {int(frame['arbitration_id']):0{digits}X}, dlc {int(frame['dlc'])}")
    words.append(f"from {int(d.start_ns[row]) / 1e9:.9f} s, {(int(d.end_ns[row]) - int(d.start_ns[row])) / 1e3:.3f} us")
    if d.clock_ppm is not None and np.isfinite(d.clock_ppm[row]) and d.clock_uncertainty_ppm is not None:
        words.append(f"clock {d.clock_ppm[row]:+.0f} ± {d.clock_uncertainty_ppm[row]:.0f} ppm")
    if d.margin_ns is not None and d.margin_percent is not None and np.isfinite(d.margin_ns[row]):
        words.append(f"margin {d.margin_ns[row]:.0f} ns ({d.margin_percent[row]:.0f} % of a bit)")
    if d.glitches is not None and d.glitches[row]:
        words.append(f"{int(d.glitches[row])} glitches")
    return ", ".join(words)


def draw(wave: Wave, d: Decoded, row: int = 0, plot: Path | None = None) -> str:
    """One row of `d` as text: fields with their times and bits; where it has trouble, the bit.

    Parameters
    ----------
    wave : Wave
        What `d` was decoded from.
    d : Decoded
    row : int
    plot : path, optional
        Also draw levels, bits, sample points, stuff bits and fields into this picture (its suffix says which format).
        Needs matplotlib, the extra `plot`.

    Returns
    -------
    str
        A line for each field: time of its start, name, bits (0 dominant, stuff bits in brackets, trouble between
        exclamation marks).
    """
    row = range(len(d))[row]
    lines = [_title(d, row)]
    if WaveStatus(int(d.status[row])) in _WITH_TIMES:
        if plot is not None:
            raise ValueError(f"row {row} is no frame ({WaveStatus(int(d.status[row])).name}) and cannot be drawn")
        return lines[0]
    trace = trace_frame(wave, d, row)
    for part in _parts(d, row, trace):
        cells = []
        for offset, stuffed in enumerate(part.stuff):
            at = part.start + offset
            if at < len(trace.bits):
                bit = str(trace.bits[at])
                cells.append(f"!{bit}!" if at == d.bit_index[row] else f"[{bit}]" if stuffed else bit)
        start_us = (trace.start_ns[part.start] - int(d.start_ns[row])) / 1e3
        text = "".join(cells)
        wrapped = [text[i : i + 80] for i in range(0, len(text), 80)] or [""]
        lines.append(f"{start_us:9.3f} us  {part.name:13}  {wrapped[0]}".rstrip())
        lines += [" " * 29 + more for more in wrapped[1:]]
    if plot is not None:
        _plot(wave, d, row, trace, plot)
    return "\n".join(lines)


def _plot(wave: Wave, d: Decoded, row: int, trace: Trace, path: Path) -> None:
    count = len(trace.bits)
    rows = -(-count // _ROW_BITS)
    figure = new_figure(15, 1.75 * rows + 0.6)
    parts = _parts(d, row, trace)
    ends = np.append(trace.start_ns[1:], float(d.end_ns[row])) - int(d.start_ns[row])
    starts = trace.start_ns - int(d.start_ns[row])
    for number in range(rows):
        axes = figure.add_subplot(rows, 1, number + 1)
        first, last = number * _ROW_BITS, min((number + 1) * _ROW_BITS, count) - 1
        bit = ends[first] - starts[first]
        left = starts[first] - (_AROUND * bit if number == 0 else 0)
        right = ends[last] + (_AROUND * bit if last == count - 1 else 0)
        _levels(axes, wave, int(d.start_ns[row]), left, right)
        for index, part in enumerate(parts):
            low, high = max(part.start, first), min(part.start + len(part.stuff) - 1, last)
            if low <= high:
                _field(axes, part, index, starts, ends, low, high, (right - left) / _ROW_BITS)
        for at in range(first, last + 1):
            trouble = at == d.bit_index[row]
            middle = (starts[at] + ends[at]) / 2 / 1e3
            colour = _TROUBLE if trouble else "dimgray"
            axes.text(middle, -0.14, str(trace.bits[at]), fontsize=6.5, ha="center", va="top", color=colour)
            axes.axvline(starts[at] / 1e3, 0.12, 0.36, color="silver", linewidth=0.5)
            if trouble:
                axes.axvspan(starts[at] / 1e3, ends[at] / 1e3, color=_TROUBLE, alpha=0.35, linewidth=0, zorder=2)
        sampled = (trace.sample_ns - int(d.start_ns[row]))[first : last + 1] / 1e3
        axes.plot(sampled, trace.bits[first : last + 1], ".", color="#1b6e3c", markersize=3.5, zorder=4)
        # shorter than the others in its last row, so that bits are equally wide
        axes.set(
            xlim=(
                left / 1e3,
                (left + max(right - left, (_ROW_BITS + 4) * bit if number == rows - 1 and number else 0)) / 1e3,
            )
        )
        axes.set(ylim=(-0.5, 2.9), yticks=[0, 1], yticklabels=["dominant", "recessive"])
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("time since SOF, us", fontsize=8)
    figure.suptitle(_title(d, row) + "; dots: samples, red: stuff bits", fontsize=9)
    figure.savefig(path, dpi=110)


def _levels(axes: Axes, wave: Wave, origin_ns: int, left: float, right: float) -> None:
    """The line between two times in ns after `origin_ns`."""
    scale = 1e9 / wave.ticks_per_second
    low, high = np.searchsorted(wave.edges, [(left + origin_ns) / scale, (right + origin_ns) / scale])
    times = np.concatenate([[left], wave.edges[low:high] * scale - origin_ns, [right]]) / 1e3
    levels = (wave.level + low + np.arange(len(times) - 1)) % 2
    axes.stairs(levels, times, baseline=None, color="black", linewidth=1.3, zorder=3)


def _field(
    axes: Axes, part: _Part, index: int, starts: np.ndarray, ends: np.ndarray, low: int, high: int, bit: float
) -> None:
    begin, end = starts[low] / 1e3, ends[high] / 1e3
    axes.axvspan(begin, end, color=_COLOURS[index % 2], linewidth=0)
    upright = (end - begin) * 1e3 < 0.42 * len(part.name) * bit
    axes.text((begin + end) / 2, 1.18, part.name, fontsize=7, ha="center", va="bottom", rotation=90 * upright)
    for at in range(low, high + 1):
        if part.stuff[at - part.start]:
            axes.axvspan(starts[at] / 1e3, ends[at] / 1e3, color=_STUFF, alpha=0.4, linewidth=0)


def draw_eye(wave: Wave, d: Decoded, plot: Path, arbitration_id: int | None = None) -> int:
    """Eye diagram: how far edges lie from bit boundaries and samples, over all valid frames; and how wide margins are.

    Above, edges to dominant and to recessive over the place in a bit where they lie, at the nominal rate (and at the
    data rate, dashed). Below, a histogram of each identifier's smallest margins.

    Parameters
    ----------
    wave, d
        As for `draw`.
    plot : path
    arbitration_id : int, optional
        Only this sender's frames.

    Returns
    -------
    int
        The number of frames that are in the picture, at most 2000.
    """
    if d.margin_percent is None:
        raise ValueError("decoded with columns=False: there are no margins")
    rows = np.flatnonzero(d.valid)
    if arbitration_id is not None:
        rows = rows[d.frames["arbitration_id"][rows] == arbitration_id]
    if not rows.size:
        raise ValueError("no valid frame to draw")
    rows = rows[:: -(-rows.size // _EYE_FRAMES)]
    figure = new_figure(11, 7.5)
    above, below = figure.subplots(2, 1)
    places = [_edge_places(wave, d, int(row)) for row in rows]
    bins = np.linspace(-50, 150, 201)
    fast = any(len(p[1][0]) or len(p[1][1]) for p in places)
    for speed in range(1 + fast):
        for level, colour in ((0, "#1f5fa8"), (1, "#c7712b")):
            found = np.concatenate([p[speed][level] for p in places])
            both = np.concatenate([found, found + 100])
            counts, _ = np.histogram(both, bins)
            name = f"to {('dominant', 'recessive')[level]}" + (", data rate" if speed else "")
            above.stairs(np.maximum(counts, 0.5), bins, color=colour, linestyle=("-", "--")[speed], label=name)
        phase = d.rates.data if speed and d.rates.data else d.rates.nominal
        above.axvline(phase.sample_point, color="#1b6e3c", linestyle=("-", "--")[speed], linewidth=1)
        above.text(phase.sample_point, 0.6, " sample", color="#1b6e3c", fontsize=8, rotation=90, va="bottom")
    above.set(yscale="log", xlim=(-50, 150), xlabel="place in the bit by the receiver's time base, %", ylabel="edges")
    above.legend(fontsize=8)
    above.grid(alpha=0.3)
    _margins(below, d, rows)
    figure.suptitle(f"{rows.size} frames at {d.rates.nominal.bitrate:.0f} bit/s", fontsize=10)
    figure.savefig(plot, dpi=110)
    return int(rows.size)


def _edge_places(
    wave: Wave, d: Decoded, row: int
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Percent of the bit after the nearest bit boundary: ((to dominant, to recessive), the same at the data rate)."""
    trace = trace_frame(wave, d, row)
    scale = 1e9 / wave.ticks_per_second
    low, high = np.searchsorted(wave.edges, [int(d.start_ns[row]) / scale + 2, int(d.end_ns[row]) / scale])
    edges = wave.edges[low:high] * scale
    levels = (wave.level + 1 + low + np.arange(high - low)) % 2
    bit = np.clip(np.searchsorted(trace.sample_ns, edges), 0, len(trace.bits) - 1)
    data = d.rates.data or d.rates.nominal
    lengths = np.where(trace.fast[bit], 1e9 / data.bitrate, 1e9 / d.rates.nominal.bitrate)
    places = 100 * (edges - trace.start_ns[bit]) / lengths
    split_at = [
        tuple(places[(trace.fast[bit] == fast) & (levels == level)] for level in (0, 1)) for fast in (False, True)
    ]
    return split_at[0], split_at[1]


def _margins(axes: Axes, d: Decoded, rows: np.ndarray) -> None:
    margins = d.margin_percent[rows] if d.margin_percent is not None else np.empty(0)
    ids = d.frames["arbitration_id"][rows]
    names, counts = np.unique(ids, return_counts=True)
    largest = names[np.argsort(-counts)][:8]
    bins = np.linspace(0, max(5.0, float(np.nanmax(margins))), 60).tolist()
    for name in largest:
        axes.hist(margins[ids == name], bins, histtype="step", linewidth=1.3, label=f"{name:X}")
    if len(names) > len(largest):
        axes.hist(margins[~np.isin(ids, largest)], bins, histtype="step", linestyle="--", color="gray", label="others")
    axes.set(xlabel="smallest margin of a frame between sample and edge, % of a bit", ylabel="frames")
    axes.legend(fontsize=8, title="identifier", title_fontsize=8)
    axes.grid(alpha=0.3)
