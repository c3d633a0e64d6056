"""Edges to frames. Public as `canal_fast.waveform.decode`."""

from __future__ import annotations

import numpy as np

from canal_fast.bittiming import BitTiming, BitTimingFd
from canal_fast.frames import FrameFlag

from .detection import detect_rates
from .kernel import Decoded, decode_wave
from .rates import Rates, make_phase, rates_of
from .wave import Wave


def decode(
    wave: Wave,
    bitrate: float | None = None,
    data_bitrate: float | None = None,
    sample_point: float | None = None,
    sjw: float | None = None,
    triple: bool = False,
    *,
    data_sample_point: float | None = None,
    data_sjw: float | None = None,
    timing: BitTiming | BitTimingFd | None = None,
    columns: bool = True,
) -> Decoded:
    r"""Read a waveform as a listening node does (ISO 11898-1:2015, 10.4 to 10.7 and 11.3).

    Hard synchronisation on an idle bus, in intermission after its first bit, while integrating, and from FDF to res;
    elsewhere resynchronisation of at most `sjw`. Reading begins after 11 recessive bits, or where the waveform begins
    with six, if a valid frame follows.

    Where the second part of a bit has fewer than two samples, no sample point can hold: then runs between edges are
    rounded to whole bits, what is left of them is carried on, and frames whose CRC fails are read once more with
    slightly different phases.

    Parameters
    ----------
    wave : Wave
    bitrate, data_bitrate : float, optional
        bit/s. What is not given is detected; see `detect_bitrate`.
    sample_point, data_sample_point : float, optional
        Percent of a bit. Default: 75 above 800 kbit/s, 80 above 500 kbit/s, else 87.5.
    sjw, data_sjw : float, optional
        Synchronisation jump width, percent of a bit. Default: all that follows the sample point.
    triple : bool
        The majority of three samples: at the sample point and one and two quanta before it.
    timing : BitTiming or BitTimingFd, optional
        A controller's setting instead of all of these.
    columns : bool
        False leaves out clock, margins and glitches, which takes less time.

    Returns
    -------
    Decoded

    Raises
    ------
    ValueError
        A rate out of range, or for which the capture has too few samples (the message says the least); a rate that
        was to be detected and could not be.

    Examples
    --------
    >>> wave = cf.waveform.synthesise(cf.make_frames(0x123, b"hello"), 500_000, clock_ppm=1_000)
    >>> d = cf.waveform.decode(wave, 500_000)
    >>> d.frames["data"][0].tobytes(), d.valid.tolist()
    (b'hello\x00\x00\x00', [True])
    >>> round(d.clock_ppm[0].item())
    1000
    """
    given = (sample_point, sjw, triple, data_sample_point, data_sjw, timing)
    if bitrate is not None and data_bitrate is None and timing is None:  # mostly there is no second rate
        rates = Rates(make_phase("", bitrate, sample_point, sjw), None, triple)
        d = decode_wave(wave, rates, columns)
        if not np.any(d.frames["flags"] & FrameFlag.BITRATE_SWITCH):
            return d
    return decode_wave(wave, choose_rates(wave, bitrate, data_bitrate, *given), columns)


def choose_rates(
    wave: Wave,
    bitrate: float | None,
    data_bitrate: float | None,
    sample_point: float | None,
    sjw: float | None,
    triple: bool,
    data_sample_point: float | None,
    data_sjw: float | None,
    timing: BitTiming | BitTimingFd | None,
) -> Rates:
    """What is given, completed by what `wave` shows."""
    if timing is not None:
        if (bitrate, data_bitrate, sample_point, sjw, data_sample_point, data_sjw, triple) != (None,) * 6 + (False,):
            raise ValueError("timing stands for all rates, sample points and jump widths: give either")
        return rates_of(timing)
    found = detect_rates(wave, bitrate, data_bitrate)
    assert found.bitrate is not None  # else it has raised
    data = None if found.data_bitrate is None else make_phase("data_", found.data_bitrate, data_sample_point, data_sjw)
    point = found.sample_point if sample_point is None else sample_point
    return Rates(make_phase("", found.bitrate, point, sjw), data, triple)
