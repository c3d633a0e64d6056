"""Why Windows does not load a DLL: what it needs, from its import table (Microsoft's PE format)."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from . import _profiles

__all__ = ["imported_names", "why_not_loaded"]

_RUNTIME = ("vcruntime", "msvcp", "msvcr", "concrt", "vcomp")


def imported_names(data: bytes) -> list[str]:
    """Names of the DLLs that a PE file's import table asks for; ValueError when it cannot be read."""
    try:
        (header,) = struct.unpack_from("<I", data, 0x3C)
        sections, optional = struct.unpack_from("<H12xH", data, header + 6)
        (magic,) = struct.unpack_from("<H", data, header + 24)
        (table,) = struct.unpack_from("<I", data, header + 24 + (112 if magic == 0x20B else 96) + 8)
        rows = [struct.unpack_from("<IIII", data, header + 24 + optional + 40 * i + 8) for i in range(sections)]

        def at(address: int) -> int:
            for size, start, raw_size, raw in rows:
                if start <= address < start + max(size, raw_size):
                    return int(raw + address - start)
            raise ValueError(f"address {address:#x} is in none of the {sections} sections")

        names = []
        while table and (name := struct.unpack_from("<I", data, at(table) + 12)[0]):
            names.append(data[at(name) :].partition(b"\0")[0].decode("latin-1"))
            table += 20
        return names
    except struct.error as error:
        raise ValueError("the file ends inside its import table") from error


def why_not_loaded(path: Path, folders: list[Path] | None = None) -> str:
    """Which of the DLLs that `path` needs is missing or built for another machine, or "" when all seem good.

    Looked for where they are looked for in loading: beside the library and in `folders`, the system's.
    """
    root = Path(os.environ.get("SYSTEMROOT", "C:/Windows"))
    places = [path.parent, *([root / "System32", root] if folders is None else folders)]
    done: set[str] = set()
    pending = [path]
    while pending:
        library = pending.pop()
        try:
            names = imported_names(library.read_bytes())
        except (OSError, ValueError):
            continue
        for name in names:
            if name.lower() in done or name.lower().startswith(("api-ms-", "ext-ms-")):  # names that stand for others
                continue
            done.add(name.lower())
            found = next((place / name for place in places if (place / name).is_file()), None)
            if found is None:
                runtime = name.lower().startswith(_RUNTIME)
                do = "; install the Visual C++ runtime of this Python's bitness" if runtime else ""
                return f": {library.name} needs {name}, which is neither beside it nor in the system's folders{do}"
            status, machine = _profiles.machine(os.fsencode(found))
            if status:
                return f": {library.name} needs {name}, and {found} is {machine or 'not a library'}"
            if found.parent == path.parent:
                pending.append(found)
    return ""
