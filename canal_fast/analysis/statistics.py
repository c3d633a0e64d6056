"""What recordings hold, identifier by identifier, gathered batch by batch; parts add up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray, FrameFlag, chosen, contiguous, copy_records
from canal_fast.wire.lengths import frame_length_bits

from . import _analysis
from .counts import STEP, Counts, added
from .table import ID_DTYPE

__all__ = ["PERIODS_DTYPE", "Statistics", "periods"]

PERIODS_DTYPE = np.dtype(
    [(name, ID_DTYPE[name]) for name in ID_DTYPE.names or ()]
    + [("count", "i8"), ("first_ns", "i8"), ("last_ns", "i8"), ("least_ns", "i8"), ("mean_ns", "f8")]
    + [("most_ns", "i8"), ("jitter_ns", "f8"), ("gaps", "i8")]
)
"""Rows of `periods`."""
_NO_FRAME = int(FrameFlag.STATUS | FrameFlag.ERROR_FRAME)
_EDGES = [b if b < 8 else (8 + b % 8) << (b // 8 - 1) for b in range(_analysis.PERIOD_BINS + 1)]
_GAP = 1.5  # times the median; edges of the bins included

Rows = npt.NDArray[np.void]
Bits = npt.NDArray[np.int32]


def narrowed(frames: FrameArray) -> FrameArray:
    """FD records as classical ones: both have the same head, and the payload behind it."""
    classical: FrameArray = np.empty(len(frames), FRAME_DTYPE)
    copy_records(frames, classical)
    return classical


def lengths(frames: FrameArray) -> tuple[FrameArray, Bits, Bits | None]:
    """Frames, as classical records where that loses nothing; their bits with intermission at the nominal and at the
    data rate (None: there are none).

    Raises
    ------
    FrameError
        A record that no controller could send, with its `.index`.
    """
    flags = np.bitwise_or.reduce(frames["flags"])
    if frames.dtype == FD_FRAME_DTYPE and not flags & FrameFlag.FD:
        frames = narrowed(frames)  # for which there is a faster kernel
    if frames.dtype == FD_FRAME_DTYPE and flags & FrameFlag.BITRATE_SWITCH:
        parts = frame_length_bits(frames, parts=True)
        return frames, np.ascontiguousarray(parts["nominal"]), np.ascontiguousarray(parts["data"])
    return frames, frame_length_bits(frames), None


class Statistics:
    """Counts, periods and bus load of frames in the order they were recorded. Parts of recordings add: `a + b`.

    The sum equals the statistics of the merged recordings (`canal_fast.analysis.merge`) exactly, for each identifier of
    each channel whose frames in one part all come before those in the other. Where they interleave, counts, lengths,
    loads and windows still add exactly; the period, jitter and gap columns of those identifiers are None, and
    `summary()["overlapping"]` counts them. Statistics pickle.

    Parameters
    ----------
    bitrate : float
        Nominal, bit/s, for all channels that are not in `bitrates`.
    data_bitrate : float, optional
        Of CAN FD's data phase, bit/s. Without it, channels that have frames with BITRATE_SWITCH have no load.
    window_s : float
        Length of the windows that loads are given for: they begin at whole multiples of it, counted as the time stamps.
    bitrates : mapping, optional
        Channel number -> nominal bit rate of that bus. May be added to.
    names : mapping, optional
        Channel number -> name, for `summary`. May be added to.

    Raises
    ------
    ValueError
        A bit rate or window outside its interval.

    Examples
    --------
    >>> statistics = cf.analysis.Statistics(bitrate=500_000)
    >>> for batch in cf.logs.batches("drive.blf"):
    ...     statistics.add(batch)
    >>> summary = statistics.summary()
    >>> summary["frames"], summary["identifiers"], summary["span_s"]
    (110, 2, 0.99)
    >>> merged = statistics + cf.analysis.Statistics(bitrate=500_000)  # of another part of the recording
    """

    def __init__(
        self,
        bitrate: float = 500_000,
        data_bitrate: float | None = None,
        window_s: float = 1.0,
        *,
        bitrates: Mapping[int, float] | None = None,
        names: Mapping[int, str] | None = None,
    ) -> None:
        if not 1e-9 <= window_s < 9e9:
            raise ValueError(f"window_s = {window_s}, allowed 1e-9..9e9 s")
        rates = {"bitrate": bitrate, "data_bitrate": data_bitrate}
        for name, rate in {**rates, **{f"bitrates[{c}]": rate for c, rate in (bitrates or {}).items()}}.items():
            if rate is not None and not 1 <= rate <= 1e12:
                raise ValueError(f"{name} = {rate} bit/s, allowed 1..1e12")
        self.bitrate, self.data_bitrate = bitrate, data_bitrate
        self.bitrates, self.names = dict(bitrates or {}), dict(names or {})
        self.window_ns = round(window_s * 1e9)
        self.not_frames = 0
        self.first: int | None = None
        self.last: int | None = None
        self._counts = Counts(self.window_ns)

    def add(self, batch: FrameArray) -> None:
        """Count one more batch.

        Raises
        ------
        TypeError, ValueError
            No array of frames.
        FrameError
            A record that no controller could send; nothing of this batch's 65,536 frames around it is counted.
        """
        batch = contiguous(batch)
        for at in range(0, len(batch), STEP):
            frames = batch[at : at + STEP]
            off_wire = (frames["flags"] & _NO_FRAME) != 0
            left_out = int(np.count_nonzero(off_wire))
            if left_out:
                frames = chosen(frames, ~off_wire)
            if len(frames):
                self._add(frames)
            self.not_frames += left_out

    def _add(self, frames: FrameArray) -> None:
        frames, bits, data = lengths(frames)
        self._counts.add(frames, bits, data)
        first, last = int(frames["timestamp_ns"].min()), int(frames["timestamp_ns"].max())
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def __add__(self, other: Statistics) -> Statistics:
        """The statistics of both; rates and names of both, of equal rank the first's.

        Raises
        ------
        ValueError
            Windows of different lengths, or different bit rates of one channel.
        """
        if not isinstance(other, Statistics):
            return NotImplemented
        if self.window_ns != other.window_ns:
            raise ValueError(f"windows of {self.window_ns / 1e9} s and {other.window_ns / 1e9} s do not add")
        found = Statistics(self.bitrate, self.data_bitrate, self.window_ns / 1e9)
        found.window_ns = self.window_ns
        for name, one, two in (
            ("bitrate", self.bitrate, other.bitrate),
            ("data_bitrate", self.data_bitrate, other.data_bitrate),
            *((f"bitrates[{c}]", self.bitrates[c], rate) for c, rate in other.bitrates.items() if c in self.bitrates),
        ):
            if one != two:
                raise ValueError(f"statistics with {name} = {one} and {two} bit/s do not add")
        found.bitrates = {**other.bitrates, **self.bitrates}
        found.names = {**other.names, **self.names}
        found.not_frames = self.not_frames + other.not_frames
        found.first = min((s.first for s in (self, other) if s.first is not None), default=None)
        found.last = max((s.last for s in (self, other) if s.last is not None), default=None)
        found._counts = added(self._counts, other._counts)
        return found

    def __radd__(self, other: object) -> Statistics:
        return self if other == 0 else NotImplemented  # sum() begins with 0

    def _seconds(self, channel: int, bits: int, data_bits: int) -> float | None:
        """Time on the bus; None where it is not known."""
        if data_bits and self.data_bitrate is None:
            return None
        return bits / self.bitrates.get(channel, self.bitrate) + data_bits / (self.data_bitrate or 1)

    def summary(self) -> dict[str, Any]:
        """Everything, as plain numbers: times in seconds, loads and shares as fractions of the bus.

        Returns
        -------
        dict
            frames, not_frames, span_s, bitrate, data_bitrate, window_s, identifiers, overlapping (those whose periods
            are not known); channels: a dict each with channel, name, bitrate, frames, load, peak_load, peak_at_s (the
            start of that window, as time stamps count; without a whole window the peak is over the time that the
            recording covers); ids: a dict each with channel, arbitration_id, extended, count, rate,
            period_min_s, period_mean_s, period_max_s, jitter_s (the periods' standard deviation), gaps (periods
            of at least 1.5 times the median; each of twice the median is one), dlc, bits, payload_bytes, share,
            overlapping. What is not known is None.

        Examples
        --------
        >>> statistics = cf.analysis.Statistics(bitrate=500_000)
        >>> statistics.add(cf.read_log("drive.blf"))
        >>> [bus] = statistics.summary()["channels"]
        >>> bus["frames"], round(bus["load"], 4)
        (110, 0.0261)
        """
        span = 0 if self.first is None or self.last is None else self.last - self.first
        ids, rows, bins = self._counts.sorted()
        seconds = [
            self._seconds(int(i["channel"]), int(row["bits"]), int(row["data_bits"]))
            for i, row in zip(ids, rows, strict=True)
        ]
        table = [_row(*part, span) for part in zip(ids, rows, bins, seconds, strict=True)]
        channels = []
        for channel, windows in sorted(self.load_over_time().items()):
            busy = [s for row, s in zip(table, seconds, strict=True) if row["channel"] == channel]
            known = None not in windows.values()
            load = math.fsum(s or 0 for s in busy) / (span / 1e9) if span and known else None
            loads = {window: self.covered_load(window, of_it, load) for window, of_it in windows.items()}
            # Of windows that are alike up to rounding, the one in which the bus was busy longest.
            peak = max(loads, key=lambda w: (round(loads[w] or 0, 9), windows[w] or 0)) if known else None
            channels.append(
                {
                    "channel": channel,
                    "name": self.names.get(channel, f"can{channel}"),
                    "bitrate": self.bitrates.get(channel, self.bitrate),
                    "frames": sum(row["count"] for row in table if row["channel"] == channel),
                    "load": load,
                    "peak_load": None if peak is None else loads[peak],
                    "peak_at_s": None if peak is None else peak * self.window_ns / 1e9,
                }
            )
        return {
            "frames": int(rows["count"].sum()),
            "not_frames": self.not_frames,
            "span_s": span / 1e9,
            "bitrate": self.bitrate,
            "data_bitrate": self.data_bitrate,
            "window_s": self.window_ns / 1e9,
            "identifiers": len(table),
            "overlapping": int(np.count_nonzero(rows["overlapping"])),
            "channels": channels,
            "ids": table,
        }

    def covered_load(self, window: int, of_it: float | None, load: float | None) -> float | None:
        """Load of a window of a channel, given that in `load_over_time` and the channel's load in all.

        Where no window lies whole between first and last frame, over the time that it shares with them, and at least
        the load in all: time without a recording is no idle bus.
        """
        first, last, length = self.first or 0, self.last or 0, self.window_ns
        if load is None or of_it is None or -(-first // length) * length + length <= last:
            return of_it
        busy_ns = of_it * length
        covered_ns = min((window + 1) * length, last) - max(window * length, first)
        return max(busy_ns / max(covered_ns, busy_ns), load)

    def load_over_time(self) -> dict[int, dict[int, float | None]]:
        """Load of each window that has frames, by channel and number of the window (its start / window length)."""
        found: dict[int, dict[int, float | None]] = {}
        for channel, windows in sorted(self._counts.windows.items()):
            table = found.setdefault(channel, {})
            for window, (_, bits, data_bits) in sorted(windows.items()):
                busy = self._seconds(channel, bits, data_bits)
                table[window] = None if busy is None else busy / (self.window_ns / 1e9)
        return found

    def frames_over_time(self) -> dict[int, dict[int, int]]:
        """Frames in each window that has some, by channel and number of the window."""
        return {
            channel: {window: counts[0] for window, counts in sorted(windows.items())}
            for channel, windows in sorted(self._counts.windows.items())
        }

    def periods(self) -> Rows:
        """As `canal_fast.analysis.periods`, of everything that was added; overlapping ids have NaN and -1."""
        return _periods(self._counts)


def periods(frames: FrameArray) -> Rows:
    """Period, jitter and gaps of each identifier of each channel, in one pass.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        In the order recorded; a frame that goes back in time makes a negative period.

    Returns
    -------
    array of PERIODS_DTYPE, shape (k,)
        channel, extended, arbitration_id (sorted by these); count; first_ns and last_ns, time stamps of the first and
        last frame; least_ns, mean_ns, most_ns, jitter_ns: of the periods between frames, jitter their standard
        deviation (of the population); gaps: periods of at least 1.5 times the median, among them all of twice the
        median and more. With one frame only, least_ns and most_ns are -1, mean_ns and jitter_ns NaN, gaps 0. STATUS
        and ERROR_FRAME records are left out.

    Raises
    ------
    TypeError, ValueError
        Another dtype, or more than one dimension.

    Examples
    --------
    >>> rows = cf.analysis.periods(cf.read_log("drive.blf"))
    >>> rows["arbitration_id"].tolist(), (rows["mean_ns"] / 1e6).tolist(), rows["gaps"].tolist()
    ([256, 512], [10.0, 100.0], [0, 0])
    """
    frames = contiguous(frames)
    counts = Counts(1 << 62)
    for at in range(0, len(frames), STEP):
        counts.add(frames[at : at + STEP], None, None)
    return _periods(counts)


def _periods(counts: Counts) -> Rows:
    ids, rows, bins = counts.sorted()
    found = np.zeros(len(ids), PERIODS_DTYPE)
    for name in ID_DTYPE.names or ():
        found[name] = ids[name]
    for name in ("count", "first_ns", "last_ns"):
        found[name] = rows[name]
    for number, (row, part) in enumerate(zip(rows, bins, strict=True)):
        least, mean, most, jitter, gaps = _period(row, part)
        one = found[number]
        one["least_ns"], one["most_ns"] = (-1 if value is None else value for value in (least, most))
        one["mean_ns"], one["jitter_ns"] = (math.nan if value is None else value for value in (mean, jitter))
        one["gaps"] = gaps if gaps is not None else 0 if row["count"] == 1 else -1
    return found


def _period(row: Any, bins: Any) -> tuple[int | None, float | None, int | None, float | None, int | None]:
    """Least, mean, greatest, standard deviation in ns; gaps."""
    count = int(row["count"]) - 1
    if not count or row["overlapping"]:
        return None, None, None, None, None
    total = int(row["last_ns"]) - int(row["first_ns"])
    square = int(row["square_high"]) << 64 | int(row["square_low"])
    # integers: the difference of two large squares loses nothing
    jitter = math.sqrt(max(square * count - total**2, 0)) / count
    return int(row["least_ns"]), total / count, int(row["most_ns"]), jitter, _gaps(bins, count)


def _gaps(bins: Any, count: int) -> int:
    """Periods in bins that begin at 1.5 times the median's bin's end or above."""
    cumulated = np.cumsum(bins)
    median = int(np.searchsorted(cumulated, (count + 1) // 2))
    limit = _GAP * _EDGES[median + 1]
    first = next((b for b in range(median + 1, len(bins)) if _EDGES[b] >= limit), len(bins))
    return count - int(cumulated[first - 1])


def _row(place: Any, row: Any, bins: Any, seconds: float | None, span: int) -> dict[str, Any]:
    least, mean, most, jitter, gaps = _period(row, bins)
    times = [None if value is None else value / 1e9 for value in (least, mean, most, jitter)]
    count, dlcs = int(row["count"]), int(row["dlcs"])
    return {
        "channel": int(place["channel"]),
        "arbitration_id": int(place["arbitration_id"]),
        "extended": bool(place["extended"]),
        "count": count,
        "rate": count / (span / 1e9) if span else None,
        "period_min_s": times[0],
        "period_mean_s": times[1],
        "period_max_s": times[2],
        "jitter_s": times[3],
        "gaps": gaps,
        "dlc": [dlc for dlc in range(16) if dlcs >> dlc & 1],
        "bits": int(row["bits"] + row["data_bits"]),
        "payload_bytes": int(row["payload_bytes"]),
        "share": seconds / (span / 1e9) if span and seconds is not None else None,
        "overlapping": bool(row["overlapping"]),
    }
