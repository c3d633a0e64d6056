"""What a service tells systemd (sd_notify): that it is ready, that it lives, how it is."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

__all__ = ["Notifier"]

log = logging.getLogger("canal_fast")


class Notifier:
    """Datagrams to the socket that NOTIFY_SOCKET names; where it is not set, nothing is sent.

    False is returned for what could not be sent now, because systemd is behind, or not there: to be tried again.

    Parameters
    ----------
    environment : mapping, optional
        None: the process's.

    Attributes
    ----------
    watchdog_s : float or None
        WATCHDOG=1 is to be sent so often: half of WATCHDOG_USEC, where WATCHDOG_PID is this process or not set.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        values = os.environ if environment is None else environment
        name = values.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        self._unsaid = ""  # that it is ready
        self._warned = False
        if name and (name[0] not in "/@" or not hasattr(socket, "AF_UNIX")):
            log.warning("NOTIFY_SOCKET=%s: not a path or an abstract name; systemd is told nothing", name)
        elif name:
            self._address = f"\0{name[1:]}" if name[0] == "@" else name
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
        usec, pid = values.get("WATCHDOG_USEC", ""), values.get("WATCHDOG_PID", "")
        asked = usec.isdecimal() and int(usec) > 0 and pid in ("", str(os.getpid()))
        self.watchdog_s = int(usec) / 2e6 if self._socket is not None and asked else None

    def ready(self, status: str) -> bool:
        """The service is up; where that could not be sent, it goes before the next message."""
        self._unsaid = f"READY=1\nSTATUS={_line(status)}"
        return self._send()

    def go_on(self) -> None:
        """To be called often: what `ready` could not send is tried again."""
        if self._unsaid:
            self._send()

    def alive(self, status: str) -> bool:
        """It works: to be sent each `watchdog_s`."""
        return self._send(f"WATCHDOG=1\nSTATUS={_line(status)}")

    def stopping(self) -> None:
        """It ends, and closes what it has open."""
        self._send("STOPPING=1")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, *texts: str) -> bool:
        if self._socket is None:
            return True
        try:
            if self._unsaid:
                self._socket.sendto(self._unsaid.encode(errors="replace"), self._address)
                self._unsaid = ""
            for text in texts:
                self._socket.sendto(text.encode(errors="replace"), self._address)
        except BlockingIOError:
            return False
        except OSError as error:
            if not self._warned:
                log.warning("NOTIFY_SOCKET: %s; systemd is told as soon as it listens", error.strerror)
            self._warned = True
            return False
        return True


def _line(text: str) -> str:
    return text.replace("\n", " ")
