"""Bit rates, sample points and jump widths as the kernels take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from canal_fast.bittiming import BitTiming, BitTimingFd

from . import _waveform

LEAST_SAMPLES = 2  # a bit
_ROUNDING_SAMPLES = 2  # in the second part of a bit: one for each of the two edges that bound it
_QUANTA = 16  # a bit, where nobody says


@dataclass(frozen=True)
class Phase:
    """One bit rate of a node.

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames(0x123), 500_000)
    >>> cf.waveform.decode(wave, 500_000, sample_point=80).rates.nominal
    Phase(bitrate=500000.0, sample_point=80.0, sjw=20.0, quantum=6.25)
    """

    bitrate: float
    sample_point: float
    """Percent of a bit."""
    sjw: float
    """Synchronisation jump width, percent of a bit."""
    quantum: float
    """Time quantum, percent of a bit: triple sampling counts in it."""


@dataclass(frozen=True)
class Rates:
    """How a listening node reads: see `decode`.

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames(0x123), 500_000)
    >>> rates = cf.waveform.decode(wave, 500_000).rates
    >>> rates.nominal.bitrate, rates.data, rates.triple
    (500000.0, None, False)
    """

    nominal: Phase
    data: Phase | None = None
    triple: bool = False


def default_sample_point(bitrate: float) -> float:
    """Percent: 75 above 800 kbit/s, 80 above 500 kbit/s, else 87.5, as most controllers are set."""
    return 75.0 if bitrate > 800_000 else 80.0 if bitrate > 500_000 else 87.5


def make_phase(name: str, bitrate: float, sample_point: float | None = None, sjw: float | None = None) -> Phase:
    """A phase with what was not given: the default sample point, and the largest jump width that fits."""
    if not 100 <= bitrate <= 20_000_000:
        raise ValueError(f"{name}bitrate = {bitrate:g}, allowed 100..20,000,000 bit/s")
    point = default_sample_point(bitrate) if sample_point is None else sample_point
    if not 30 <= point <= 99:
        raise ValueError(f"{name}sample_point = {point:g}, allowed 30..99 percent of a bit")
    jump = min(point, 100 - point) if sjw is None else sjw
    if not 0 <= jump <= 100 - point:
        raise ValueError(
            f"{name}sjw = {jump:g}, allowed 0..{100 - point:g} percent of a bit: what follows the sample point"
        )
    return Phase(float(bitrate), float(point), float(jump), 100 / _QUANTA)


def _phase_of(timing: BitTiming) -> Phase:
    return Phase(timing.bitrate, timing.sample_point, 100 * timing.sjw / timing.nbt, 100 / timing.nbt)


def rates_of(timing: BitTiming | BitTimingFd) -> Rates:
    """Rates of a controller's timing."""
    if isinstance(timing, BitTimingFd):
        return Rates(_phase_of(timing.nominal), _phase_of(timing.data))
    return Rates(_phase_of(timing), triple=timing.nof_samples == 3)


def samples_a_bit(phase: Phase, ticks_per_second: int, resolution: float) -> float:
    return ticks_per_second / phase.bitrate / resolution if resolution else float("inf")


def check_samples(rates: Rates, ticks_per_second: int, resolution: float) -> None:
    """Refuse captures with too few samples a bit."""
    for name, phase in (("bitrate", rates.nominal), ("data_bitrate", rates.data)):
        if phase is None:
            continue
        got = samples_a_bit(phase, ticks_per_second, resolution)
        if got < LEAST_SAMPLES * 0.999:
            least = LEAST_SAMPLES * phase.bitrate
            raise ValueError(
                f"{name} = {phase.bitrate:.0f} bit/s leaves {got:.3g} samples a bit at "
                f"{ticks_per_second / resolution:.0f} samples/s; at least {LEAST_SAMPLES} are needed: sample at "
                f"{least:.0f} samples/s or more"
            )


def is_rounding(rates: Rates, ticks_per_second: int, resolution: float) -> bool:
    """Whether samples are too few for a sample point, so that runs are rounded to bits."""
    phases = [phase for phase in (rates.nominal, rates.data) if phase is not None]
    return any(
        samples_a_bit(phase, ticks_per_second, resolution) * (1 - phase.sample_point / 100) < _ROUNDING_SAMPLES
        for phase in phases
    )


def kernel_timing(rates: Rates, ticks_per_second: int, resolution: float) -> npt.NDArray[np.int64]:
    """The timing for the kernels, in the order of their struct."""
    ticks = ticks_per_second / rates.nominal.bitrate
    shift = 0
    while ticks * 2.0**shift < _waveform.PARTS:
        shift += 1
    while ticks * 2.0**shift >= 2 * _waveform.PARTS:
        shift -= 1
    rounding = is_rounding(rates, ticks_per_second, resolution)
    fields: list[int] = []
    for phase in (rates.nominal, rates.data or rates.nominal):
        bit = ticks_per_second / phase.bitrate * 2.0**shift
        sample = bit / 2 if rounding else bit * phase.sample_point / 100
        fields += [round(bit), round(sample), min(int(bit * phase.sjw / 100), round(bit) - round(sample))]
    enter = 0.0
    for phase, sign in ((rates.nominal, 1), (rates.data or rates.nominal, -1)):
        enter += sign * (phase.sample_point / 100 - 0.5) * ticks_per_second / phase.bitrate * 2.0**shift * rounding
        quantum = ticks_per_second / phase.bitrate * 2.0**shift * phase.quantum / 100
        fields.append(round(quantum) if rates.triple and not rounding else 0)
    fields += [
        max(shift, 0),
        max(-shift, 0),
        int(rounding),
        round(resolution * 2.0**shift / 4),
        round(enter),
        ticks_per_second,
    ]
    return np.array(fields, np.int64)
