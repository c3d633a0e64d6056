"""Pictures of finished arrays: matplotlib, imported when something is drawn. Needs the extra `plot`."""

from __future__ import annotations

from .figure import new_figure

__all__ = ["new_figure"]
