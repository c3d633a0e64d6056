"""What the drivers that we know are opened with: flags, and the configuration string of the SocketCAN driver."""

from __future__ import annotations

import enum
import warnings
from pathlib import Path

import canal_fast.arguments as arguments

__all__ = ["OpenFlag", "is_fd_interface", "socketcan_config", "warn_of_fd"]

_CAN = 280  # ARPHRD_CAN of linux/if_arp.h
_FD_MTU = 72  # CANFD_MTU; classical interfaces have 16
_EXTENDED = 0x80000000  # CAN_EFF_FLAG of linux/can.h


class OpenFlag(enum.IntFlag):
    """CF_OPEN_... of canal.h: usb2can.dll's open flags, and FD of our SocketCAN driver."""

    LISTEN_ONLY = 0x1
    LOOPBACK = 0x2
    ONE_SHOT = 0x4
    STATUS_FRAMES = 0x8
    FD = 0x10


def socketcan_config(
    interface: str,
    own: bool,
    loopback: bool,
    errors: bool,
    filters: list[tuple[int, int, bool | None]],
    receive_buffer: int | None,
    stamps: str,
) -> str:
    """See `Channel.socketcan`."""
    if not interface or ";" in interface or len(interface.encode()) > 15:
        raise ValueError(f"interface = {interface!r}, allowed a name of 1..15 bytes")
    arguments.choice("stamps", stamps, ("kernel", "hardware"))
    if len(filters) > 8:
        raise ValueError(f"kernel_filters has {len(filters)} entries, allowed 0..8; set_filters takes up to 8192")
    if receive_buffer is not None:
        arguments.interval("receive_buffer", receive_buffer, 0, 0x3FFFFFFF)
    given = [
        ("own=1", own),
        ("loopback=0", not loopback),
        ("errors=0", not errors),
        (f"stamps={stamps}", stamps != "kernel"),
        (f"rcvbuf={receive_buffer}", receive_buffer is not None),
        ("filter=" + ",".join(_filter(*row) for row in filters), filters),
    ]
    return ";".join([interface, *(text for text, wanted in given if wanted)])


def is_fd_interface(interface: str) -> bool:
    """Can frames of this network interface of Linux be CAN FD? False where it is no CAN interface, or not known."""
    try:
        kind, mtu = (int(Path("/sys/class/net", interface, name).read_text()) for name in ("type", "mtu"))
    except (OSError, ValueError):
        return False
    return kind == _CAN and mtu >= _FD_MTU


def warn_of_fd(interface: str) -> None:
    """Say that a classical channel of this interface misses frames, if it does; blames the caller's caller."""
    if is_fd_interface(interface):
        text = f"{interface} carries CAN FD: without fd=True its CAN FD frames are not received, nor counted"
        warnings.warn(text, stacklevel=3)


def _filter(can_id: int, can_mask: int, extended: bool | None) -> str:
    flagged = can_id | _EXTENDED * bool(extended)
    mask = can_mask & 0x1FFFFFFF | _EXTENDED * (extended is not None)
    return f"{flagged:X}:{mask:X}"
