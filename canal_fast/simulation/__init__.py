"""A CAN bus, bit by bit: several controllers with error frames, error counters and bus off, and faults on the wire.

While all nodes are in step, bits are simulated; with clocks, delays and bit timings of their own, edges. 0 is dominant,
1 recessive. Rules: ISO 11898-1:2015, clauses 10 to 12.

Examples
--------
>>> cf.simulation.FIELDS[:6]
('bus_off', 'integrating', 'idle', 'intermission', 'suspend', 'sof')
>>> cf.simulation.EVENT_DTYPE.names[:4]
('timestamp_ns', 'bit', 'arbitration_id', 'field_bit')
>>> cf.simulation.EDGE_DTYPE.names
('time_fs', 'node', 'kind', 'level', 'field')
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from canal_fast.later import later

__all__ = ["EDGE_DTYPE", "EVENT_DTYPE", "FIELDS", "Bus", "EdgeKind", "Event", "Node", "NodeState", "Run", "Scenario"]

if TYPE_CHECKING:
    from .bus import Bus
    from .events import EDGE_DTYPE, EVENT_DTYPE, FIELDS, EdgeKind, Event, NodeState
    from .node import Node
    from .run import Run
    from .scenario import Scenario
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "bus": "Bus",
            "events": "EDGE_DTYPE EVENT_DTYPE EdgeKind Event FIELDS NodeState",
            "node": "Node",
            "run": "Run",
            "scenario": "Scenario",
        },
    )
