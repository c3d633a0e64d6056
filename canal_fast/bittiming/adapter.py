"""The bit timing that 8devices' adapter is told."""

from __future__ import annotations

from . import usb2can
from .numbers import Number
from .solver import best
from .timing import BitTiming

__all__ = ["usb2can_timing"]


def usb2can_timing(bitrate: Number, sample_point: Number | None = None) -> BitTiming | None:
    """What to give 8devices' usb2can.dll for a bit rate.

    Parameters
    ----------
    bitrate : number
        bit/s.
    sample_point : float, optional
        Percent.

    Returns
    -------
    None or BitTiming
        None: the DLL's own table has this rate (125, 250, 500, 800 and 1000 kbit/s) and no sample point
        was asked. Otherwise the best timing of the adapter's 32 MHz clock.

    Raises
    ------
    BitTimingError
        The clock does not make the rate; the message names the nearest that it makes.

    Examples
    --------
    >>> cf.bittiming.usb2can_timing(500_000) is None
    True
    >>> cf.bittiming.usb2can_timing(83_333)
    BitTiming(f_clock=32000000, brp=24, tseg1=13, tseg2=2, sjw=2, nof_samples=1, prop_seg=None)
    """
    if sample_point is None and bitrate in usb2can.RATES:
        return None
    return best(bitrate, limits="usb_8dev", sample_point=sample_point)
