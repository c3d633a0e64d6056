"""What is wrong with a driver library, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canal_fast.later import later

__all__ = ["Diagnosis", "diagnose"]

if TYPE_CHECKING:
    from .diagnosis import Diagnosis, diagnose
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "diagnosis": "Diagnosis diagnose",
        },
    )
