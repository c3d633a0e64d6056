"""`Latest`: the last value of every signal, for dashboards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from canal_fast.frames import FrameArray

from .plan import Plan
from .tables import DecodeCounts

__all__ = ["Latest", "LatestMessage"]


class LatestMessage(Mapping[str, Any]):
    """Signal name -> its last value as a Python number (or text), None before the first.

    Attributes
    ----------
    timestamp_ns : int or None
        Of the message's last frame.
    times : dict of str to int
        Signal -> time of the frame that its value is from.
    frames : int
        Frames of the message so far.
    """

    def __init__(self, names: list[str]) -> None:
        self._values: dict[str, Any] = dict.fromkeys(names)
        self.times: dict[str, int] = {}
        self.timestamp_ns: int | None = None
        self.frames = 0

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)

    def set(self, name: str, value: Any, timestamp_ns: int) -> None:
        """Keep a value."""
        self._values[name] = value
        self.times[name] = timestamp_ns


class Latest(Mapping[str, LatestMessage]):
    """Last values of a plan's signals: `latest.update(frames)`, then `latest["Message"]["signal"]`.

    A multiplexed signal keeps its value until the next frame that has it.

    Attributes
    ----------
    plan : Plan
    counts : DecodeCounts
        Of all updates.

    Examples
    --------
    >>> latest = cf.signals.Latest(cf.load_database("car.dbc").plan())
    >>> latest.update(cf.read_log("drive.blf"))
    >>> latest["Engine"]["speed"]
    1790.0
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.counts = DecodeCounts()
        self._messages = {m.name: LatestMessage([s.name for s in m.signals]) for m in plan.messages}

    def update(self, frames: FrameArray) -> None:
        """Take the values of these frames, which come after those of earlier calls."""
        tables = self.plan.decode(frames)
        self.counts += tables.counts
        for name, table in tables.items():
            last = self._messages[name]
            last.frames += len(table)
            last.timestamp_ns = int(table.timestamp_ns[-1])
            for column, values in table.columns.items():
                row = len(values) - 1
                valid = table.partial.get(column)
                if valid is not None and not valid[row]:
                    held = np.flatnonzero(valid)
                    if not held.size:
                        continue
                    row = int(held[-1])
                value = values[row].item()
                text = table.texts.get(column)
                last.set(column, value if text is None else text[value], int(table.timestamp_ns[row]))

    def __getitem__(self, name: str) -> LatestMessage:
        self.plan.number(name)
        return self._messages[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)
