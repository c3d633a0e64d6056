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

from typing import TYPE_CHECKING

from canal_fast.later import later

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
    from .arrays import between, concatenate, merge, payload_view
    from .design import DesignedFilter, FilterDesign, design_filters
    from .forecast import LoadForecast, forecast_load
    from .gateway import GATEWAY_DTYPE, gateway_delays
    from .groups import Groups, changes, group_by_id, latest, resample
    from .messages import Message, bus_order_key
    from .refute import FINDING_DTYPE, Comparison
    from .response import ResponseTime, ResponseTimes, response_times
    from .schedule import DISTURBANCE_DTYPE, SCHEDULE_DTYPE, Schedule, learn_schedule
    from .sources import timed_messages
    from .statistics import PERIODS_DTYPE, Statistics, periods
    from .table import ID_DTYPE
else:
    __getattr__, __dir__ = later(
        __name__,
        {
            "acceptance": "accepts match_index",
            "acceptance_filters": "AcceptanceFilters BxcanBank BxcanFilters Mailbox MailboxFilters McanElement "
            "McanFilters Mcp2515Filters Mcp2517fdFilters Sja1000Filters SocketcanFilters",
            "arrays": "between concatenate merge payload_view",
            "design": "DesignedFilter FilterDesign design_filters",
            "forecast": "LoadForecast forecast_load",
            "gateway": "GATEWAY_DTYPE gateway_delays",
            "groups": "Groups changes group_by_id latest resample",
            "messages": "Message bus_order_key",
            "refute": "Comparison FINDING_DTYPE",
            "response": "ResponseTime ResponseTimes response_times",
            "schedule": "DISTURBANCE_DTYPE SCHEDULE_DTYPE Schedule learn_schedule",
            "sources": "timed_messages",
            "statistics": "PERIODS_DTYPE Statistics periods",
            "table": "ID_DTYPE",
        },
    )
