"""The page's sections: each a function of the facts and of the length of the time axis in s, that returns HTML."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .account_sections import clock, losses, summary
from .bus_sections import errors, identifiers, load
from .signal_section import signals

__all__ = ["SECTIONS"]

SECTIONS: list[tuple[str, str, Callable[[dict[str, Any], float], str]]] = [  # one without HTML is left out
    ("summary", "Summary", summary),
    ("load", "Load over time", load),
    ("identifiers", "Identifiers", identifiers),
    ("errors", "Errors and states", errors),
    ("losses", "Losses", losses),
    ("clock", "Clock", clock),
    ("signals", "Signals", signals),
]
