"""What recordings say: tools over arrays of frames, statistics that add up over files, and the timing of messages."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .arrays import between, concatenate, merge, payload_view
from .groups import Groups, changes, group_by_id, latest, resample
from .statistics import PERIODS_DTYPE, Statistics, periods
from .table import ID_DTYPE

if TYPE_CHECKING:
    from .forecast import LoadForecast, forecast_load
    from .gateway import GATEWAY_DTYPE, gateway_delays
    from .messages import Message, bus_order_key
    from .refute import FINDING_DTYPE, Comparison
    from .response import ResponseTime, ResponseTimes, response_times
    from .schedule import DISTURBANCE_DTYPE, SCHEDULE_DTYPE, Schedule, learn_schedule
    from .sources import timed_messages

__all__ = [
    "Comparison",
    "DISTURBANCE_DTYPE",
    "FINDING_DTYPE",
    "GATEWAY_DTYPE",
    "Groups",
    "ID_DTYPE",
    "LoadForecast",
    "Message",
    "PERIODS_DTYPE",
    "ResponseTime",
    "ResponseTimes",
    "SCHEDULE_DTYPE",
    "Schedule",
    "Statistics",
    "between",
    "bus_order_key",
    "changes",
    "concatenate",
    "forecast_load",
    "gateway_delays",
    "group_by_id",
    "latest",
    "learn_schedule",
    "merge",
    "payload_view",
    "periods",
    "resample",
    "response_times",
    "timed_messages",
]

_LATER = {  # name: its module, imported when it is asked for
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
