import numpy as np
import numpy.typing as npt

LINE_MAX: int

def json_lines(
    frames: npt.NDArray[np.void],
    first: int,
    about: npt.NDArray[np.uint8],
    places: npt.NDArray[np.uint32],
    out: npt.NDArray[np.uint8],
) -> tuple[int, int]: ...
