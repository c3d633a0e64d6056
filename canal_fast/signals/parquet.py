"""Signals of recordings into a folder of Parquet, partitioned by date and message."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote

from canal_fast.logs.parquet import ParquetAccount, Partitions, by_date, source_digest
from canal_fast.logs.zones import Zone

from .plan import Plan
from .tables import DecodeCounts, Table, free

__all__ = ["to_parquet"]

PARTITIONS = ("date", "message")  # folders' names, which readers make columns of, in any case of letters
BATCH_FRAMES = 1 << 18  # each makes a table of every message, whatever few rows it has


def to_parquet(
    plan: Plan,
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    format: str | None = None,
    tz: Zone = "UTC",
    errors: str = "strict",
) -> tuple[ParquetAccount, DecodeCounts]:
    """Decode a recording into a folder of Parquet files (needs pyarrow), which may hold others.

    Files are called date=2026-11-26/message=Engine/DIGEST-0.parquet after the recording's content and the plan, and
    appear when all of them are whole: repeating a call changes nothing, and one that was interrupted can be repeated.
    Columns are the message's signals and `timestamp`; frames earlier than 1973 have no date and go to date=undated.
    Signals called date or message have `_` behind their names, since readers take the folders' names for columns.

    Parameters
    ----------
    plan : Plan
    source : path-like
    folder : path-like
        Is made where it is not there.
    format, tz, errors
        As for `canal_fast.logs.open_log`.

    Returns
    -------
    (ParquetAccount, DecodeCounts)
        What was written; and where the frames went, all 0 where an earlier call had done it.

    Raises
    ------
    ImportError
        pyarrow is not installed.
    OSError, LogFormatError
        As `canal_fast.logs.open_log`; nothing of the recording is in the folder then.

    Examples
    --------
    >>> plan = cf.load_database("car.dbc").plan(["Engine"])
    >>> account, counts = cf.signals.to_parquet(plan, "drive.blf", "lake")
    >>> account.rows, counts.decoded
    (100, 100)
    """
    from canal_fast.logs import open_log

    digest = source_digest(source, "signals", plan.digest, format, str(tz), errors)
    counts = DecodeCounts()
    with Partitions(folder, digest, "signals") as out:
        if out.whole is not None:
            return out.whole, counts
        frames = 0
        with open_log(source, format=format, tz=tz, errors=errors) as log:
            for batch in log.batches(BATCH_FRAMES):
                frames += len(batch)
                tables = plan.decode(batch)
                counts += tables.counts
                for name, table in tables.items():
                    for date, rows in by_date(table.timestamp_ns):
                        part = table if rows.all() else table.take(rows)
                        out.add((f"date={date}", f"message={quote(name, safe='')}"), _nullable(out.arrow, part))
            return out.finish(frames, log.skipped), counts


def _nullable(arrow: Any, table: Table) -> Any:
    """A pyarrow table whose schema does not depend on what this batch holds."""
    found = arrow.table(table)
    about = {"canal_fast.message": table.message.name}
    fields = [field.with_nullable(field.name in table.columns) for field in found.schema]
    for place, name in enumerate(found.column_names):
        if name.lower() in PARTITIONS:
            fields[place] = fields[place].with_name(free(f"{name}_", table.columns))
    return arrow.Table.from_arrays(found.columns, schema=arrow.schema(fields, metadata=about))
