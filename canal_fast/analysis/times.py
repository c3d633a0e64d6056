"""Instants as callers give them: nanoseconds, numpy's datetime64, the standard library's datetime."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Instant", "Instants", "instant", "nanoseconds"]

Instant = int | np.integer[Any] | np.datetime64 | dt.datetime
Instants = npt.NDArray[np.int64] | npt.NDArray[np.datetime64] | npt.ArrayLike


def instant(name: str, value: Instant) -> int:
    """One of them in ns. A datetime without a zone is refused: nothing depends on the machine's.

    Raises
    ------
    TypeError, ValueError
    """
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise ValueError(f"{name} = {value.isoformat()} has no zone; give it tzinfo, for example datetime.UTC")
        since = value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
    if isinstance(value, np.datetime64):
        return int(value.astype("datetime64[ns]").astype(np.int64))
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    raise TypeError(f"{name} must be ns (an integer), datetime64 or datetime, not {type(value).__name__}")


def nanoseconds(name: str, values: Instants) -> npt.NDArray[np.int64]:
    """An array of them in ns.

    Raises
    ------
    TypeError, ValueError
    """
    array = np.atleast_1d(np.asarray(values))
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not {array.ndim}")
    if array.dtype.kind == "M":
        return array.astype("datetime64[ns]").astype(np.int64)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"{name} must be integers (ns) or datetime64, not {array.dtype}")
    return array.astype(np.int64)
