"""Rules of thumb about the wires of a CAN bus: the public face of `canal_fast.bittiming.physical`.

Examples
--------
>>> cf.physical.RECOMMENDED_LENGTHS[:3]
((1000000, 25.0), (800000, 50.0), (500000, 100.0))
"""

from __future__ import annotations

from canal_fast.bittiming.physical import (
    RECOMMENDED_LENGTHS,
    StubLength,
    cable_delay_ns,
    propagation_budget_ns,
    rate_times_length_m,
    rate_times_length_warning,
    recommended_length_m,
    split_termination_corner_hz,
    stub_length_m,
    stub_lengths_m,
)

__all__ = [
    "RECOMMENDED_LENGTHS",
    "StubLength",
    "cable_delay_ns",
    "propagation_budget_ns",
    "rate_times_length_m",
    "rate_times_length_warning",
    "recommended_length_m",
    "split_termination_corner_hz",
    "stub_length_m",
    "stub_lengths_m",
]
