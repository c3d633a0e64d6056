"""What recordings say: tools over arrays of frames, and statistics that add up over files."""

from __future__ import annotations

from .arrays import between, concatenate, merge, payload_view
from .groups import Groups, changes, group_by_id, latest, resample
from .statistics import PERIODS_DTYPE, Statistics, periods
from .table import ID_DTYPE

__all__ = [
    "Groups",
    "ID_DTYPE",
    "PERIODS_DTYPE",
    "Statistics",
    "between",
    "changes",
    "concatenate",
    "group_by_id",
    "latest",
    "merge",
    "payload_view",
    "periods",
    "resample",
]
