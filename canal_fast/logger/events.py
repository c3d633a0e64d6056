"""What a logger with triggers writes: frames of events, each of which is a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import canal_fast.arguments as arguments
from canal_fast.frames import FrameArray
from canal_fast.logs import Recorder

from .inputs import Input
from .ordering import Keys
from .trigger import Capture, Rule, parse_rule

__all__ = ["Events", "rules_of"]

_BUS_OFF_S = 0.1  # a driver is asked so often, by a rule only


def rules_of(triggers: Sequence[str], pre_s: float | None, post_s: float | None) -> list[Rule]:
    """The rules of `Logger`'s triggers; ValueError where times go with none."""
    for name, value in (("pre_s", pre_s), ("post_s", post_s)):
        if value is None:
            continue
        arguments.interval(name, value, 0, 1e6)
        if not triggers:
            raise ValueError(f"{name} = {value}: time around triggers, of which there are none")
    if isinstance(triggers, str):
        raise TypeError(f"triggers must be a sequence of texts, not the text {triggers!r}")
    return [parse_rule(text) for text in triggers]


class Events:
    """Writes the frames of events; arguments are those of `Logger`, `most` the frames that are kept for `pre_s`.

    Attributes
    ----------
    asked : bool
        An event is to begin, or to be prolonged, with the next frames.
    """

    def __init__(
        self,
        rules: list[Rule],
        pre_s: float | None,
        post_s: float | None,
        most: int,
        inputs: Sequence[Input],
        monotonic: Callable[[], float],
    ) -> None:
        self._capture = Capture(rules, _ns(pre_s), _ns(post_s), most)
        self._inputs, self._monotonic = inputs, monotonic
        self.asked = False
        self._was_bus_off = [False] * len(inputs)
        self._next_poll = 0.0

    @property
    def begun(self) -> int:
        """Events that have begun."""
        return self._capture.events

    def write(
        self, recorder: Recorder, frames: FrameArray, keys: Keys, now: Callable[[], int] | None, held_ns: int | None
    ) -> None:
        """Write what of the frames belongs to events.

        `now` is the present in their time; None: no frame has told it yet. An event has ended when its end lies
        `held_ns` behind that; None: frames are held back which may belong to it.
        """
        if self._asked_from_outside():
            self.asked = True
        if now is None:
            return
        if self.asked:
            self.asked = False
            for before in self._capture.trigger(now()):
                recorder.write(before)
        for part in self._capture.take(frames, keys):
            if part is None:
                recorder.rotate()
            else:
                recorder.write(part)
        if held_ns is not None and self._capture.idle(now() - held_ns):
            recorder.rotate()

    def _asked_from_outside(self) -> bool:
        asked = self.asked | self._capture.files_came()
        if self._capture.polls_bus_off and self._monotonic() >= self._next_poll:
            self._next_poll = self._monotonic() + _BUS_OFF_S
            now = [row.bus_off for row in self._inputs]
            asked |= any(is_off and not was for is_off, was in zip(now, self._was_bus_off, strict=True))
            self._was_bus_off = now
        return asked


def _ns(seconds: float | None) -> int:
    return round((seconds or 0) * 1e9)
