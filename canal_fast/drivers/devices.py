"""Attached USB2CAN adapters."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from canal_fast.errors import DriverError

from . import devices_windows

__all__ = ["Device", "list_devices", "only_device", "served_by_linux"]

VENDOR, PRODUCT, NAME = "0483", "1234", "USB2CAN converter"
SYSFS = Path("/sys/bus/usb/devices")


@dataclasses.dataclass(frozen=True)
class Device:
    """One adapter.

    Attributes
    ----------
    serial : str
        As a configuration string needs it, e.g. "ED000200"; empty when the adapter tells none.
    name : str
        The product string, or what Windows calls it.
    location : str
        Where it is plugged in, in the system's words.
    interface : str or None
        Network interface that serves it ("can0"), where the system's own driver does.
    problem : str
        Why a CANAL library cannot use it, in words; empty where nothing is known to be wrong.

    Examples
    --------
    >>> cf.list_devices()  # doctest: +SKIP
    [Device(serial='ED000200', name='USB2CAN converter', location='1-2', interface=None, problem='')]
    """

    serial: str
    name: str
    location: str
    interface: str | None = None
    problem: str = ""


def list_devices(root: str | os.PathLike[str] | None = None) -> list[Device]:
    """Attached 8devices USB2CAN adapters (USB 0483:1234), by serial number. None of them is opened.

    The identifiers are not the maker's own. On Linux the product string "USB2CAN converter" has to be right, too; on
    Windows an adapter is what offers the device interface that usb2can.dll opens. What has the identifiers without that
    interface is listed with a `problem`: it may be an adapter bound to the wrong driver, or another device.

    Parameters
    ----------
    root : path, optional
        Folder to read instead of /sys/bus/usb/devices.

    Returns
    -------
    list of Device

    Raises
    ------
    NotImplementedError
        On systems other than Linux and Windows.

    Examples
    --------
    >>> for device in cf.list_devices():  # doctest: +SKIP
    ...     print(device.serial, device.location)
    """
    if root is None and sys.platform == "win32":
        devices = [Device(**row) for row in devices_windows.adapters()]
    elif root is None and sys.platform != "linux":
        raise NotImplementedError(
            f"adapters cannot be listed on {sys.platform} yet; give the serial number on its label"
        )
    else:
        folders = sorted((SYSFS if root is None else Path(root)).glob("*"))
        devices = [
            Device(_read(folder / "serial").upper(), NAME, folder.name, _interface(folder))
            for folder in folders
            if (_read(folder / "idVendor"), _read(folder / "idProduct")) == (VENDOR, PRODUCT)
            and _read(folder / "product") == NAME
        ]
    return sorted(devices, key=lambda device: device.serial)


def only_device(devices: Sequence[Device]) -> Device:
    """The only usable one.

    Raises
    ------
    DriverError
        There is none, or there are several: the message lists them.
    """
    usable = [device for device in devices if device.serial and not device.problem]
    if len(usable) == 1:
        return usable[0]
    if usable:
        serials = ", ".join(device.serial for device in usable)
        raise DriverError(f"{len(usable)} USB2CAN adapters are attached ({serials}): give one's serial number")
    found = "".join(f"; {device.serial or device.name}: {device.problem or 'no serial number'}" for device in devices)
    raise DriverError(f"no usable USB2CAN adapter (USB {VENDOR}:{PRODUCT}) is attached{found}")


def served_by_linux(serial: str) -> str:
    """What to do on Linux, where no CANAL library is needed, with the adapter of this number; empty elsewhere."""
    if sys.platform != "linux":
        return ""
    for device in list_devices():
        if device.serial == serial.upper() and device.interface:
            return (
                f"on Linux this adapter is {device.interface}: Channel.socketcan({device.interface!r}), with "
                f"python-can channel='socketcan:{device.interface}'"
            )
    return "on Linux these adapters are CAN interfaces (usb_8dev) such as can0, if attached: Channel.socketcan('can0')"


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _interface(folder: Path) -> str | None:
    """The first network interface below, e.g. .../1-1:1.0/net/can0."""
    return next((path.name for path in sorted(folder.glob(f"{folder.name}:*/net/*"))), None)
