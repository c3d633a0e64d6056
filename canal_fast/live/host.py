"""Where a driver runs: in this process, or in a host process that can be of another bitness and may crash."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Literal

from canal_fast._gate import describe_exit, status_table
from canal_fast.drivers import _profiles
from canal_fast.drivers.library import CONVENTIONS, load_library, not_loaded
from canal_fast.errors import ChannelTimeoutError, DriverError

from . import _live

__all__ = ["Bridge", "host_program", "load", "needs_host"]

Bridge = Literal["auto", "always", "never"]

_FOLDER = Path(__file__).resolve().parents[1]
_SUFFIX = ".exe" if sys.platform == "win32" else ""
_OWN = "64" if sys.maxsize > 2**32 else "32"
_MACHINES = {  # what a host is needed for -> what its name ends with, where that is not this Python's machine
    "32-bit x86 Windows DLL": "32",
    "64-bit x64 Windows DLL": "64",
    "32-bit x86 (i386) ELF library": "32",
    "64-bit x86-64 ELF library": "64",
}
_NAMES = {number: name for number, name, _ in status_table()}


_system_error = getattr(ctypes, "FormatError", os.strerror)  # a Windows error in words, elsewhere errno


def host_program(machine: str | None) -> Path:
    """The program in the package's folder that loads libraries of `machine`; it may be missing."""
    bits = _MACHINES.get(machine or "", _OWN)
    return _FOLDER / f"canal_host{'' if bits == _OWN else bits}{_SUFFIX}"


def needs_host(path: Path) -> bool:
    """Is the library one of another bitness, and there a host for it?"""
    status, machine = _profiles.machine(os.fsencode(path))
    return _NAMES[status] == "WRONG_ARCHITECTURE" and machine in _MACHINES and host_program(machine).is_file()


def load(path: Path, convention: str, bridge: Bridge, ring_capacity: int, slot_size: int) -> _live.Library:
    """Load a driver library here, or in a host for one channel with such a ring.

    Raises
    ------
    DriverError
        As `load_library`; or the host could not be started, is of another version, or ended.
    ChannelTimeoutError
        The host, or the driver while it was loaded, did not answer.
    MemoryError
        There is no room for the ring.
    """
    if bridge == "never" or not (bridge == "always" or needs_host(path)):
        return load_library(path, convention)
    program = host_program(_profiles.machine(os.fsencode(path))[1])
    status, code, detail, loaded = _live.Library.load_in_host(
        os.fsencode(path), CONVENTIONS.index(convention), os.fsencode(program), ring_capacity, slot_size
    )
    if loaded is not None:
        return loaded
    name = _NAMES[status]
    if name == "NO_MEMORY":
        raise MemoryError(f"no memory for {ring_capacity} records; take a smaller ring_frames")
    words = {
        "HOST_FAILED": f"could not be started: {_system_error(code)}",
        "HOST_VERSION": f"has version {code}, this canal_fast needs version {_live.BRIDGE_VERSION}",
        "HOST_ENDED": f"ended while it loaded {path}: {describe_exit(code)}",
        "HOST_SILENT": "does not answer",
        "DRIVER_HANGS": f"hangs in loading {path}; it was ended",
        "THREAD_FAILED": "has no thread here to listen to it",
        "NOT_SUPPORTED": f"is not to be had on {sys.platform}",
    }
    if name not in words:
        raise not_loaded(path, status, detail, convention)
    kind = ChannelTimeoutError if name in {"HOST_SILENT", "DRIVER_HANGS"} else DriverError
    raise kind(f"the host process {program} {words[name]}", operation="load")
