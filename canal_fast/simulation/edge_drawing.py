"""A run whose nodes have clocks of their own, as text and as a picture over time. Public as `Run.draw`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from canal_fast.errors import SimulationError
from canal_fast.plot.edges import EdgeTrack, node_edges

from .drawing import QUIET, field_names, sentence, spans
from .events import ERRORS, FIELDS, EdgeKind, Event

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .run import Run

_FINEST = 16  # columns of text a nominal bit
_MOST_BITS = 2000
_IDLE = FIELDS.index("idle")


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


def edge_picture(run: Run, first: int | None, count: int | None, width: int) -> Figure:
    """What each node drives, sees and samples, fields coloured, errors marked."""
    begin, end = _window(run, first, count)
    tracks = []
    for number, name in enumerate(run.nodes):
        driven, seen, sampled, checked = (_rows(run, number, kind) for kind in EdgeKind)
        named = [(FIELDS[code], a, b) for code, a, b in spans(sampled["field"].tolist()) if code not in QUIET]
        found = run.events[(run.events["node"] == number) & np.isin(run.events["event"], list(ERRORS))]
        tracks.append(EdgeTrack(name, driven, seen, sampled, checked, named, (found["timestamp_ns"] / 1e3).tolist()))
    return node_edges(tracks, begin, end - begin, width, run.bit_fs / 1e9)
