"""Frames to Arrow, pandas and polars, and back."""

from __future__ import annotations

from .columns import is_dated
from .export import ArrowFrames, ArrowStream, to_arrow
from .from_table import from_arrow
from .tables import to_pandas, to_polars

__all__ = ["ArrowFrames", "ArrowStream", "from_arrow", "is_dated", "to_arrow", "to_pandas", "to_polars"]
