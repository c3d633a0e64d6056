"""Signals: a database (DBC, KCD, SYM, ARXML) becomes columns, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canal_fast.later import later

__all__ = [
    "Checksum",
    "Counter",
    "Database",
    "DecodeCounts",
    "Latest",
    "Message",
    "Plan",
    "Problem",
    "Signal",
    "Table",
    "Tables",
    "load_database",
    "to_parquet",
]

if TYPE_CHECKING:
    from .checks import Checksum, Counter
    from .database import Database, load_database
    from .description import Message, Problem, Signal
    from .latest import Latest
    from .parquet import to_parquet
    from .plan import Plan
    from .tables import DecodeCounts, Table, Tables
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "checks": "Checksum Counter",
            "database": "Database load_database",
            "description": "Message Problem Signal",
            "latest": "Latest",
            "parquet": "to_parquet",
            "plan": "Plan",
            "tables": "DecodeCounts Table Tables",
        },
    )
