"""Bit timing: every solution for a controller and a bit rate, ranked, and the reasons when there is none.

`solve` has all timings for a rate, `best` the first of them, `solve_many` the best for arrays of rates, `solve_fd`
pairs for CAN FD; `BitTiming` and `BitTimingFd` say what follows from a timing.

Examples
--------
>>> sorted(cf.bittiming.CONTROLLERS)[:4]
['at91', 'bxcan', 'c_can', 'esp32_twai']
>>> cf.bittiming.CONTROLLERS["sja1000"].tseg1_max
16
>>> cf.bittiming.TIMING_DTYPE.names
('f_clock', 'brp', 'tseg1', 'tseg2', 'sjw', 'prop_seg', 'status')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from canal_fast.later import later

__all__ = [
    "BitTiming",
    "BitTimingFd",
    "CONTROLLERS",
    "ControllerLimits",
    "Margin",
    "Segments",
    "TIMING_DTYPE",
    "Tolerance",
    "best",
    "solve",
    "solve_fd",
    "solve_many",
    "usb2can_timing",
]

if TYPE_CHECKING:
    from ._bittiming import TIMING_DTYPE
    from .adapter import usb2can_timing
    from .controllers import CONTROLLERS, ControllerLimits
    from .many import solve_many
    from .margins import Margin
    from .solver import best, solve
    from .solver_fd import solve_fd
    from .timing import BitTiming, Segments, Tolerance
    from .timing_fd import BitTimingFd
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "_bittiming": "TIMING_DTYPE",
            "adapter": "usb2can_timing",
            "controllers": "CONTROLLERS ControllerLimits",
            "many": "solve_many",
            "margins": "Margin",
            "solver": "best solve",
            "solver_fd": "solve_fd",
            "timing": "BitTiming Segments Tolerance",
            "timing_fd": "BitTimingFd",
        },
    )
