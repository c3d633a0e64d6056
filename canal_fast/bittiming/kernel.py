"""rank="linux": what the Linux kernel programs."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from canal_fast.errors import BitTimingError

from . import _bittiming
from .request import Asked, failure
from .timing import BitTiming

__all__ = ["KernelRules", "kernel_rules", "kernel_timing", "kernel_timings"]


class KernelRules(NamedTuple):
    """How kernels of an age choose among equals and set sjw, as C takes it."""

    ties_to_last: bool
    sjw_is_one: bool


def kernel_rules(rank: str, sjw_rule: str, tie_rule: str) -> KernelRules | None:
    """The rules of rank="linux", None for rank="default"; see `canal_fast.bittiming.solve`."""
    rows = (("rank", rank, ("default", "linux")), ("sjw_rule", sjw_rule, ("6.3", "6.2")),
            ("tie_rule", tie_rule, ("5.19", "4.8")))  # fmt: skip
    for name, value, allowed in rows:
        if value not in allowed:
            raise BitTimingError(f"{name} = {value!r}, allowed {' and '.join(map(repr, allowed))}")
        if rank == "default" and value != allowed[0]:
            raise BitTimingError(f"{name} = {value!r} is of rank = 'linux', but rank is 'default'")
    return None if rank == "default" else KernelRules(tie_rule == "4.8", sjw_rule == "6.2")


def kernel_timing(asked: Asked, rules: KernelRules) -> BitTiming:
    """What the kernel programs."""
    _refuse_constraints(asked)
    sample = asked.sample * 1000
    for name, number in (("bitrate in bit/s", asked.bitrate), ("sample point in permille", sample)):
        if number.denominator != 1:
            raise _not_whole(name, str(number))
    handle = asked.limits.handle
    fields = _bittiming.linux(handle, asked.f_clock, int(asked.bitrate), int(sample), asked.sjw, *rules)
    if fields is None:
        error = failure(replace(asked, max_error_ppm=50_000))
        raise BitTimingError(f"the Linux kernel refuses: {error}", reasons=error.reasons)
    return tuple.__new__(BitTiming, (*fields[:5], 1, fields[5]))


def kernel_timings(
    common: Asked,
    rules: KernelRules,
    rates: npt.NDArray[np.float64],
    clocks: npt.NDArray[np.integer],
    samples: npt.NDArray[np.float64],
    out: npt.NDArray[np.void],
) -> int:
    """What the kernel programs for each of many rates, clocks and sample points in percent (0: the default), into
    `out`; returns how many it refuses."""
    _refuse_constraints(common)
    permille = np.rint(samples * 10)
    for name, values, whole in (
        ("bitrate[{}] in bit/s", rates, np.rint(rates)),
        ("sample_point[{}] in permille", samples * 10, permille),
    ):
        bad = np.flatnonzero(np.abs(values - whole) > 1e-9)
        if bad.size:
            raise _not_whole(name.format(bad[0]), f"{values.flat[bad[0]]:.12g}")
    return _bittiming.linux_many(
        common.limits.handle,
        np.minimum(np.rint(rates), 2**32 - 1).astype(np.uint32).ravel(),
        clocks.astype(np.uint32).ravel(),
        permille.astype(np.uint32).ravel(),
        common.sjw,
        *rules,
        out,
    )


def _refuse_constraints(asked: Asked) -> None:
    if asked.delay_ps or asked.tolerance_ppb or asked.max_error_ppm or asked.nof_samples != 1:
        raise BitTimingError(
            "rank = 'linux' knows bitrate, sample_point and sjw only; leave out bus_length_m, oscillator_ppm, "
            "max_bitrate_error and nof_samples, or take rank = 'default'"
        )


def _not_whole(name: str, number: str) -> BitTimingError:
    return BitTimingError(f"rank = 'linux' takes a whole number as {name}, not {number}")
