"""Signals: a database (DBC, KCD, SYM, ARXML) becomes columns, and back."""

from __future__ import annotations

from .checks import Checksum, Counter
from .database import Database, load_database
from .description import Message, Problem, Signal
from .latest import Latest
from .parquet import to_parquet
from .plan import Plan
from .tables import DecodeCounts, Table, Tables

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
