"""The tables of log formats: the rows of `formats.h`, and those that a package brings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from canal_fast.errors import LogFormatError
from canal_fast.foreign import kind_of

from . import _account, _logs

__all__ = ["LogFormat", "all_by_suffix", "by_name", "by_suffix", "formats", "recognise"]

NO, PERHAPS, LIKELY, SURE = range(4)


@dataclass(frozen=True)
class LogFormat:
    """A format that recordings come in.

    Attributes
    ----------
    name : str
        What `format=` takes.
    title : str
        The same for people.
    suffixes : tuple of str
        The usual one first; empty for a variant that only its name selects.
    reads, writes : bool
    keeps : tuple of str
        What a recording in it keeps of the frames: "nanoseconds", "fd", "raw_dlc", "tx", "gap", "errors" (with all
        details), "channel", "status", "names", "bitrates", "counters", "remote", "error_frames" (maybe without their
        details), "fd_flags" (bit rate switch, error state), "clock_step".
    extra : str or None
        The extra of this package that it needs: `pip install 'canal_fast[extra]'`.
    zoned : bool
        Its times stand on a wall clock without a zone: `tz=` matters.

    Examples
    --------
    >>> [asc] = [known for known in cf.logs.formats() if known.name == "asc"]
    >>> asc.suffixes, asc.writes, "gap" in asc.keeps
    (('.asc',), True, False)
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    reads: bool
    writes: bool
    keeps: tuple[str, ...]
    extra: str | None = None
    zoned: bool = False
    dated_ns: int = field(default=0, repr=False)  # a recording's start is a multiple of this; 0: it states none
    compresses: bool = field(default=False, repr=False)  # in itself
    item: str = field(default="object", repr=False)
    index: int = field(default=-1, repr=False)  # in the C table
    magics: tuple[bytes, ...] = field(default=(), repr=False)  # of a package's format, which is not in that table
    opener: str = field(default="", repr=False)  # and module:class in this folder that reads it


def _c_rows() -> tuple[LogFormat, ...]:
    bits = [(bit, name.lower()) for bit, name, _ in _logs.keeps_table()]
    return tuple(
        LogFormat(
            name,
            title,
            suffixes,
            reads,
            writes,
            tuple(word for bit, word in bits if bit & keeps),
            zoned=zoned,
            dated_ns=dated,
            compresses=packs,
            item=item,
            index=index,
        )
        for index, (name, title, suffixes, item, zoned, keeps, reads, writes, dated, packs) in enumerate(
            _logs.format_table()
        )
    )


_FORMATS = (
    *_c_rows(),
    LogFormat(
        "mf4",
        "ASAM MDF 4 bus logging",
        (".mf4",),
        True,
        True,
        ("fd", "raw_dlc", "tx", "channel", "remote", "error_frames", "fd_flags"),
        extra="mf4",
        dated_ns=_account.COLUMNS_DATED_NS,
        compresses=True,
        magics=(b"MDF     4", b"UnFinMF 4"),
        opener="mf4:Mf4",
    ),
    LogFormat(
        "parquet",
        "Folder of Parquet files",
        (),
        True,
        False,
        ("nanoseconds", "fd", "raw_dlc", "tx", "gap", "errors", "channel", "status", "names", "bitrates"),
        extra="arrow",
    ),
)

_RESAVED = "CSV that a spreadsheet has saved anew (it changes cells such as 1E5 and false; the original is read)"
_FOREIGN = (  # begin of a file, and what it is
    (b"\x34\xcd\xb2\xa1", "pcap of a patched libpcap (editcap -F pcap FILE NEW)"),
    (b"\xa1\xb2\xcd\x34", "pcap of a patched libpcap (editcap -F pcap FILE NEW)"),
    (b"***BUSMASTER", "a BUSMASTER log (its own converter makes ASC of it)"),
    (b"@ TEXT @", "a CarBusAnalyzer trace"),
    (b"\x1b[", "text with a terminal's colours (candump without -c)"),
    (b"TimestampEpoch;BusChannel;", "a CANedge's CSV (its MF4 file is read)"),
    (b"Time Stamp;ID;", _RESAVED),
    (b"Time Stamp\tID\t", _RESAVED),
    (b"timestamp;arbitration_id;", _RESAVED),
    (b"timestamp\tarbitration_id\t", _RESAVED),
    (b"Timestamp: ", "what python-can prints (can_logger -f FILE records)"),
    (b"[", "a JSON or TOML document"),
    (b"MDF     3", "an MDF 3 file (asammdf converts it to MDF 4)"),
)

_CONVERTED = tuple(  # first line of recordings that SavvyCAN, for one, loads, and saves as GVRET's CSV
    (re.compile(pattern), name)
    for pattern, name in (
        (rb"Chn +Identifier +Flg", "Kvaser CanKing's text"),
        (rb"Kvaser Memorator Log", "a Kvaser Memorator's text"),
        (rb"ASCII Trace IXXAT|Start Time  ", "an IXXAT trace"),
        (rb'"?Vehicle Spy|Line,Abs Time\(Sec\)', "a Vehicle Spy export"),
        (rb"(//-+\s+)?Microchip Technology Inc", "a Microchip CAN Bus Analyzer's log"),
        (rb"# Logger type: CL", "a CL1000's, CL2000's or CL3000's log"),
        (rb"\d+\.\d+ ([RT](11|29)|C[A-Z]{2}) ", "a CRTD log"),
        (rb"(t[0-7][\dA-F]{2}|T[01][\dA-F]{7})[0-8]([\dA-F]{2})*\s", "an SLCAN (Lawicel) dump"),
        (rb"Time +ID +DLC +Data", "CANHacker's trace"),
        (rb"time,addr,bus,data", "Cabana's CSV"),
    )
)


def formats() -> tuple[LogFormat, ...]:
    """The formats of recordings, in the order in which `canal-fast formats` lists them.

    Returns
    -------
    tuple of LogFormat

    Examples
    --------
    >>> [known.name for known in cf.logs.formats() if known.writes]
    ['pcapng', 'pcap', 'blf', 'asc', 'trc', 'trc-1.1', 'csv', 'csv-gvret', 'candump', 'mf4']
    """
    return _FORMATS


def by_name(name: str) -> LogFormat:
    """The format of that name.

    Raises
    ------
    ValueError
        There is none.
    """
    for row in _FORMATS:
        if row.name == name:
            return row
    raise ValueError(f"format {name!r}, allowed {', '.join(row.name for row in _FORMATS)}")


def all_by_suffix(suffix: str) -> list[LogFormat]:
    """The formats whose recordings' names end so."""
    return [row for row in _FORMATS if suffix.lower() in row.suffixes]


def by_suffix(suffix: str) -> LogFormat | None:
    """The first of them."""
    return next(iter(all_by_suffix(suffix)), None)


def _score(row: LogFormat, head: bytes, whole: bool) -> int:
    if row.index >= 0:
        return _logs.recognise(row.index, head, whole) if row.reads else NO
    return SURE if row.magics and head.startswith(row.magics) else NO


def recognise(head: bytes, whole: bool, suffix: str) -> tuple[int, LogFormat | None]:
    """How sure, and which format a recording that begins with `head` has; the suffix decides among equals."""
    rows = [(_score(row, head, whole), row) for row in _FORMATS]
    best = max(score for score, _ in rows)
    if not head:
        return PERHAPS, by_suffix(suffix) or _FORMATS[0]
    if best == NO:
        return _damaged_text(head, whole, suffix)
    named = [row for score, row in rows if score == best and suffix.lower() in row.suffixes]
    return best, (named or [row for score, row in rows if score == best])[0]


def _damaged_text(head: bytes, whole: bool, suffix: str) -> tuple[int, LogFormat | None]:
    """Text in which zeros stand, as a power cut leaves them: its lines tell the format, and reading tells where."""
    text = head.replace(b"\0", b"")
    if not text.strip() or text == head or foreign(head):
        return NO, None
    sure, row = recognise(text, whole, suffix)
    return (sure, row) if row is not None and row.item == "line" and sure >= LIKELY else (NO, None)


def foreign(head: bytes) -> str | None:
    """What a file that begins so is, when that is known and none of ours."""
    text = head.lstrip()
    converted = (f"{name} (SavvyCAN makes GVRET's CSV of it)" for begin, name in _CONVERTED if begin.match(text))
    rows = (name for magic, name in _FOREIGN if text.startswith(magic))
    return next(rows, None) or kind_of(head) or next(converted, None)


def refuse(path: str, head: bytes, line: int | None = None) -> LogFormatError:
    """The error for a file that is none of ours: what it is, if that is known; of text, which begins with `line`, the
    first line that is not blank is shown."""
    what = foreign(head)
    known = ", ".join(row.name for row in _FORMATS if row.reads)
    if line is not None:
        above = head[: len(head) - len(head.lstrip())]
        line += above.count(b"\n")
        text = head[above.rfind(b"\n") + 1 :][:200].splitlines()[0].decode("utf-8", "replace")
        what = f"{what or 'no recording'}: line {line} is {text!r}"
    elif head and not head.strip(b"\0"):
        what = f"no recording: its first {len(head)} bytes are all 0, room that was never written to"
    elif what is None:
        what = f"no recording: it begins with {head[:8].hex(' ')}" if head else "empty"
    return LogFormatError(
        f"{path}: this is {what}; formats that are read: {known}",
        path=path,
        line_number=line,
        offset=0 if line is None else None,
    )
