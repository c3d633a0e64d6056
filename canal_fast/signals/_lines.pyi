from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

UNKNOWN_MAX: int

@disjoint_base
class Cells:
    def __new__(
        cls,
        before: bytes,
        timestamp_ns: npt.NDArray[np.int64],
        columns: list[tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None, bytes, bytes, list[bytes] | None]],
    ) -> Cells: ...
    @property
    def longest(self) -> int: ...
    def csv(self, each: bool, out: npt.NDArray[np.uint8]) -> int: ...

@disjoint_base
class Lines:
    def __new__(
        cls,
        frames: npt.NDArray[np.void],
        text: bytes,
        which: npt.NDArray[np.uint16],
        tables: list[Cells],
        others: bool,
    ) -> Lines: ...
    def write(self, out: npt.NDArray[np.uint8]) -> int: ...
