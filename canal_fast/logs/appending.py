"""Going on in a recording that is there: a new section of pcapng behind it."""

from __future__ import annotations

import logging
import os
from typing import BinaryIO

from canal_fast.errors import LogFormatError

from .reading import LogFile
from .repairing import repair
from .targets import Target

__all__ = ["prepare_append"]

log = logging.getLogger("canal_fast")

_SECTION = b"\n\r\r\n"  # how pcapng begins where it is not compressed


def prepare_append(path: str | os.PathLike[str] | BinaryIO, name: str, target: Target) -> None:
    """See to it that what is written behind a recording will be read with it: what a kill or a power cut left of its
    last block is cut off. Where there is no such file, nothing is done.

    Raises
    ------
    ValueError
        Not a path to pcapng, or compressed.
    LogFormatError
        The file is something else, or damaged before its end.
    OSError
        It cannot be read, or a recorder holds it.
    """
    if not isinstance(path, (str, os.PathLike)) or path == "-":
        raise ValueError(f"{name}: append goes on in a file, and this is none")
    if target.row.name != "pcapng" or target.compression is not None:
        kind = target.row.title + (f", compressed by {target.compression}" if target.compression else "")
        raise ValueError(f"{name}: append makes a new section, which only pcapng has, uncompressed; not {kind}")
    if not os.path.isfile(name) or not os.path.getsize(name):
        return
    with open(name, "rb") as file:
        begin = file.read(len(_SECTION))
    with LogFile(name) as reader:
        if begin != _SECTION or reader.format != "pcapng":
            raise LogFormatError(f"{name}: this is no pcapng, or compressed; nothing is appended to it", path=name)
    found = repair(name, in_place=True)
    if not found.whole:
        log.warning("%s: its last %d bytes were no whole block; they are cut off", name, found.size - found.kept)
