from typing import Any, final

import numpy as np
import numpy.typing as npt

ROW_DTYPE: np.dtype[np.void]
GROUP_DTYPE: np.dtype[np.void]
MOST_GROUPS: int

_Array = npt.NDArray[Any]

def select(wanted: int) -> None: ...
@final
class Acceptance:
    def __new__(cls, rows: _Array, error_mask: int) -> Acceptance: ...

def accepts(acceptance: Acceptance, frames: _Array, accepted: _Array) -> None: ...
def numbers(acceptance: Acceptance, frames: _Array, numbers: _Array) -> None: ...
def design(
    elements: _Array,
    points: _Array,
    look: _Array,
    weights: _Array,
    words: _Array,
    kind: int,
    room: tuple[int, int],
    together: int,
    count_extended: bool,
    work: int,
    proving: int,
    place: _Array,
    side: _Array,
) -> tuple[int, int, int] | None: ...
def __getattr__(name: str) -> Any: ...
