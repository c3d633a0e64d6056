"""Which frames belong to which event, and which come late: by the definition, one frame after the other."""

from __future__ import annotations


def events(times: list[int], hits: list[bool], pre: int, post: int) -> list[list[int]]:
    """Indices of the frames of each event, of frames in order: from `pre` before its first trigger to `post` after its
    last; a trigger at or before the end of an event prolongs it."""
    spans: list[list[int]] = []  # first trigger, last trigger
    for time, hit in zip(times, hits, strict=True):
        if hit and spans and time <= spans[-1][1] + post:
            spans[-1][1] = time
        elif hit:
            spans.append([time, time])
    return [[i for i, time in enumerate(times) if first - pre <= time <= last + post] for first, last in spans]


def rounds(rows: list[tuple[float, float, list[list[int]]]], window: float) -> tuple[list[list[int]], list[int]]:
    """What each round gives, and how many late frames each channel had.

    A row: when the round began and ended, and the times that each channel had. Due is the greatest time that had come
    when an earlier round ended which lies a window before this one's begin.
    """
    held: list[tuple[int, int]] = []  # time, channel
    marks: list[tuple[float, int]] = []
    out: list[list[int]] = []
    late = [0] * len(rows[0][2])
    greatest: int | None = None
    given: int | None = None
    for began, ended, channels in rows:
        due = [mark for end, mark in marks if end + window <= began]
        for channel, times in enumerate(channels):
            for time in times:
                held.append((time, channel))
                greatest = time if greatest is None else max(greatest, time)
        if greatest is not None:
            marks.append((ended, greatest))
        now = [row for row in held if due and row[0] <= max(due)]
        held = [row for row in held if not (due and row[0] <= max(due))]
        for time, channel in now:
            late[channel] += given is not None and time < given
        out.append(sorted(time for time, _ in now))
        if now:
            greatest_now = max(time for time, _ in now)
            given = greatest_now if given is None else max(given, greatest_now)
    return out, late
