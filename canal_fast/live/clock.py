"""What is known of the clock that a channel's time stamps come from."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Literal

__all__ = ["ChannelClock", "describe_clock"]


@dataclasses.dataclass(frozen=True)
class ChannelClock:
    """A channel's clock at one moment.

    Attributes
    ----------
    source : {"device", "kernel", "host"}
        Where the time stamps come from now: the device's counter; the host's clock, read by the kernel when the
        frame came (SocketCAN); or the moment of reading, because the driver has no usable time stamp or its tick is
        still being measured.
    tick_ns : Fraction or None
        Nanoseconds per tick of the device's counter; None without one, and until it is measured.
    wrap_bits : int
        Width of that counter.
    calibrated : bool
        The tick was measured against the host's clock, because the profile does not know it or because
        the device's clock ran more than 5 % differently.
    settled : bool
        The drift is known. Until then, for about the first second with frames, it is taken to be 0.
    offset_ns : int
        The host's monotonic time minus device time, in force for the last frame.
    epoch_offset_ns : int
        Time since 1970 minus the host's monotonic time, frozen when the channel was opened; under
        `clock_step="follow"` as of the last step.
    drift_ppm : float
        What the device's clock gains on the host's. It is corrected for.
    residual_ns : int
        How far the least delayed frame of each stretch of time lies above the fitted line, on average: how
        unevenly frames are read.
    uncertainty_ns : int
        Estimate of how far a time stamp may be off: with source "host", or before the clock has settled, the
        longest recent time between the driver seen empty and a frame read; else the residual, one
        tick and 1 us; 0 with source "kernel". A delay that all frames share cannot be seen and is not in it.
    resets : int
        How often the device's counter went back, or ahead of the host's time, by more than a second. The
        time stamps then go on from the host's time. After three without an outage the tick is no longer trusted but
        measured. With source "kernel": how often the time stamps went back by more than a second though nobody had set
        the host's clock.
    frames : int
        Frames that the clock has seen, filtered ones included, status messages not.
    steps : int
        How often the host's clock was set, by 10 ms or more.
    step_ns : int or None
        When it last was: ns since 1970, by the clock as set. None when it never was.
    step_before_ns, step_after_ns : int or None
        Time since 1970 minus the host's monotonic time, before and after that.

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as channel:
    ...     clock = channel.clock()
    >>> clock.source, clock.resets, clock.steps
    ('device', 0, 0)
    """

    source: Literal["device", "kernel", "host"]
    tick_ns: Fraction | None
    wrap_bits: int
    calibrated: bool
    settled: bool
    offset_ns: int
    epoch_offset_ns: int
    drift_ppm: float
    residual_ns: int
    uncertainty_ns: int
    resets: int
    frames: int
    steps: int
    step_ns: int | None
    step_before_ns: int | None
    step_after_ns: int | None


def describe_clock(report: dict[str, int]) -> ChannelClock:
    """ChannelClock of the native report."""
    known = report["tick_num"] > 0
    return ChannelClock(
        source="device" if known else "kernel" if report["wrap_bits"] == 64 else "host",
        tick_ns=Fraction(report["tick_num"], report["tick_den"]) if known else None,
        wrap_bits=report["wrap_bits"],
        calibrated=bool(report["calibrated"]),
        settled=bool(report["settled"]),
        offset_ns=report["offset_ns"],
        epoch_offset_ns=report["epoch_offset_ns"],
        drift_ppm=report["drift_per_e12"] / 1e6,
        residual_ns=report["residual_ns"],
        uncertainty_ns=report["uncertainty_ns"],
        resets=report["resets"],
        frames=report["frames"],
        steps=report["steps"],
        step_ns=report["step_ns"] if report["steps"] else None,
        step_before_ns=report["step_before_ns"] if report["steps"] else None,
        step_after_ns=report["step_after_ns"] if report["steps"] else None,
    )
