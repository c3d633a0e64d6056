"""Descriptions out of a cantools database: the one place that knows cantools' objects."""

from __future__ import annotations

import codecs
import math
import os
import re
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from canal_fast.errors import DatabaseError

from .description import Message, Problem, Ranges, Signal

__all__ = ["describe", "parse"]

_MOST_SAID = 600  # characters: of what is no database, lines are long
_FORMATS = ("arxml", "dbc", "kcd", "sym")
_TEXT = ("dbc", "sym")  # whose files have no encoding of their own
_LINEAR = {"IdentityConversion", "LinearIntegerConversion", "LinearConversion", "NamedSignalConversion"}
_ADVICE = (  # what cantools says, and what to do
    ("unused VAL_", "delete these VAL_ lines, or correct the names and identifiers in them"),
    ("Invalid syntax", "correct that line; names begin with a letter or an underscore"),
    ("DBC: \"'", "values of this attribute (BA_) have no definition (BA_DEF_): delete these lines, or define it"),
    ("Only SYM version", "PCAN Symbol Editor saves it as version 6.0"),
)
_WIDE = 1 << 62
_CLASSICAL, _MOST = 8, 64  # payload bytes of a frame
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_MESSAGE = re.compile(r"^\s*BO_\s+(\d+)\s", re.M)
_RANGES = re.compile(r"SG_MUL_VAL_\s+\d+\s+\w+\s+\w+\s[^;]*")
_RANGE = re.compile(r"(\d+)\s*-(\d+)")
_MOST_VALUES = 1 << 20  # of multiplexers in the ranges of a file, which cantools makes lists of
_MARKED = re.compile(r"^\s*SG_\s+(\w+)\s+(m\d+)M?\s*:", re.M)
_UNUSED = re.compile(  # of a DBC: comments, and the bit timing behind BS_, which cantools refuses
    r'^[ \t]*CM_[ \t][^"\n;]*"(?:\\"|[^"])*?"\s*;|(?<=^BS_:)[ \t\d:,]+', re.M
)

Marks = dict[tuple[int, bool, str], str]
"""(identifier, extended, signal) -> the marker, such as m3, that makes it a multiplexed one in a DBC file."""


def cantools() -> Any:
    """The package, or an error that says how to get it."""
    try:
        import cantools
    except ImportError:
        raise ImportError("reading databases needs cantools: pip install 'canal_fast[dbc]'") from None
    return cantools


def parse(path: str | os.PathLike[str], encoding: str | None) -> tuple[Any, Marks]:
    """A cantools Database from a file, and the multiplexed signals of a DBC as the file has them: cantools gives those
    whose multiplexer is missing, or one of several, as if they were always there."""
    package = cantools()
    form: str | None = Path(path).suffix[1:].lower()
    form = form if form in _FORMATS else None
    data = Path(path).read_bytes()
    try:
        text = _text(data, encoding, form)
        if form == "dbc":
            text = _UNUSED.sub(lambda row: "\n" * row[0].count("\n"), text)
        _check_ranges(text, path)
        found = package.database.load_string(text, database_format=form, strict=False, prune_choices=False)
    except DatabaseError:
        raise
    except LookupError as error:
        raise DatabaseError(f"{os.fspath(path)}: {error}", path=path) from None
    except UnicodeDecodeError as error:
        raise DatabaseError(
            f"{os.fspath(path)}: byte {error.start}: not {error.encoding}; "
            "give encoding=, for example 'cp1252' or 'gbk'",
            path=path,
        ) from None
    except Exception as error:
        kind = None if form else _recording(path)
        words = f"{os.fspath(path)}: is a recording ({kind}), no database" if kind else _refusal(path, form, error)
        raise DatabaseError(words, path=path) from error
    if not hasattr(found, "messages"):
        raise DatabaseError(f"{os.fspath(path)}: holds diagnostics, not messages", path=path)
    return found, _marks(text) if form == "dbc" else {}


def _check_ranges(text: str, path: str | os.PathLike[str]) -> None:
    values = 0
    for ranges in _RANGES.finditer(text):
        for row in _RANGE.finditer(text, *ranges.span()):
            values += max(int(row[2]) - int(row[1]) + 1, 0)
            if values > _MOST_VALUES:
                line = text.count("\n", 0, row.start()) + 1
                what = f"{values} values of multiplexers up to the range {row[0]}, allowed 0..{_MOST_VALUES} in a file"
                raise DatabaseError(f"{os.fspath(path)}: line {line}: {what}", path=path)


def _marks(text: str) -> Marks:
    found: Marks = {}
    starts = list(_MESSAGE.finditer(text))
    for index, start in enumerate(starts):
        number = int(start[1])
        end = starts[index + 1].start() if index + 1 < len(starts) else len(text)
        for row in _MARKED.finditer(text, start.end(), end):
            found[number & 0x1FFFFFFF, bool(number >> 31), row[1]] = row[2]
    return found


def _text(data: bytes, encoding: str | None, form: str | None) -> str:
    if encoding is None:
        encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    if encoding is not None:
        return data.decode(encoding)
    if form not in _TEXT and data.lstrip().startswith(b"<?xml") and b'encoding="' in data[:200]:
        return data.decode(data[:200].split(b'encoding="')[1].split(b'"')[0].decode("ascii"))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _recording(path: str | os.PathLike[str]) -> str | None:
    """The format of a recording that was taken for a database."""
    from canal_fast.logs import open_log

    try:
        with open_log(path) as log:
            return log.format
    except (OSError, ValueError, ImportError):
        return None


def _refusal(path: str | os.PathLike[str], form: str | None, error: Exception) -> str:
    said = "".join(letter if letter.isprintable() else " " for letter in str(error) or type(error).__name__)
    said = " ".join(said.split())
    said = said if len(said) <= _MOST_SAID else f"{said[:_MOST_SAID]} ..."
    advice = next((what for words, what in _ADVICE if words in said), "")
    kind = f"as {form.upper()}" if form else f"(the name does not end with one of {', '.join(_FORMATS)})"
    return f"{os.fspath(path)}: cantools cannot read it {kind}: {said}{f' - {advice}' if advice else ''}"


def describe(database: Any, marks: Marks) -> tuple[tuple[Message, ...], tuple[Problem, ...]]:
    """Messages and problems of a cantools Database."""
    problems: list[Problem] = []
    messages: list[Message] = []
    names: set[str] = set()
    taken = {entry.name for entry in database.messages}
    for entry in database.messages:
        if entry.name == "VECTOR__INDEPENDENT_SIG_MSG":
            continue
        message = _message(entry, marks, problems)
        if message.name in names:
            new = f"{message.name}_{message.arbitration_id:X}"
            new = next(n for n in chain([new], (f"{new}_{i}" for i in count(2))) if n not in taken)
            sentence = f"{message.name}: a second message has this name; the one with {_id(message)} is called {new}"
            problems.append(Problem("duplicate name", message.name, None, sentence))
            message = replace(message, name=new)
        names.add(message.name)
        taken.add(message.name)
        messages.append(message)
    return tuple(messages), tuple(_duplicates(messages) + problems)


def _id(message: Message) -> str:
    return f"identifier {message.arbitration_id:#x}{' (extended)' if message.is_extended else ''}"


def _duplicates(messages: list[Message]) -> list[Problem]:
    found: list[Problem] = []
    exact: dict[tuple[int, bool], Message] = {}
    groups: dict[int, Message] = {}
    for message in messages:
        key = message.arbitration_id, message.is_extended
        if key in exact:
            sentence = f"{exact[key].name} and {message.name} have the same {_id(message)}; frames go to {message.name}"
            found.append(Problem("duplicate id", exact[key].name, None, sentence))
        elif message.by_pgn and message.pgn in groups:
            sentence = (
                f"{groups[message.pgn].name} and {message.name} have the same PGN {message.pgn:#x}; frames of other "
                f"identifiers go to {message.name}"
            )
            found.append(Problem("duplicate pgn", groups[message.pgn].name, None, sentence))
        exact[key] = message
        if message.by_pgn:
            groups[message.pgn] = message
    return found


def _message(entry: Any, marks: Marks, problems: list[Problem]) -> Message:
    multiplexers = {s.name for s in entry.signals}
    signals: dict[str, Signal] = {}
    if entry.is_container:
        sentence = f"{entry.name}: a container of other messages, which is not taken apart; left out"
        problems.append(Problem("container", entry.name, None, sentence, True))
    for item in [] if entry.is_container else entry.signals:
        mark = marks.get((entry.frame_id, bool(entry.is_extended_frame), item.name))
        trouble = _trouble(item, multiplexers, mark)
        if trouble is not None:
            kind, sentence = trouble
            sentence = f"{entry.name}.{item.name}: {sentence}; left out"
            problems.append(Problem(kind, entry.name, item.name, sentence, True))
            continue
        signal = _signal(item)
        if signal.scale == 0:
            sentence = f"{entry.name}.{item.name}: its scale is 0: every raw value is {signal.offset}"
            problems.append(Problem("conversion", entry.name, item.name, sentence))
        _add(entry.name, signals, signal, problems)
    kept = _with_multiplexers(entry.name, signals, problems)
    by_pgn = (entry.protocol or "").lower() == "j1939" and bool(entry.is_extended_frame)
    message = Message(
        name=entry.name,
        arbitration_id=entry.frame_id,
        is_extended=bool(entry.is_extended_frame),
        is_fd=bool(entry.is_fd) or (entry.length > _CLASSICAL and not by_pgn),
        length=entry.length,
        signals=tuple(kept),
        by_pgn=by_pgn,
        cycle_time_ms=entry.cycle_time,
        senders=tuple(entry.senders),
    )
    problems += _misplaced(message)
    return message


def _add(name: str, signals: dict[str, Signal], signal: Signal, problems: list[Problem]) -> None:
    """Keep a signal. KCD files repeat one for each of its multiplexer values; others of the same name get another."""
    known = signals.get(signal.name)
    if known is not None and signal.multiplexer and replace(known, multiplexer_ids=signal.multiplexer_ids) == signal:
        numbers = [n for low, high in known.multiplexer_ids + signal.multiplexer_ids for n in range(low, high + 1)]
        signal = replace(signal, multiplexer_ids=_ranges(numbers))
    elif known is not None:
        new = next(n for i in range(2, len(signals) + 3) if (n := f"{signal.name}_{i}") not in signals)
        sentence = f"{name}.{signal.name}: a second signal has this name; it is called {new}"
        problems.append(Problem("duplicate name", name, new, sentence))
        signal = replace(signal, name=new)
    signals[signal.name] = signal


def _trouble(item: Any, multiplexers: set[str], mark: str | None) -> tuple[str, str] | None:
    """Why a signal cannot be decoded: (kind, sentence). `mark` is its multiplexing in the file."""
    conversion = item.conversion
    if type(conversion).__name__ not in _LINEAR:
        return "conversion", f"its conversion ({type(conversion).__name__}) is not linear"
    if not (math.isfinite(conversion.scale) and math.isfinite(conversion.offset)):
        return "conversion", f"scale {conversion.scale} and offset {conversion.offset} are not both finite"
    if _whole(conversion.scale, conversion.offset) and max(abs(conversion.scale), abs(conversion.offset)) >= _WIDE:
        return "conversion", f"scale {conversion.scale} or offset {conversion.offset} is above 2^62"
    if not 1 <= item.length <= 64:
        return "length", f"its length is {item.length} bits, allowed 1..64"
    if conversion.is_float and item.length not in (16, 32, 64):
        return "length", f"a float of {item.length} bits, allowed 16, 32, 64"
    if item.multiplexer_ids is not None and item.multiplexer_signal not in multiplexers:
        return "multiplexer", f"its multiplexer {item.multiplexer_signal} is not in its message"
    if mark is not None and item.multiplexer_ids is None:
        return "multiplexer", f"it is multiplexed ({mark}), and the file does not say by which signal"
    start = 8 * (item.start // 8) + 7 - item.start % 8 if item.byte_order == "big_endian" else item.start
    if item.start < 0 or start + item.length > 512:
        return "beyond message", f"its last bit is in byte {(start + item.length - 1) // 8}, allowed 0..63"
    return None


def _whole(*values: float) -> bool:
    return all(isinstance(value, int) or value.is_integer() for value in values)


def _signal(item: Any) -> Signal:
    conversion = item.conversion
    scale, offset = conversion.scale, conversion.offset
    if not conversion.is_float and _whole(scale, offset):
        scale, offset = int(scale), int(offset)
    choices = conversion.choices or {}
    initial = item.raw_initial
    if initial is None or not math.isfinite(initial):
        initial = 0
    return Signal(
        name=item.name,
        start=item.start,
        length=item.length,
        big_endian=item.byte_order == "big_endian",
        is_signed=bool(item.is_signed),
        is_float=bool(conversion.is_float),
        scale=scale,
        offset=offset,
        unit=item.unit or None,
        choices=tuple(sorted((int(raw), str(text)) for raw, text in choices.items())),
        minimum=None if item.minimum is None else float(item.minimum),
        maximum=None if item.maximum is None else float(item.maximum),
        initial=float(initial) if conversion.is_float else round(initial),
        multiplexer=item.multiplexer_signal if item.multiplexer_ids is not None else None,
        multiplexer_ids=_ranges(item.multiplexer_ids or ()),
    )


def _ranges(values: Any) -> Ranges:
    """Numbers as ranges: 1, 2, 3, 7 -> (1, 3), (7, 7)."""
    ranges: list[list[int]] = []
    for value in sorted(value for value in set(values) if value >= 0):
        if ranges and value == ranges[-1][1] + 1:
            ranges[-1][1] = value
        else:
            ranges.append([value, value])
    return tuple((low, high) for low, high in ranges)


def _with_multiplexers(name: str, signals: dict[str, Signal], problems: list[Problem]) -> list[Signal]:
    """The signals whose multiplexers, and theirs, are there and do not go round in a circle."""
    kept = []
    for signal in signals.values():
        at: Signal | None = signal
        seen: set[str] = set()
        while at is not None and at.multiplexer is not None and at.name not in seen:
            seen.add(at.name)
            at = signals.get(at.multiplexer)
        if at is None or at.multiplexer is not None:
            sentence = f"{name}.{signal.name}: its multiplexer {signal.multiplexer} is left out or its own; left out"
            problems.append(Problem("multiplexer", name, signal.name, sentence, True))
        else:
            kept.append(signal)
    return kept


def _misplaced(message: Message) -> list[Problem]:
    """Signals beyond their message, and pairs that overlap while both are there; what no frame holds."""
    found = []
    most = _MOST if message.is_fd else _CLASSICAL
    if message.length > most:
        sentence = (
            f"{message.name}: its {message.length} bytes come in several frames, which are not put together; frames "
            f"with its own identifier are decoded, of at most {most} bytes"
        )
        found.append(Problem("length", message.name, None, sentence))
    for signal in message.signals:
        never = [] if signal.is_float else sorted({raw for raw, _ in signal.choices} - signal.texts.keys())
        if never:
            low, high = signal.raw_bounds
            sentence = f"{message.name}.{signal.name}: its value table has {never[0]}, raw values are {low}..{high}"
            found.append(Problem("value table", message.name, signal.name, sentence))
    for signal in message.signals:
        if signal.payload_bytes > message.length:
            sentence = (
                f"{message.name}.{signal.name}: needs {signal.payload_bytes} bytes, the message has {message.length}; "
                "null in frames that do not hold it"
            )
            found.append(Problem("beyond message", message.name, signal.name, sentence))
    masks = [(signal, signal.bits) for signal in message.signals]
    for index, (one, mask) in enumerate(masks):
        for other, bits in masks[:index]:
            if mask & bits and not _exclusive(message, one, other):
                sentence = f"{message.name}: {other.name} and {one.name} overlap; both are decoded"
                found.append(Problem("overlap", message.name, one.name, sentence))
    return found


def _exclusive(message: Message, one: Signal, other: Signal) -> bool:
    """Is there a multiplexer value, in the chains of both, that never lets both be there?"""
    here, there = _conditions(message, one), _conditions(message, other)
    for name in here.keys() & there.keys():
        if not any(a <= d and c <= b for a, b in here[name] for c, d in there[name]):
            return True
    return False


def _conditions(message: Message, signal: Signal) -> dict[str, Ranges]:
    found = {}
    while signal.multiplexer is not None:
        found[signal.multiplexer] = signal.multiplexer_ids
        signal = message[signal.multiplexer]
    return found
