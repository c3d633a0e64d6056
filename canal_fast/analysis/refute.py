"""What a recording can refute of worst-case response times."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from canal_fast.arguments import choice
from canal_fast.frames import FrameArray, FrameFlag, contiguous, payload_length
from canal_fast.wire.lengths import frame_duration_ns

from .lines import fit_line, median_period, spread
from .messages import bus_order_key, records

if TYPE_CHECKING:
    from .response import ResponseTime, ResponseTimes

__all__ = ["FINDING_DTYPE", "Comparison", "Observed", "compare"]

FINDING_DTYPE = np.dtype(
    [("kind", "U8"), ("timestamp_ns", "i8"), ("index", "i8"), ("message", "i8")]
    + [("extended", "?"), ("arbitration_id", "u4"), ("measured_ns", "f8"), ("allowed_ns", "f8")]
)
"""Rows of `Comparison.findings`."""
_NO_FRAME = int(FrameFlag.STATUS | FrameFlag.ERROR_FRAME)
_FEW = 4

Rows = npt.NDArray[np.void]
Times = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Observed:
    """What the recording shows of one message; None where it shows nothing.

    Attributes
    ----------
    message : str
    frames : int
    least_ns, least_allowed_ns : float or None
        Shortest distance, and the period less what its response time may vary.
    delay_ns, delay_allowed_ns : float or None
        Greatest delay behind the best period line; of sporadic messages None.
    """

    message: str
    frames: int
    least_ns: float | None = None
    least_allowed_ns: float | None = None
    delay_ns: float | None = None
    delay_allowed_ns: float | None = None


@dataclass(frozen=True)
class Comparison:
    """What a recording says of response times.

    Attributes
    ----------
    findings : array of FINDING_DTYPE, by time
        kind: "foreign" (its identifier is not among the messages), "length" (a payload longer than the message's;
        measured and allowed are bytes), "distance" (from the frame before), "delay" (the message's latest frame
        behind its period line), "busy" (a stretch from timestamp_ns on); index of the frame; message: its priority,
        -1 where it has none.
    rows : tuple of Observed, in bus order
    busy_ns, busy_allowed_ns : float
        The longest busy stretch.
    unseen : tuple of str
        Messages of which the recording has no frame.
    error_frames : int
        They make frames late: without `errors` the bounds do not hold here.

    Examples
    --------
    >>> result = cf.analysis.response_times(cf.load_database("car.dbc"), 500_000)
    >>> comparison = result.compare(cf.make_frames([0x100, 0x300], bytes(2), timestamp_ns=[0, 5_000_000]))
    >>> comparison.findings["kind"].tolist(), comparison.unseen
    (['foreign'], ('Body',))
    """

    findings: Rows
    rows: tuple[Observed, ...]
    busy_ns: float
    busy_allowed_ns: float
    unseen: tuple[str, ...]
    error_frames: int

    @property
    def refuted(self) -> bool:
        return len(self.findings) > 0


def compare(
    result: ResponseTimes, frames: FrameArray, tolerance_ns: int | None, clock_ppm: float, stamp: str
) -> Comparison:
    """As `ResponseTimes.compare`."""
    choice("stamp", stamp, ("end", "start"))
    if not 0 <= clock_ppm <= 100_000:
        raise ValueError(f"clock_ppm = {clock_ppm}, allowed 0..100000")
    tolerance = 2e9 / float(result.bitrate) if tolerance_ns is None else float(tolerance_ns)
    if not tolerance >= 0:
        raise ValueError(f"tolerance_ns = {tolerance_ns}, allowed 0 and above")
    frames = contiguous(frames)
    places = np.flatnonzero(frames["flags"] & _NO_FRAME == 0)
    frames, errors = frames[places], int(np.count_nonzero(frames["flags"] & FrameFlag.ERROR_FRAME))
    channels = np.unique(frames["channel"])
    if len(channels) > 1:
        raise ValueError(f"frames of channels {', '.join(map(str, channels))}: give those of one bus")
    keys = bus_order_key(records([row.message for row in result.rows]))
    own = bus_order_key(frames)
    order = np.argsort(own, kind="stable")
    edges = [np.searchsorted(own[order], keys, side) for side in ("left", "right")]
    known = np.isin(own, keys)
    parts = [_rows(frames, places, np.flatnonzero(~known), "foreign", -1, np.nan, np.nan)]
    observed, sizes = [], payload_length(frames)
    durations = frame_duration_ns(frames, result.bitrate, result.data_bitrate)
    for row, a, b in zip(result.rows, *edges, strict=True):
        indexes = np.sort(order[a:b])
        long = indexes[sizes[indexes] > row.message.length]
        parts.append(_rows(frames, places, long, "length", row.priority, sizes[long], row.message.length))
        best = min(row.best_ns, int(durations[indexes].min())) if len(indexes) else row.best_ns
        one, found = _message(row, frames, places, indexes, row.worst_ns - best + tolerance, clock_ppm)
        observed.append(one)
        parts += found
    busy, stretches = _stretches(result, frames, places, durations, tolerance, stamp)
    joined = np.concatenate([*parts, stretches])
    return Comparison(
        joined[np.argsort(joined["timestamp_ns"], kind="stable")],
        tuple(observed),
        busy,
        float(result.busy_ns),
        tuple(one.message for one in observed if not one.frames),
        errors,
    )


def _message(
    row: ResponseTime, frames: FrameArray, places: Times, indexes: Times, varies: float, clock_ppm: float
) -> tuple[Observed, list[Rows]]:
    """Distances and delays of one message's frames, whose response times may differ by `varies`."""
    message = row.message
    times = frames["timestamp_ns"][indexes]
    if len(times) < 2:
        return Observed(message.name, len(times)), []
    allowed = max(0.0, message.period_ns * (1 - clock_ppm * 1e-6) - varies)
    distances = np.diff(times)
    short = np.flatnonzero(distances < allowed)
    found = [_rows(frames, places, indexes[short + 1], "distance", row.priority, distances[short], allowed)]
    delay = None
    order = np.argsort(times, kind="stable")
    period = median_period(times[order])
    if not message.sporadic and len(times) >= _FEW and period:
        line = fit_line(times[order], period)
        delay = 0.0
        for a, b in pairwise(line.cuts.tolist()):
            height, _, latest = spread(line.numbers[a:b], times[order][a:b], line.period)
            delay = max(delay, height)
            if height > varies:
                at = indexes[order[a + latest : a + latest + 1]]
                found.append(_rows(frames, places, at, "delay", row.priority, height, varies))
    return Observed(
        message.name, len(times), float(distances.min()), allowed, delay, None if delay is None else varies
    ), found


def _stretches(
    result: ResponseTimes, frames: FrameArray, places: Times, durations: Times, tolerance: float, stamp: str
) -> tuple[float, Rows]:
    """Frames behind each other with nothing but the intermission between them."""
    if not len(frames):
        return 0.0, _rows(frames, places, np.empty(0, np.int64), "busy", -1, np.nan, np.nan)
    times = frames["timestamp_ns"]
    pauses = np.diff(times) - (durations[1:] if stamp == "end" else durations[:-1])
    begins = np.concatenate([[0], np.flatnonzero(pauses > tolerance) + 1]).astype(np.int64)
    lengths = np.add.reduceat(durations, begins.astype(np.intp))
    allowed = float(result.busy_ns)
    long = np.flatnonzero(lengths > allowed + tolerance)
    found = _rows(frames, places, begins[long], "busy", -1, lengths[long], allowed)
    found["message"] = -1
    return float(lengths.max()), found


def _rows(
    frames: FrameArray, places: Times, indexes: Times, kind: str, message: int, measured: npt.ArrayLike,
    allowed: npt.ArrayLike,
) -> Rows:  # fmt: skip
    found = np.zeros(len(indexes), FINDING_DTYPE)
    found["kind"], found["message"], found["index"] = kind, message, places[indexes]
    found["timestamp_ns"] = frames["timestamp_ns"][indexes]
    found["arbitration_id"] = frames["arbitration_id"][indexes]
    found["extended"] = frames["flags"][indexes] & FrameFlag.EXTENDED_ID != 0
    found["measured_ns"], found["allowed_ns"] = measured, allowed
    return found
