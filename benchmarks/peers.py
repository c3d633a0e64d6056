"""What the receive benchmarks stand beside: compiled C, and python-can's usb2can backend."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import canal_fast as cf

SOURCES = Path(__file__).resolve().parent / "c"


def compile_c(name: str, folder: Path) -> Path:
    """SOURCES/NAME.c as a shared library in `folder`."""
    compiler = shutil.which("gcc")
    if compiler is None or sys.platform == "win32":
        raise RuntimeError("no gcc")
    path = folder / f"{name}.so"
    flags = ["-O3", "-std=gnu11", "-shared", "-fPIC", "-fvisibility=hidden", f"-I{cf.get_include()}"]
    subprocess.run([compiler, *flags, str(SOURCES / f"{name}.c"), "-o", str(path), "-lpthread", "-ldl"], check=True)
    return path


def python_can_bus(library: Path, config: str) -> Any:
    """python-can's Usb2canBus on any CANAL library, here with `config` instead of a serial number.

    The backend is for Windows only: what it imports from there is stubbed, nothing of it is changed. On
    LP64 its message struct is the platform's own.
    """
    for module in ("pythoncom", "win32com", "win32com.client"):
        sys.modules.setdefault(module, types.ModuleType(module))
    sys.modules["win32com"].client = sys.modules["win32com.client"]  # type: ignore[attr-defined]
    loader = types.SimpleNamespace(LoadLibrary=lambda name: _WithConfig(name, config))
    if not hasattr(ctypes, "windll"):
        ctypes.windll = loader  # type: ignore[attr-defined]
    from can.interfaces.usb2can import Usb2canBus, usb2canabstractionlayer

    usb2canabstractionlayer.windll = loader  # its `from ctypes import *` took what was there first
    return Usb2canBus(channel="any", dll=str(library))


class _WithConfig(ctypes.CDLL):
    """The library, opened with a configuration of ours: the backend's own always ends in a rate in kbit/s."""

    def __init__(self, name: str, config: str) -> None:
        super().__init__(name)
        self.CanalOpen = lambda _, flags: self["CanalOpen"](config.encode(), flags)
