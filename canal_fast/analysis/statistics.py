"""What a recording holds, identifier by identifier, gathered batch by batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray, FrameFlag
from canal_fast.wire.lengths import frame_duration_ns

_NO_FRAME = int(FrameFlag.STATUS | FrameFlag.ERROR_FRAME)


def _sum_of_squares(periods: npt.NDArray[np.int64]) -> int:
    """Exactly, of numbers up to 2**31: in halves, whose products add up within 64 bits for 2**30 of them."""
    high, low = periods >> 16, periods & 0xFFFF
    return (int(np.dot(high, high)) << 32) + (int(np.dot(high, low)) << 17) + int(np.dot(low, low))


class _Id:
    """One identifier of one channel."""

    def __init__(self) -> None:
        self.count = self.periods = self.busy_ns = self.sum = self.square = 0
        self.last: int | None = None
        self.least: int | None = None
        self.most: int | None = None
        self.dlcs: set[int] = set()


class Statistics:
    """Counts, periods and bus load of frames in the order they were recorded.

    Parameters
    ----------
    bitrate, data_bitrate : float
        As for `canal_fast.wire.frame_duration_ns`, for all channels that are not in `bitrates`.
    window_s : float
        Length of the windows that the peak load is looked for in. They begin with the first frame.
    bitrates : mapping, optional
        Channel number -> nominal bit rate of that bus. May be added to before a channel's first frame.
    names : mapping, optional
        Channel number -> name, for `summary`. May be added to.
    """

    def __init__(
        self,
        bitrate: float,
        data_bitrate: float | None = None,
        window_s: float = 1.0,
        *,
        bitrates: Mapping[int, float] | None = None,
        names: Mapping[int, str] | None = None,
    ) -> None:
        if not 1e-9 <= window_s < 9e9:
            raise ValueError(f"window_s = {window_s}, allowed 1e-9..9e9 s")
        self.bitrate, self.data_bitrate = bitrate, data_bitrate
        self.bitrates, self.names = dict(bitrates or {}), dict(names or {})
        self.window_ns = round(window_s * 1e9)
        self.not_frames = 0
        self.first: int | None = None
        self.last: int | None = None
        self._origin = 0
        self._ids: dict[tuple[int, int, int], _Id] = {}
        self._windows: dict[int, dict[int, int]] = {}  # channel: window: busy ns

    def add(self, batch: FrameArray) -> None:
        """Count one more batch."""
        on_wire = (batch["flags"] & _NO_FRAME) == 0
        self.not_frames += int(len(batch) - np.count_nonzero(on_wire))
        frames = batch[on_wire]
        if not len(frames):
            return
        times = frames["timestamp_ns"]
        durations = self._durations(frames)
        first, last = int(times.min()), int(times.max())
        if self.first is None:
            self._origin = first
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        extended = (frames["flags"] & FrameFlag.EXTENDED_ID).astype(np.uint64)
        key = (
            frames["channel"].astype(np.uint64) << np.uint64(33) | extended << np.uint64(32) | frames["arbitration_id"]
        )
        order = np.argsort(key, kind="stable")
        cuts = np.flatnonzero(np.diff(key[order])) + 1
        for rows in np.split(order, cuts):
            place = int(key[rows[0]])
            one = self._ids.setdefault((place >> 33, place >> 32 & 1, place & 0xFFFFFFFF), _Id())
            _add(one, times[rows], durations[rows], frames["dlc"][rows])
        self._add_load(frames["channel"], times, durations)

    def _durations(self, frames: FrameArray) -> Any:
        channels = np.unique(frames["channel"]).tolist()
        if len({self.bitrates.get(channel, self.bitrate) for channel in channels}) == 1:
            return frame_duration_ns(frames, self.bitrates.get(channels[0], self.bitrate), self.data_bitrate)
        durations = np.empty(len(frames), np.int64)
        for channel in channels:
            here = frames["channel"] == channel
            rate = self.bitrates.get(channel, self.bitrate)
            durations[here] = frame_duration_ns(frames[here], rate, self.data_bitrate)
        return durations

    def _add_load(self, channels: Any, times: Any, durations: Any) -> None:
        number = (times - self._origin) // self.window_ns
        for channel in np.unique(channels):
            here = channels == channel
            windows, inverse = np.unique(number[here], return_inverse=True)
            busy = np.bincount(inverse, durations[here])
            table = self._windows.setdefault(int(channel), {})
            for window, ns in zip(windows.tolist(), busy.tolist(), strict=True):
                table[window] = table.get(window, 0) + int(ns)

    def summary(self) -> dict[str, Any]:
        """Everything, as plain numbers: times in seconds, loads and shares as fractions of the bus."""
        span = 0 if self.first is None or self.last is None else self.last - self.first
        rows = [_row(place, one, span) for place, one in sorted(self._ids.items())]
        channels = []
        for channel, windows in sorted(self._windows.items()):
            busy = sum(windows.values())
            peak = max(windows, key=lambda w: windows[w])
            channels.append(
                {
                    "channel": channel,
                    "name": self.names.get(channel, f"can{channel}"),
                    "bitrate": self.bitrates.get(channel, self.bitrate),
                    "frames": sum(one.count for place, one in self._ids.items() if place[0] == channel),
                    "load": busy / span if span else None,
                    "peak_load": windows[peak] / self.window_ns,
                    "peak_at_s": peak * self.window_ns / 1e9,
                }
            )
        return {
            "frames": sum(one.count for one in self._ids.values()),
            "not_frames": self.not_frames,
            "span_s": span / 1e9,
            "bitrate": self.bitrate,
            "data_bitrate": self.data_bitrate,
            "window_s": self.window_ns / 1e9,
            "channels": channels,
            "ids": rows,
        }

    def load_over_time(self) -> Mapping[int, Mapping[int, float]]:
        """Load of each window that has frames, by channel and number of the window."""
        return {c: {w: ns / self.window_ns for w, ns in sorted(t.items())} for c, t in sorted(self._windows.items())}


def _add(one: _Id, times: Any, durations: Any, dlcs: Any) -> None:
    periods = np.diff(times) if one.last is None else np.diff(times, prepend=one.last)
    one.count += len(times)
    one.busy_ns += int(durations.sum())
    one.dlcs.update(np.unique(dlcs).tolist())
    one.last = int(times[-1])
    if len(periods):
        least, most = int(periods.min()), int(periods.max())
        one.least = least if one.least is None else min(one.least, least)
        one.most = most if one.most is None else max(one.most, most)
        one.periods += len(periods)
        one.sum += int(periods.sum())
        one.square += int(np.square(periods.astype(object)).sum()) if most > 1 << 31 else _sum_of_squares(periods)


def _row(place: tuple[int, int, int], one: _Id, span: int) -> dict[str, Any]:
    mean = one.sum / one.periods if one.periods else None
    # integers: the difference of two large squares loses nothing
    spread = math.sqrt(max(one.square * one.periods - one.sum**2, 0)) / one.periods if one.periods else None
    seconds = [None if value is None else value / 1e9 for value in (one.least, mean, one.most, spread)]
    return {
        "channel": place[0],
        "arbitration_id": place[2],
        "extended": bool(place[1]),
        "count": one.count,
        "rate": one.count / (span / 1e9) if span else None,
        "period_min_s": seconds[0],
        "period_mean_s": seconds[1],
        "period_max_s": seconds[2],
        "jitter_s": seconds[3],
        "dlc": sorted(one.dlcs),
        "share": one.busy_ns / span if span else None,
    }
