"""rank="linux" against can-calc-bit-timing, and the table of controllers against the same."""

from __future__ import annotations

import csv
import os
import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from oracle import bittiming_oracle as oracle

import canal_fast as cf
from canal_fast import bittiming
from canal_fast.bittiming import CONTROLLERS

RULES = [("6.3", "5.19"), ("6.3", "4.8"), ("6.2", "5.19"), ("6.2", "4.8")]
LONG = bool(os.environ.get("CANAL_FAST_LONG"))
PROGRAM = shutil.which("can-calc-bit-timing")
NAMES = ["sja1000", "mscan", "at91", "flexcan", "mcp251x", "ti_hecc", "rcar_can"]
SAMPLE_POINTS = [0, *range(500, 1000, 25)]
CASES = Path(__file__).parents[1] / "data" / "linux_tie_cases.csv"

needs_program = pytest.mark.skipif(PROGRAM is None, reason="NOT RUN: can-calc-bit-timing (can-utils) is not installed")


@cache
def output(*arguments: str) -> str:
    assert PROGRAM is not None
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=True).stdout


def printed(*arguments: str) -> Iterator[tuple[str, int, int, tuple[int, int, int, float] | None]]:
    """(controller, clock, rate, None or (brp, tseg1, tseg2, sample point in percent)) of each line."""
    name, clock = "", 0
    for line in output(*arguments).splitlines():
        if head := re.match(r"Bit timing parameters for (\w+).* with ([\d.]+) MHz", line):
            name, clock = head[1], round(Fraction(head[2]) * 1_000_000)
        elif row := re.match(r"\s*(\d+) +\d+ +(\d+) +(\d+) +(\d+) +\d+ +(\d+) +\d+ .*?% +[\d.]+% +([\d.]+)%", line):
            rate, prop, phase1, tseg2, brp = map(int, row.groups()[:5])
            yield name, clock, rate, (brp, prop + phase1, tseg2, float(row[6]))
        elif row := re.match(r"\s*(\d+) \*\*\*bitrate not possible\*\*\*", line):
            yield name, clock, int(row[1]), None
        else:
            assert not line or "itrate" in line or line.startswith("nominal"), line


def ours(name: str, clock: int, rate: int, sample: int, tie_rule: str) -> cf.BitTiming | None:
    try:
        found = bittiming.solve(
            rate,
            limits=name,
            f_clock=clock,
            sample_point=Fraction(sample, 10) if sample else None,
            rank="linux",
            tie_rule=tie_rule,
        )
    except cf.BitTimingError as error:
        if "the Linux kernel refuses" in str(error):
            return None
        raise
    return found[0]


def cases() -> Iterator[tuple[str, int, int, int, tuple[int, int, int, float] | None]]:
    """Everything it prints for its controllers, its clocks and rates, and 21 sample points; other clocks and rates."""
    for sample in SAMPLE_POINTS:
        for name in NAMES:
            for _, clock, rate, theirs in printed("-s", str(sample), name):
                yield name, clock, rate, sample, theirs
    chance = random.Random(20201100)
    for _ in range(600 if LONG else 60):
        clock = chance.choice([8_000_000, 10_000_000, 12_500_000, 20_000_000, 36_000_000, 48_000_000, 83_368_421])
        rate = chance.choice([chance.randrange(5_000, 1_000_000), clock // chance.randrange(16, 600)])
        sample = chance.choice(SAMPLE_POINTS)
        for name, _, _, theirs in printed("-c", str(clock), "-b", str(rate), "-s", str(sample)):
            yield name, clock, rate, sample, theirs


@needs_program
def test_equals_can_calc_bit_timing() -> None:
    compared = refused = 0
    for name, clock, rate, sample, theirs in cases():
        t = ours(name, clock, rate, sample, "4.8")
        where = f"{name} at {clock} Hz, {rate} bit/s, {sample} permille"
        if theirs is None or t is None:
            # with no sample point early enough it prints 0 % or a tseg1 of 0: no bit timing, and none for us
            assert t is None, where
            assert theirs is None or theirs[3] == 0 or theirs[1] == 0, where
            refused += 1
            continue
        brp, tseg1, tseg2, sample_point = theirs
        assert (t.brp, t.tseg1, t.tseg2) == (brp, tseg1, tseg2), where
        assert int(t.sample_point * 10 + 1e-9) == round(sample_point * 10), where
        compared += 1
    assert compared > 3000
    assert refused > 100


@needs_program
def test_newer_kernels_differ_in_the_listed_cases_only() -> None:
    """Since 5.19 the one with the most quanta wins among equals: tests/data/linux_tie_cases.csv has all of them."""
    found = []
    for sample in SAMPLE_POINTS:
        for name in NAMES:
            for _, clock, rate, _ in printed("-s", str(sample), name):
                old, new = ours(name, clock, rate, sample, "4.8"), ours(name, clock, rate, sample, "5.19")
                if old is None or new is None or old[1:4] == new[1:4]:
                    continue
                assert new.nbt > old.nbt
                assert int(new.bitrate) == int(old.bitrate)
                assert int(new.sample_point * 10 + 1e-9) == int(old.sample_point * 10 + 1e-9)
                found.append([name, clock, rate, sample, *old[1:4], *new[1:4]])
    with CASES.open(newline="") as file:
        listed = [[row[0], *map(int, row[1:])] for row in list(csv.reader(file))[1:]]
    assert found == listed


@needs_program
def test_names_and_clocks_are_those_of_can_calc_bit_timing() -> None:
    assert output("-l").split() == NAMES
    for name in NAMES:
        assert CONTROLLERS[name].f_clock in {clock for _, clock, _, _ in printed(name)}


def kernel(
    limits: bittiming.ControllerLimits, ask: tuple[int, int, int, int], rules: tuple[str, str]
) -> oracle.Row | None:
    return oracle.kernel(oracle.Limits(*limits.registers), *ask, before_5_19=rules[1] == "4.8", sjw_1=rules[0] == "6.2")


def test_oracle_knows_the_cases_of_both_ages() -> None:
    """The file is what can-calc-bit-timing of 2020 prints, and where kernels since 5.19 differ from it."""
    with CASES.open(newline="") as file:
        rows = [[row[0], *map(int, row[1:])] for row in list(csv.reader(file))[1:]]
    for name, clock, rate, sample, *expected in rows:
        permille = sample or (750 if rate > 800_000 else 800 if rate > 500_000 else 875)
        old = kernel(CONTROLLERS[name], (clock, rate, permille, 0), ("6.3", "4.8"))
        new = kernel(CONTROLLERS[name], (clock, rate, permille, 0), ("6.3", "5.19"))
        assert old is not None
        assert new is not None
        assert [*old[:3], *new[:3]] == expected
    # Documentation/networking/can.rst: 125 kbit/s at 8 MHz by an SJA1000
    assert kernel(CONTROLLERS["sja1000"], (8_000_000, 125_000, 875, 1), ("6.2", "4.8")) == (4, 13, 2, 1, 6)


def random_requests(count: int) -> Iterator[tuple[bittiming.ControllerLimits, tuple[int, int, int, int]]]:
    chance = random.Random(519)
    for _ in range(count):
        t1, t2, brp, brp_max = chance.randint(1, 6), chance.randint(1, 6), chance.randint(1, 6), chance.randint(10, 300)
        fine = chance.choice([0, chance.randint(brp, brp_max)])
        row = bittiming.ControllerLimits(
            tseg1_min=t1,
            tseg1_max=t1 + chance.randint(0, 20),
            tseg2_min=t2,
            tseg2_max=t2 + chance.randint(0, 10),
            sjw_max=chance.randint(1, 8),
            brp_min=brp,
            brp_max=brp_max,
            brp_inc=chance.randint(1, 4),
            brp_fine_max=fine,
            brp_coarse_inc=chance.randint(1, 8) if fine else 0,
        )
        clock = chance.choice([8_000_000, 13_000_000, 40_000_000, 83_368_421, 2**32 - 1])
        rate = max(100, clock // chance.randint(3, 9000) + chance.choice([0, 0, 1, -1, chance.randint(-2000, 2000)]))
        sjw = chance.choice([0, 0, chance.randint(1, row.sjw_max)])
        yield row, (clock, rate, chance.choice([chance.randint(500, 999), 750, 800, 875]), sjw)


@pytest.mark.parametrize("rules", RULES)
def test_equals_the_twin(rules: tuple[str, str]) -> None:
    """best, the first of solve, and solve_many; programmed and refused."""
    took = 0
    for row, (clock, rate, permille, sjw) in random_requests(3000 if LONG else 400):
        expected = kernel(row, (clock, rate, permille, sjw), rules)
        ask = {"limits": row, "sjw": sjw or None, "rank": "linux", "sjw_rule": rules[0], "tie_rule": rules[1]}
        many = bittiming.solve_many([rate, 50], f_clock=clock, sample_point=permille / 10, **ask)
        assert many["status"].tolist() == [0 if expected else 95, 92]
        one = {"f_clock": clock, "sample_point": Fraction(permille, 10)} | ask
        if expected is None:
            with pytest.raises(cf.BitTimingError, match="the Linux kernel refuses"):
                bittiming.best(rate, **one)
            continue
        assert many[0].tolist() == (clock, *expected, 0)
        t = bittiming.best(rate, **one)
        assert (t.brp, t.tseg1, t.tseg2, t.sjw, t.segments.prop_seg) == expected
        took += 1
    assert 50 < took < (2900 if LONG else 390)


def test_many_of_the_kernel() -> None:
    rates = np.array([500_000, 800_000, 1_000_000, 83_000])
    table = bittiming.solve_many(rates, limits="ti_hecc", rank="linux")
    assert table["status"].tolist() == [0, 0, 0, 0]  # also where the rate is 1.6 % off
    for rate, row in zip(rates.tolist(), table.tolist(), strict=True):
        assert row[:5] == bittiming.best(rate, limits="ti_hecc", rank="linux")[:5]
    with pytest.raises(cf.BitTimingError, match=r"\[1\]: the Linux kernel refuses"):
        bittiming.solve_many([500_000, 7_000_000], limits="ti_hecc", rank="linux", strict=True)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ({"rank": "kernel"}, "rank = 'kernel', allowed 'default' and 'linux'"),
        ({"sjw_rule": "6.2"}, "sjw_rule = '6.2' is of rank = 'linux', but rank is 'default'"),
        ({"rank": "linux", "tie_rule": "6.0"}, "tie_rule = '6.0', allowed '5.19' and '4.8'"),
        ({"rank": "linux", "bus_length_m": 40}, "leave out bus_length_m"),
    ],
)
@pytest.mark.parametrize("function", [bittiming.solve, bittiming.best, bittiming.solve_many])
def test_bad_ranks(function: Callable[..., object], ask: dict[str, object], words: str) -> None:
    with pytest.raises(cf.BitTimingError, match=words):
        function(500_000, limits="usb_8dev", **ask)


def test_many_takes_whole_numbers() -> None:
    with pytest.raises(cf.BitTimingError, match=r"whole number as bitrate\[1\] in bit/s, not 83333.5"):
        bittiming.solve_many([5e5, 83333.5], limits="usb_8dev", rank="linux")
    with pytest.raises(cf.BitTimingError, match=r"whole number as sample_point\[0\] in permille, not 833.3"):
        bittiming.solve_many([5e5], sample_point=83.33, limits="usb_8dev", rank="linux")


def test_pairs_of_the_kernel() -> None:
    """Each phase as the kernel chooses it alone, then the others in default order."""
    found = bittiming.solve_fd(500_000, 2_000_000, limits="mcp251xfd", rank="linux", count=50)
    first = (
        kernel(CONTROLLERS["mcp251xfd"], (40_000_000, 500_000, 875, 0), RULES[0]),
        kernel(CONTROLLERS["mcp251xfd"].data, (40_000_000, 2_000_000, 750, 0), RULES[0]),  # type: ignore[arg-type]
    )
    assert tuple((t.brp, t.tseg1, t.tseg2, t.sjw, t.segments.prop_seg) for t in found[0]) == first
    default = bittiming.solve_fd(500_000, 2_000_000, limits="mcp251xfd", count=50)
    keys = [[phase[1:4] for phase in pair] for pair in default]
    assert [[phase[1:4] for phase in pair] for pair in found[1:]] == [
        key for key in keys if key != [phase[1:4] for phase in found[0]]
    ][:49]
    assert len(found) == 50
    assert len(bittiming.solve_fd(500_000, 2_000_000, limits="mcp251xfd", rank="linux", count=1)) == 1
    with pytest.raises(cf.BitTimingError, match="rank = 'x'"):
        bittiming.solve_fd(500_000, 2_000_000, limits="mcp251xfd", rank="x")


def test_sjw_rules() -> None:
    def sjw(rule: str, **ask: object) -> int:
        limits = "mcp251xfd"
        best, *_ = bittiming.solve(500_000, limits=limits, rank="linux", sjw_rule=rule, **ask)  # type: ignore[arg-type]
        return best.sjw

    assert sjw("6.2") == 1
    assert sjw("6.3") == 5  # phase 2 is 10 of 80 quanta
    assert sjw("6.2", sjw=7) == sjw("6.3", sjw=7) == 7


def test_the_others_follow_in_default_order() -> None:
    found = bittiming.solve(500_000, limits="usb_8dev", sample_point=80, rank="linux")
    assert found[0].sample_point == 75  # never above the asked one
    default = bittiming.solve(500_000, limits="usb_8dev", sample_point=80)
    assert default[0].sample_point == 81.25
    assert [t[1:4] for t in found[1:]] == [t[1:4] for t in default if t[1:4] != found[0][1:4]]
    assert len(found) == len(default)


def test_a_rate_the_kernel_takes_and_we_would_not() -> None:
    t = bittiming.solve(800_000, limits="ti_hecc", rank="linux")[0]
    assert int(t.bitrate) == 812_500
    with pytest.raises(cf.BitTimingError, match="nearest rates"):
        bittiming.solve(800_000, limits="ti_hecc")


def test_every_row_of_the_table_names_its_source() -> None:
    assert len(CONTROLLERS) >= 14
    for name, row in CONTROLLERS.items():
        assert row.name == name
        assert row.title
        assert row.source
        assert row.f_clock
    one_place = {name for name, row in CONTROLLERS.items() if not row.second}
    assert one_place == {"rcar_canfd", "mcp251xfd", "flexcan_fd", "c_can", "toucan"}
    assert {name for name, row in CONTROLLERS.items() if row.btr} == {"sja1000", "mscan"}


def test_python_can_agrees_on_usb2can() -> None:
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    row = CONTROLLERS["usb_8dev"]
    assert row.f_clock == 32_000_000
    can.BitTiming(row.f_clock, 1, row.tseg1_max, row.tseg2_max, row.sjw_max)
    for beyond in ((17, 8, 4), (16, 9, 4), (16, 8, 5)):
        with pytest.raises(ValueError, match="must be in"):
            can.BitTiming(row.f_clock, 1, *beyond)
