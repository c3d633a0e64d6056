"""Which instruction set the kernels use: chosen once, at import.

The environment variable CANAL_FAST_SIMD (portable, avx2 or avx512) asks for one; without it, the best that the
machine has. All give the same results.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from canal_fast._frames import cpu_level
from canal_fast.errors import CanalFastError

LEVELS = ("portable", "avx2", "avx512")  # in the order of cf_level

_kernels: list[Callable[[int], None]] = []
_level = 0


def available() -> tuple[str, ...]:
    """Levels that this machine runs."""
    return LEVELS[: cpu_level() + 1]


def select(name: str) -> None:
    """Use this level from now on; `available` names those allowed."""
    global _level
    if name not in available():
        raise CanalFastError(f"CANAL_FAST_SIMD = {name!r}, this machine has {', '.join(available())}")
    _level = LEVELS.index(name)
    for choose in _kernels:
        choose(_level)


def serve(choose: Callable[[int], None]) -> None:
    """Tell `choose` the level, now and whenever `select` changes it: for the glue of each wing that has variants."""
    _kernels.append(choose)
    choose(_level)


select(os.environ.get("CANAL_FAST_SIMD") or available()[-1])
