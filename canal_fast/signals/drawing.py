"""Signals over time as a picture. Needs the extra `plot` (matplotlib)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.plot.signals import signals as draw

__all__ = ["plot_signals"]


def plot_signals(
    path: str | os.PathLike[str],
    signals: Mapping[str, tuple[npt.NDArray[np.int64], npt.NDArray[Any]]],
    units: Mapping[str, str | None] | None = None,
    title: str | None = None,
) -> None:
    """Draw each signal above the next, over a common time axis.

    Parameters
    ----------
    path : path-like
        The ending chooses the format (.png, .svg, .pdf).
    signals : mapping of name to (timestamp_ns, values)
        At most 16.
    units : mapping of name to unit, optional
    title : str, optional

    Raises
    ------
    ValueError
        Nothing to draw, or more than 16 signals.
    ImportError
        matplotlib is not installed.
    """
    draw(signals, units, title).savefig(path, dpi=110)
