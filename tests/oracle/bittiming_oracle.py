"""Bit timings the slow, obvious way: try everything, rank with Fraction. Imports nothing of ours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Limits:
    tseg1_min: int
    tseg1_max: int
    tseg2_min: int
    tseg2_max: int
    sjw_max: int
    brp_min: int
    brp_max: int
    brp_inc: int
    brp_fine_max: int = 0
    brp_coarse_inc: int = 0


@dataclass(frozen=True)
class Wish:
    f_clock: int
    bitrate: Fraction
    max_error: Fraction = Fraction(0)
    delay_ns: Fraction | None = None
    tolerance: Fraction | None = None  # fraction of the frequency
    sjw: int | None = None
    data_phase: bool = False


Row = tuple[int, int, int, int, int]  # brp, tseg1, tseg2, sjw, prop_seg


def feasible(limits: Limits, wish: Wish) -> list[Row]:
    """Every combination of register values that satisfies the wish."""
    rows = []
    rate = wish.bitrate
    for brp in range(limits.brp_min, limits.brp_max + 1):
        if not possible(limits, brp):
            continue
        for nbt in range(1 + limits.tseg1_min + limits.tseg2_min, 1 + limits.tseg1_max + limits.tseg2_max + 1):
            # |f/q - rate| < 1 or |f/q - rate| <= max_error * rate, multiplied by q and the denominators
            periods = brp * nbt
            off = abs(wish.f_clock * rate.denominator - rate.numerator * periods)
            close = off < periods * rate.denominator
            if not close:
                close = off * wish.max_error.denominator <= wish.max_error.numerator * rate.numerator * periods
            if not close:
                continue
            for tseg1 in range(limits.tseg1_min, limits.tseg1_max + 1):
                tseg2 = nbt - 1 - tseg1
                if limits.tseg2_min <= tseg2 <= limits.tseg2_max:
                    row = settle(limits, wish, brp, tseg1, tseg2)
                    if row is not None:
                        rows.append(row)
    return rows


def possible(limits: Limits, brp: int) -> bool:
    """Whether the controller has this prescaler."""
    coarse = 0 < limits.brp_fine_max < brp
    step = limits.brp_coarse_inc if coarse else limits.brp_inc
    return limits.brp_min <= brp <= limits.brp_max and brp % step == 0


def settle(limits: Limits, wish: Wish, brp: int, tseg1: int, tseg2: int) -> Row | None:
    nbt = 1 + tseg1 + tseg2
    if wish.delay_ns is None:
        phase1 = min(tseg2, tseg1 - 1) if tseg1 > 1 else 1
        prop = tseg1 - phase1
    else:
        prop = math.ceil(wish.delay_ns / (Fraction(brp * 10**9, wish.f_clock)))
        phase1 = tseg1 - prop
        if phase1 < 1:
            return None
    sjw = min(limits.sjw_max, phase1, tseg2)
    if wish.sjw is not None:
        if wish.sjw > sjw:
            return None
        sjw = wish.sjw
    if wish.tolerance is not None:
        if Fraction(sjw, 20 * nbt) < wish.tolerance:
            return None
        if not wish.data_phase and Fraction(min(phase1, tseg2), 2 * (13 * nbt - tseg2)) < wish.tolerance:
            return None
    return brp, tseg1, tseg2, sjw, prop


def key(wish: Wish, sample_point: Fraction, row: Row) -> tuple[Fraction, Fraction, int, int, Fraction]:
    """What ranks: rate error, sample point error (a fraction of the bit), more quanta, smaller brp, earlier sample."""
    brp, tseg1, tseg2, _, _ = row
    nbt = 1 + tseg1 + tseg2
    real = Fraction(1 + tseg1, nbt)
    return (
        abs(Fraction(wish.f_clock, brp * nbt) - wish.bitrate),
        abs(real - sample_point),
        -nbt,
        brp,
        real,
    )


def ranked(limits: Limits, wish: Wish, sample_point: Fraction, rows: list[Row] | None = None) -> list[Row]:
    rows = feasible(limits, wish) if rows is None else rows
    return sorted(rows, key=lambda row: key(wish, sample_point, row))


def fd_conditions(nominal: Row, data: Row) -> tuple[Fraction, Fraction]:
    """Conditions 4 and 5 of the oscillator tolerance."""
    n_brp, n_tseg1, n_tseg2, _, n_prop = nominal
    d_brp, d_tseg1, d_tseg2, d_sjw, _ = data
    nbt, dbt = 1 + n_tseg1 + n_tseg2, 1 + d_tseg1 + d_tseg2
    shorter = min(n_tseg1 - n_prop, n_tseg2)
    four = shorter / (2 * (Fraction((6 * dbt - d_tseg2) * d_brp, n_brp) + 7 * nbt))
    correctable = d_sjw - max(Fraction(0), Fraction(n_brp, d_brp) - 1)
    five = correctable / (2 * (Fraction((2 * nbt - n_tseg2) * n_brp, d_brp) + d_tseg2 + 4 * dbt))
    return four, five


def ranked_pairs(
    nominal: tuple[Wish, Fraction, list[Row]], data: tuple[Wish, Fraction, list[Row]]
) -> list[tuple[Row, Row]]:
    (n_wish, n_sample, n_rows), (d_wish, d_sample, d_rows) = nominal, data
    pairs = []
    for n in n_rows:
        for d in d_rows:
            if n_wish.tolerance is not None and min(fd_conditions(n, d)) < n_wish.tolerance:
                continue
            n_key, d_key = key(n_wish, n_sample, n), key(d_wish, d_sample, d)
            pairs.append(((n_key[0], d_key[0], n[0] != d[0], n_key, d_key), (n, d)))
    pairs.sort(key=lambda pair: pair[0])
    return [pair for _, pair in pairs]


def kernel(
    limits: Limits,
    f_clock: int,
    bitrate: int,
    permille: int,
    sjw: int,
    *,
    before_5_19: bool = False,
    sjw_1: bool = False,
) -> Row | None:
    """What the Linux kernel programs, from the description of its search: numbers of quanta downwards, for each the
    prescaler rounded up and down, for each the later of two sample points that is not above the asked one; a smaller
    rate error makes it forget the sample point that it had. None: it refuses."""
    rate_error: int | None = None
    sample_error: int | None = None
    taken = (0, 0, 0)
    for nbt in range(1 + limits.tseg1_max + limits.tseg2_max, limits.tseg1_min + limits.tseg2_min, -1):
        down = f_clock // (nbt * bitrate)
        for brp in ((down + 1) // limits.brp_inc * limits.brp_inc, down // limits.brp_inc * limits.brp_inc):
            if brp == 0 or not possible(limits, brp):
                continue
            off = abs(f_clock // (brp * nbt) - bitrate)
            if rate_error is not None and off > rate_error:
                continue
            if rate_error is None or off < rate_error:
                sample_error = None
            tseg2, sample_off = kernel_tseg2(limits, permille, nbt)
            better = sample_off is not None and (sample_error is None or sample_off < sample_error)
            if not better and not (before_5_19 and sample_off == sample_error):
                continue
            rate_error, sample_error = off, sample_off
            taken = (brp, max(nbt - 1 - tseg2, 0), tseg2)
            if off == 0 and sample_off == 0:
                break
        else:
            continue
        break
    brp, tseg1, tseg2 = taken
    if rate_error is None or rate_error * 1000 // bitrate > 50 or tseg1 == 0 or tseg2 == 0:
        return None
    prop = tseg1 // 2
    phase1 = tseg1 - prop
    jump = sjw or (1 if sjw_1 else max(1, min(phase1, tseg2 // 2)))
    if jump > min(limits.sjw_max, phase1, tseg2):
        return None
    return brp, tseg1, tseg2, jump, prop


def kernel_tseg2(limits: Limits, permille: int, nbt: int) -> tuple[int, int | None]:
    """(tseg2, how many permille the sample point lies before the asked one); (0, None) where it would lie behind."""
    found = []
    for fewer in (0, 1):
        tseg2 = min(max(nbt - permille * nbt // 1000 - fewer, limits.tseg2_min), limits.tseg2_max)
        tseg2 = max(tseg2, nbt - 1 - limits.tseg1_max)
        early = permille - 1000 * (nbt - tseg2) // nbt
        if early >= 0:
            found.append((early, fewer, tseg2))
    if not found:
        return 0, None
    early, _, tseg2 = min(found)
    return tseg2, early
