from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

LANES_MOST: int
NO_LANE: int
ANY_FORMAT: int
NO_FD: int
NO_REMOTE: int
NO_EMPTY: int

def kind_table() -> list[tuple[int, str, str]]: ...
def lateness_edges() -> list[int]: ...
def schedule(
    times: npt.NDArray[np.int64], speed: float, gap_max_ns: int, passes: int, due: npt.NDArray[np.int64]
) -> tuple[int, int]: ...


@disjoint_base
class Selection:
    def __init__(
        self,
        lanes: dict[int, tuple[int, int]],
        filters: npt.NDArray[np.uint32],
        first_ns: int,
        end_ns: int,
        shift_ns: int,
        tx: bool,
    ) -> None: ...
    def select(self, frames: npt.NDArray[np.void]) -> int: ...
    def books(self) -> tuple[list[int], dict[int, int], int, int, int | None]: ...

@disjoint_base
class Play:
    def __init__(self, ports: list[Any], speed: float, gap_max_ns: int) -> None: ...
    def push(self, frames: npt.NDArray[np.void]) -> bool: ...
    def again(self) -> None: ...
    def finish(self) -> None: ...
    def stop(self) -> None: ...
    def books(self) -> dict[str, Any]: ...

def __getattr__(name: str) -> Any: ...
