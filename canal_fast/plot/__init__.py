"""Pictures of finished arrays; each function returns a matplotlib Figure. Needs the extra `plot`.

matplotlib is imported when something is drawn: `plot.id_raster(frames).savefig("raster.png")`. What must be told apart
differs without colours, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from canal_fast.later import later

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

if TYPE_CHECKING:
    from .bits import frame_bits
    from .buses import bus_load, id_raster, periods
    from .columns import signals
    from .counters import error_counters
    from .edges import node_edges
    from .figure import new_figure
    from .nodes import node_levels
    from .responses import critical_instant, response_times
    from .timings import bit_timings
    from .waves import eye, wave_bits
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "bits": "frame_bits",
            "buses": "bus_load id_raster periods",
            "columns": "signals",
            "counters": "error_counters",
            "edges": "node_edges",
            "figure": "new_figure",
            "nodes": "node_levels",
            "responses": "critical_instant response_times",
            "timings": "bit_timings",
            "waves": "eye wave_bits",
        },
    )
