"""USB2CAN adapters as Windows' device manager shows them: device paths and instance identifiers, taken apart."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from typing import TypedDict

from canal_fast.errors import DriverError

from . import _devices

__all__ = ["Adapter", "adapters", "combine", "instance_of", "serial_of"]

INTERFACE = uuid.UUID("3EA03B52-C71A-433C-A626-E8AD96F2578B")  # what usb2can.dll opens, all known builds
ENUMERATOR = r"USB\VID_0483&PID_1234"
Node = tuple[int, str, str, str]  # problem code, service, description, location

_PROBLEMS = {
    10: "it did not start",
    22: "it is disabled",
    28: "no driver is installed for it",
    43: "it reported a fault: unplug and plug it",
}


class Adapter(TypedDict):
    """Fields of `canal_fast.Device`."""

    serial: str
    name: str
    location: str
    problem: str


def instance_of(path: str) -> str | None:
    r"""Instance identifier of an interface path, in capitals; None when it is no such path.

    `\\?\usb#vid_0483&pid_1234#ed000200#{3ea0...}` -> `USB\VID_0483&PID_1234\ED000200`.
    """
    parts = re.fullmatch(r"\\\\[?.]\\([^#]+)#([^#]+)#([^#]+)#\{[0-9a-f-]{36}\}(?:\\.*)?", path, re.I)
    return "\\".join(parts.groups()).upper() if parts else None


def serial_of(instance: str) -> str:
    """Serial number in an instance identifier, in capitals; empty where Windows made one up, which has an "&"."""
    last = instance.rpartition("\\")[2].strip(' "').upper()
    return "" if "&" in last else last


def combine(paths: Iterable[str], instances: Iterable[str], read: Callable[[str], Node]) -> list[Adapter]:
    """Adapters from the paths of the interface, the devices with its identifiers, and what `read` tells of a device."""
    usable = {instance for path in paths if (instance := instance_of(path))}
    rows: list[Adapter] = []
    for instance in sorted(usable | {instance.upper() for instance in instances}):
        try:
            code, service, description, location = read(instance)
        except OSError:  # went away meanwhile
            if instance not in usable:
                continue
            code, service, description, location = 0, "", "", ""
        problem = ""
        if code:
            problem = _PROBLEMS.get(code, "it has a problem") + f" (code {code} of the device manager)"
        elif instance not in usable and not service:
            problem = "no driver serves it: install the adapter's"
        elif instance not in usable:
            problem = f"the driver {service!r} serves it, not one that usb2can.dll knows: install the adapter's"
        rows.append(
            Adapter(serial=serial_of(instance), name=description or "USB2CAN", location=location, problem=problem)
        )
    return rows


def adapters() -> list[Adapter]:
    """What is attached, by calls of the configuration manager. No device is opened."""
    try:
        return combine(_devices.interfaces(INTERFACE.bytes_le), _devices.identifiers(ENUMERATOR), _devices.read)
    except DriverError:
        raise
    except OSError as error:
        raise DriverError(
            f"Windows' configuration manager does not list the adapters: {error}; give the serial number on the "
            "adapter's label, or restart the Plug and Play service"
        ) from error
