from typing import Any

import numpy as np
import numpy.typing as npt

INTERMISSION_BITS: int

def select(wanted: int) -> None: ...
def status_table() -> list[tuple[int, str, str]]: ...
def pack_bits(bits: npt.NDArray[np.uint8], packed: npt.NDArray[np.uint8]) -> int: ...
def stuff(bits: npt.NDArray[np.uint8], stuffed: npt.NDArray[np.uint8]) -> tuple[int, int]: ...
def destuff(bits: npt.NDArray[np.uint8], plain: npt.NDArray[np.uint8]) -> tuple[int, int]: ...
def lengths(
    frames: npt.NDArray[np.void],
    mode: int,
    extra: int,
    nominal: npt.NDArray[np.int32],
    data: npt.NDArray[np.int32] | None = None,
) -> tuple[int, int]: ...
def exact_lengths(
    frames: npt.NDArray[np.void], extra: int, lengths: npt.NDArray[np.int32]
) -> tuple[int, int]: ...
def stuff_bits(frames: npt.NDArray[np.void], counts: npt.NDArray[np.int32]) -> tuple[int, int]: ...
def encode_room(frames: npt.NDArray[np.void]) -> int: ...
def encode(
    frames: npt.NDArray[np.void],
    ack: bool,
    packed: bool,
    out: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
) -> tuple[int, int]: ...
def encode_stream(
    frames: npt.NDArray[np.void],
    ack: bool,
    lead: int,
    gaps: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
) -> tuple[int, int]: ...
def decode(
    packed: npt.NDArray[np.uint8],
    bit_count: int,
    offsets: npt.NDArray[np.int64],
    frames: npt.NDArray[np.void],
    status: npt.NDArray[np.uint8],
    bit_index: npt.NDArray[np.int64],
    start: npt.NDArray[np.int64],
) -> tuple[int, int]: ...
def decode_stream(
    packed: npt.NDArray[np.uint8],
    bit_count: int,
    place: npt.NDArray[np.int64],
    frames: npt.NDArray[np.void],
    status: npt.NDArray[np.uint8],
    bit_index: npt.NDArray[np.int64],
    start: npt.NDArray[np.int64],
) -> tuple[int, int]: ...
def durations(
    nominal: npt.NDArray[np.int32],
    data: npt.NDArray[np.int32] | None,
    bitrate: float,
    data_bitrate: float,
    durations_ns: npt.NDArray[np.int64],
) -> None: ...
def id_rows(
    frames: npt.NDArray[np.void],
    rows: npt.NDArray[np.int64],
    slots: npt.NDArray[np.uint32],
    keys: npt.NDArray[np.uint64],
    known: int,
) -> tuple[int, int]: ...
def bus_load(
    frames: npt.NDArray[np.void],
    durations_ns: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64] | None,
    start_ns: int,
    window_ns: int,
    load: npt.NDArray[np.float64],
) -> int: ...
def __getattr__(name: str) -> Any: ...
