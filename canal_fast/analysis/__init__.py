"""What recordings say: tools over arrays of frames, statistics that add up over files, and the timing of messages.

Examples
--------
>>> cf.analysis.ID_DTYPE.names
('channel', 'extended', 'arbitration_id')
>>> cf.analysis.PERIODS_DTYPE.names[:6]
('channel', 'extended', 'arbitration_id', 'count', 'first_ns', 'last_ns')
>>> cf.analysis.SCHEDULE_DTYPE.names[3:7]
('count', 'cyclic', 'period_ns', 'offset_ns')
>>> cf.analysis.DISTURBANCE_DTYPE.names
('kind', 'timestamp_ns', 'index', 'channel', 'extended', 'arbitration_id', 'delay_ns', 'count')
>>> cf.analysis.FINDING_DTYPE.names
('kind', 'timestamp_ns', 'index', 'message', 'extended', 'arbitration_id', 'measured_ns', 'allowed_ns')
>>> cf.analysis.GATEWAY_DTYPE.names[-4:]
('least_ns', 'median_ns', 'p99_ns', 'most_ns')
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .arrays import between, concatenate, merge, payload_view
from .groups import Groups, changes, group_by_id, latest, resample
from .statistics import PERIODS_DTYPE, Statistics, periods
from .table import ID_DTYPE

if TYPE_CHECKING:
    from .acceptance import accepts, match_index
    from .acceptance_filters import (
        AcceptanceFilters,
        BxcanBank,
        BxcanFilters,
        Mailbox,
        MailboxFilters,
        McanElement,
        McanFilters,
        Mcp2515Filters,
        Mcp2517fdFilters,
        Sja1000Filters,
        SocketcanFilters,
    )
    from .design import DesignedFilter, FilterDesign, design_filters
    from .forecast import LoadForecast, forecast_load
    from .gateway import GATEWAY_DTYPE, gateway_delays
    from .messages import Message, bus_order_key
    from .refute import FINDING_DTYPE, Comparison
    from .response import ResponseTime, ResponseTimes, response_times
    from .schedule import DISTURBANCE_DTYPE, SCHEDULE_DTYPE, Schedule, learn_schedule
    from .sources import timed_messages

__all__ = [
    "AcceptanceFilters",
    "BxcanBank",
    "BxcanFilters",
    "Comparison",
    "DISTURBANCE_DTYPE",
    "DesignedFilter",
    "FINDING_DTYPE",
    "FilterDesign",
    "GATEWAY_DTYPE",
    "Groups",
    "ID_DTYPE",
    "LoadForecast",
    "Mailbox",
    "MailboxFilters",
    "McanElement",
    "McanFilters",
    "Mcp2515Filters",
    "Mcp2517fdFilters",
    "Message",
    "PERIODS_DTYPE",
    "ResponseTime",
    "ResponseTimes",
    "SCHEDULE_DTYPE",
    "Schedule",
    "Sja1000Filters",
    "SocketcanFilters",
    "Statistics",
    "accepts",
    "between",
    "bus_order_key",
    "changes",
    "concatenate",
    "design_filters",
    "forecast_load",
    "gateway_delays",
    "group_by_id",
    "latest",
    "learn_schedule",
    "match_index",
    "merge",
    "payload_view",
    "periods",
    "resample",
    "response_times",
    "timed_messages",
]

_LATER = {  # name: its module, imported when it is asked for
    **dict.fromkeys(("accepts", "match_index"), "acceptance"),
    **dict.fromkeys(
        (
            "AcceptanceFilters",
            "BxcanBank",
            "BxcanFilters",
            "Mailbox",
            "MailboxFilters",
            "McanElement",
            "McanFilters",
            "Mcp2515Filters",
            "Mcp2517fdFilters",
            "Sja1000Filters",
            "SocketcanFilters",
        ),
        "acceptance_filters",
    ),
    **dict.fromkeys(("DesignedFilter", "FilterDesign", "design_filters"), "design"),
    **dict.fromkeys(("LoadForecast", "forecast_load"), "forecast"),
    **dict.fromkeys(("GATEWAY_DTYPE", "gateway_delays"), "gateway"),
    **dict.fromkeys(("Message", "bus_order_key"), "messages"),
    **dict.fromkeys(("FINDING_DTYPE", "Comparison"), "refute"),
    **dict.fromkeys(("ResponseTime", "ResponseTimes", "response_times"), "response"),
    **dict.fromkeys(("DISTURBANCE_DTYPE", "SCHEDULE_DTYPE", "Schedule", "learn_schedule"), "schedule"),
    "timed_messages": "sources",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
