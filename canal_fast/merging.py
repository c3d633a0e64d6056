"""Frames of several sources in the order of their times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from canal_fast._frames import Merge
from canal_fast.frames import FD_FRAME_DTYPE, FrameArray

__all__ = ["merged_by_time"]


def merged_by_time(sources: Sequence[Iterator[FrameArray]], size: int) -> Iterator[FrameArray]:
    """Frames of all sources by time (see merge.h), in arrays of at most `size`, which last until the next one."""
    if len(sources) == 1:
        yield from sources[0]
        return
    merge = Merge(len(sources))
    out: FrameArray = np.empty(size, FD_FRAME_DTYPE)
    made = 0
    while True:
        count, empty = merge.take(out, made)
        made += count
        if empty is not None:
            merge.give(empty, next(sources[empty], None))
            continue
        if made:
            yield out[:made]
        if made < len(out):
            return
        made = 0
