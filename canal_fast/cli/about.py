"""`canal-fast --version --verbose`: what a report of an error needs, and nothing that tells who wrote it."""

from __future__ import annotations

import getpass
import importlib
import os
import platform
import re
import struct
import sys
from collections.abc import Callable, Iterator
from importlib import metadata

__all__ = ["anonymous", "lines"]

EXTRAS = ("can", "dbc", "arrow", "plot", "mf4", "fast", "zst", "tz", "cli")  # of pyproject.toml, for users
BESIDE = ("pandas", "polars", "duckdb", "dask")  # what takes our arrays
VARIABLES = ("CANAL_FAST_SIMD", "CANAL_FAST_LIBRARY_PATH")


def lines() -> Iterator[str]:
    """`what: value`, a line each; what cannot be found out says why instead, and ends nothing."""
    for name, ask in ROWS.items():
        try:
            value = ask()
        except Exception as error:  # whatever is broken here is what the report is about
            value = f"not known: {type(error).__name__}: {error}"
        yield f"{name}: {anonymous(' '.join(value.split()))}"


def anonymous(text: str) -> str:
    """Without the user's name: the home folder becomes ~, and the name within a path USER."""
    home = os.path.expanduser("~")
    for folder in {home, os.path.realpath(home)}:
        if len(folder) > 1:
            text = re.sub(re.escape(folder) + r"(?=[/\\]|\W|$)", "~", text)
    try:
        user = getpass.getuser()
    except Exception:  # no such user, as in containers
        return text
    return re.sub(rf"(?<=[/\\]){re.escape(user)}(?=[/\\]|\W|$)", "USER", text)


def _python() -> str:
    free = " free-threaded" if hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled() else ""
    environment = "" if sys.prefix == sys.base_prefix else ", in a virtual environment"
    bits = 8 * struct.calcsize("P")
    name = platform.python_implementation()
    return f"{name} {platform.python_version()}{free}, {bits} bits, by {platform.python_compiler()}{environment}"


def _platform() -> str:
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, AttributeError, KeyError):
        system = f"{platform.system()} {platform.version() if os.name == 'nt' else platform.mac_ver()[0]}"
    return f"{system}, {platform.machine()}, {sys.platform}, {os.cpu_count()} processors"


def _numpy() -> str:
    found = importlib.import_module("numpy")
    return f"{found.__version__}"


def _compiler() -> str:
    return str(importlib.import_module("canal_fast._gate").COMPILER)


def _simd() -> str:
    processor = importlib.import_module("canal_fast.processor")
    chosen = os.environ.get(VARIABLES[0])
    how = f"{chosen} by {VARIABLES[0]}" if chosen else f"{processor.available()[-1]}"
    units = f"; units {', '.join(processor.units())}" if hasattr(processor, "units") else ""
    return f"{how}, of {', '.join(processor.available())}{units}"


def _drivers() -> str:
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "drivers")
    names = sorted(name for name in os.listdir(folder) if name.startswith("canal_"))
    beside = os.listdir(os.path.dirname(folder))
    host = next((name for name in ("canal_host", "canal_host.exe") if name in beside), "missing")
    return f"{', '.join(names) or 'none'} in {folder}; host process {host}"


def _usb2can() -> str:
    library = importlib.import_module("canal_fast.drivers.library")
    try:
        return str(library.find_library("usb2can.dll"))
    except OSError as error:
        return str(error)


def _packages() -> str:
    """Name and version of what the extras bring, from the metadata, so that nothing is imported."""
    named = [
        match.group(1)
        for requirement in metadata.requires("canal_fast") or ()
        if (match := re.match(r"([\w.-]+).*extra *== *['\"](\w+)['\"]", requirement)) and match.group(2) in EXTRAS
    ]
    return ", ".join(f"{name} {_version_of(name)}" for name in dict.fromkeys([*named, *BESIDE]))


def _version_of(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "-"


def _variables() -> str:
    return ", ".join(f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ) or "none"


def _output() -> str:
    terminal = "a terminal" if sys.stdout.isatty() else "no terminal"
    return f"{sys.stdout.encoding}, {terminal}"


ROWS: dict[str, Callable[[], str]] = {
    "python": _python,
    "numpy": _numpy,
    "system": _platform,
    "kernel": lambda: f"{platform.system()} {platform.release()}",
    "compiler": _compiler,
    "simd": _simd,
    "installed in": lambda: os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    "drivers": _drivers,
    "usb2can.dll": _usb2can,
    "packages": _packages,
    "variables": _variables,
    "output": _output,
}
