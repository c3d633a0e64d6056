"""A snapshot as plain numbers, for programs."""

from __future__ import annotations

from typing import Any

from canal_fast.analysis.traffic import frames_of, jitter_ns
from canal_fast.frames import FrameFlag, payload_length

from .monitor import BusRow, Snapshot
from .signal_texts import SignalTexts
from .view import View

__all__ = ["as_dict"]

_COUNTS = ("frames", "error_frames", "status_messages", "gaps", "clock_steps", "unlisted")


def as_dict(snapshot: Snapshot, view: View, texts: SignalTexts | None = None) -> dict[str, Any]:
    """For JSON: seconds, notes, buses and ids, in the view's order; times in seconds, loads as shares of the bus, None
    where something is not known. `changed` lists the bytes that were another than in the frame before."""
    order = view.order(snapshot)
    chosen = snapshot.rows[order]
    frames = frames_of(chosen)
    cells = texts.cells(frames) if texts is not None and len(frames) else [[] for _ in frames]
    names = {row.bus.channel: row.bus.name for row in snapshot.buses}
    ids = []
    jitters, lengths = jitter_ns(chosen).tolist(), payload_length(frames).tolist()
    for place, (index, row) in enumerate(zip(order.tolist(), chosen, strict=True)):
        flags, many, changed = int(row["flags"]), row["count"] > 1, int(row["changed"])
        ids.append(
            {
                "bus": names.get(int(row["channel"]), ""),
                "arbitration_id": int(row["arbitration_id"]),
                "extended": bool(flags & FrameFlag.EXTENDED_ID),
                "flags": flags,
                "count": int(row["count"]),
                "period_s": int(row["period_ns"]) / 1e9 if many else None,
                "period_mean_s": float(row["mean_ns"]) / 1e9 if many else None,
                "jitter_s": jitters[place] / 1e9 if many else None,
                "timestamp_ns": int(row["timestamp_ns"]),
                "dlc": int(row["dlc"]),
                "data": row["data"].tobytes()[: lengths[place]].hex(),
                "changed": [n for n in range(64) if changed >> n & 1],
            }
        )
        if texts is not None:
            ids[-1]["message"] = snapshot.names[index] or None
            ids[-1]["signals"] = {name: {"value": value, "unit": unit or None} for name, value, unit in cells[place]}
    buses = [_bus(row) for row in snapshot.buses]
    return {
        "seconds": snapshot.seconds, "ended": snapshot.ended, "notes": snapshot.notes, "buses": buses, "ids": ids,
    }  # fmt: skip


def _bus(row: BusRow) -> dict[str, Any]:
    bus = row.bus
    return {
        "name": bus.name,
        "bitrate": bus.bitrate,
        "frames_per_s": row.frames_per_s,
        "load": row.load,
        **{name: row.counts[name] for name in _COUNTS},
        "state": bus.state or None,
        "error": bus.trouble or None,
        "lost": bus.ledger.lost if bus.ledger is not None else None,
        "ledger": bus.ledger.as_dict() if bus.ledger is not None else None,
    }
