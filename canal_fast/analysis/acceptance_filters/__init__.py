"""Acceptance filters of controllers, by their registers. Each compiles to the same rows (analysis/acceptance.h)."""

from __future__ import annotations

from .bxcan import BxcanBank, BxcanFilters
from .mailboxes import Mailbox, MailboxFilters
from .mcan import McanElement, McanFilters
from .mcp import Mcp2515Filters, Mcp2517fdFilters
from .rows import AcceptanceFilters
from .sja1000 import Sja1000Filters
from .socketcan import SocketcanFilters

__all__ = [
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
]
