"""Recordings in every format that people send each other: read in batches, and written by a `Recorder`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canal_fast.later import later

__all__ = [
    "Account",
    "LogFile",
    "LogFormat",
    "LogInterface",
    "ParquetAccount",
    "Recorder",
    "Repair",
    "batches",
    "convert",
    "format_candump",
    "formats",
    "open_log",
    "read_log",
    "repair",
    "to_parquet",
    "write_log",
]

if TYPE_CHECKING:
    from .account import Account
    from .candump_text import format_candump
    from .converting import convert
    from .format_rows import LogFormat, formats
    from .interfaces import LogInterface
    from .opening import batches, open_log, read_log, write_log
    from .parquet import ParquetAccount, to_parquet
    from .reading import LogFile
    from .repairing import Repair, repair
    from .writing import Recorder
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "account": "Account",
            "candump_text": "format_candump",
            "converting": "convert",
            "format_rows": "LogFormat formats",
            "interfaces": "LogInterface",
            "opening": "batches open_log read_log write_log",
            "parquet": "ParquetAccount to_parquet",
            "reading": "LogFile",
            "repairing": "Repair repair",
            "writing": "Recorder",
        },
    )
