"""Attached USB2CAN adapters."""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

__all__ = ["Device", "list_devices"]

VENDOR, PRODUCT, NAME = "0483", "1234", "USB2CAN converter"
SYSFS = Path("/sys/bus/usb/devices")


@dataclasses.dataclass(frozen=True)
class Device:
    """One adapter.

    Attributes
    ----------
    serial : str
        As a configuration string needs it, e.g. "ED000200".
    name : str
        The product string.
    location : str
        Where it is plugged in, in the system's words.
    interface : str or None
        Network interface that serves it ("can0"), where the system's own driver does.
    """

    serial: str
    name: str
    location: str
    interface: str | None = None


def list_devices(root: str | os.PathLike[str] | None = None) -> list[Device]:
    """Attached 8devices USB2CAN adapters (USB 0483:1234, product string "USB2CAN converter"), by serial number.

    The identifiers are not the maker's own, so the product string has to be right, too.

    Parameters
    ----------
    root : path, optional
        Folder to read instead of /sys/bus/usb/devices.

    Raises
    ------
    NotImplementedError
        On systems other than Linux.
    """
    if root is None and sys.platform != "linux":
        raise NotImplementedError(
            f"adapters cannot be listed on {sys.platform} yet; give the serial number on its label"
        )
    folders = sorted((SYSFS if root is None else Path(root)).glob("*"))
    devices = [
        Device(_read(folder / "serial").upper(), NAME, folder.name, _interface(folder))
        for folder in folders
        if (_read(folder / "idVendor"), _read(folder / "idProduct")) == (VENDOR, PRODUCT)
        and _read(folder / "product") == NAME
    ]
    return sorted(devices, key=lambda device: device.serial)


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _interface(folder: Path) -> str | None:
    """The first network interface below, e.g. .../1-1:1.0/net/can0."""
    return next((path.name for path in sorted(folder.glob(f"{folder.name}:*/net/*"))), None)
