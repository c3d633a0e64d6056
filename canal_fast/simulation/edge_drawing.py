"""A run whose nodes have clocks of their own, as text and as a picture over time. Public as `Run.draw`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from canal_fast.errors import SimulationError
from canal_fast.plot import new_figure

from .drawing import field_names, sentence, spans
from .events import ERRORS, FIELDS, EdgeKind, Event

if TYPE_CHECKING:
    from .run import Run

_FINEST = 16  # columns of text a nominal bit
_MOST_BITS = 2000
_STUFF = 0x80
_IDLE = FIELDS.index("idle")
_LETTER = 0.004  # of a picture's width


def _window(run: Run, first: int | None, count: int | None) -> tuple[int, int]:
    """Nominal bits of the run that are drawn; only the edge gear's."""
    begin = max(run.first_bit, run.handed_over or 0)
    end = -(-(run.start_ns + run.duration_ns) * 1_000_000 // run.bit_fs)
    first = begin if first is None else first
    if not begin <= first <= end:
        raise SimulationError(f"first = {first}, the run has edges of bits {begin}..{end - 1}")
    return first, min(end, first + (_MOST_BITS if count is None else count))


def _rows(run: Run, node: int, kind: EdgeKind) -> npt.NDArray[np.void]:
    found: npt.NDArray[np.void] = run.edges[(run.edges["node"] == node) & (run.edges["kind"] == kind)]
    return found


def _levels(rows: npt.NDArray[np.void], times: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """The level at each time; recessive, or what the first change leaves, before that."""
    if not len(rows):
        return np.ones(len(times), np.uint8)
    before = np.concatenate([1 - rows["level"][:1], rows["level"]])
    found: npt.NDArray[np.uint8] = before[np.searchsorted(rows["time_fs"], times, "right")]
    return found


def _step(run: Run) -> int:
    """Time of a column: a bit at the data rate where there are such, else a nominal bit."""
    shortest = run.bit_fs
    for node in range(len(run.nodes)):
        distances = np.diff(_rows(run, node, EdgeKind.SAMPLED)["time_fs"])
        if len(distances):
            shortest = min(shortest, int(distances.min()))
    return run.bit_fs // max(1, min(_FINEST, round(run.bit_fs / max(1, shortest) - 0.2)))


def edge_text(run: Run, first: int | None, count: int | None, width: int) -> str:
    """Lines of `width` columns: what each node drives, what it samples and takes that for, and what happened."""
    begin, end = _window(run, first, count)
    step = _step(run)
    a_bit = run.bit_fs // step
    label = max(5, *(len(name) for name in run.nodes)) + 2
    lines = [
        f"one column is {step / 1e6:.6g} ns, {a_bit} a nominal bit; below each node the levels that it samples",
        "",
    ]
    for column in range(begin * a_bit, end * a_bit, width):
        columns = np.arange(column, min(column + width, end * a_bit), dtype=np.int64)
        ruler = "".join(
            f"{k // a_bit if k % a_bit == 0 else '':<{10}}" for k in range(column, column + len(columns), 10)
        )
        lines.append(f"{'bit':{label}}{ruler[: len(columns)]}".rstrip())
        for number, name in enumerate(run.nodes):
            driven = _levels(_rows(run, number, EdgeKind.DRIVEN), columns * step + step // 2)
            lines.append(f"{name:{label}}{''.join(map(str, driven.tolist()))}")
            samples = _rows(run, number, EdgeKind.SAMPLED)
            at = np.searchsorted(samples["time_fs"], [columns[0] * step, (columns[-1] + 1) * step])
            marks, codes = [" "] * len(columns), [_IDLE] * len(columns)
            done = 0
            for sample in samples[at[0] : at[1]]:
                place = int(sample["time_fs"]) // step - column
                marks[place] = str(sample["level"])
                codes[done : place + 1] = [int(sample["field"])] * (place + 1 - done)
                done = place + 1
            lines.append(f"{'':{label}}{''.join(marks)}".rstrip())
            lines.append(f"{'':{label}}{field_names(codes)}".rstrip())
        times = run.events["timestamp_ns"] * 1_000_000
        here = run.events[(times > columns[0] * step) & (times <= (columns[-1] + 1) * step)]
        lines += [sentence(run, event) for event in here if event["event"] != Event.START]
        lines.append("")
    return "\n".join(lines[:-1])


def edge_picture(run: Run, first: int | None, count: int | None, width: int, path: str | os.PathLike[str]) -> None:
    """What each node drives (black) and sees (blue), its sample points (dots), fields coloured, errors red."""
    begin, end = _window(run, first, count)
    bit = run.bit_fs / 1e9
    rows = max(1, -(-(end - begin) // width))
    figure = new_figure(16, (0.85 * len(run.nodes) + 0.5) * rows + 0.4)
    for row in range(rows):
        axes = figure.add_subplot(rows, 1, row + 1)
        left, right = (begin + row * width) * bit, (begin + (row + 1) * width) * bit
        for number, name in enumerate(run.nodes):
            base = 2.9 * (len(run.nodes) - 1 - number)
            for kind, shift, color in ((EdgeKind.DRIVEN, 1.2, "black"), (EdgeKind.SEEN, 0.0, "#2266aa")):
                edges = _rows(run, number, kind)
                times = np.concatenate([[left], edges["time_fs"] / 1e9, [right]])
                levels = np.concatenate([1 - edges["level"][:1], edges["level"]]) if len(edges) else np.ones(1)
                axes.stairs(levels + base + shift, np.maximum.accumulate(np.clip(times, left, right)), baseline=None,
                            color=color, linewidth=1, zorder=3)  # fmt: skip
            axes.text(left - 0.3 * bit, base + 1.1, name, ha="right", va="center", fontsize=8)
            samples = _rows(run, number, EdgeKind.SAMPLED)
            samples = samples[(samples["time_fs"] >= left * 1e9) & (samples["time_fs"] < right * 1e9)]
            axes.plot(samples["time_fs"] / 1e9, samples["level"] + base, ".", color="#2266aa", markersize=3, zorder=4)
            checks = _rows(run, number, EdgeKind.CHECKED)
            checks = checks[(checks["time_fs"] >= left * 1e9) & (checks["time_fs"] < right * 1e9)]
            axes.plot(checks["time_fs"] / 1e9, checks["level"] + base, "x", color="#cc7700", markersize=3, zorder=4)
            ends = samples["time_fs"] / 1e9
            for turn, (code, a, b) in enumerate(spans(samples["field"].tolist())):
                if FIELDS[code] in ("idle", "bus_off", "integrating"):
                    continue
                color = "#f6cfcb" if FIELDS[code].endswith("_flag") else ("#dce9f7", "#fbeedb")[turn % 2]
                from_, to = (ends[a - 1] if a else left), ends[b - 1]
                axes.fill_between([from_, to], base - 0.1, base + 2.3, color=color, linewidth=0)
                if to - from_ >= _LETTER * width * bit * len(FIELDS[code]):
                    axes.text((from_ + to) / 2, base + 2.33, FIELDS[code], ha="center", va="bottom", fontsize=5)
            events = run.events[(run.events["node"] == number) & np.isin(run.events["event"], list(ERRORS))]
            for at in events["timestamp_ns"] / 1e3:
                if left <= at < right:
                    axes.axvspan(at - bit / 4, at, color="#d9534f", alpha=0.4, linewidth=0)
        axes.set(xlim=(left, right), ylim=(-0.4, 2.9 * len(run.nodes)), yticks=[])
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_xlabel("us", fontsize=8)
    figure.suptitle(f"bits {begin}..{end - 1}: driven black, seen blue, samples as dots", fontsize=9)
    figure.savefig(path, dpi=110)
