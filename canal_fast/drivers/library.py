"""Driver libraries: where they are, loading them, and what is known of them."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from canal_fast.errors import DriverError, DriverNotFoundError
from canal_fast.status import Status

from . import _profiles, dll_imports
from .config_places import trouble

__all__ = ["DriverInfo", "find_library", "load_library"]

_SUFFIX = ".dll" if sys.platform == "win32" else ".so"
VIRTUAL = Path(__file__).resolve().parent / f"canal_virtual{_SUFFIX}"
SOCKETCAN = VIRTUAL.with_name("canal_socketcan.so")
EMBEDDED = {"virtual": VIRTUAL, "socketcan": SOCKETCAN}
_LAST_ERROR = {"virtual": "CanalVirtualLastError", "socketcan": "CanalSocketcanLastError"}  # by profile
PATH_VARIABLE = "CANAL_FAST_LIBRARY_PATH"
_FOLDERS = (
    ["{PROGRAMFILES}/VSCP/drivers", "{SYSTEMROOT}/System32"]  # os.environ has capitals only
    if sys.platform == "win32"
    else ["/usr/local/lib", "/usr/lib", "/usr/local/lib/vscp", "/usr/lib/vscp", "/var/lib/vscp/drivers/level1"]
)
CONVENTIONS = ("stdcall", "cdecl", "auto")  # as convention.h numbers them


@dataclasses.dataclass(frozen=True)
class DriverInfo:
    """What is known of a channel's driver.

    `path` is where the library was found, `profile` its driver's quirks by name and `title` for people. `level`,
    `version`, `dll_version` and `vendor` are what the driver says of itself, `info` what it says of the adapter; the
    versions are raw 32-bit words: drivers disagree on the order of their bytes. `queue_depth` is how many frames the
    driver's own queue holds, None where that is not known.
    `layout` is the size in bytes of the driver's message, `capabilities` the CANAL functions it exports,
    `verified` how far the profile was tried, `host` the number of the process that it runs in, None for this one.

    Examples
    --------
    >>> with cf.Channel.virtual("desk") as channel:
    ...     print(channel.driver.profile, channel.driver.host)
    virtual None
    """

    path: str
    profile: str
    title: str
    verified: str
    layout: int
    capabilities: tuple[str, ...]
    queue_depth: int | None
    level: int
    version: int
    dll_version: int
    vendor: str
    info: str
    host: int | None


def find_library(library: str | os.PathLike[str]) -> Path:
    """Absolute path of a driver library.

    Parameters
    ----------
    library : str or path
        "virtual" for the embedded virtual bus, "socketcan" for Linux's CAN interfaces; a path (anything with a folder
        in it, "./x.so" too); or a bare file name, which is looked for in the folders of the environment variable
        CANAL_FAST_LIBRARY_PATH, beside the script that runs if that is a file, and in the system's usual ones, never
        in the current folder.

    Raises
    ------
    DriverNotFoundError
        With every place that was looked at.
    """
    name = os.fspath(library)
    if name in EMBEDDED:
        if not EMBEDDED[name].is_file():
            raise DriverNotFoundError(f"{name} is not part of canal_fast on {sys.platform}", operation="load")
        return EMBEDDED[name]
    if not name or "\0" in name:
        raise ValueError(f"library must be a file name, not {name!r}")
    path = Path(name)
    if path.name != name:
        if path.is_file():
            return path.resolve()
        folder = ", which is a folder: give the file in it" if path.is_dir() else ""
        raise DriverNotFoundError(f"no such driver library: {path.absolute()}{folder}", operation="load")
    folders = [folder for folder in os.environ.get(PATH_VARIABLE, "").split(os.pathsep) if folder]
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script and os.path.isfile(script):  # not a script on standard input, which has no folder
        folders.append(os.path.dirname(os.path.abspath(script)))
    folders += [folder.format_map(_Environment(os.environ)) for folder in _FOLDERS]
    for folder in folders:
        if (found := Path(folder) / name).is_file():
            return found.resolve()
    hint = f"; there is one in the current folder: write {os.path.join('.', name)} to use it" if path.is_file() else ""
    looked = ", ".join(dict.fromkeys(folders))
    raise DriverNotFoundError(
        f"no driver library called {name} in {looked} (set {PATH_VARIABLE} or give a path){hint}",
        operation="load",
    )


class _Environment(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def load_library(path: Path, convention: str = "auto") -> _profiles.Library:
    """Load a driver library and resolve its functions.

    Raises
    ------
    DriverError
        Not a shared library, built for another machine, a dependency is missing, no CANAL driver, or of another
        calling convention than `convention`: the message says which.
    """
    status, detail, loaded = _profiles.Library.load(os.fsencode(path), CONVENTIONS.index(convention))
    if loaded is None:
        raise not_loaded(path, Status(status), detail, convention)
    return loaded


def not_loaded(path: Path, status: Status, detail: str, convention: str) -> DriverError:
    """The error that says why a library could not be loaded."""
    machine = platform.machine() if os.name == "posix" else ""
    here = f"this Python is {'64' if sys.maxsize > 2**32 else '32'}-bit {machine}".rstrip()
    words = {
        Status.FILE_MISSING: "cannot be read or is empty",
        Status.NOT_A_LIBRARY: "is not a shared library",
        Status.TRUNCATED: "is cut short: the file ends before its contents do",
        Status.WRONG_ARCHITECTURE: f"is a {detail}; {here}",
        Status.LOAD_FAILED: f"could not be loaded: {_explain(detail, path)}",
        Status.SYMBOL_MISSING: f"is no CANAL driver: it does not export {detail}",
        Status.OTHER_CONVENTION: f"is {detail}, not {convention}: a call would corrupt the stack",
    }[status]
    return DriverError(f"{path} {words}", operation="load")


def _explain(detail: str, path: Path) -> str:
    causes = {
        "Windows error 126": " (a DLL was not found)",
        "Windows error 127": " (a DLL lacks a function that is needed)",
        "Windows error 193": " (a DLL was built for another machine)",
        "Windows error 1114": " (start-up code of a DLL failed)",
    }
    return f"{detail}{causes[detail]}{dll_imports.why_not_loaded(path)}" if detail in causes else detail


@contextlib.contextmanager
def standard_input_kept() -> Iterator[None]:
    """Some drivers close descriptor 0 when they close, instead of their own: give it back."""
    try:
        spare = os.dup(0) if os.name == "posix" else -1
    except OSError:  # there is no standard input
        spare = -1
    try:
        yield
    finally:
        if spare >= 0:
            try:
                os.fstat(0)
            except OSError:
                os.dup2(spare, 0)
            os.close(spare)


def why_open_failed(path: Path, profile: dict[str, Any], config: str) -> str:
    """The probable reasons of a CanalOpen that gave none."""
    if profile["name"] in _LAST_ERROR:
        function = getattr(ctypes.CDLL(str(path)), _LAST_ERROR[profile["name"]])
        function.restype = ctypes.c_char_p
        return bytes(function() or b"").decode("utf-8", "replace")
    if seen := trouble(profile, config):
        return f"the driver gives no reason; {seen}"
    reason = profile["no_handle"] or "check the configuration string and that nobody else has the device open"
    expected = f"; it expects {profile['config']}" if profile["config"] else ""
    return f"the driver gives no reason; {reason}{expected}"


def versions(port: Any, path: Path, row: dict[str, Any]) -> DriverInfo:
    """DriverInfo of an open channel."""
    said = port.versions()
    return DriverInfo(
        path=str(path),
        profile=row["name"],
        title=row["title"],
        verified=row["verified"],
        layout=port.snapshot()[1],
        capabilities=tuple(_profiles.exported(port.functions)),
        queue_depth=row["queue_depth"],
        host=port.host,
        **said,
    )
