"""Bit timings for CAN FD: the best pairs of a nominal and a data phase."""

from __future__ import annotations

import numpy as np

from canal_fast.errors import BitTimingError

from . import _bittiming
from .controllers import ControllerLimits, limits_of
from .kernel import kernel_rules, kernel_timing
from .numbers import DEFAULT_LOOP_DELAY_NS, Number
from .request import ask, failure, units
from .solver import all_rows
from .timing_fd import BitTimingFd

__all__ = ["solve_fd"]

_MOST_PAIRS = 1_000_000_000  # some ten seconds
_PAIRS_AT_ONCE = 10_000_000


def solve_fd(
    nominal: Number,
    data: Number,
    *,
    limits: str | ControllerLimits,
    f_clock: int | None = None,
    sample_point: Number | None = None,
    data_sample_point: Number | None = None,
    max_bitrate_error: Number = 0.0,
    bus_length_m: Number | None = None,
    loop_delay_ns: Number = DEFAULT_LOOP_DELAY_NS,
    ns_per_m: Number = 5,
    oscillator_ppm: Number | None = None,
    count: int = 20,
    rank: str = "default",
    sjw_rule: str = "6.3",
    tie_rule: str = "5.19",
) -> list[BitTimingFd]:
    """The best pairs of a nominal and a data phase timing for CAN FD, out of all pairs.

    Ranked by nominal bit rate error; data bit rate error; the same prescaler in both phases first (CiA 601-3:
    switching between different quanta costs phase); then the nominal, then the data timing as in `solve`.

    Parameters
    ----------
    nominal, data : number
        bit/s of the two phases.
    limits : str or ControllerLimits
        With a data phase.
    sample_point, data_sample_point : float, optional
        Percent; defaults by the rate of each phase as in `solve`.
    max_bitrate_error, f_clock
        As in `solve`, for both phases.
    bus_length_m, loop_delay_ns, ns_per_m
        As in `solve`, for the nominal phase; in the data phase transmitter delay compensation takes over.
    oscillator_ppm : float, optional
        All five conditions of `BitTimingFd.oscillator_tolerance_ppm`, with the split of `solve`.
    count : int
        How many pairs to return at most.
    rank, sjw_rule, tie_rule
        As in `solve`. "linux": first what the Linux kernel programs for `ip link set can0 type can bitrate N dbitrate
        N fd on`, which chooses each phase by itself, then the others.

    Returns
    -------
    list of BitTimingFd
        At most `count`, best first.

    Raises
    ------
    BitTimingError
        As `solve`; `.reasons` say which phase fails.

    Examples
    --------
    >>> best, *others = cf.bittiming.solve_fd(500_000, 2_000_000, limits="mcp251xfd")
    >>> best.nominal.sample_point, best.data.sample_point
    (87.5, 75.0)
    """
    row = limits_of(limits)
    rules = kernel_rules(rank, sjw_rule, tie_rule)
    if row.data is None:
        raise BitTimingError(f"limits {row.name!r} have no data phase: the controller does not do CAN FD")
    first = ask(
        nominal,
        row,
        f_clock,
        sample_point,
        max_bitrate_error,
        bus_length_m,
        loop_delay_ns,
        ns_per_m,
        oscillator_ppm,
    )
    second = ask(
        data,
        row.data,
        first.f_clock,
        data_sample_point,
        max_bitrate_error,
        oscillator_ppm=oscillator_ppm,
        data_phase=True,
    )
    if second.bitrate < first.bitrate:
        hint = units(second.f_clock, second.bitrate, True)
        raise BitTimingError(f"data = {data} bit/s is slower than nominal = {nominal} bit/s{hint}")
    if not 1 <= count <= 10_000:
        raise BitTimingError(f"count = {count}, allowed 1..10000")
    out = np.empty(count, _bittiming.PAIR_DTYPE)
    kernel = [BitTimingFd(kernel_timing(first, rules), kernel_timing(second, rules))] if rules else []
    phases = []
    for asked in (first, second):
        phases.append(all_rows(asked))
        if not len(phases[-1]) and not kernel:
            raise failure(asked)
    number = len(phases[0]) * len(phases[1])
    if number > _MOST_PAIRS:
        raise BitTimingError(
            f"{number:,} pairs to compare, allowed {_MOST_PAIRS:,}; a smaller max_bitrate_error or narrower limits help"
        )
    kept, step = 0, max(_PAIRS_AT_ONCE // max(len(phases[1]), 1), 1)
    for at in range(0, len(phases[0]), step):  # between two of them an interrupt is seen
        kept = _bittiming.pairs(first.request, phases[0][at : at + step], second.request, phases[1], out, kept)
    if not kept and not kernel:
        reason = (
            f"oscillator_ppm = {oscillator_ppm}: no pair of the {len(phases[0])} nominal and {len(phases[1])} data "
            f"timings holds conditions 4 and 5, which couple the phases"
        )
        raise BitTimingError(f"no bit timing for {nominal} / {data} bit/s with {row}: {reason}", reasons=(reason,))
    found = [BitTimingFd(first.timing(a), second.timing(b)) for a, b in out[:kept].tolist()]
    if kernel:
        registers = [phase[1:4] for phase in kernel[0]]
        found = kernel + [pair for pair in found if [phase[1:4] for phase in pair] != registers]
    return found[:count]
