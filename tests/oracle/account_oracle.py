"""What each format can hold of a frame, told record by record from the formats' descriptions. Imports nothing of ours.

`fate` gives what becomes of a record: the kind that it is left out as, or the reasons why it is reduced and the record
that a reader should find. GAP marks of frames that are left out go to the channel's next one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from oracle.records import (
    ACKNOWLEDGE,
    BRS,
    BUS_ERROR,
    COUNTERS,
    ERROR,
    ESI,
    EXTENDED,
    FD,
    FD_LENGTHS,
    GAP,
    PROTOCOL,
    REMOTE,
    TX,
    Record,
)

STATUS, CLOCK_STEP = 4, 0x200
BIT, FORM, STUFF, OVERLOAD, BY_SENDER = 1, 2, 4, 0x20, 0x80


@dataclass(frozen=True)
class Holds:
    """`errors`: "whole", "code" (Vector's extended code), "peak" (five bytes of PEAK's) or "". `status`: "whole", as an
    "error" frame, or ""."""

    step: int  # ns
    words: frozenset[str]
    errors: str = ""
    status: str = ""


def _row(step: int, words: str, errors: str = "", status: str = "") -> Holds:
    return Holds(step, frozenset(words.split()), errors, status)


FORMATS = {
    "pcapng": _row(1, "fd fd_flags raw_dlc tx gap clock_step channel name remote", "whole", "whole"),
    "pcap": _row(1, "fd fd_flags raw_dlc remote positive", "whole", "error"),
    "blf": _row(1, "fd fd_flags raw_dlc tx gap channel name remote", "code"),
    "asc": _row(1000, "fd fd_flags raw_dlc tx channel remote", "code"),
    "trc": _row(1000, "fd fd_flags tx channel remote", "peak"),
    "trc-1.1": _row(100_000, "tx remote", "peak"),
    "csv": _row(1, "fd remote", "whole"),
    "csv-gvret": _row(1000, "tx channel"),
    "candump": _row(1000, "fd fd_flags raw_dlc tx channel name remote", "whole", "error"),
    "mf4": _row(1, "fd fd_flags raw_dlc tx channel remote", "mdf"),
}


def _by_code(record: Record) -> Record:
    """An error frame as Vector's extended code tells it."""
    kind, place = record.data[2], record.data[3] & 31
    if record.arbitration_id == PROTOCOL and kind == OVERLOAD:
        return Record(0, PROTOCOL, ERROR, 0, 8, bytes([0, 0, OVERLOAD, 0, 0, 0, 0, 0]))
    identifier = PROTOCOL | BUS_ERROR
    told = next((bit for bit in (BIT, FORM, STUFF) if kind & bit), 0)
    if record.arbitration_id & ACKNOWLEDGE:
        identifier, told = identifier | ACKNOWLEDGE, 0
    return Record(0, identifier, ERROR, 0, 8, bytes([0, 0, told | (kind & BY_SENDER), place, 0, 0, 0, 0]))


def _by_peak(record: Record) -> Record:
    """An error frame as PEAK's bytes tell it: of no bus, kind, direction, place and both counters."""
    data = bytes([0, 0, record.data[2] & (7 | BY_SENDER), record.data[3] & 31, 0, 0, *record.data[6:8]])
    return Record(0, PROTOCOL | BUS_ERROR | COUNTERS, ERROR, 0, 8, data)


def _by_mdf(record: Record) -> Record:
    """An error frame as MDF's ErrorType tells it: one of bit, form, stuff, acknowledge; overload has its own group."""
    kind = record.data[2]
    if record.arbitration_id == PROTOCOL and kind == OVERLOAD:
        return Record(0, PROTOCOL, ERROR, 0, 8, bytes([0, 0, OVERLOAD, 0, 0, 0, 0, 0]))
    if record.arbitration_id & ACKNOWLEDGE:
        return Record(0, PROTOCOL | BUS_ERROR | ACKNOWLEDGE, ERROR, 0, 8, bytes(8))
    told = next((bit for bit in (BIT, FORM, STUFF) if kind & bit), 0)
    return Record(0, PROTOCOL | BUS_ERROR, ERROR, 0, 8, bytes([0, 0, told, 0, 0, 0, 0, 0]))


def fate(record: Record, holds: Holds, named: bool) -> tuple[str, set[str], Record]:
    """(kind that it is left out as or "", reasons why it is reduced, what is read back)."""
    flags, reasons = record.flags, set[str]()
    back = replace(record, timestamp_ns=record.timestamp_ns // holds.step * holds.step)
    if "positive" in holds.words and not 0 <= record.timestamp_ns < 2**32 * 10**9:
        return "time", reasons, back
    padded = replace(record, data=record.data.ljust(8, b"\0"))
    if flags & STATUS:
        if not holds.status:
            return "status", reasons, back
        if holds.status == "error":
            reasons.add("error_detail")
            back.flags = flags & ~STATUS & ~EXTENDED | ERROR
    elif flags & ERROR:
        if not holds.errors:
            return "error_frame", reasons, back
        if holds.errors != "whole":
            told = {"code": _by_code, "peak": _by_peak, "mdf": _by_mdf}[holds.errors](padded)
            same = (told.arbitration_id, told.dlc, told.data) == (record.arbitration_id, record.dlc, padded.data)
            if not same or flags & TX or (holds.errors == "peak" and record.channel):
                reasons.add("error_detail")
            channel = 0 if holds.errors == "peak" else record.channel
            back = replace(told, timestamp_ns=back.timestamp_ns, channel=channel, flags=flags & ~TX)
    elif flags & FD:
        if "fd" not in holds.words:
            return "fd", reasons, back
        if "fd_flags" not in holds.words:
            if flags & (BRS | ESI) or FD_LENGTHS[record.dlc] <= 8:
                reasons.add("fd_flags")
            back.flags &= ~(BRS | ESI)
            if FD_LENGTHS[record.dlc] <= 8:
                back.flags &= ~FD
    else:
        if flags & REMOTE and "remote" not in holds.words:
            return "remote", reasons, back
        if record.dlc > 8 and "raw_dlc" not in holds.words:
            reasons.add("raw_dlc")
            back.dlc = 8
    for flag, word, reason in ((TX, "tx", "direction"), (GAP, "gap", "gap"), (CLOCK_STEP, "clock_step", "clock_step")):
        if flags & flag and word not in holds.words:
            reasons.add(reason)
            back.flags &= ~flag
    if record.timestamp_ns % holds.step:
        reasons.add("nanoseconds")
    if record.channel and "channel" not in holds.words:
        reasons.add("channel")
    if "channel" not in holds.words:
        back.channel = 0
    if named and "name" not in holds.words:
        reasons.add("name")
    return "", reasons, back


def account(records: list[Record], format: str, named: set[int]) -> tuple[Counter[str], Counter[str], list[Record]]:
    """(left out by kind, reduced by reason with "" for the frames, what is read back)."""
    left_out, reduced, kept = Counter[str](), Counter[str](), list[Record]()
    carried = Counter[int]()
    for record in records:
        kind, reasons, back = fate(record, FORMATS[format], record.channel in named)
        marks = record.flags & (GAP | CLOCK_STEP)
        if kind:
            left_out[kind] += 1
            carried[record.channel] |= marks
            continue
        back.flags |= carried[record.channel] & (
            (GAP if "gap" in FORMATS[format].words else 0)
            | (CLOCK_STEP if "clock_step" in FORMATS[format].words else 0)
        )
        carried[record.channel] = 0
        reduced.update(reasons)
        reduced[""] += bool(reasons)
        kept.append(back)
    return left_out, reduced, kept
