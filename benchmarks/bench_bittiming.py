"""Bit timing beside python-can, and the pruned search beside brute force and the kernel's algorithm in C.

Each row is the median of interleaved rounds in one run.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import bittiming

# of the CiA rates those that python-can can solve for this clock and sample point
RATES = [1_000_000, 800_000, 500_000, 250_000, 125_000, 100_000]
F_CLOCK = 32_000_000
SAMPLE_POINT = 87.5
MANY = np.tile(np.array(RATES), 2000)

# The naive search in C: every brp, tseg1 and tseg2, errors as doubles.
SOURCE = r"""
#include <canal_fast/bittiming/solve_linux.h>
#include <canal_fast/bittiming/solve.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static unsigned brute(const cf_timing_limits *l, double f_clock, double rate, double sample)
{
    double best_rate = 1e18, best_sample = 1e18;
    unsigned brp, tseg1, tseg2, best = 0;
    for (brp = l->brp_min; brp <= l->brp_max; brp++)
        for (tseg1 = l->tseg1_min; tseg1 <= l->tseg1_max; tseg1++)
            for (tseg2 = l->tseg2_min; tseg2 <= l->tseg2_max; tseg2++) {
                const double nbt = 1 + tseg1 + tseg2;
                const double rate_error = fabs(f_clock / (brp * nbt) - rate);
                const double sample_error = fabs((1 + tseg1) / nbt - sample);
                if (rate_error < best_rate || (rate_error == best_rate && sample_error < best_sample)) {
                    best_rate = rate_error;
                    best_sample = sample_error;
                    best = brp << 16 | tseg1 << 8 | tseg2;
                }
            }
    return best;
}

int main(int argc, char **argv)
{
    static const uint32_t rates[] = {1000000, 800000, 500000, 250000, 125000, 100000};
    const cf_timing_limits small = {1, 16, 1, 8, 4, 1, 64, 1, 0, 0}, large = {1, 256, 1, 128, 128, 1, 1024, 1, 0, 0};
    const cf_timing_limits *limits = argc > 1 && argv[1][0] == 'l' ? &large : &small;
    const int rounds = argc > 2 ? atoi(argv[2]) : 1, brutes = argc > 3 ? atoi(argv[3]) : 0;
    volatile unsigned sink = 0;
    double start;
    int i, j;
    cf_timing t;
    start = now();
    for (i = 0; i < rounds; i++)
        for (j = 0; j < 6; j++) {
            cf_timing_request r = {rates[j], 1, 32000000, 875, 1000, 0, 0, 0, 0, 0};
            if (cf_timing_check(limits, &r) == CF_OK)
                cf_timing_best(limits, &r, &t);
            sink += t.brp;
        }
    printf("%f ", (now() - start) / rounds / 6);
    start = now();
    for (i = 0; i < rounds; i++)
        for (j = 0; j < 6; j++) {
            cf_timing_linux(limits, 32000000, rates[j], 875, 0, 0, &t);
            sink += t.brp;
        }
    printf("%f ", (now() - start) / rounds / 6);
    start = now();
    for (i = 0; i < brutes; i++)
        for (j = 0; j < 6; j++)
            sink += brute(limits, 32e6, rates[j], 0.875);
    printf("%f\n", brutes ? (now() - start) / brutes / 6 : 0.0);
    return 0;
}
"""


def ours() -> None:
    for rate in RATES:
        bittiming.best(rate, limits="usb_8dev", sample_point=SAMPLE_POINT)


def theirs() -> None:
    import can

    for rate in RATES:
        can.BitTiming.from_sample_point(F_CLOCK, rate, SAMPLE_POINT)


def ours_many() -> None:
    bittiming.solve_many(MANY, limits="usb_8dev", sample_point=SAMPLE_POINT)


def seconds(function: Callable[[], None], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats


def c_program(folder: Path) -> Path | None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    source, program = folder / "search.c", folder / "search"
    source.write_text(SOURCE)
    subprocess.run([compiler, "-O3", f"-I{cf.get_include()}", str(source), "-o", str(program), "-lm"], check=True)
    return program


def c_times(program: Path, size: str, rounds: int, brutes: int) -> list[float]:
    output = subprocess.run([program, size, str(rounds), str(brutes)], check=True, capture_output=True, text=True)
    return [float(word) for word in output.stdout.split()]


def measure() -> dict[str, float | str]:
    """Ratios by row id, peers measured in the same run."""
    rows: dict[str, float | str] = {}
    try:
        theirs()
    except ImportError:
        rows["bittiming-per-call"] = rows["bittiming-array"] = "NOT RUN: python-can is not installed"
    else:
        rounds = [(seconds(theirs, 40), seconds(ours, 2000), seconds(ours_many, 4)) for _ in range(15)]
        peer, call, array = (statistics.median(column) for column in zip(*rounds, strict=True))
        rows["bittiming-per-call"] = peer / call
        rows["bittiming-array"] = peer / len(RATES) / (array / len(MANY))
    with tempfile.TemporaryDirectory() as folder:
        program = c_program(Path(folder))
        names = ("bittiming-brute-small", "bittiming-brute-large", "bittiming-kernel-small", "bittiming-kernel-large")
        if program is None:
            return rows | dict.fromkeys(names, "NOT RUN: no C compiler")
        for size, rounds, brutes in (("small", 20_000, 20), ("large", 1_000, 1)):
            times = [c_times(program, size, rounds, brutes if i < 5 else 0) for i in range(9)]
            pruned, kernel = (statistics.median(t[i] for t in times) for i in (0, 1))
            rows[f"bittiming-brute-{size}"] = statistics.median(t[2] for t in times if t[2]) / pruned
            rows[f"bittiming-kernel-{size}"] = pruned / kernel
    return rows


def test_best(benchmark: pytest.FixtureRequest) -> None:
    benchmark(ours)  # type: ignore[operator]


def test_many(benchmark: pytest.FixtureRequest) -> None:
    benchmark(ours_many)  # type: ignore[operator]


def test_solve(benchmark: pytest.FixtureRequest) -> None:
    benchmark(bittiming.solve, 500_000, limits="usb_8dev")  # type: ignore[operator]


def test_python_can(benchmark: pytest.FixtureRequest) -> None:
    pytest.importorskip("can", reason="NOT RUN: python-can is not installed")
    benchmark(theirs)  # type: ignore[operator]


if __name__ == "__main__":
    for name, ratio in measure().items():
        print(name, ratio)
