"""Controllers that go by several names: one table for bit timing and acceptance filters."""

from __future__ import annotations

from collections.abc import Collection

SAME = (
    ("mcp251x", "mcp2510", "mcp2515", "mcp25625"),
    ("mcp251xfd", "mcp2517fd", "mcp2518fd", "mcp251863"),
    ("stm32_fdcan", "fdcan"),
)
"""Names of one controller, or of several that do not differ in what the tables hold."""


def aliases_of(known: Collection[str]) -> dict[str, str]:
    """Each further name, and the one of `known` that means the same."""
    return {other: name for names in SAME for name in names if name in known for other in names if other not in known}
