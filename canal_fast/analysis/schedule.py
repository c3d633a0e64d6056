"""When frames are due: periods, offsets and jitter, learnt from a recording or given; and what differs from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FrameArray, contiguous

from .groups import Groups, group_by_id
from .lines import Line, fit_line, median_period
from .messages import Message
from .table import ID_DTYPE

__all__ = ["DISTURBANCE_DTYPE", "SCHEDULE_DTYPE", "Schedule", "learn_schedule"]

_IDS = [(name, ID_DTYPE[name]) for name in ID_DTYPE.names or ()]
SCHEDULE_DTYPE = np.dtype(
    [*_IDS, ("count", "i8"), ("cyclic", "?"), ("period_ns", "f8"), ("offset_ns", "f8"), ("jitter_ns", "f8")]
    + [("early_ns", "f8"), ("late_ns", "f8")]
)
"""Rows of a `Schedule`."""
DISTURBANCE_DTYPE = np.dtype(
    [("kind", "U8"), ("timestamp_ns", "i8"), ("index", "i8"), *_IDS, ("delay_ns", "f8"), ("count", "i8")]
)
"""Rows of `Schedule.check`."""
_FEW = 4  # frames that make no period

Rows = npt.NDArray[np.void]


@dataclass(frozen=True)
class Schedule:
    """What is due when.

    Attributes
    ----------
    rows : array of SCHEDULE_DTYPE, shape (k,)
        channel, extended, arbitration_id; count, frames it was learnt from; cyclic; period_ns; offset_ns of the first
        period from the recording's beginning; early_ns and late_ns, how far frames were off the middle of their line;
        jitter_ns, both together. Of an identifier that is not cyclic the times are NaN.

    Examples
    --------
    >>> frames = cf.read_log("drive.blf")
    >>> schedule = cf.analysis.learn_schedule(frames)
    >>> found = schedule.check(np.delete(frames, 40))  # one is missing
    >>> found["kind"].tolist()
    ['missing']
    """

    rows: Rows
    groups: tuple[npt.NDArray[np.int64], ...] = field(default=(), repr=False)
    """Indexes of the frames of each row, of a learnt one."""

    @classmethod
    def from_messages(cls, messages: Iterable[Message], channel: int = 0) -> Schedule:
        """A given schedule: periods and jitters of messages, whose offsets each recording says.

        Their frames may be `jitter_ns` off the middle, to both sides: half of it is the waiting that they bring along.

        Examples
        --------
        >>> messages = cf.analysis.timed_messages(cf.load_database("car.dbc"))
        >>> len(cf.analysis.Schedule.from_messages(messages).check(cf.read_log("drive.blf")))
        0
        """
        found = list(messages)
        rows = np.zeros(len(found), SCHEDULE_DTYPE)
        for row, message in zip(rows, found, strict=True):
            row["channel"], row["extended"], row["arbitration_id"] = (
                channel,
                message.is_extended,
                message.arbitration_id,
            )
            row["cyclic"], row["offset_ns"] = not message.sporadic, np.nan
            row["period_ns"] = message.period_ns
            row["jitter_ns"] = row["early_ns"] = row["late_ns"] = message.jitter_ns
        return cls(rows)

    def check(self, frames: FrameArray, *, slack_ns: float | None = None) -> Rows:
        """What of a recording does not follow the schedule.

        Each identifier's line is laid through its frames anew: the recording may begin at any time, clocks may be 1 %
        off. After 16 missing periods a sender may begin with another phase.

        Parameters
        ----------
        frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        slack_ns : float, optional
            By which frames may be further off than `early_ns` and `late_ns`. Default: half the jitter, or 1 % of the
            period where that is more.

        Returns
        -------
        array of DISTURBANCE_DTYPE, shape (m,), by time
            kind: "missing" (count periods in a row, from timestamp_ns on; index -1), "doubled" (a period's second
            frame), "late" and "early" (delay_ns off the middle; up to half a period, or up to a whole one where the
            next frame is there, too), "foreign" (an identifier that the schedule does not have), "period" (count frames
            that have no common phase with the schedule's period). index: of the frame in `frames`.

        Raises
        ------
        TypeError, ValueError

        Examples
        --------
        >>> frames = cf.read_log("drive.blf")
        >>> schedule = cf.analysis.learn_schedule(frames)
        >>> late = frames.copy()
        >>> late["timestamp_ns"][50] += 4_000_000
        >>> found = schedule.check(late)
        >>> found["kind"].tolist(), found["index"].tolist(), (found["delay_ns"] / 1e6).round(1).tolist()
        (['late'], [50], [4.0])
        """
        frames = contiguous(frames)
        if slack_ns is not None and not slack_ns >= 0:
            raise ValueError(f"slack_ns = {slack_ns}, allowed 0 and above")
        groups = group_by_id(frames)
        times = frames["timestamp_ns"]
        span = (int(times[groups.order].min()), int(times[groups.order].max())) if len(groups.order) else (0, 0)
        parts = [_foreign(groups, self.rows, times)]
        for row in self.rows[self.rows["cyclic"]]:
            found = _Finder(row, slack_ns, span)
            indexes = _indexes(groups, row)
            order = np.argsort(times[indexes], kind="stable")
            parts.append(found.check(times[indexes][order], indexes[order]))
        joined = np.concatenate(parts)
        sorted_: Rows = joined[np.argsort(joined["timestamp_ns"], kind="stable")]
        return sorted_


def learn_schedule(frames: FrameArray, *, disturbed: float = 0.0) -> Schedule:
    """Period, offset and jitter of each identifier of each channel.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    disturbed : float
        Share of frames, 0 to below 0.5, that may be late or doubled: so many that are furthest off do not widen
        the jitter. Default: every frame is as it should be. Missing ones never matter.

    Returns
    -------
    Schedule
        Cyclic are identifiers with at least 4 frames whose phases spread over less than about 0.6 of a period.

    Raises
    ------
    TypeError, ValueError

    Examples
    --------
    >>> schedule = cf.analysis.learn_schedule(cf.read_log("drive.blf"))
    >>> schedule.rows["arbitration_id"].tolist(), schedule.rows["period_ns"].round().tolist()
    ([256, 512], [10000000.0, 100000000.0])
    """
    if not 0 <= disturbed < 0.5:
        raise ValueError(f"disturbed = {disturbed}, allowed 0 to below 0.5")
    frames = contiguous(frames)
    groups = group_by_id(frames)
    times = frames["timestamp_ns"]
    rows = np.zeros(len(groups), SCHEDULE_DTYPE)
    begin = int(times[groups.order].min()) if len(groups.order) else 0
    members = []
    for row, (one, indexes) in zip(rows, groups, strict=True):
        members.append(indexes)
        for name in ID_DTYPE.names or ():
            row[name] = one[name]
        row["count"] = len(indexes)
        row["period_ns"] = row["offset_ns"] = row["jitter_ns"] = row["early_ns"] = row["late_ns"] = np.nan
        own = np.sort(times[indexes])
        period = median_period(own)
        line = fit_line(own, period) if len(own) >= _FEW and period else None
        if line is None or not line.steady:
            continue
        off = line.residuals
        kept = off[np.argsort(np.abs(off), kind="stable")[: len(off) - int(disturbed * len(off))]]
        row["cyclic"], row["period_ns"] = True, line.period
        row["offset_ns"] = int(line.starts[0]) - begin
        row["early_ns"], row["late_ns"] = -kept.min(), kept.max()
        row["jitter_ns"] = row["early_ns"] + row["late_ns"]
    return Schedule(rows, tuple(members))


def _foreign(groups: Groups, known: Rows, times: npt.NDArray[np.int64]) -> Rows:
    """The frames whose identifier is not known."""
    wanted = {tuple(row[name].item() for name in ID_DTYPE.names or ()) for row in known}
    strange = [indexes for one, indexes in groups if tuple(one.item()) not in wanted]
    ids = [one for one, _ in groups if tuple(one.item()) not in wanted]
    found = np.zeros(sum(map(len, strange)), DISTURBANCE_DTYPE)
    at = 0
    for one, indexes in zip(ids, strange, strict=True):
        part = found[at : at + len(indexes)]
        for name in ID_DTYPE.names or ():
            part[name] = one[name]
        part["index"], part["timestamp_ns"] = indexes, times[indexes]
        at += len(indexes)
    found["kind"], found["count"], found["delay_ns"] = "foreign", 1, np.nan
    return found


def _indexes(groups: Groups, row: np.void) -> npt.NDArray[np.int64]:
    same = np.ones(len(groups), np.bool_)
    for name in ID_DTYPE.names or ():
        same &= groups.ids[name] == row[name]
    place = np.flatnonzero(same)
    return groups.indexes(int(place[0])) if place.size else np.empty(0, np.int64)


class _Finder:
    """What is wrong with one identifier."""

    def __init__(self, row: np.void, slack_ns: float | None, span: tuple[int, int]) -> None:
        self.row, self.span = row, span
        self.period = float(row["period_ns"])
        slack = max(row["jitter_ns"] / 2, self.period / 100) if slack_ns is None else slack_ns
        self.early, self.late = float(row["early_ns"] + slack), float(row["late_ns"] + slack)
        self.parts: list[Rows] = []

    def check(self, times: npt.NDArray[np.int64], indexes: npt.NDArray[np.int64]) -> Rows:
        begin, end = self.span
        if not len(times):
            self.missing(begin, (end - begin - self.late) // self.period)
            return self.joined()
        line = fit_line(times, self.period)
        if not line.steady:
            self.add("period", times[:1], indexes[:1], np.nan, len(times))
            return self.joined()
        self.period = line.period
        first, last = int(line.starts[0]), 0
        self.missing(first - (before := (first - self.early - begin) // self.period) * self.period, before)
        for k in range(len(line.starts)):
            if k:
                gap = round((int(line.starts[k]) - last) / self.period) - 1
                self.missing(last + self.period, gap)
            last = self.part(line, k, times, indexes)
        self.missing(last + self.period, (end - self.late - last) // self.period)
        return self.joined()

    def part(self, line: Line, k: int, times: npt.NDArray[np.int64], indexes: npt.NDArray[np.int64]) -> int:
        """Between two silences; gives the time of its last period."""
        a, b = int(line.cuts[k]), int(line.cuts[k + 1])
        slots, off = line.numbers[a:b].copy(), line.residuals[a:b].copy()
        times, indexes = times[a:b], indexes[a:b]
        outside = (off < -self.early) | (off > self.late)
        order = np.lexsort((np.arange(len(slots)), outside, slots))
        second = np.zeros(len(slots), np.bool_)
        second[order[1:]] = slots[order[1:]] == slots[order[:-1]]
        moved = np.flatnonzero(second & (off < -self.early))
        before = slots[moved] - 1
        moved = moved[slots[np.searchsorted(slots, before)] != before]  # the period before has none of its own
        off[moved] += line.period
        slots[moved] -= 1
        second[moved] = False
        self.add("doubled", times[second], indexes[second], off[second])
        late = ~second & (off > self.late)
        self.add("late", times[late], indexes[late], off[late])
        early = ~second & (off < -self.early)
        self.add("early", times[early], indexes[early], off[early])
        held = np.sort(slots)
        held = held[np.append(True, held[1:] != held[:-1])]
        gaps = np.flatnonzero(np.diff(held) > 1)
        start = int(line.starts[k])
        self.add(
            "missing",
            start + np.rint((held[gaps] + 1) * line.period).astype(np.int64),
            np.full(len(gaps), -1, np.int64),
            np.nan,
            np.diff(held)[gaps] - 1,
        )
        return start + round(int(held[-1]) * line.period)

    def missing(self, at: float, count: float) -> None:
        if count >= 1:
            self.add("missing", np.array([round(at)], np.int64), np.array([-1], np.int64), np.nan, int(count))

    def add(
        self, kind: str, times: npt.NDArray[np.int64], indexes: npt.NDArray[np.int64], delay: npt.ArrayLike,
        count: npt.ArrayLike = 1,
    ) -> None:  # fmt: skip
        found = np.zeros(len(times), DISTURBANCE_DTYPE)
        for name in ID_DTYPE.names or ():
            found[name] = self.row[name]
        found["kind"], found["timestamp_ns"], found["index"] = kind, times, indexes
        found["delay_ns"], found["count"] = delay, count
        self.parts.append(found)

    def joined(self) -> Rows:
        empty: Rows = np.zeros(0, DISTURBANCE_DTYPE)
        return np.concatenate([empty, *self.parts])
