from typing import Any

import numpy as np
from typing_extensions import disjoint_base

from canal_fast.frames import FrameArray

from ._live import Port

@disjoint_base
class Receiving:
    def _receive_from(self, port: Port, dtype: np.dtype[np.void]) -> None: ...
    def receive(self, max_frames: int = 4096, *, min_frames: int = 1, timeout: float | None = None) -> FrameArray: ...
    def receive_into(self, buffer: FrameArray, *, min_frames: int = 1, timeout: float | None = None) -> int: ...

def __getattr__(name: str) -> Any: ...
