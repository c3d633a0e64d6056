"""Which instruction set the wire kernels use: chosen once, at import.

The environment variable CANAL_FAST_SIMD (portable, avx2 or avx512) asks for one; without it, the best that the
machine has. All give the same results.
"""

from __future__ import annotations

import os

from canal_fast import _checksum, _wire
from canal_fast.errors import CanalFastError

LEVELS = ("portable", "avx2", "avx512")  # in the order of cf_level


def available() -> tuple[str, ...]:
    """Levels that this machine runs."""
    return LEVELS[: _wire.cpu_level() + 1]


def select(name: str) -> None:
    """Use this level from now on; `available` names those allowed."""
    if name not in available():
        raise CanalFastError(f"CANAL_FAST_SIMD = {name!r}, this machine has {', '.join(available())}")
    for module in (_wire, _checksum):
        module.select(LEVELS.index(name))


select(os.environ.get("CANAL_FAST_SIMD") or available()[-1])
