"""A recording as one HTML page."""

from __future__ import annotations

from .writing import write_report

__all__ = ["write_report"]
