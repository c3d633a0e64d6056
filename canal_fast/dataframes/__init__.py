"""Frames to Arrow, pandas and polars, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canal_fast.later import later

__all__ = ["ArrowFrames", "ArrowStream", "from_arrow", "is_dated", "to_arrow", "to_pandas", "to_polars"]

if TYPE_CHECKING:
    from .columns import is_dated
    from .export import ArrowFrames, ArrowStream, to_arrow
    from .from_table import from_arrow
    from .tables import to_pandas, to_polars
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "columns": "is_dated",
            "export": "ArrowFrames ArrowStream to_arrow",
            "from_table": "from_arrow",
            "tables": "to_pandas to_polars",
        },
    )
