"""Messages with their timing out of a database, a table or a recording."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from canal_fast.arguments import number
from canal_fast.frames import FrameArray, FrameFlag, payload_length
from canal_fast.signals import Database
from canal_fast.signals.description import suggest

from .messages import Message
from .schedule import learn_schedule

__all__ = ["Source", "timed_messages"]

Source = Database | FrameArray | Iterable[Message | Mapping[str, Any]]
_MS = 1_000_000
_SURE = 0.01  # share of distances that may be shorter than the least one of a sporadic message


def timed_messages(
    source: Source,
    *,
    cycle_ms: Mapping[str, float] | None = None,
    default_cycle_ms: float | None = None,
    jitter_ms: Mapping[str, float] | None = None,
    leave_out: Sequence[str] = (),
) -> list[Message]:
    """Messages with period and jitter, for `response_times` and `forecast_load`.

    Parameters
    ----------
    source : Database, array of frames, or iterable of Message or dict
        Database: cycle times, lengths, CAN FD and senders are taken from it. Frames: of one bus; periodic identifiers
        have the period and jitter that `learn_schedule` finds (the jitter seen holds the waiting for the bus, too), the
        others are sporadic with the distance that all but 1 % keep; lengths are the greatest seen. Table: a dict has
        the fields of `Message`.
    cycle_ms, jitter_ms : mapping of name to ms, optional
        For messages whose name fits, in place of what the source says. Names may be patterns with * ? [ ]; later
        entries count more.
    default_cycle_ms : float, optional
        For messages of a database without a cycle time.
    leave_out : sequence of str
        Names or patterns of messages that are not on the bus.

    Returns
    -------
    list of Message

    Raises
    ------
    TypeError, ValueError
        Messages without a cycle time, by name; a name or pattern that fits none; frames of several channels.
    """
    if isinstance(source, np.ndarray):
        found: list[Any] = _of_frames(source)
    elif isinstance(source, Database):
        found = list(source.messages)
    else:
        found = [_of_row(index, row) for index, row in enumerate(source)]
    names = [entry.name for entry in found]
    given = {"cycle_ms": dict(cycle_ms or {}), "jitter_ms": dict(jitter_ms or {})}
    for argument, entries in (*given.items(), ("leave_out", dict.fromkeys(leave_out, 0))):
        for pattern, value in entries.items():
            number(f"{argument}[{pattern!r}]", value)
            if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
                raise ValueError(f"{argument}: no message {pattern!r}{suggest(pattern, names)}")
    found = [e for e in found if not any(fnmatch.fnmatchcase(e.name, pattern) for pattern in leave_out)]
    cycles = [_last(given["cycle_ms"], e.name, None) for e in found]
    if isinstance(source, Database):
        cycles = [c or e.cycle_time_ms or default_cycle_ms for c, e in zip(cycles, found, strict=True)]
        _refuse_missing([e.name for e, c in zip(found, cycles, strict=True) if not c], len(found))
        found = [_of_database(e, round(c * _MS)) for e, c in zip(found, cycles, strict=True) if c]
    else:
        found = [e if c is None else replace(e, period_ns=round(c * _MS)) for e, c in zip(found, cycles, strict=True)]
    jitters = [_last(given["jitter_ms"], e.name, None) for e in found]
    return [e if j is None else replace(e, jitter_ns=round(j * _MS)) for e, j in zip(found, jitters, strict=True)]


def _last(entries: Mapping[str, float], name: str, default: float | None) -> float | None:
    fits = [value for pattern, value in entries.items() if fnmatch.fnmatchcase(name, pattern)]
    return fits[-1] if fits else default


def _refuse_missing(names: list[str], count: int) -> None:
    if names:
        some = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        raise ValueError(
            f"{len(names)} of {count} messages have no cycle time: {some}; give cycle_ms, default_cycle_ms or leave_out"
        )


def _of_row(index: int, row: Message | Mapping[str, Any]) -> Message:
    if isinstance(row, Message):
        return row
    if not isinstance(row, Mapping):
        raise TypeError(f"messages[{index}] must be a Message or a dict of its fields, not {type(row).__name__}")
    fields = list(Message.__dataclass_fields__)
    if unknown := [name for name in row if name not in fields]:
        raise ValueError(f"messages[{index}] has {unknown}; known are {', '.join(fields)}")
    if missing := [name for name in fields[:4] if name not in row]:
        raise ValueError(f"messages[{index}] has no {', '.join(missing)}")
    return Message(**row)


def _of_database(entry: Any, period_ns: int) -> Message:
    return Message(
        entry.name,
        entry.arbitration_id,
        entry.length,
        period_ns,
        is_extended=entry.is_extended,
        is_fd=entry.is_fd,
        sender=entry.senders[0] if entry.senders else None,
    )


def _of_frames(frames: FrameArray) -> list[Message]:
    schedule = learn_schedule(frames)
    channels = np.unique(schedule.rows["channel"])
    if len(channels) > 1:
        raise ValueError(f"frames of channels {', '.join(map(str, channels))}: give those of one bus")
    found = []
    sizes = payload_length(frames)
    for row, indexes in zip(schedule.rows, schedule.groups, strict=True):
        flags = int(np.bitwise_or.reduce(frames["flags"][indexes]))
        distances = np.diff(np.sort(frames["timestamp_ns"][indexes]))
        if not distances.size:
            continue  # seen once: no distance is known
        least = int(np.sort(distances)[int(_SURE * distances.size)])
        extended = bool(row["extended"])
        found.append(
            Message(
                f"{int(row['arbitration_id']):0{8 if extended else 3}X}",
                int(row["arbitration_id"]),
                int(sizes[indexes].max()),
                max(1, round(row["period_ns"]) if row["cyclic"] else least),
                int(row["jitter_ns"]) if row["cyclic"] else 0,
                is_extended=extended,
                is_fd=bool(flags & FrameFlag.FD),
                bitrate_switch=bool(flags & FrameFlag.BITRATE_SWITCH),
                sporadic=not row["cyclic"],
            )
        )
    return found
