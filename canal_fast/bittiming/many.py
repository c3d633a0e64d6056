"""Bit timings for arrays of rates."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.errors import BitTimingError

from . import _bittiming
from ._bittiming import TIMING_DTYPE
from .controllers import ControllerLimits, limits_of
from .kernel import KernelRules, kernel_rules, kernel_timing, kernel_timings
from .numbers import Number
from .request import ask, f_clock_of, failure, sample_of

__all__ = ["solve_many"]


def solve_many(
    bitrate: npt.ArrayLike,
    *,
    limits: str | ControllerLimits,
    f_clock: npt.ArrayLike | None = None,
    sample_point: npt.ArrayLike | None = None,
    strict: bool = False,
    rank: str = "default",
    sjw_rule: str = "6.3",
    tie_rule: str = "5.19",
    **constraints: Number | None,
) -> npt.NDArray[np.void]:
    """The best timing for each of many rates, clocks and sample points at once.

    Parameters
    ----------
    bitrate, f_clock, sample_point : array-like
        Broadcast against each other. Rates count in thousandths of a bit/s, sample points in
        millionths of the bit, 50 % and above; a sample point of 0 means the default for the rate.
    limits, constraints
        As in `solve`, the same for all.
    strict : bool
        Raise for the first that has no solution instead of marking it.
    rank, sjw_rule, tie_rule
        As in `solve`. "linux": what the Linux kernel programs; rates in whole bit/s, sample points in whole permille.

    Returns
    -------
    array of TIMING_DTYPE, in the broadcast shape
        Fields f_clock, brp, tseg1, tseg2, sjw, prop_seg (all u4) and status: 0, or 90 (no bit timing
        fits), 95 (the Linux kernel refuses), 92 (bit rate) or 93 (sample point) where the other fields but
        f_clock are 0.

    Raises
    ------
    BitTimingError
        A bad constraint, or with `strict` the first element without a solution.

    Examples
    --------
    >>> table = cf.bittiming.solve_many([125_000, 500_000, 777_000], limits="usb_8dev")
    >>> table["brp"].tolist(), table["status"].tolist()
    ([16, 4, 0], [0, 0, 90])
    """
    row = limits_of(limits)
    rules = kernel_rules(rank, sjw_rule, tie_rule)
    clocks, rates, samples = np.broadcast_arrays(
        f_clock_of(row, None) if f_clock is None else np.asarray(f_clock),
        np.asarray(bitrate, np.float64),
        np.asarray(0.0 if sample_point is None else sample_point, np.float64),
    )
    shape = rates.shape
    if clocks.dtype.kind not in "iu":
        raise TypeError(f"f_clock must be integers, not {clocks.dtype}")
    for name, values, low, high in (
        ("bitrate", rates, 0, 2**32),
        ("f_clock", clocks, 1, 2**32 - 1),
        ("sample_point", samples, 0, 99.9999),
    ):
        # As floats: numpy 2.0.2 for win32 crashes when it compares 4-byte integers with a greater Python integer.
        bad = np.flatnonzero(~((values >= float(low)) & (values <= float(high))))
        if bad.size:
            index = int(bad[0])
            raise BitTimingError(f"{name}[{index}] = {values.flat[index]}, allowed {low}..{high}")
    early = np.flatnonzero((samples > 0) & (samples < 50))
    if early.size:
        index = int(early[0])
        sample_of(f"sample_point[{index}]", float(samples.flat[index]))
    common = ask(max(_bittiming.MIN_RATE, 1), row, 2**32 - 1, **constraints)  # type: ignore[arg-type]
    out = np.empty(rates.size, TIMING_DTYPE)
    if rules:
        failed = kernel_timings(common, rules, rates, clocks, samples, out)
    else:
        failed = _bittiming.many(
            row.handle,
            common.request,
            np.rint(rates * 1000).astype(np.int64).ravel(),
            clocks.astype(np.uint32).ravel(),
            np.rint(samples * 10000).astype(np.uint32).ravel(),
            out,
        )
    if failed and strict:
        index = int(np.flatnonzero(out["status"])[0])
        sample = float(samples.flat[index]) or None
        rate, clock = float(rates.flat[index]), int(clocks.flat[index])
        error = _refusal(rules, rate, row, clock, sample, **constraints)
        raise BitTimingError(f"[{index}]: {error}", reasons=error.reasons)
    return out.reshape(shape)


def _refusal(rules: KernelRules | None, *request: Any, **constraints: Any) -> BitTimingError:
    try:
        asked = ask(*request, **constraints)
        if rules:
            kernel_timing(asked, rules)
    except BitTimingError as error:
        return error
    return failure(asked)
