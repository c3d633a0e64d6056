"""A CANAL program in forty lines: ctypes and nothing of ours, for driving a driver library bare."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char, c_char_p, c_int, c_long, c_ubyte, c_uint, c_ulong, c_ulonglong, c_void_p
from pathlib import Path


class Message(ctypes.Structure):
    _fields_ = [
        ("flags", c_ulong),
        ("obid", c_ulong),
        ("id", c_ulong),
        ("size", c_ubyte),
        ("data", c_ubyte * 8),
        ("timestamp", c_ulong),
    ]

    def row(self) -> tuple[int, int, int, bytes]:
        return self.flags, self.id, self.size, bytes(self.data)


class Statistics(ctypes.Structure):
    _fields_ = [(n, c_ulong) for n in ("rx_frames", "tx_frames", "rx_data", "tx_data", "overruns", "warnings", "off")]


class Status(ctypes.Structure):
    _fields_ = [("channel", c_ulong), ("code", c_ulong), ("subcode", c_ulong), ("text", c_char * 80)]


def message(identifier: int, data: bytes = b"", *, flags: int = 0, size: int | None = None) -> Message:
    payload = (c_ubyte * 8).from_buffer_copy(data.ljust(8, b"\0"))
    return Message(flags, 0, identifier, len(data) if size is None else size, payload, 0)


def load(path: Path) -> ctypes.CDLL:
    library: ctypes.CDLL = getattr(ctypes, "WinDLL", ctypes.CDLL)(str(path))  # stdcall on 32-bit Windows
    for name, result, arguments in [
        ("CanalOpen", c_long, [c_char_p, c_ulong]),
        ("CanalClose", c_int, [c_long]),
        ("CanalSend", c_int, [c_long, POINTER(Message)]),
        ("CanalReceive", c_int, [c_long, POINTER(Message)]),
        ("CanalBlockingSend", c_int, [c_long, POINTER(Message), c_ulong]),
        ("CanalBlockingReceive", c_int, [c_long, POINTER(Message), c_ulong]),
        ("CanalDataAvailable", c_int, [c_long]),
        ("CanalGetStatus", c_int, [c_long, POINTER(Status)]),
        ("CanalGetStatistics", c_int, [c_long, POINTER(Statistics)]),
        ("CanalSetFilter", c_int, [c_long, c_ulong]),
        ("CanalSetMask", c_int, [c_long, c_ulong]),
        ("CanalSetBaudrate", c_int, [c_long, c_ulong]),
        ("CanalGetLevel", c_ulong, [c_long]),
        ("CanalGetVersion", c_ulong, []),
        ("CanalGetDllVersion", c_ulong, []),
        ("CanalGetVendorString", c_char_p, []),
        ("CanalGetDriverInfo", c_char_p, []),
        ("CanalSendFD", c_int, [c_long, c_void_p]),
        ("CanalReceiveFD", c_int, [c_long, c_void_p]),
        ("CanalReceiveBatch", c_int, [c_long, c_void_p, c_ulong, c_ulong, c_ulong]),
        ("CanalVirtualLastError", c_char_p, []),
        ("CanalVirtualStep", c_int, [c_char_p, c_ulonglong]),
        ("CanalVirtualSetErrors", c_int, [c_char_p, c_uint, c_uint]),
    ]:
        if hasattr(library, name):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    return library
