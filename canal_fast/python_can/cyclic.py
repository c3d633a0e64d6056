"""Periodic sending by the channel's native thread, as python-can's task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from can import LimitedDurationCyclicSendTaskABC, Message, ModifiableCyclicTaskABC
from can.broadcastmanager import RestartableCyclicTaskABC

from canal_fast.live.periodic import PeriodicStatistics, PeriodicTask
from canal_fast.python_can.errors import translated

if TYPE_CHECKING:
    from canal_fast.python_can.bus import CanalBus

__all__ = ["CanalCyclicTask"]


class CanalCyclicTask(LimitedDurationCyclicSendTaskABC, ModifiableCyclicTaskABC, RestartableCyclicTaskABC):
    """Messages sent one after the other, one each period, from a native thread; see `Channel.send_periodic`.

    A message for which the driver has no room is left out and counted in `statistics`; python-can's own thread would
    wait, or end.
    """

    def __init__(
        self, bus: CanalBus, messages: Sequence[Message] | Message, period: float, duration: float | None
    ) -> None:
        super().__init__(messages, period, duration)
        self._bus = bus
        self._frames = bus.make_frames(self.messages)
        self._task: PeriodicTask | None = None

    def start(self) -> None:
        """Send from now on, the first message first; nothing when it does so already."""
        if self._task is not None and self._task.statistics().active:
            return
        times = math.ceil(round(self.duration / self.period, 9)) if self.duration else None
        with translated():
            self._task = self._bus.canal.send_periodic(self._frames, self.period, in_turn=True, times=times)

    def stop(self) -> None:
        if self._task is not None:
            self._task.stop()

    def modify_data(self, messages: Sequence[Message] | Message) -> None:
        super().modify_data(messages)
        self._frames = self._bus.make_frames(self.messages)
        if self._task is not None:
            self._task.modify(self._frames)

    def statistics(self) -> PeriodicStatistics | None:
        """The books of the last start; None before it."""
        return None if self._task is None else self._task.statistics()
