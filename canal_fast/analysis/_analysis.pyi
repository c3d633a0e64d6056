from typing import Any

import numpy as np
import numpy.typing as npt

PERIOD_BINS: int
MERGE_SOURCES: int
ID_STATISTICS_DTYPE: np.dtype[np.void]
WINDOW_STATISTICS_DTYPE: np.dtype[np.void]

Array = npt.NDArray[Any]

class Ids:
    count: int
    def __init__(self, slots: Array, keys: Array, count: int) -> None: ...

def number(ids: Ids, frames: Array, numbers: Array, counts: Array) -> int: ...
def order(numbers: Array, starts: Array, order: Array) -> None: ...
def changed(ids: Ids, frames: Array, begin: int, last: Array, flags: Array) -> int: ...
def add(
    ids: Ids,
    frames: Array,
    bits: Array | None,
    data_bits: Array | None,
    rows: Array,
    bins: Array,
    latest_ns: int,
    window_ns: int,
    windows: Array,
) -> tuple[int, int, int]: ...
def add_periods(rows: Array, bins: Array, periods: Array) -> None: ...
def merge(arrays: list[Array], out: Array) -> int: ...
def __getattr__(name: str) -> Any: ...
