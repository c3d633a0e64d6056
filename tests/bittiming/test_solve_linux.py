"""rank="linux" against can-calc-bit-timing, and the table of controllers against the same."""

from __future__ import annotations

import csv
import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

import canal_fast as cf
from canal_fast import bittiming
from canal_fast.bittiming import CONTROLLERS

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
