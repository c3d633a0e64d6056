"""What happens at a node, by number and name."""

from __future__ import annotations

from enum import IntEnum

from . import _simulation

EVENT_DTYPE = _simulation.EVENT_DTYPE
"""Fields: timestamp_ns (end of the bit, since the bus began), bit (with clocks: nominal bit times since then),
arbitration_id (as far as the node has read it), node (its number), field_bit (from 1; a stuff bit has the number of the
bit before it), tec, rec, event (`Event`), field (index into `FIELDS`), state (`NodeState`), transmitter (1: of this
frame), driven (level that the node drove in the bit). Counters and state are those afterwards."""

EDGE_DTYPE = _simulation.EDGE_DTYPE
"""Fields: time_fs (femtoseconds since the bus began), node (its number), kind (`EdgeKind`), level, field (of a sample:
index into `FIELDS`, 128 more in a stuff bit)."""

FIELDS = tuple(name for name, _ in _simulation.place_table())
"""Names of what a bit may belong to; an event's `field` is an index."""


class Event(IntEnum):
    """What happened; `_simulation.event_table` has a sentence for each.

    Examples
    --------
    >>> bus = cf.simulation.Bus()
    >>> bus.send(bus.node("alone"), cf.make_frames(0x123))  # nobody acknowledges
    >>> events = bus.run(bits=60).events["event"]
    >>> [cf.simulation.Event(event).name for event in events]
    ['START', 'ACK_ERROR', 'START']
    """

    START = 0
    ARBITRATION_LOST = 1
    BIT_ERROR = 2
    STUFF_ERROR = 3
    FORM_ERROR = 4
    CRC_ERROR = 5
    ACK_ERROR = 6
    OVERLOAD = 7
    DOMINANT = 8
    """Dominant bits in or behind the node's flag: a counter went up by 8."""
    ACKNOWLEDGED = 9
    RECEIVED = 10
    SENT = 11
    ABANDONED = 12
    """A request ended unsent: one shot, or the node went off and only its host brings it back."""
    PROTOCOL_EXCEPTION = 13
    INTEGRATED = 14
    BUS_OFF = 15
    RECOVERED = 16
    STATE = 17
    """The error state changed."""


ERRORS = frozenset({Event.BIT_ERROR, Event.STUFF_ERROR, Event.FORM_ERROR, Event.CRC_ERROR, Event.ACK_ERROR})


class EdgeKind(IntEnum):
    """What a row of `Run.edges` is.

    Examples
    --------
    >>> bus = cf.simulation.Bus()
    >>> bus.send(bus.node("ecu", clock_ppm=100, mode="self_test"), cf.make_frames(0x123))
    >>> edges = bus.run(bits=60).edges
    >>> sampled = edges[edges["kind"] == cf.simulation.EdgeKind.SAMPLED]
    >>> sampled["level"][:5].tolist()
    [0, 0, 0, 1, 0]
    """

    DRIVEN = 0
    """The node's transceiver sends another level from here on."""
    SEEN = 1
    """The level at the node is another one from here on."""
    SAMPLED = 2
    """A sample point and what it read."""
    CHECKED = 3
    """A secondary sample point (transmitter delay compensation)."""


class NodeState(IntEnum):
    """Error state of a node.

    Examples
    --------
    >>> cf.simulation.Bus().node("weak", tec=200).state is cf.simulation.NodeState.PASSIVE
    True
    """

    ACTIVE = 0
    WARNING = 1
    """Error active, a counter at 96 or above."""
    PASSIVE = 2
    BUS_OFF = 3
