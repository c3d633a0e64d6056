"""Rules of thumb about the wires of a CAN bus. Each says where it comes from and how far it holds.

They size a first draft. The bit timing itself (`canal_fast.bittiming`, with `bus_length_m`) is exact; a rule
here never overrides it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from canal_fast.errors import BitTimingError

from .numbers import DEFAULT_LOOP_DELAY_NS, Number, exact, propagation_ns

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

RECOMMENDED_LENGTHS = (
    (1_000_000, 25.0),
    (800_000, 50.0),
    (500_000, 100.0),
    (250_000, 250.0),
    (125_000, 500.0),
    (50_000, 1000.0),
    (20_000, 2500.0),
    (10_000, 5000.0),
)
"""(bit/s, m) of CiA 301, bit rates and timing; the last two need bridges or repeaters."""

FIXED_STUB_M = 0.3
"""Longest stub of ISO 11898-2 at 1 Mbit/s, which articles repeat for every rate (one prints 0.3 mm)."""


class StubLength(NamedTuple):
    """What one rule says of the longest unterminated stub.

    Examples
    --------
    >>> for stub in cf.physical.stub_lengths_m():
    ...     print(round(stub.length_m, 2))
    0.3
    1.67
    """

    length_m: float
    rule: str


def _positive(name: str, value: Number) -> float:
    number = exact(name, value)
    if number <= 0:
        raise BitTimingError(f"{name} = {value}, must be above 0")
    return float(number)


def rate_times_length_m(bitrate: Number, product: Number = 50e6) -> float:
    """Length in m from "bit rate x length <= 50 (Mbit/s) m".

    Source: Texas Instruments SLLA270, "Controller Area Network Physical Layer Requirements" (2008), on bus
    length. Holds for buses above about 100 m; shorter ones are held back by the delays of the nodes.

    Parameters
    ----------
    bitrate : number
        bit/s.
    product : number
        bit/s times m.

    Returns
    -------
    float
        m.

    Examples
    --------
    >>> cf.physical.rate_times_length_m(125_000)
    400.0
    """
    return _positive("product", product) / _positive("bitrate", bitrate)


def rate_times_length_warning(bitrate: Number, product: Number = 60e6) -> str | None:
    """Where "bit rate x length <= `product`" contradicts the table of lengths that it is printed beside; else None.

    Introductory articles give "<= 60 (Mbit/s) m" above the table of CiA 301, whose 500 m at 125 kbit/s and 250 m at
    250 kbit/s make 62.5. A rate between two of the table counts as the next higher one.

    Source: CiA 301 (CANopen), table of bit rates; 125,000 x 500 = 62.5e6 by hand.

    Parameters
    ----------
    bitrate : number
        bit/s.
    product : number
        bit/s times m.

    Returns
    -------
    str or None

    Examples
    --------
    >>> print(cf.physical.rate_times_length_warning(125_000))
    rate x length <= 60 Mbit/s m contradicts its own table: 500 m at 125 kbit/s make 62.5
    >>> cf.physical.rate_times_length_warning(1_000_000) is None
    True
    """
    rate, most = _positive("bitrate", bitrate), _positive("product", product)
    listed = min((row for row, _ in RECOMMENDED_LENGTHS if row >= rate), default=None)
    if listed is None or listed * recommended_length_m(listed) <= most:
        return None
    length = recommended_length_m(listed)
    return (
        f"rate x length <= {most / 1e6:g} Mbit/s m contradicts its own table: "
        f"{length:g} m at {listed / 1000:g} kbit/s make {listed * length / 1e6:g}"
    )


def recommended_length_m(bitrate: Number) -> float:
    """Length in m that CiA 301 gives for the next higher rate of its table (nothing above 1 Mbit/s).

    Source: CiA 301 (CANopen), table of bit rates. Holds for its sample points (87.5 %), cables of 5 ns/m and nodes
    with up to 300 ns of loop delay, optocouplers not counted.

    Parameters
    ----------
    bitrate : number
        bit/s.

    Returns
    -------
    float
        m.

    Examples
    --------
    >>> cf.physical.recommended_length_m(500_000)
    100.0
    """
    rate = _positive("bitrate", bitrate)
    fitting = [length for listed, length in RECOMMENDED_LENGTHS if listed >= rate]
    if not fitting:
        raise BitTimingError(f"bitrate = {bitrate} bit/s, allowed up to {RECOMMENDED_LENGTHS[0][0]:,}")
    return max(fitting)


def cable_delay_ns(length_m: Number, ns_per_m: Number = 5) -> float:
    """One-way delay of a cable. ISO 11898-2 counts with 5 ns/m, which suits common twisted pairs.

    Parameters
    ----------
    length_m : number
        m.
    ns_per_m : number
        Delay of the cable.

    Returns
    -------
    float
        ns.

    Examples
    --------
    >>> cf.physical.cable_delay_ns(40)
    200.0
    """
    return float(propagation_ns(length_m, 0, ns_per_m) / 2)


def propagation_budget_ns(
    bus_length_m: Number, loop_delay_ns: Number = DEFAULT_LOOP_DELAY_NS, ns_per_m: Number = 5
) -> float:
    """What the propagation segment has to hold: 2 (length x delay per metre + loop delay of one node).

    Source: Robert Bosch GmbH, "The Configuration of the CAN Bit Timing" (1999), propagation time segment: there
    and back between the two nodes that are farthest apart. Always holds in the arbitration phase.

    Parameters
    ----------
    bus_length_m : number
        m, between the two nodes that are farthest apart.
    loop_delay_ns : number
        Of one node: controller, transceiver and back.
    ns_per_m : number
        Delay of the cable.

    Returns
    -------
    float
        ns.

    Examples
    --------
    >>> cf.physical.propagation_budget_ns(40)
    900.0
    """
    return float(propagation_ns(bus_length_m, loop_delay_ns, ns_per_m))


def stub_length_m(transition_ns: Number = 50, ns_per_m: Number = 5) -> float:
    """Longest unterminated stub in m: a third of the length at which there-and-back takes one transition.

    Source: Texas Instruments SLLA270 (critical length of an unterminated line; the same example, 50 ns and
    5 ns/m giving 1.67 m, stands in the ECSS glossary). Holds for one stub; many add up. ISO 11898-2 names
    0.3 m at 1 Mbit/s.

    Parameters
    ----------
    transition_ns : number
        How long the driver's edge takes.
    ns_per_m : number
        Delay of the cable.

    Returns
    -------
    float
        m.

    Examples
    --------
    >>> round(cf.physical.stub_length_m(), 2)
    1.67
    """
    return _positive("transition_ns", transition_ns) / (2 * _positive("ns_per_m", ns_per_m)) / 3


def stub_lengths_m(
    prop_seg_ns: Number | None = None, transition_ns: Number = 50, ns_per_m: Number = 5
) -> tuple[StubLength, ...]:
    """Longest unterminated stub in m by the rules in use, the strictest first.

    Parameters
    ----------
    prop_seg_ns : number, optional
        Propagation segment of the bit timing, ns; without it the rule that needs it is left out.
    transition_ns, ns_per_m : number
        As of `stub_length_m`.

    Returns
    -------
    tuple of StubLength
        0.3 m at every rate (ISO 11898-2 has it for 1 Mbit/s); a third of the critical length (Texas Instruments
        SLLA270); t_prop_seg / (50 x delay per metre) (OnSemi AND8376: 1375 ns and 5 ns/m give 5.5 m).

    Raises
    ------
    BitTimingError
        A number is not above 0.

    Notes
    -----
    They differ by more than ten times: the fixed length is of the fastest bus, the second knows the driver's edge, the
    third the bit. One stub is meant; many add up.

    Examples
    --------
    >>> [round(stub.length_m, 2) for stub in cf.physical.stub_lengths_m(prop_seg_ns=1375)]
    [0.3, 1.67, 5.5]
    """
    found = [
        StubLength(FIXED_STUB_M, "at every rate (ISO 11898-2, 1 Mbit/s; also printed 0.3 mm)"),
        StubLength(
            stub_length_m(transition_ns, ns_per_m),
            f"edge of {float(transition_ns):g} ns, {float(ns_per_m):g} ns/m (TI SLLA270)",
        ),
    ]
    if prop_seg_ns is not None:
        length = _positive("prop_seg_ns", prop_seg_ns) / (50 * _positive("ns_per_m", ns_per_m))
        found.append(StubLength(length, f"propagation segment of {float(prop_seg_ns):g} ns / 50 (OnSemi AND8376)"))
    return tuple(sorted(found))


def split_termination_corner_hz(capacitance_f: Number = 4.7e-9, half_ohm: Number = 60) -> float:
    """Corner frequency of a split termination: two resistors of `half_ohm` and a capacitor to ground.

    For the common mode the halves lie in parallel: f = 1 / (2 pi (half / 2) C), 1.13 MHz with 2 x 60 ohm and 4.7 nF.

    Source: Texas Instruments SLLA270, split termination (1.1 MHz with 4.7 nF). Holds for one end of the bus; the
    other end adds its own capacitor.

    Parameters
    ----------
    capacitance_f : number
        F.
    half_ohm : number
        Each of the two resistors.

    Returns
    -------
    float
        Hz.

    Examples
    --------
    >>> round(cf.physical.split_termination_corner_hz())
    1128758
    """
    return 1 / (math.pi * _positive("half_ohm", half_ohm) * _positive("capacitance_f", capacitance_f))
