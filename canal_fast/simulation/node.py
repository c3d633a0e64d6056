"""One controller on a bus: `Node`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .clocks import Clock
from .events import FIELDS, NodeState

if TYPE_CHECKING:
    from .bus import Bus


class Node:
    """One controller on a bus; `Bus.node` makes it.

    Examples
    --------
    >>> bus = cf.simulation.Bus()
    >>> node = bus.node("ecu", tec=100)
    >>> node.tec, node.rec, node.state, node.field
    (100, 0, <NodeState.WARNING: 1>, 'idle')
    """

    def __init__(
        self, bus: Bus, number: int, name: str, mode: str, fd: str, one_shot: bool, self_reception: bool, clock: Clock
    ) -> None:
        self._bus = bus
        self.number = number
        self.name = name
        self.mode = mode
        self.fd = fd
        self.one_shot = one_shot
        self.self_reception = self_reception
        self.clock = clock

    def _counters(self) -> tuple[int, int, int, int, int, int, int]:
        return self._bus._core.counters(self.number)

    @property
    def tec(self) -> int:
        """Transmit error counter."""
        return self._counters()[0]

    @property
    def rec(self) -> int:
        """Receive error counter."""
        return self._counters()[1]

    @property
    def state(self) -> NodeState:
        return NodeState(self._counters()[2])

    @property
    def field(self) -> str:
        """What the coming bit belongs to: one of `FIELDS`."""
        return FIELDS[self._counters()[3]]

    @property
    def sent(self) -> int:
        """Frames sent."""
        return self._counters()[4]

    @property
    def received(self) -> int:
        """Frames received, before the acceptance filters."""
        return self._counters()[5]

    @property
    def pending(self) -> int:
        """Requests that wait or are being sent."""
        return self._counters()[6]

    @property
    def tdc_delay(self) -> int | None:
        """The last transmitter delay that it measured, in periods of its clock; None before the first."""
        delay = self._bus._core.tdc_delay(self.number)
        return None if delay < 0 else delay

    def recover(self) -> None:
        """Ask a node that is off to come back: 128 sequences of 11 recessive bits count from the coming bit on."""
        self._bus._core.recover(self.number)

    def __repr__(self) -> str:
        return f"<Node {self.name!r}: {self.state.name}, TEC {self.tec}, REC {self.rec}, {self.field}>"
