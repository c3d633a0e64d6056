"""A CAN bus, bit by bit: several controllers with error frames, error counters and bus off, and faults on the wire.

All nodes share an ideal clock. 0 is dominant, 1 recessive. Rules: ISO 11898-1:2015, clauses 10 to 12.
"""

from __future__ import annotations

from .bus import Bus
from .events import EVENT_DTYPE, FIELDS, Event, NodeState
from .node import Node
from .run import Run

__all__ = ["EVENT_DTYPE", "FIELDS", "Bus", "Event", "Node", "NodeState", "Run"]
