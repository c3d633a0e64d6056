"""A table of identifiers that grows: the memory that the kernels count in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from . import _analysis

__all__ = ["ID_DTYPE", "IdTable", "ids_of"]

ID_DTYPE = np.dtype([("channel", "u1"), ("extended", "?"), ("arbitration_id", "u4")])
"""One identifier of one channel."""
_FIRST_ROOM = 256

Keys = npt.NDArray[np.uint64]


def ids_of(keys: Keys) -> npt.NDArray[np.void]:
    """Keys as rows of ID_DTYPE."""
    found = np.empty(len(keys), ID_DTYPE)
    found["channel"] = keys >> np.uint64(33)
    found["extended"] = keys >> np.uint64(32) & np.uint64(1)
    found["arbitration_id"] = keys & np.uint64(0xFFFFFFFF)
    return found


class IdTable:
    """Numbers for identifiers, in the order in which they first occur."""

    def __init__(self) -> None:
        self._make(np.empty(_FIRST_ROOM, np.uint64), 0)

    @property
    def keys(self) -> Keys:
        return self._keys[: self.ids.count]

    @property
    def room(self) -> int:
        return len(self._keys)

    def grow(self) -> None:
        """Twice the room, the numbers as they are."""
        self._make(grown(self._keys), self.ids.count)

    def _make(self, keys: Keys, count: int) -> None:
        self._keys = keys
        self.ids = _analysis.Ids(np.zeros(4 * len(keys), np.uint32), keys, count)

    def __getstate__(self) -> Keys:
        return self.keys.copy()

    def __setstate__(self, keys: Keys) -> None:
        room = _FIRST_ROOM
        while room < len(keys):
            room *= 2
        self._make(np.resize(keys, room) if len(keys) else np.empty(room, np.uint64), len(keys))


def grown(array: Any, room: int | None = None) -> Any:
    """A longer copy, zero behind what was there; twice as long unless told."""
    longer = np.zeros(room or 2 * len(array), array.dtype)
    longer[: len(array)] = array
    return longer
