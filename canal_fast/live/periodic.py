"""Cyclic sending: tasks that a native thread serves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import TracebackType
from typing import Self

from canal_fast.frames import FrameArray

from . import _periodic

__all__ = ["PeriodicStatistics", "PeriodicTask"]


@dataclasses.dataclass(frozen=True)
class PeriodicStatistics:
    """The books of a task.

    Attributes
    ----------
    periods : int
        Times that the frames were handed to the driver.
    sent, rejected : int
        Frames that the driver took, and did not take.
    late : int
        Times that it was done more than half a period after it was due.
    missed : int
        Times left out because they lay more than a quarter of a second back.
    jitter_mean_ns, jitter_max_ns : int
        How long after they were due the frames were handed over.
    active : bool
        Whether the task goes on.
    failure_code : int
        The last CANAL code with which the driver refused a frame; 0 when it never did.

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as channel:
    ...     task = channel.send_periodic(cf.make_frames(0x123), 10.0)
    ...     task.stop()
    >>> statistics = task.statistics()
    >>> statistics.rejected, statistics.active
    (0, False)
    """

    periods: int
    sent: int
    rejected: int
    late: int
    missed: int
    jitter_mean_ns: int
    jitter_max_ns: int
    active: bool
    failure_code: int


class PeriodicTask:
    """Frames that are sent every `period_s` seconds, until `stop` or the channel's `close`.

    Made by `Channel.send_periodic`. As a context manager it stops at the end of the block; it goes on
    when nobody holds it.

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as a, cf.Channel.virtual("desk") as b:
    ...     with a.send_periodic(cf.make_frames(0x123, b"alive"), 0.01) as task:
    ...         frames = b.receive(min_frames=3, timeout=5)
    >>> task.statistics().active, len(frames) >= 3
    (False, True)
    """

    def __init__(self, task: _periodic.Task, period_s: float, check: Callable[[FrameArray], None]) -> None:
        self._task = task
        self._check = check
        self.period_s = period_s

    def stop(self) -> None:
        """Send no more; nothing is sent after this returned."""
        self._task.stop()

    def modify(self, frames: FrameArray) -> None:
        """Send these frames from the next period on: as many as before, of the same dtype."""
        self._check(frames)
        self._task.modify(frames)

    def statistics(self) -> PeriodicStatistics:
        """The books until now; also after `stop`."""
        row = self._task.statistics()
        row["jitter_mean_ns"] = row.pop("jitter_sum_ns") // max(row["periods"], 1)
        return PeriodicStatistics(**row)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
