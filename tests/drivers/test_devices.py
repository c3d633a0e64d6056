"""Adapters on Windows: recorded device paths and identifiers taken apart, on any system."""

from __future__ import annotations

import sys

import pytest

import canal_fast as cf
from canal_fast.drivers import _devices, dll_imports
from canal_fast.drivers.devices import Device, only_device
from canal_fast.drivers.devices_windows import Node, combine, instance_of, serial_of

GUID = "{3ea03b52-c71a-433c-a626-e8ad96f2578b}"


@pytest.mark.parametrize(
    ("path", "instance"),
    [
        (rf"\\?\usb#vid_0483&pid_1234#ed000200#{GUID}", r"USB\VID_0483&PID_1234\ED000200"),
        (rf"\\?\USB#VID_0483&PID_1234#D3365AFB#{GUID.upper()}", r"USB\VID_0483&PID_1234\D3365AFB"),
        (rf"\\.\usb#vid_0483&pid_1234#5&2f9a8c&0&2#{GUID}\reference", r"USB\VID_0483&PID_1234\5&2F9A8C&0&2"),
        (r"\\?\usb#vid_0483&pid_1234#ed000200", None),
        (rf"\\?\usb##ed000200#{GUID}", None),
        ("", None),
    ],
)
def test_interface_paths(path: str, instance: str | None) -> None:
    assert instance_of(path) == instance


@pytest.mark.parametrize(
    ("instance", "serial"),
    [
        (r"USB\VID_0483&PID_1234\ED000200", "ED000200"),
        (r"USB\VID_0483&PID_1234\cde7e976", "CDE7E976"),
        ('USB\\VID_0483&PID_1234\\F8BAFED8"', "F8BAFED8"),  # as WMI writes it
        (r"USB\VID_0483&PID_1234\5&2F9A8C&0&2", ""),
    ],
)
def test_serial_numbers(instance: str, serial: str) -> None:
    assert serial_of(instance) == serial


def test_what_is_wrong_with_an_adapter_is_said() -> None:
    nodes: dict[str, Node] = {
        r"USB\VID_0483&PID_1234\ED000200": (0, "WinUSB", "USB2CAN converter", "Port_#0002.Hub_#0001"),
        r"USB\VID_0483&PID_1234\ED000201": (0, "usbser", "USB Serial Device (COM3)", ""),
        r"USB\VID_0483&PID_1234\ED000202": (28, "", "USB2CAN converter", ""),
        r"USB\VID_0483&PID_1234\ED000203": (0, "", "USB2CAN converter", ""),
        r"USB\VID_0483&PID_1234\ED000204": (10, "WinUSB", "USB2CAN converter", ""),
    }

    def read(instance: str) -> Node:
        if instance not in nodes:
            raise OSError("went away")
        return nodes[instance]

    paths = [rf"\\?\usb#vid_0483&pid_1234#{serial}#{GUID}" for serial in ("ed000200", "ed000204", "ed000205")]
    rows = combine(paths, [*nodes, r"USB\VID_0483&PID_1234\GONE"], read)
    assert [(row["serial"], row["problem"].split(":")[0]) for row in rows] == [
        ("ED000200", ""),
        ("ED000201", "the driver 'usbser' serves it, not one that usb2can.dll knows"),
        ("ED000202", "no driver is installed for it (code 28 of the device manager)"),
        ("ED000203", "no driver serves it"),
        ("ED000204", "it did not start (code 10 of the device manager)"),
        ("ED000205", ""),
    ]


def test_only_one_adapter_needs_no_serial_number() -> None:
    first, second = Device("ED000200", "", ""), Device("D3365AFB", "", "")
    broken = Device("ED000201", "", "", problem="no driver is installed for it")
    nameless = Device("", "USB2CAN converter", "")
    assert only_device([first, broken, nameless]) == first
    with pytest.raises(cf.DriverError, match=r"2 USB2CAN adapters are attached \(ED000200, D3365AFB\): give one's"):
        only_device([first, second])
    with pytest.raises(cf.DriverError, match="ED000201: no driver is installed for it; USB2CAN converter: no serial"):
        only_device([broken, nameless])
    with pytest.raises(cf.DriverError, match="no usable USB2CAN adapter"):
        only_device([])


@pytest.mark.skipif(sys.platform == "win32", reason="NOT RUN: this is Windows")
def test_elsewhere_there_is_no_device_manager() -> None:
    with pytest.raises(NotImplementedError, match="a function of Windows"):
        _devices.identifiers("USB")
    with pytest.raises(NotImplementedError):
        _devices.interfaces(bytes(16))
    with pytest.raises(ValueError, match="guid has 3 bytes, allowed 16"):
        _devices.interfaces(b"abc")


def test_import_tables_that_end_early_are_refused() -> None:
    header = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\x4c\x01" + bytes(20)
    for size in range(len(header)):
        with pytest.raises(ValueError, match="ends inside"):
            dll_imports.imported_names(header[:size])
    with pytest.raises(ValueError, match="none of the"):
        dll_imports.imported_names(header + b"\x0b\x01" + bytes(94) + bytes(8) + b"\x01" * 8 + bytes(200))
