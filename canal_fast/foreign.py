"""Files that are neither recordings nor captures: what they are, by how they begin."""

from __future__ import annotations

_TAR_PLACE = 257  # of a tar archive's magic
_KINDS = (  # begin of a file, and what it is
    (b"PK\x03\x04", "a ZIP archive (unpack it first)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive (unpack it first)"),
    (b"\xfd7zXZ\x00", "an xz file (xz -d FILE)"),
    (b"Rar!", "a RAR archive (unpack it first)"),
    (b"\x04\x22\x4d\x18", "an lz4 file (lz4 -d FILE)"),
    (b"\x7fELF", "a program or library"),
    (b"MZ", "a program or library"),
    (b"SQLite format 3", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"<?xml", "an XML document"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<html", "an HTML page"),
    (b'VERSION "', "a DBC database"),
    (b"{", "a JSON document"),
)


def kind_of(head: bytes) -> str | None:
    """What a file that begins so is, when that is known."""
    if head[_TAR_PLACE:].startswith(b"ustar"):
        return "a tar archive (unpack it first)"
    text = head.lstrip()
    return next((name for magic, name in _KINDS if text.startswith(magic)), None)
