"""Work memory that a plan keeps from call to call, because memory that was written lately is the fastest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["WorkMemory"]

Memory = npt.NDArray[np.uint8]
_SPARES, _SPARE_BYTES = 4, 16 << 20  # so many blocks are kept, of at most so many bytes


class WorkMemory:
    """A few blocks. Whoever takes one has it alone until it is given back: another thread takes another."""

    def __init__(self) -> None:
        self._spare: list[Memory] = []

    def take(self, size: int) -> Memory:
        """At least `size` bytes, of any content."""
        try:
            block = self._spare.pop()
        except IndexError:
            block = np.empty(0, np.uint8)
        return block if len(block) >= size else np.empty(size, np.uint8)

    def give(self, block: Memory) -> None:
        """Back, once nothing looks at it any more."""
        if len(self._spare) < _SPARES and len(block) <= _SPARE_BYTES:
            self._spare.append(block)
