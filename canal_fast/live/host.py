"""Where a driver runs: in this process, or in a host process that can be of another bitness and may crash."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Literal

from canal_fast._gate import describe_exit
from canal_fast.drivers import _profiles
from canal_fast.drivers.library import CONVENTIONS, not_loaded
from canal_fast.errors import ChannelTimeoutError, DriverError
from canal_fast.status import Status

from . import _live

__all__ = ["Bridge", "host_program", "load"]

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

_system_error = getattr(ctypes, "FormatError", os.strerror)  # a Windows error in words, elsewhere errno


def host_program(machine: str | None) -> Path:
    """The program in the package's folder that loads libraries of `machine`; it may be missing."""
    bits = _MACHINES.get(machine or "", _OWN)
    return _FOLDER / f"canal_host{'' if bits == _OWN else bits}{_SUFFIX}"


def program_for(path: Path, bridge: Bridge) -> Path | None:
    """The host program that a driver library is to run in; None for this process."""
    status, machine = _profiles.machine(os.fsencode(path))
    other = status == Status.WRONG_ARCHITECTURE and machine in _MACHINES and host_program(machine).is_file()
    return None if bridge == "never" or not (bridge == "always" or other) else host_program(machine)


def load(path: Path, convention: str, bridge: Bridge, ring_capacity: int, fd: bool) -> _live.Port:
    """A port with such a ring, here or in a host, whose driver library is loaded.

    Raises
    ------
    DriverError
        As `load_library`; or the host could not be started, is of another version, or ended.
    ChannelTimeoutError
        The host, or the driver while it was loaded, did not answer.
    MemoryError
        There is no room for the ring.
    """
    program = program_for(path, bridge)
    detail = ""
    status, code, port = _live.Port.make(None if program is None else os.fsencode(program), ring_capacity, fd)
    if port is not None:
        status, code, detail = port.load(os.fsencode(path), CONVENTIONS.index(convention))
        if status == Status.OK:
            return port
    if status == Status.NO_MEMORY:
        raise no_memory(ring_capacity)
    words = {
        Status.HOST_FAILED: f"could not be started: {_system_error(code)}",
        Status.HOST_VERSION: f"has version {code}, this canal_fast needs version {_live.HOST_PROTOCOL}",
        Status.HOST_ENDED: f"ended while it loaded {path}: {describe_exit(code)}",
        Status.HOST_SILENT: "does not answer",
        Status.DRIVER_HANGS: f"hangs in loading {path}; it was ended",
        Status.THREAD_FAILED: "has no thread here to listen to it",
        Status.NOT_SUPPORTED: f"is not to be had on {sys.platform}",
    }
    found = Status(status)
    if found not in words:
        raise not_loaded(path, found, detail, convention)
    kind = ChannelTimeoutError if found in {Status.HOST_SILENT, Status.DRIVER_HANGS} else DriverError
    raise kind(f"the host process {program} {words[found]}", operation="load")


def no_memory(ring_capacity: int) -> MemoryError:
    return MemoryError(f"no memory for {ring_capacity} records; take a smaller ring_frames")
