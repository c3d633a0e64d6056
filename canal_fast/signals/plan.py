"""`Plan`: chosen signals of a database, ready to decode and encode."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.errors import SignalError
from canal_fast.frames import FrameArray

from . import _signals
from .description import Message, Signal, suggest
from .encoding import encode
from .records import build, has_words
from .tables import DecodeCounts, Options, Table, Tables
from .work import WorkMemory

__all__ = ["Plan", "choose"]

VERSION = 1  # of the description in a pickle


class Plan:
    """What to decode, and how: small, picklable, never changing. `Database.plan` makes one.

    Attributes
    ----------
    messages : tuple of Message
        With the chosen signals.
    digest : str
        SHA-256 of everything that decides a result, for keys of caches and partitions.

    Examples
    --------
    >>> plan = cf.load_database("car.dbc").plan(["Engine"])
    >>> tables = plan.decode(cf.read_log("drive.blf"))
    >>> tables.counts
    DecodeCounts(decoded=100, unknown_id=10, short=0, not_decodable=0)
    >>> frames = plan.encode("Engine", {"speed": [900.0, 910.0], "gear": 1})
    >>> frames["data"][:, :2].tolist()
    [[16, 14], [56, 14]]
    """

    def __init__(self, messages: Sequence[Message], options: Options) -> None:
        from hashlib import sha256  # which brings OpenSSL along

        self.messages = tuple(messages)
        self.options = options
        records, self._dtypes = build(self.messages, options.scaling, options.j1939_nulls, options.dictionary)
        self._tables = _signals.Tables(*records)
        self._firsts = records[0]["first_signal"].tolist()
        needs = records[1]["bytes"]
        self._needs = np.array([max(needs[f : f + len(m.signals)], default=0) for f, m in self._spans()], np.uint8)
        self._numbers = {message.name: number for number, message in enumerate(self.messages)}
        self.checks = dict(options.checks)
        self._specifications = [
            [
                (s.name, dtype.str[1:], s if has_words(s, options.dictionary) else None)
                for s, dtype in zip(message.signals, self._dtypes[first:], strict=False)
            ]
            for first, message in self._spans()
        ]
        self._numbers_memory, self._scratch_memory = WorkMemory(), WorkMemory()
        self.digest = sha256(repr((VERSION, self.messages, options)).encode()).hexdigest()

    def _spans(self) -> Iterator[tuple[int, Message]]:
        return zip(self._firsts, self.messages, strict=True)

    def __repr__(self) -> str:
        count = sum(len(message.signals) for message in self.messages)
        return f"<Plan of {count} signals in {len(self.messages)} messages, {self.digest[:12]}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (VERSION, self.messages, self.options)

    def number(self, message: str) -> int:
        """Place of a message in `messages`.

        Raises
        ------
        SignalError
            There is no such message; close names are offered.
        """
        if message not in self._numbers:
            raise SignalError(f"the plan has no message {message!r}{suggest(message, self._numbers)}")
        return self._numbers[message]

    def dtypes(self, number: int) -> list[np.dtype[np.generic]]:
        """Types of the columns of a message's signals."""
        first = self._firsts[number]
        return self._dtypes[first : first + len(self.messages[number].signals)]

    def specifications(self, number: int) -> list[tuple[str, str, Signal | None]]:
        """Of a message's signals: name, type of the column, and the signal itself where its texts are looked up."""
        return self._specifications[number]

    def first_signal(self, number: int) -> int:
        """Place of a message's first signal among those of all messages."""
        return int(self._firsts[number])

    def decode(self, frames: FrameArray) -> Tables:
        """Frames to a table of columns for each message.

        Parameters
        ----------
        frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)

        Returns
        -------
        Tables
            A mapping of message name to `Table`, of the messages that occurred; `.counts` adds up to n. Rows are in
            the frames' order. A frame that is longer than its message is decoded, one that is shorter has nulls for
            the signals that it does not hold wholly. Remote frames, error frames and STATUS records are not decoded.

        Raises
        ------
        TypeError, ValueError
            The array has another dtype, more than one dimension, or is not contiguous.

        Examples
        --------
        >>> plan = cf.load_database("car.dbc").plan()
        >>> engine = plan.decode(cf.read_log("drive.blf"))["Engine"]
        >>> engine.columns["speed"].max().item()
        1790.0
        """
        count = len(self.messages)
        numbers = self._numbers_memory.take(2 * len(frames))
        which = numbers[: 2 * len(frames)].view(np.uint16)
        counts = np.empty(count + _signals.OTHERS, np.int64)
        shortest = np.empty(count + _signals.OTHERS, np.uint8)
        self._tables.group(frames, which, counts, shortest)
        places = np.empty((count, _signals.MESSAGE_PLACES), np.int64)
        columns = np.empty((len(self._dtypes), _signals.SIGNAL_PLACES), np.int64)
        size, scratch_size = self._tables.layout(counts, shortest, places.reshape(-1), columns.reshape(-1))
        memory, scratch = np.empty(size, np.uint8), self._scratch_memory.take(scratch_size)
        self._tables.decode(frames, which, places.reshape(-1), columns.reshape(-1), memory, scratch)
        short = 0
        for number in np.flatnonzero((shortest[:count] < self._needs) & (counts[:count] > 0)):
            rows, length = int(counts[number]), int(places[number, -1])
            short += int(np.count_nonzero(scratch[length : length + rows] < self._needs[number]))
        self._numbers_memory.give(numbers)
        self._scratch_memory.give(scratch)
        total = DecodeCounts(
            decoded=int(counts[:count].sum()) - short,
            unknown_id=int(counts[count + _signals.UNKNOWN]),
            short=short,
            not_decodable=int(counts[count + _signals.NOT_DECODABLE]),
        )
        return Tables(self, total, places, columns, memory, frames)

    def decode_log(
        self, path: str | os.PathLike[str], max_frames: int = 65_536, **options: Any
    ) -> Iterator[tuple[str, Table]]:
        """Tables of a recording, batch by batch, in constant memory.

        Parameters
        ----------
        path : path-like
        max_frames : int
            Frames in a batch.
        **options
            As for `canal_fast.logs.open_log`.

        Yields
        ------
        (str, Table)
            Message name and table; a message comes again with each batch that has frames of it. `source_row` counts
            from the start of the recording.

        Raises
        ------
        OSError, LogFormatError
            As `canal_fast.logs.open_log` does.

        Examples
        --------
        >>> plan = cf.load_database("car.dbc").plan()
        >>> for name, table in plan.decode_log("drive.blf"):
        ...     print(name, len(table.timestamp_ns))
        Engine 100
        Body 10
        """
        for tables in self.decode_batches(path, max_frames, **options):
            yield from tables.items()

    def decode_batches(
        self, path: str | os.PathLike[str], max_frames: int = 65_536, **options: Any
    ) -> Iterator[Tables]:
        """As `decode_log`, but all tables of a batch at once, with their `counts`.

        Examples
        --------
        >>> plan = cf.load_database("car.dbc").plan()
        >>> for tables in plan.decode_batches("drive.blf", 60):
        ...     print(tables.counts.decoded)
        60
        50
        """
        from canal_fast.logs import open_log

        start = 0
        with open_log(path, **options) as log:
            for frames in log.batches(max_frames):
                tables = self.decode(frames)
                tables.shift(start)
                start += len(frames)
                yield tables

    def encode(
        self,
        message: str,
        columns: Mapping[str, npt.ArrayLike] | Table | None = None,
        *,
        timestamp_ns: npt.ArrayLike = 0,
        channel: npt.ArrayLike = 0,
        count: int | None = None,
        saturate: bool = False,
        padding: int = 0,
    ) -> FrameArray:
        """Columns to frames of one message.

        Parameters
        ----------
        message : str
        columns : mapping of signal name to array, or Table, optional
            Physical values (raw ones of a plan with `scaling=False`), a number or one for each row. None, a masked
            element or a null of a Table gives the signal's initial value, and so does a signal that is not given.
            Texts are looked up in the signal's value table.
        timestamp_ns, channel : int or array of int
        count : int, optional
            Number of frames, where nothing else tells it.
        saturate : bool
            True: values outside a signal's range become its nearest end (NaN never does).
        padding : 0 or 1
            Bits that no signal has.

        Returns
        -------
        array of FRAME_DTYPE, or of FD_FRAME_DTYPE where the message is CAN FD
            Raw values are (value - offset) / scale to the nearest whole number, ties to even. A multiplexed signal
            is written where its multiplexer says so, and nowhere else.

        Raises
        ------
        SignalError
            An unknown message, signal or text; a value that its signal cannot hold (with `.signal` and `.row`).
        ValueError
            Columns of different lengths.

        Examples
        --------
        >>> plan = cf.load_database("car.dbc").plan()
        >>> frames = plan.encode("Engine", {"speed": [900.0, 910.0]}, timestamp_ns=[0, 10_000_000])
        >>> plan.decode(frames)["Engine"].columns["speed"].tolist()
        [900.0, 910.0]
        """
        return encode(
            self, self.number(message), columns, timestamp_ns, channel, count, saturate=saturate, padding=padding
        )

    def encode_payloads(
        self, number: int, columns: list[tuple[Any, Any, bool, int]], count: int, saturate: bool, padding: int
    ) -> tuple[npt.NDArray[np.uint8], int, int, int]:
        """Payloads of message `number`, one a row, and the kernel's (status, row, signal)."""
        width = 8 if all(signal.payload_bytes <= 8 for signal in self.messages[number].signals) else 64
        payloads = np.empty((count, width), np.uint8)
        fill = 0xFF if padding else 0
        return payloads, *self._tables.encode(number, columns, count, saturate, fill, payloads.reshape(-1))


def _restored(version: int, messages: tuple[Message, ...], options: Options) -> Plan:
    if version != VERSION:
        raise SignalError(
            f"the plan was pickled by another version of canal_fast (format {version}, this one has {VERSION}); "
            "make it again from its database"
        )
    return Plan(messages, options)


def choose(
    messages: Sequence[Message],
    wanted_messages: Sequence[str] | None,
    wanted_signals: Sequence[str] | None,
    refused: Mapping[tuple[str, str], str],
) -> list[Message]:
    """The messages with the signals that are wanted, and the multiplexers of those.

    Names are exact, or patterns with * ? [ ]; a signal's may be "Message.Signal". `refused` has what is wrong with the
    signals that no plan has.
    """
    names = _pick("message", wanted_messages, [m.name for m in messages], {})
    chosen = [m for m in messages if m.name in names]
    if wanted_signals is None:
        return chosen
    full = [f"{m.name}.{s.name}" for m in chosen for s in m.signals]
    troubles = {f"{m}.{s}": sentence for (m, s), sentence in refused.items() if m in names}
    kept = _pick("signal", wanted_signals, full, troubles)
    found = []
    for message in chosen:
        signals = {s.name for s in message.signals if f"{message.name}.{s.name}" in kept}
        for signal in message.signals:
            at: Signal = signal
            while signal.name in signals and at.multiplexer is not None:
                signals.add(at.multiplexer)
                at = message[at.multiplexer]
        if signals:
            found.append(replace(message, signals=tuple(s for s in message.signals if s.name in signals)))
    return found


def _pick(what: str, wanted: Sequence[str] | None, known: list[str], troubles: Mapping[str, str]) -> set[str]:
    """Of the names known those wanted; a signal's last part alone will do."""
    if wanted is None:
        return set(known)
    if isinstance(wanted, str):
        raise TypeError(f"{what}s must be a sequence of names, not one string: [{wanted!r}]")
    picked: set[str] = set()
    for name in wanted:
        new = {full for full in known if _matches(full, name)}
        if not new:
            for full, sentence in troubles.items():
                if _matches(full, name):
                    raise SignalError(sentence)
            short = [full.partition(".")[2] if "." not in name else full for full in known]
            offered = suggest(name, short if what == "signal" else known)
            raise SignalError(f"the database has no {what} {name!r}{offered}")
        picked |= new
    return picked


def _matches(full: str, name: str) -> bool:
    """Is `name` this "Message.Signal" or its last part, or a pattern of one of them?"""
    last = full.partition(".")[2]
    return name in (full, last) or fnmatch.fnmatchcase(full, name) or bool(last and fnmatch.fnmatchcase(last, name))
