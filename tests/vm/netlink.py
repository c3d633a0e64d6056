"""Network interfaces by rtnetlink, so that nothing but Python is needed to make, raise, lower and delete them."""

from __future__ import annotations

import os
import socket
import struct

NEWLINK, DELLINK = 16, 17  # linux/rtnetlink.h
REQUEST, ACK, CREATE = 1, 4, 0x400 | 0x200  # linux/netlink.h; CREATE fails where there is one
IFNAME, MTU, LINKINFO, INFO_KIND = 3, 4, 18, 1  # linux/if_link.h
UP = 1
CAN_MTU, CANFD_MTU = 16, 72


def add(name: str, mtu: int = CANFD_MTU, up: bool = True, kind: str = "vcan") -> None:
    """A new virtual interface."""
    info = _attribute(LINKINFO, _attribute(INFO_KIND, kind.encode()))
    _request(NEWLINK, CREATE, 0, UP * up, _name(name) + _attribute(MTU, struct.pack("=I", mtu)) + info)


def change(name: str, *, up: bool | None = None, new_name: str | None = None, mtu: int | None = None) -> None:
    index = socket.if_nametoindex(name)
    more = b"" if new_name is None else _name(new_name)
    more += b"" if mtu is None else _attribute(MTU, struct.pack("=I", mtu))
    _request(NEWLINK, 0, index, None if up is None else UP * up, more)


def delete(name: str) -> None:
    _request(DELLINK, 0, socket.if_nametoindex(name), None, b"")


def _name(name: str) -> bytes:
    return _attribute(IFNAME, name.encode() + b"\0")


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _request(kind: int, flags: int, index: int, state: int | None, attributes: bytes) -> None:
    body = struct.pack("=BxHiII", 0, 0, index, state or 0, 0 if state is None else UP) + attributes
    head = struct.pack("=IHHII", 16 + len(body), kind, REQUEST | ACK | flags, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(head + body)
        (error,) = struct.unpack_from("=i", netlink.recv(65536), 16)
    if error:
        raise OSError(-error, os.strerror(-error))
