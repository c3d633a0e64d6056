from typing import Any, final

import numpy as np
import numpy.typing as npt

KEY_EXTENDED: int
KEY_PGN: int
OTHERS: int
UNKNOWN: int
NOT_DECODABLE: int
VALUES: dict[str, int]
SIGNAL_DTYPE: np.dtype[np.void]
MESSAGE_DTYPE: np.dtype[np.void]
SELECTOR_DTYPE: np.dtype[np.void]
RANGE_DTYPE: np.dtype[np.void]
KINDS: dict[str, int]
RULES: dict[str, int]
MESSAGE_PLACES: int
SIGNAL_PLACES: int

@final
class Tables:
    def __init__(
        self,
        messages: npt.NDArray[np.void],
        signals: npt.NDArray[np.void],
        selectors: npt.NDArray[np.void],
        ranges: npt.NDArray[np.void],
    ) -> None: ...
    def group(
        self,
        frames: npt.NDArray[np.void],
        which: npt.NDArray[np.uint16],
        counts: npt.NDArray[np.int64],
        shortest: npt.NDArray[np.uint8],
    ) -> None: ...
    def layout(
        self,
        counts: npt.NDArray[np.int64],
        shortest: npt.NDArray[np.uint8],
        messages: npt.NDArray[np.int64],
        signals: npt.NDArray[np.int64],
    ) -> tuple[int, int]: ...
    def decode(
        self,
        frames: npt.NDArray[np.void],
        which: npt.NDArray[np.uint16],
        messages: npt.NDArray[np.int64],
        signals: npt.NDArray[np.int64],
        memory: npt.NDArray[np.uint8],
        scratch: npt.NDArray[np.uint8],
    ) -> None: ...
    def encode(
        self,
        number: int,
        columns: list[tuple[npt.NDArray[Any] | None, npt.NDArray[np.uint8] | None, bool, int]],
        count: int,
        saturate: bool,
        padding: int,
        payloads: npt.NDArray[np.uint8],
    ) -> tuple[int, int, int]: ...

def crc8(
    rows: npt.NDArray[np.uint8],
    length: npt.NDArray[np.uint8],
    first: int,
    last: int,
    skip: int,
    suffix: npt.NDArray[np.uint8],
    polynomial: int,
    initial: int,
    final_xor: int,
    results: npt.NDArray[np.uint8],
) -> None: ...
def xor8(
    rows: npt.NDArray[np.uint8],
    length: npt.NDArray[np.uint8],
    first: int,
    last: int,
    skip: int,
    suffix: npt.NDArray[np.uint8],
    initial: int,
    results: npt.NDArray[np.uint8],
) -> None: ...
def __getattr__(name: str) -> Any: ...
