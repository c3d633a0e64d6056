"""A slow twin of the clock's arithmetic, and simulated devices whose truth is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import numpy as np


def scale(a: int, num: int, den: int) -> int:
    """a * num / den, rounded toward minus infinity for a >= 0 and toward zero below."""
    exact = Fraction(a * num, den)
    return int(exact)


def unwrap(raw: int, predicted: int, bits: int) -> int:
    """The number nearest to `predicted` that ends in `raw`; of two equally near ones the lower."""
    near = predicted // 2**bits
    return min((raw + k * 2**bits for k in (near - 1, near, near + 1)), key=lambda n: (abs(n - predicted), n))


def least_sum_below(x: Sequence[float], y: Sequence[float]) -> Fraction:
    """Least possible sum of distances from a line that no point is below, over all lines through two points."""
    points = [(Fraction(a), Fraction(b)) for a, b in zip(x, y, strict=True)]
    sums = []
    for (x0, y0), (x1, y1) in combinations(points, 2):
        slope = (y1 - y0) / (x1 - x0)
        above = [b - y0 - slope * (a - x0) for a, b in points]
        if min(above) >= 0:
            sums.append(sum(above))
    return min(sums)


@dataclasses.dataclass
class Recording:
    """Frames of a simulated device: the truth, and what a reader sees."""

    true_ns: np.ndarray  # the host's monotonic time when each frame was stamped
    raw: np.ndarray  # the device's ticks
    began_ns: np.ndarray  # the host's time when the run that the frame was read in began
    observed_ns: np.ndarray  # the host's time at the end of a run, for its last frame; else 0

    @property
    def seconds(self) -> np.ndarray:
        return (self.true_ns - self.true_ns[0]) / 1e9


def record(
    true_ns: np.ndarray,
    late_ns: np.ndarray,
    *,
    ppm: float = 0.0,
    tick_ns: Fraction = Fraction(1000),
    wrap_bits: int = 32,
    first_tick: int = 0,
) -> Recording:
    """Stamp frames at `true_ns` with a clock that gains `ppm`; each is read `late_ns` later, in order."""
    passed = true_ns - true_ns[0]
    device_ns = passed + np.round(passed * (ppm * 1e-6)).astype(np.int64)
    ticks = first_tick + device_ns * tick_ns.denominator // tick_ns.numerator
    read_ns = np.maximum.accumulate(true_ns + late_ns)
    last = np.append(read_ns[1:] != read_ns[:-1], True)
    return Recording(true_ns, (ticks % 2**wrap_bits).astype(np.uint32), read_ns, np.where(last, read_ns + 1000, 0))


def random_times(rng: np.random.Generator, seconds: float, per_second: float, start_ns: int = 10**15) -> np.ndarray:
    return start_ns + np.sort(rng.integers(0, int(seconds * 1e9), int(seconds * per_second)))
