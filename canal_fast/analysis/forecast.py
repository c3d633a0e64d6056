"""How full a bus will be, from its messages; and beside a recording, how full it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from canal_fast.frames import FrameArray, FrameFlag, chosen
from canal_fast.wire.lengths import frame_duration_ns, frame_length_bits

from .messages import BusTime, Message, bus_order_key, check_distinct, records
from .sources import Source, timed_messages

__all__ = ["LoadForecast", "MeasuredLoad", "MessageLoad", "forecast_load"]

_PAYLOADS = 256  # random ones a message, for the mean of its stuff bits
_NO_FRAME = int(FrameFlag.STATUS | FrameFlag.ERROR_FRAME)


@dataclass(frozen=True)
class MessageLoad:
    """Share of the bus that one message takes; 1.0 is a full bus.

    Attributes
    ----------
    message : Message
    best, worst : float
        Without stuff bits, and with as many as fit.
    expected : float
        With the mean of random payloads.
    """

    message: Message
    best: float
    expected: float
    worst: float


@dataclass(frozen=True)
class MeasuredLoad:
    """A recording beside the forecast.

    Attributes
    ----------
    seconds : float
        From the first frame to the last.
    rows : tuple of float
        Share of each message, in the forecast's order.
    foreign : float
        Share of identifiers that the forecast does not have.
    total : float
    """

    seconds: float
    rows: tuple[float, ...]
    foreign: float
    total: float


@dataclass(frozen=True)
class LoadForecast:
    """What `forecast_load` finds, in bus order.

    Attributes
    ----------
    rows : tuple of MessageLoad
    bitrate, data_bitrate : float
    best, expected, worst : float
        Of all messages together.

    Examples
    --------
    >>> forecast = cf.analysis.forecast_load(cf.load_database("car.dbc"), 125_000)
    >>> for row in forecast.rows:
    ...     print(row.message.name, round(row.worst, 4))
    Engine 0.108
    Body 0.006
    """

    rows: tuple[MessageLoad, ...]
    bitrate: float
    data_bitrate: float | None

    @property
    def best(self) -> float:
        return sum(row.best for row in self.rows)

    @property
    def expected(self) -> float:
        return sum(row.expected for row in self.rows)

    @property
    def worst(self) -> float:
        return sum(row.worst for row in self.rows)

    def measure(self, frames: FrameArray) -> MeasuredLoad:
        """The load of a recording, message by message, at the forecast's bit rates.

        Parameters
        ----------
        frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
            Of one bus. A frame counts with its exact length and intermission; the first of all ends where the time
            begins, and does not count.

        Raises
        ------
        FrameError, ValueError
            As `canal_fast.wire.frame_duration_ns`; frames of several channels; fewer than two points in time.

        Examples
        --------
        >>> forecast = cf.analysis.forecast_load(cf.load_database("car.dbc"), 500_000)
        >>> measured = forecast.measure(cf.read_log("drive.blf"))
        >>> round(measured.total, 4), measured.foreign
        (0.0258, 0.0)
        """
        frames = chosen(frames, frames["flags"] & _NO_FRAME == 0)
        channels = np.unique(frames["channel"])
        if len(channels) > 1:
            raise ValueError(f"frames of channels {', '.join(map(str, channels))}: give those of one bus")
        times = frames["timestamp_ns"]
        span = int(times.max()) - int(times.min()) if len(frames) else 0
        if not span:
            raise ValueError(f"{len(frames)} frames, all at one time: a load needs a length of time")
        frames = chosen(frames, np.arange(len(frames)) != times.argmin())
        durations = frame_duration_ns(frames, self.bitrate, self.data_bitrate)
        keys = bus_order_key(records([row.message for row in self.rows]))
        own = bus_order_key(frames)
        place = np.minimum(np.searchsorted(keys, own), len(keys) - 1)
        place[keys[place] != own] = len(keys)
        shares = (np.bincount(place, durations, len(keys) + 1) / span).tolist()
        return MeasuredLoad(span / 1e9, tuple(shares[:-1]), shares[-1], sum(shares))


def forecast_load(messages: Source, bitrate: float, data_bitrate: float | None = None, **options: Any) -> LoadForecast:
    """Bus load at a bit rate: best, expected and worst, message by message.

    Parameters
    ----------
    messages : Database, array of frames, or iterable of Message or dict
        As for `timed_messages`. Sporadic messages count as if they came at their least distance.
    bitrate, data_bitrate : float
        bit/s. With a data bit rate, FD messages switch to it unless they say otherwise.
    **options
        As for `timed_messages`: cycle_ms, default_cycle_ms, jitter_ms, deadline_ms, leave_out.

    Returns
    -------
    LoadForecast
        Lengths count with intermission. A worst load above 1 is no error.

    Raises
    ------
    TypeError, ValueError
        Values outside their interval, messages without a cycle time, two with one name or arbitration field.

    Examples
    --------
    >>> forecast = cf.analysis.forecast_load(cf.load_database("car.dbc"), 500_000)
    >>> round(forecast.best, 4), round(forecast.worst, 4)
    (0.0235, 0.0285)
    """
    chosen = timed_messages(messages, **options)
    check_distinct(chosen)
    chosen = [chosen[i] for i in np.argsort(bus_order_key(records(chosen)))]
    time = BusTime(bitrate, data_bitrate)
    best, worst = time.durations(chosen, "unstuffed"), time.durations(chosen, "worst_case")
    rows = tuple(
        MessageLoad(m, *(ticks / (m.period_ns * time.per_ns) for ticks in row))
        for m, row in zip(chosen, zip(best, _means(chosen, time), worst, strict=True), strict=True)
    )
    return LoadForecast(rows, bitrate, data_bitrate)


def _means(messages: Sequence[Message], time: BusTime) -> list[float]:
    """Mean ticks of frames with random payloads: the same ones at each call."""
    frames = np.repeat(records(messages, time.data_bitrate is not None), _PAYLOADS)
    filled = np.arange(64) < np.repeat([0 if m.is_remote else m.length for m in messages], _PAYLOADS)[:, np.newaxis]
    frames["data"] = np.random.default_rng(1).integers(0, 256, (len(frames), 64), np.uint8) * filled
    parts = frame_length_bits(frames, parts=True)
    ticks = parts["nominal"] * float(time.bit) + parts["data"] * float(time.data_bit)
    means: list[float] = ticks.reshape(len(messages), _PAYLOADS).mean(1).tolist()
    return means
