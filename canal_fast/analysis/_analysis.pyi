from typing import Any, final

import numpy as np
import numpy.typing as npt

PERIOD_BINS: int
MERGE_SOURCES: int
ID_STATISTICS_DTYPE: np.dtype[np.void]
WINDOW_STATISTICS_DTYPE: np.dtype[np.void]
TRAFFIC_ID_DTYPE: np.dtype[np.void]
TRAFFIC_CHANNEL_DTYPE: np.dtype[np.void]

_Array = npt.NDArray[Any]

@final
class Ids:
    @property
    def count(self) -> int: ...
    def __new__(cls, slots: _Array, keys: _Array, count: int) -> Ids: ...

def number(ids: Ids, frames: _Array, numbers: _Array, counts: _Array) -> int: ...
def order(numbers: _Array, starts: _Array, order: _Array) -> None: ...
def changed(ids: Ids, frames: _Array, begin: int, last: _Array, flags: _Array) -> int: ...
def add(
    ids: Ids,
    frames: _Array,
    bits: _Array | None,
    data_bits: _Array | None,
    rows: _Array,
    bins: _Array,
    latest_ns: int,
    window_ns: int,
    windows: _Array,
) -> tuple[int, int, int]: ...
def add_periods(rows: _Array, bins: _Array, periods: _Array) -> None: ...
def watch(
    ids: Ids,
    frames: _Array,
    bits: _Array | None,
    data_bits: _Array | None,
    rows: _Array,
    channels: _Array,
    whole: bool,
) -> int: ...
def merge(arrays: list[_Array], out: _Array) -> int: ...
def __getattr__(name: str) -> Any: ...
