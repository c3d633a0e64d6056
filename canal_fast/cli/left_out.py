"""What of a recording a command did not use, told on standard error."""

from __future__ import annotations

import sys

from canal_fast.logs import LogFile, LogInterface


def id_order(row: LogInterface) -> str:
    return f"identifiers taken as {row.id_order}-endian"


def exit_code(log: LogFile) -> int:
    """1 where nothing but what was skipped was in the recording."""
    return int(bool(log.skipped) and not any(row.frames for row in log.interfaces))


def tell(log: LogFile, command: str) -> None:
    """Records of other kinds, damaged bytes, a cut end, and what was assumed of zones and byte orders."""
    rows = [f"{number} x {kind} skipped" for kind, number in log.skipped_by_kind.items()]
    if log.lost_bytes:
        rows.append(f"{log.lost_bytes} damaged bytes passed over")
    if log.truncated:
        rows.append("it is truncated: it ends inside a block or line")
    if log.zone_note:
        rows.append(log.zone_note)
    rows += [f"{row.name or row.channel}: {id_order(row)}" for row in log.interfaces if row.id_order]
    for row in rows:
        print(f"canal-fast {command}: {log.path}: {row}", file=sys.stderr)
