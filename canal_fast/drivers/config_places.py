"""What the first field of a configuration string names (serial port, file, network interface), and what is wrong there.

Drivers give no reason when they do not open, some open without their device, and serial ones write their start-up
commands into whatever file they are told. So we look.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

__all__ = ["not_a_port", "trouble"]

_INTERFACES = Path("/sys/class/net")
_UP = 1  # IFF_UP of linux/if.h


def not_a_port(profile: dict[str, Any], config: str) -> str:
    """What a serial driver would write its commands into that is no serial port, in words; else empty."""
    place = _place(config)
    if os.name != "posix" or not profile["config_port"] or not place:
        return ""
    try:
        mode = os.stat(place).st_mode
    except OSError:
        return ""
    kinds = ((stat.S_ISREG, "a regular file"), (stat.S_ISBLK, "a disk"), (stat.S_ISDIR, "a folder"))
    return next((f"{place} is {words}, no serial port" for is_kind, words in kinds if is_kind(mode)), "")


def trouble(profile: dict[str, Any], config: str) -> str:
    """What is wrong with the place, and what to do, in words; empty where nothing is known to be."""
    place = _place(config)
    if os.name != "posix":
        return ""
    if profile["config_interface"]:
        return _interface(place)
    if profile["config_file"]:
        return _file(place)
    if profile["config_port"]:
        return not_a_port(profile, config) or _port(place)
    return ""


def _place(config: str) -> str:
    return config.partition(";")[0].strip()


def _interface(name: str) -> str:
    if sys.platform != "linux":
        return ""
    folder = _INTERFACES / name
    if not name or "/" in name or not folder.exists():
        known = ", ".join(sorted(path.name for path in _INTERFACES.glob("*can*"))) or "none"
        return f"there is no network interface {name!r}; CAN interfaces here: {known}"
    try:
        up = int((folder / "flags").read_text(), 16) & _UP
    except (OSError, ValueError):
        return ""
    return "" if up else f"the interface {name} is down: ip link set {name} up type can bitrate 500000"


def _file(path: str) -> str:
    folder = os.path.dirname(os.path.abspath(path))
    if not path:
        return "the configuration names no file: write PATH"
    if os.path.isdir(path):
        return f"{path} is a folder: name a file in it"
    if not os.path.isdir(folder):
        return f"there is no folder {folder}: make it, or name another file"
    if not os.access(path if os.path.exists(path) else folder, os.W_OK):
        return f"{path} may not be written: name another file, or change its permissions"
    return ""


def _port(path: str) -> str:
    if not path:
        return "the configuration names no serial port: write PORT, e.g. /dev/ttyUSB0"
    if not os.path.exists(path):
        return f"there is no serial port {path}: plug the adapter in, or see what /dev/tty* there is"
    if not os.access(path, os.R_OK | os.W_OK):
        return f"{path} may not be opened by this user: on many systems the group dialout may"
    return f"{path} may be opened, but no device answers there: check its power, the cable and the baud rate"
