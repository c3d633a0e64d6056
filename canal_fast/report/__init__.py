"""A recording as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canal_fast.later import later

__all__ = ["write_report"]

if TYPE_CHECKING:
    from .writing import write_report
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "writing": "write_report",
        },
    )
