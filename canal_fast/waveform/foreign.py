"""Captures in files of instruments' own, and other files: what they are, and what to export instead."""

from __future__ import annotations

import re

from canal_fast.errors import LogFormatError
from canal_fast.foreign import kind_of

_BINARY = tuple(  # begin of a file, and what it is
    (re.compile(pattern), name)
    for pattern, name in (
        (rb"[\x0f\xf0]{2}:?WFM", "a Tektronix WFM file (save it as CSV)"),
        (rb":?(WFMP|WFMO|CURV)", "a Tektronix ISF file (save it as CSV)"),
        (rb"(#\d{10})?WAVEDESC", "a LeCroy trace (save it as ASCII)"),
        (rb"\xa5\xa5|\x01\xff\xff\xff|RG\d\d", "a Rigol WFM or BIN file (save it as CSV)"),
        (rb"A[GT]\d\d", "a Keysight BIN file (save it as CSV)"),
        (rb"SPB", "an Owon BIN file (save it as CSV)"),
        (rb"\0{7}\x01\x49", "a GTKWave FST dump (fst2vcd makes VCD of it)"),
        (rb"\x1f\x8b", "a gzip file (gzip -d FILE)"),
        (rb"\x28\xb5\x2f\xfd", "a zstd file (zstd -d FILE)"),
        (rb"\x93NUMPY", "a numpy array (numpy.load it, then canal_fast.waveform.from_samples)"),
        (rb"MATLAB", "a MATLAB file (export CSV)"),
        (rb"\x0a\x0d\x0d\x0a|LOGG|MDF|\(\d+\.\d+\) |date [A-Z]", "a recording of frames (canal-fast stat FILE)"),
    )
)
_ARCHIVES = (  # a member, and what the archive is
    ("header", "a DSView session (export VCD or CSV)"),
    ("meta.json", "a Saleae Logic 2 session (export raw data, binary or CSV)"),
    ("[Content_Types].xml", "an Office document (save the sheet as CSV)"),
)


def foreign(head: bytes) -> str | None:
    """What a file that begins so is, when that is known and none of ours."""
    return next((name for begin, name in _BINARY if begin.match(head)), None) or kind_of(head)


def refuse(path: str, head: bytes, words: str) -> LogFormatError:
    """The error for a file that is none of ours: what it is, or `words` where that is not known."""
    return LogFormatError(
        f"{foreign(head) or words}; readable are sigrok sessions, Saleae binary, VCD and tables of samples (CSV)",
        path=path,
    )


def refuse_archive(path: str, names: list[str]) -> LogFormatError:
    """The error for a zip file with these members."""
    known = (what for member, what in _ARCHIVES if member in names)
    return refuse(path, b"", next(known, "a ZIP archive (unpack it first)"))
