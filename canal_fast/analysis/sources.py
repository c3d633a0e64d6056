"""Messages with their timing out of a database, a table or a recording."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from canal_fast.arguments import interval
from canal_fast.frames import FrameArray, FrameFlag, payload_length
from canal_fast.signals import Database
from canal_fast.signals.description import Message as DatabaseMessage
from canal_fast.signals.description import suggest

from .messages import Message
from .schedule import learn_schedule

__all__ = ["Source", "timed_messages"]


class _Entry(NamedTuple):
    """A message whose period may be missing."""

    name: str
    period_ns: int | None
    make: Callable[[int], Message]


Source = Database | FrameArray | Iterable[Message | Mapping[str, Any]]
_MS = 1_000_000
_SURE = 0.01  # share of distances that may be shorter than the least one of a sporadic message


def timed_messages(
    source: Source,
    *,
    cycle_ms: Mapping[str, float] | None = None,
    default_cycle_ms: float | None = None,
    jitter_ms: Mapping[str, float] | None = None,
    deadline_ms: Mapping[str, float] | None = None,
    leave_out: Sequence[str] = (),
) -> list[Message]:
    """Messages with period and jitter, for `response_times` and `forecast_load`.

    Parameters
    ----------
    source : Database, array of frames, or iterable of Message or dict
        Database: cycle times, lengths, CAN FD and senders are taken from it. Frames: of one bus; periodic identifiers
        have the period and jitter that `learn_schedule` finds (the jitter seen holds the waiting for the bus, too), the
        others are sporadic with the distance that all but 1 % keep (seen once: the recording's length); lengths are the
        greatest seen. Table: a dict has the fields of `Message`.
    cycle_ms, jitter_ms, deadline_ms : mapping of name to ms, optional
        For messages whose name fits, in place of what the source says. Names may be patterns with * ? [ ]; later
        entries count more.
    default_cycle_ms : float, optional
        For messages without a cycle time; of a recording those that come at one time stamp.
    leave_out : sequence of str
        Names or patterns of messages that are not on the bus.

    Returns
    -------
    list of Message

    Raises
    ------
    TypeError, ValueError
        Messages without a cycle time, by name; a name or pattern that fits none; frames of several channels.

    Examples
    --------
    >>> messages = cf.analysis.timed_messages(cf.load_database("car.dbc"), cycle_ms={"Body": 50})
    >>> [(message.name, message.period_ns) for message in messages]
    [('Engine', 10000000), ('Body', 50000000)]
    """
    if isinstance(source, np.ndarray):
        entries = _of_frames(source)
    elif isinstance(source, Database):
        entries = [_of_database(message) for message in source.messages]
    else:
        entries = [_of_row(index, row) for index, row in enumerate(source)]
    names = [entry.name for entry in entries]
    given = {"cycle_ms": cycle_ms, "jitter_ms": jitter_ms, "deadline_ms": deadline_ms}
    for argument, patterns in (*given.items(), ("leave_out", leave_out)):
        kind = (list, tuple, set) if argument == "leave_out" else (Mapping, type(None))
        if not isinstance(patterns, kind):
            words = "a sequence of names" if argument == "leave_out" else "a mapping of names to ms"
            raise TypeError(f"{argument} must be {words}, not {type(patterns).__name__}")
        for pattern in patterns or ():
            if isinstance(patterns, Mapping):
                interval(f"{argument}[{pattern!r}]", patterns[pattern], 0 if argument == "jitter_ms" else 1e-6, 1e12)
            if not any(fnmatch.fnmatchcase(name, pattern) for name in names):
                raise ValueError(f"{argument}: no message {pattern!r}{suggest(pattern, names)}")
    if default_cycle_ms is not None:
        interval("default_cycle_ms", default_cycle_ms, 1e-6, 1e12)
    entries = [e for e in entries if not any(fnmatch.fnmatchcase(e.name, pattern) for pattern in leave_out)]
    default = None if default_cycle_ms is None else round(default_cycle_ms * _MS)
    periods = [_given(cycle_ms, e.name) or e.period_ns or default for e in entries]
    _refuse_missing([e.name for e, period in zip(entries, periods, strict=True) if not period], len(entries))
    found = [e.make(period) for e, period in zip(entries, periods, strict=True) if period]
    jitters, deadlines = ([_given(given[name], m.name) for m in found] for name in ("jitter_ms", "deadline_ms"))
    found = [m if v is None else replace(m, jitter_ns=v) for m, v in zip(found, jitters, strict=True)]
    return [m if v is None else replace(m, deadline_ns=v) for m, v in zip(found, deadlines, strict=True)]


def _given(values_ms: Mapping[str, float] | None, name: str) -> int | None:
    """ns of the last entry that fits."""
    fits = [value for pattern, value in (values_ms or {}).items() if fnmatch.fnmatchcase(name, pattern)]
    return round(fits[-1] * _MS) if fits else None


def _refuse_missing(names: list[str], count: int) -> None:
    if names:
        some = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
        raise ValueError(
            f"{len(names)} of {count} messages have no cycle time: {some}; give cycle_ms, default_cycle_ms or leave_out"
        )


def _of_row(index: int, row: Message | Mapping[str, Any]) -> _Entry:
    if not isinstance(row, Message):
        if not isinstance(row, Mapping):
            raise TypeError(f"messages[{index}] must be a Message or a dict of its fields, not {type(row).__name__}")
        fields = list(Message.__dataclass_fields__)
        if unknown := [name for name in row if name not in fields]:
            raise ValueError(f"messages[{index}] has {unknown}; known are {', '.join(fields)}")
        if missing := [name for name in fields[:4] if name not in row]:
            raise ValueError(f"messages[{index}] has no {', '.join(missing)}")
        row = Message(**row)
    return _Entry(row.name, row.period_ns, partial(_with_period, row))


def _with_period(message: Message, period_ns: int) -> Message:
    return replace(message, period_ns=period_ns)


def _of_database(message: DatabaseMessage) -> _Entry:
    make = partial(
        _of_fields,
        name=message.name,
        arbitration_id=message.arbitration_id,
        length=message.length,
        is_extended=message.is_extended,
        is_fd=message.is_fd,
        sender=message.senders[0] if message.senders else None,
    )
    return _Entry(message.name, (message.cycle_time_ms or 0) * _MS or None, make)


def _of_fields(period_ns: int, **fields: Any) -> Message:
    return Message(period_ns=period_ns, **fields)


def _of_frames(frames: FrameArray) -> list[_Entry]:
    schedule = learn_schedule(frames)
    channels = np.unique(schedule.rows["channel"])
    if len(channels) > 1:
        raise ValueError(f"frames of channels {', '.join(map(str, channels))}: give those of one bus")
    found = []
    sizes, times = payload_length(frames), frames["timestamp_ns"]
    span = int(times.max() - times.min()) if len(frames) else 0
    for row, indexes in zip(schedule.rows, schedule.groups, strict=True):
        flags = int(np.bitwise_or.reduce(frames["flags"][indexes]))
        distances = np.diff(np.sort(times[indexes]))
        period = int(np.sort(distances)[int(_SURE * distances.size)]) if distances.size else span
        extended = bool(row["extended"])
        make = partial(
            _of_fields,
            name=f"{int(row['arbitration_id']):0{8 if extended else 3}X}",
            arbitration_id=int(row["arbitration_id"]),
            length=int(sizes[indexes].max()),
            jitter_ns=round(float(row["jitter_ns"])) if row["cyclic"] else 0,
            is_extended=extended,
            is_fd=bool(flags & FrameFlag.FD),
            bitrate_switch=bool(flags & FrameFlag.BITRATE_SWITCH),
            sporadic=not row["cyclic"],
        )
        found.append(_Entry(make.keywords["name"], round(float(row["period_ns"])) if row["cyclic"] else period, make))
    return found
