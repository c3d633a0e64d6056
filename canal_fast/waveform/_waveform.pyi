from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import disjoint_base

PARTS: int
STUCK: int
STRETCH_BITS: int
TIMING_FIELDS: int

def select(wanted: int, /) -> None: ...

@disjoint_base
class Decoder:
    def __new__(cls, timing: npt.NDArray[np.int64], resolution: float, thorough: bool, /) -> Decoder: ...
    @property
    def idle_glitches(self) -> int: ...
    at: int
    def read(
        self,
        edges: npt.NDArray[np.int64],
        start_level: int,
        begin: int,
        end: int,
        final: bool,
        frames: npt.NDArray[Any],
        columns: list[npt.NDArray[Any]],
        /,
    ) -> tuple[int, int]: ...

@disjoint_base
class Vcd:
    def __new__(cls, name: bytes, recessive: bool, /) -> Vcd: ...
    @property
    def stand(self) -> tuple[int, int, int | None, int, int]: ...
    def scan(self, text: npt.NDArray[np.uint8], final: bool, edges: npt.NDArray[np.int64], /) -> tuple[int, int]: ...

def trace(
    edges: npt.NDArray[np.int64],
    start_level: int,
    end: int,
    first: int,
    timing: npt.NDArray[np.int64],
    resolution: float,
    bits: npt.NDArray[np.uint8],
    samples: npt.NDArray[np.int64],
    /,
) -> tuple[int, int, int, int]: ...
def edges_logic(
    samples: npt.NDArray[np.uint8],
    first: int,
    count: int,
    size: int,
    bit: int,
    place: npt.NDArray[np.int64],
    edges: npt.NDArray[np.int64],
    /,
) -> tuple[int, int]: ...
def edges_volts(
    volts: npt.NDArray[Any],
    first: int,
    low: float,
    high: float,
    place: npt.NDArray[np.int64],
    edges: npt.NDArray[np.int64],
    /,
) -> tuple[int, int]: ...
