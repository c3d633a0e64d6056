"""`canal-fast list`: attached USB2CAN adapters."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

from canal_fast.drivers.devices import list_devices


def run(args: argparse.Namespace) -> int:
    try:
        devices = list_devices(args.root)
    except NotImplementedError as error:
        print(f"canal-fast list: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps([dataclasses.asdict(device) for device in devices]))
        return 0
    for device in devices:
        what = device.problem or device.interface or "-"
        print(f"{device.serial or '(no serial)':12} {device.name:20} {device.location or '-':10} {what}")
    if not devices:
        print("no USB2CAN adapter (USB 0483:1234) is attached")
    elif sys.platform == "linux":
        print("Linux serves these adapters by itself, through SocketCAN (usb_8dev): no CANAL library is needed here.")
        for device in devices:
            if device.interface:
                print(f"{device.serial}: Channel.socketcan({device.interface!r})")
    return 0
