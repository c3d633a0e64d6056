"""Pictures of finished arrays; each function returns a matplotlib Figure. Needs the extra `plot`.

matplotlib is imported when something is drawn: `plot.id_raster(frames).savefig("raster.png")`. What must be told apart
differs without colours, too.
"""

from __future__ import annotations

from .bit_timings import bit_timings
from .bits import frame_bits
from .buses import bus_load, id_raster, periods
from .counters import error_counters
from .figure import new_figure
from .node_edges import node_edges
from .nodes import node_levels
from .responses import critical_instant, response_times
from .signals import signals
from .waves import eye, wave_bits

__all__ = [
    "bit_timings",
    "bus_load",
    "critical_instant",
    "error_counters",
    "eye",
    "frame_bits",
    "id_raster",
    "new_figure",
    "node_edges",
    "node_levels",
    "periods",
    "response_times",
    "signals",
    "wave_bits",
]
