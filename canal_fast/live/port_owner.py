"""What every part of a channel needs: its port, which is missing where opening failed."""

from __future__ import annotations

from canal_fast.errors import ChannelClosedError

from . import _live

__all__ = ["PortOwner"]


class PortOwner:
    """Has a port once it is open."""

    _port: _live.Port | None

    def _open_port(self) -> _live.Port:
        if self._port is None:
            raise ChannelClosedError("the channel was never open")
        return self._port
