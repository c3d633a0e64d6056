"""What every part of a channel needs: its port, which is missing where opening failed."""

from __future__ import annotations

from types import FunctionType
from typing import TypeVar

from canal_fast.errors import ChannelClosedError

from . import _live

__all__ = ["PortOwner", "part_of_channel"]

T = TypeVar("T")


def part_of_channel(part: type[T]) -> type[T]:
    """Methods of a base class of Channel, by the name that Python's own messages on arguments call them."""
    for name, value in vars(part).items():
        function = getattr(value, "__func__", value)  # of a class method
        if isinstance(function, FunctionType):
            function.__qualname__ = f"Channel.{name}"
    return part


class PortOwner:
    """Has a port once it is open."""

    _port: _live.Port | None

    def _open_port(self) -> _live.Port:
        if self._port is None:
            raise ChannelClosedError("the channel was never open")
        return self._port
