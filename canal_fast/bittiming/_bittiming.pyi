from typing import Any, final

import numpy as np
import numpy.typing as npt

TIMING_DTYPE: np.dtype[np.void]
PAIR_DTYPE: np.dtype[np.void]
MAX_SEGMENT: int
MAX_BRP: int
MAX_DENOMINATOR: int
MAX_SAMPLE_DENOMINATOR: int
MAX_ERROR_PPM: int
MAX_TOLERANCE_PPB: int
MAX_SOLUTIONS: int
MIN_RATE: int

_Limits = tuple[int, int, int, int, int, int, int, int, int, int]
_Timing = tuple[int, int, int, int, int, int]

@final
class Limits:
    def __new__(
        cls,
        tseg1_min: int,
        tseg1_max: int,
        tseg2_min: int,
        tseg2_max: int,
        sjw_max: int,
        brp_min: int,
        brp_max: int,
        brp_inc: int,
        brp_fine_max: int = 0,
        brp_coarse_inc: int = 0,
    ) -> Limits: ...

@final
class Request:
    def __new__(
        cls,
        rate: int,
        rate_of: int,
        f_clock: int,
        sample: int = 0,
        sample_of: int = 0,
        max_error_ppm: int = 0,
        data_phase: int = 0,
        delay_ps: int = 0,
        tolerance_ppb: int = 0,
        sjw: int = 0,
    ) -> Request: ...

def controller_table() -> list[tuple[str, str, int, _Limits, _Limits, bool, bool, str, str]]: ...
def count(limits: Limits, request: Request) -> int: ...
def fill(limits: Limits, request: Request, out: npt.NDArray[np.void]) -> None: ...
def best(limits: Limits, request: Request) -> _Timing | None: ...
def best_plain(
    limits: Limits, f_clock: object, bitrate: object, sample_point: object
) -> tuple[int, int, int, int, int, int, None] | None: ...
def many(
    limits: Limits,
    common: Request,
    rates_milli: npt.NDArray[np.int64],
    clocks: npt.NDArray[np.uint32],
    samples: npt.NDArray[np.uint32],
    out: npt.NDArray[np.void],
) -> int: ...
def nearest(limits: Limits, request: Request) -> tuple[int, int]: ...
def linux(
    limits: Limits,
    f_clock: int,
    bitrate: int,
    sample_permille: int,
    sjw: int,
    ties_to_last: bool,
    sjw_is_one: bool,
) -> _Timing | None: ...
def linux_many(
    limits: Limits,
    rates: npt.NDArray[np.uint32],
    clocks: npt.NDArray[np.uint32],
    samples_permille: npt.NDArray[np.uint32],
    sjw: int,
    ties_to_last: bool,
    sjw_is_one: bool,
    out: npt.NDArray[np.void],
) -> int: ...
def pairs(
    nominal_request: Request,
    nominal: npt.NDArray[np.void],
    data_request: Request,
    data: npt.NDArray[np.void],
    out: npt.NDArray[np.void],
    kept: int,
) -> int: ...
def __getattr__(name: str) -> Any: ...
