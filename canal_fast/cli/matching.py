"""Which frames the rows of --filter choose, where no library call takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["matching"]


def matching(
    filters: Sequence[Mapping[str, Any]],
    arbitration_id: npt.NDArray[np.uint32],
    extended: npt.NDArray[np.bool_],
) -> npt.NDArray[np.bool_]:
    """Those that any of the rows matches, shape (n,)."""
    found = np.zeros(len(arbitration_id), bool)
    for row in filters:
        same = (arbitration_id ^ np.uint32(row["can_id"])) & np.uint32(row["can_mask"]) == 0
        found |= same if row["extended"] is None else same & (extended == row["extended"])
    return found
