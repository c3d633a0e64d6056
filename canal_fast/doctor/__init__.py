"""What is wrong with a driver library, in words."""

from __future__ import annotations

from .diagnosis import Diagnosis, diagnose

__all__ = ["Diagnosis", "diagnose"]
