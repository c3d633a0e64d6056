"""What a recording holds beside its frames, as plain values for JSON."""

from __future__ import annotations

from typing import Any

from .reading import LogFile

__all__ = ["contents"]


def contents(log: LogFile, count: int) -> dict[str, Any]:
    """What `log` says of itself; asked when its batches, `count` frames, have been read.

    Returns
    -------
    dict
        path, format, frames, truncated, skipped, skipped_by_kind, lost_bytes, start (ISO 8601 or None), zone_note;
        interfaces: a dict each with name, channel, bitrate, frames, where it is known id_order, and the counters of
        the last Interface Statistics Block.
    """
    rows = [
        {
            "name": row.name,
            "channel": row.channel,
            "bitrate": row.bitrate,
            "frames": row.frames,
            **({"id_order": row.id_order} if row.id_order else {}),
            **(row.statistics or {}),
        }
        for row in log.interfaces
    ]
    return {
        "path": log.path,
        "format": log.format,
        "frames": count,
        "truncated": log.truncated,
        "skipped": log.skipped,
        "skipped_by_kind": log.skipped_by_kind,
        "lost_bytes": log.lost_bytes,
        "start": None if log.start is None else log.start.isoformat(),
        "zone_note": log.zone_note,
        "interfaces": rows,
    }
