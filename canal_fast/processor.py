"""Which units of the processor the kernels use: chosen once, at import.

The environment variable CANAL_FAST_SIMD names a level, and units to add or to leave out: `avx2`, `avx512-vpclmul`,
`portable+pclmul`. Without it, all that the machine has. Every choice gives the same results.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from canal_fast._frames import cpu_units, unit_table
from canal_fast.errors import CanalFastError

UNITS = {name: bit for name, bit, _ in unit_table()}  # as in cpu.h
# A machine has the level where it has the unit of that name; the level is what it has of these.
_LEVELS = {
    "portable": (),
    "avx2": ("pclmul", "avx2", "pext", "vpclmul", "gfni"),
    "avx512": ("pclmul", "avx2", "pext", "vpclmul", "gfni", "avx512"),
    "neon": ("neon", "pmull"),
}
LEVELS = tuple(_LEVELS)

_kernels: list[Callable[[int], None]] = []
_chosen = 0


def units() -> tuple[str, ...]:
    """Units that this machine has."""
    here = cpu_units()
    return tuple(name for name, bit in UNITS.items() if here & bit)


def available() -> tuple[str, ...]:
    """Levels that this machine has, the fastest last."""
    here = units()
    return tuple(level for level in LEVELS if level == "portable" or level in here)


def select(name: str) -> None:
    """Use this level, with the units added (+) and left out (-), from now on."""
    global _chosen
    _chosen = _parse(name)
    for choose in _kernels:
        choose(_chosen)


def serve(choose: Callable[[int], None]) -> None:
    """Tell `choose` the units' bits, now and whenever `select` changes them: for the glue of each wing that has
    variants."""
    _kernels.append(choose)
    choose(_chosen)


def _parse(name: str) -> int:
    level, *changes = re.split(r"(?=[+-])", name)
    here = units()
    if level not in available() or any(
        unit[1:] not in UNITS or (unit[0] == "+" and unit[1:] not in here) for unit in changes
    ):
        also = f", and +UNIT or -UNIT after it of {', '.join(here)}" if here else ""
        raise CanalFastError(f"CANAL_FAST_SIMD = {name!r}, this machine has {', '.join(available())}{also}")
    chosen = {unit for unit in _LEVELS[level] if unit in here}
    for change in changes:
        (chosen.add if change[0] == "+" else chosen.discard)(change[1:])
    return sum(UNITS[unit] for unit in chosen)


select(os.environ.get("CANAL_FAST_SIMD") or available()[-1])
