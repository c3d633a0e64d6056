"""Frames to Arrow, pandas and polars, and back."""

from __future__ import annotations

import dataclasses
import importlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast._arrow import array_capsule, join, schema_capsule, split, stream_capsule
from canal_fast.arrow import TIMESTAMP_NS, Column, binary_column, column, dictionary_column, struct_column
from canal_fast.errors import FrameError
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray, FrameFlag, copied

__all__ = ["ArrowFrames", "ArrowStream", "from_arrow", "is_dated", "to_arrow", "to_pandas", "to_polars"]

Array = npt.NDArray[Any]
BATCH_FRAMES = 1 << 20
OFFSET_LIMIT = (1 << 31) - 1
"""Bytes of payload that the 32-bit offsets of one batch reach."""
SCHEMA_VERSION = 1
COLUMNS = ("timestamp", "arbitration_id", "flags", "channel", "dlc", "data")
_TYPES = ("i8", "u4", "u2", "u1", "u1")  # of all but data
_DATED_NS = 10**17  # 1973: what is earlier counts from a start that nobody knows
_EMPTY = (tuple(np.empty(0, kind) for kind in _TYPES), np.zeros(1, np.int32), np.empty(0, np.uint8))
_NO_NAMES: Mapping[int, str] = {}


def is_dated(timestamp_ns: Array) -> npt.NDArray[np.bool_]:
    """Which time stamps are dates. Those before 1973-03-03 (1e17 ns) count from a start that nobody knows.

    Parameters
    ----------
    timestamp_ns : array of i8, shape (n,)

    Returns
    -------
    array of bool, shape (n,)

    Examples
    --------
    >>> cf.dataframes.is_dated(np.array([0, 1_767_225_600_000_000_000])).tolist()
    [False, True]
    """
    return timestamp_ns >= _DATED_NS


class ArrowStream:
    """Batches of frames that Arrow's consumers take as one table, each batch once.

    Parameters
    ----------
    batches : iterable of arrays of FRAME_DTYPE or FD_FRAME_DTYPE
        Asked for as the consumer goes on; an exception there becomes the consumer's.
    names : callable
        The channels' names known so far, asked with every batch.
    epoch : bool or None
        None: whether the first frame's time stamp is a date decides.
    metadata : callable
        What the schema says beside the columns, given `epoch`.

    Examples
    --------
    >>> import pyarrow
    >>> stream = cf.dataframes.ArrowStream(cf.logs.batches("drive.blf"))
    >>> pyarrow.table(stream).num_rows
    110
    """

    def __init__(
        self,
        batches: Iterable[FrameArray],
        names: Callable[[], Mapping[int, str]] = lambda: _NO_NAMES,
        epoch: bool | None = True,
        metadata: Callable[[bool], Mapping[str, str]] = lambda epoch: {},
    ) -> None:
        self._batches, self._names, self._epoch, self._metadata = batches, names, epoch, metadata
        self.offset_limit = OFFSET_LIMIT

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        batches = iter(self._batches)
        first = next(batches, None)  # tells what the schema depends on
        epoch = self._epoch
        if epoch is None:
            epoch = first is None or not len(first) or bool(is_dated(first["timestamp_ns"][:1])[0])
        metadata = self._metadata(epoch)
        table = _struct(*_EMPTY, self._names(), epoch, metadata, 0)
        return stream_capsule(table, self._columns(first, batches, epoch, bool(self._names()), metadata))

    def _columns(
        self,
        first: FrameArray | None,
        batches: Iterator[FrameArray],
        epoch: bool,
        named: bool,
        metadata: Mapping[str, str],
    ) -> Iterator[Column]:
        while first is not None:
            at = 0
            while at < len(first):
                part = first[at : at + BATCH_FRAMES]
                done, table = _split(part, self.offset_limit, self._names() if named else _NO_NAMES, epoch, metadata)
                at += done
                yield table
            first = next(batches, None)


class ArrowFrames:
    """Frames as Arrow's consumers take them, as often as they like: what `to_arrow` returns.

    The frames are borrowed until a consumer has them; what it then holds is its own.

    Attributes
    ----------
    frames : array
    metadata : dict of str to str
        Of the schema.
    offset_limit : int
        Bytes of payload in one batch; more make further batches.

    Examples
    --------
    >>> stream = cf.to_arrow(cf.make_frames([1, 2, 3]), metadata={"vehicle": "42"})
    >>> len(stream.frames), stream.metadata["vehicle"]
    (3, '42')
    """

    def __init__(self, frames: FrameArray, names: Mapping[int, str], epoch: bool, metadata: Mapping[str, str]) -> None:
        self.frames, self.names, self.epoch, self.metadata = frames, dict(names), epoch, dict(metadata)
        self.offset_limit = OFFSET_LIMIT

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        return f"<ArrowFrames: {len(self)} frames>"

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        stream = ArrowStream([self.frames], lambda: self.names, self.epoch, lambda epoch: self.metadata)
        stream.offset_limit = self.offset_limit
        return stream.__arrow_c_stream__()

    def __arrow_c_schema__(self) -> object:
        return schema_capsule(_struct(*_EMPTY, self.names, self.epoch, self.metadata, 0))

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        done, table = _split(self.frames, self.offset_limit, self.names, self.epoch, self.metadata)
        if done < len(self.frames):
            raise ValueError(
                f"frames[{done}]: the payload before it has all of the {self.offset_limit} bytes that one Arrow array "
                "reaches; take the frames as a stream (pyarrow.table, polars.DataFrame), or in parts"
            )
        return schema_capsule(table), array_capsule(table)


def to_arrow(
    frames: FrameArray,
    *,
    interfaces: Any = None,
    epoch: bool = True,
    metadata: Mapping[str, Any] | None = None,
) -> ArrowFrames:
    """Frames as an object that pyarrow, polars, duckdb, pandas and nanoarrow take; nothing else is needed here.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        Borrowed: it may be read-only or memory-mapped. One with gaps (`frames[::2]`) is copied.
    interfaces : mapping, or iterable of LogInterface, optional
        Names and bit rates of the channels, as `write_log` takes them. With names the column `channel` is a
        dictionary of them; a channel without one is called can0, can1, ... by its number.
    epoch : bool
        True: time stamps count from 1970 and become timestamp[ns, UTC]. False: they stay int64.
    metadata : mapping, optional
        Goes into the schema's metadata: texts as they are, everything else (a ledger, a clock) as JSON.

    Returns
    -------
    ArrowFrames
        With `__arrow_c_stream__`, `__arrow_c_array__` and `__arrow_c_schema__`. Columns: timestamp, arbitration_id
        (uint32), flags (uint16), channel (uint8, or dictionary), dlc (uint8), data (binary, trimmed to the payload).
        Each consumer gets columns made in one pass, in batches of at most 1,048,576 rows.

    Raises
    ------
    TypeError, ValueError
        Another dtype, more than one dimension; interfaces as `write_log` refuses them.

    Examples
    --------
    >>> import pyarrow
    >>> table = pyarrow.table(cf.to_arrow(cf.read_log("drive.blf"), interfaces={0: "engine"}))
    >>> table.num_rows, table.column_names
    (110, ['timestamp', 'arbitration_id', 'flags', 'channel', 'dlc', 'data'])
    """
    frames = contiguous(frames)
    rows = interface_rows(interfaces)
    return ArrowFrames(
        frames, {number: name for number, name, _ in rows}, epoch, schema_metadata(rows, epoch, metadata)
    )


def contiguous(frames: FrameArray) -> FrameArray:
    """The frames without gaps, copied where there are some.

    Raises
    ------
    TypeError, ValueError
        No array of frames, or not of one dimension.
    """
    if not isinstance(frames, np.ndarray) or frames.dtype not in (FRAME_DTYPE, FD_FRAME_DTYPE):
        found = frames.dtype if isinstance(frames, np.ndarray) else type(frames).__name__
        raise TypeError(f"frames must be an array of FRAME_DTYPE or FD_FRAME_DTYPE, not {found}")
    if frames.ndim != 1:
        raise ValueError(f"frames must have one dimension, not {frames.ndim}")
    return frames if frames.flags.c_contiguous else copied(frames)


def interface_rows(interfaces: Any) -> list[tuple[int, str, int | None]]:
    """(channel, name, bit rate) of what `write_log` takes as interfaces."""
    if interfaces is None:
        return []
    found: dict[int, tuple[str, int | None]] = {}
    pairs = interfaces.items() if isinstance(interfaces, Mapping) else ((row.channel, row) for row in interfaces)
    for number, row in pairs:
        if hasattr(row, "name"):  # a LogInterface: not every format names them
            name, bitrate = row.name or f"can{number}", row.bitrate
        else:
            name, bitrate = (row, None) if isinstance(row, str) else row
        if not 0 <= number <= 255:
            raise ValueError(f"interfaces: channel {number}, allowed 0..255")
        if not isinstance(name, str) or not name:
            raise ValueError(f"interfaces[{number}]: name {name!r}, allowed a text that is not empty")
        found.setdefault(number, (name, bitrate))
    return [(number, *row) for number, row in sorted(found.items())]


def schema_metadata(
    rows: list[tuple[int, str, int | None]], epoch: bool, more: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """What the schema says beside the columns."""
    found = {"canal_fast.schema": str(SCHEMA_VERSION), "canal_fast.clock": "epoch" if epoch else "not epoch"}
    if rows:
        channels = [{"channel": number, "name": name, "bitrate": rate} for number, name, rate in rows]
        found["canal_fast.channels"] = json.dumps(channels)
    for key, value in (more or {}).items():
        found[key] = value if isinstance(value, str) else json.dumps(value, default=_plain)
    return found


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, np.generic):
        return value.item()
    return dict(value) if isinstance(value, Mapping) else str(value)


def _split(
    frames: FrameArray, limit: int, names: Mapping[int, str], epoch: bool, metadata: Mapping[str, str]
) -> tuple[int, Column]:
    """The frames that one batch holds, and the batch."""
    rows = len(frames)
    numbers = tuple(np.empty(rows, kind) for kind in _TYPES)
    offsets = np.empty(rows + 1, np.int32)
    data = np.empty(rows * frames.dtype["data"].itemsize, np.uint8)
    done, channel = split(frames, limit, (*numbers, offsets, data))
    if not done and rows:
        raise ValueError(f"frames[0] has more payload than the {limit} bytes that one batch may hold")
    columns = tuple(values[:done] for values in numbers)
    return done, _struct(columns, offsets[: done + 1], data, names, epoch, metadata, channel)


def _struct(
    numbers: tuple[Array, ...],
    offsets: Array,
    data: Array,
    names: Mapping[int, str],
    epoch: bool,
    metadata: Mapping[str, str],
    channel: int,
) -> Column:
    """One batch; `channel` is the highest there."""
    columns = [
        column(name, values, form=TIMESTAMP_NS if epoch and name == "timestamp" else None)
        for name, values in zip(COLUMNS, numbers, strict=False)
    ]
    if names:
        texts = [names.get(number, f"can{number}") for number in range(max(channel, *names) + 1)]
        columns[3] = dictionary_column("channel", numbers[3], texts)
    columns.append(binary_column("data", offsets, data))
    return struct_column(columns, len(offsets) - 1, metadata)


def from_arrow(table: Any, fd: bool | None = None, *, interfaces: Any = None) -> FrameArray:
    """Frames out of a table with the columns that `to_arrow` makes (needs pyarrow).

    Parameters
    ----------
    table : object with `__arrow_c_stream__`, or anything else that `pyarrow.table` takes
        Columns timestamp (of any unit, or integers: nanoseconds), arbitration_id, flags, channel, dlc, data, in any
        order and of any width that holds them; others are passed over.
    fd : bool, optional
        None: FD_FRAME_DTYPE where a frame needs it, else FRAME_DTYPE.
    interfaces : mapping, or iterable of LogInterface, optional
        Numbers of the channels' names, where the schema's metadata got lost (polars keeps none).

    Returns
    -------
    array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        Channel names become the numbers that `interfaces` or the schema's metadata give them, else the number that
        ends the name where it is free, else the lowest free ones.

    Raises
    ------
    ImportError
        pyarrow is not installed.
    ValueError
        A column is missing, has another type, nulls or values out of range.
    FrameError
        A payload that is not as long as flags and dlc say (with `.index`), or an FD frame with `fd=False`.

    Examples
    --------
    >>> import pyarrow
    >>> table = pyarrow.table(cf.to_arrow(cf.make_frames([1, 2, 3], b"hello")))
    >>> cf.from_arrow(table)["arbitration_id"].tolist()
    [1, 2, 3]
    """
    arrow = imported("pyarrow", "from_arrow", "canal_fast[arrow]")
    table = table if isinstance(table, arrow.Table) else arrow.table(table)
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise ValueError(f"the table has no column {', '.join(missing)}; needed are {', '.join(COLUMNS)}")
    numbers = tuple(
        _channels(arrow, table, interface_rows(interfaces)) if name == "channel" else _numbers(arrow, table, name, kind)
        for name, kind in zip(COLUMNS, _TYPES, strict=False)
    )
    flags, dlc = numbers[2], numbers[4]
    wide = bool((flags & FrameFlag.FD).any())
    if fd is False and wide:
        index = int(np.flatnonzero(flags & FrameFlag.FD)[0])
        raise FrameError(f"row {index} is a CAN FD frame, which fd=False does not hold", index=index)
    if (bad := np.flatnonzero(dlc > 15)).size:
        raise FrameError(f"row {bad[0]}: dlc = {dlc[bad[0]]}, allowed 0..15", index=int(bad[0]))
    frames: FrameArray = np.empty(table.num_rows, FD_FRAME_DTYPE if fd or wide else FRAME_DTYPE)
    at = 0
    for chunk in _cast(arrow, table, "data", arrow.binary()).chunks:
        if len(chunk):
            rows = slice(at, at + len(chunk))
            _, offsets, data = chunk.buffers()
            offsets = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
            payload = np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)
            columns = tuple(values[rows] for values in numbers)
            done = join((*columns, offsets, payload), frames[rows])
            if done < len(chunk):
                index = at + done
                length = int(offsets[done + 1]) - int(offsets[done])
                raise FrameError(
                    f"row {index}: data has {length} bytes, which dlc {dlc[index]} with "
                    f"{FrameFlag(int(flags[index]))!r} does not carry",
                    index=index,
                )
        at += len(chunk)
    return frames


def _cast(arrow: Any, table: Any, name: str, kind: Any) -> Any:
    values = table[name]
    if values.null_count:
        raise ValueError(f"column {name} has {values.null_count} nulls; every frame needs a value")
    try:
        return values.cast(kind)
    except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError) as error:
        raise ValueError(f"column {name} ({values.type}) does not become {kind}: {error}") from None


def _numbers(arrow: Any, table: Any, name: str, kind: str) -> Array:
    """A column as numpy numbers."""
    values = table[name]
    if arrow.types.is_timestamp(values.type) and name == "timestamp":
        values = _cast(arrow, table, name, arrow.timestamp("ns", tz=values.type.tz)).cast(arrow.int64())
    else:
        values = _cast(arrow, table, name, arrow.from_numpy_dtype(np.dtype(kind)))
    return np.ascontiguousarray(values.to_numpy())


def _channels(arrow: Any, table: Any, rows: list[tuple[int, str, int | None]]) -> Array:
    """The column channel as numbers."""
    values = table["channel"]
    if arrow.types.is_integer(values.type):
        return _numbers(arrow, table, "channel", "u1")
    if not arrow.types.is_dictionary(values.type):
        values = _cast(arrow, table, "channel", arrow.string()).dictionary_encode()
    elif values.null_count:
        _cast(arrow, table, "channel", values.type)
    metadata = (table.schema.metadata or {}).get(b"canal_fast.channels", b"[]")
    known = {row["name"]: int(row["channel"]) for row in json.loads(metadata.decode())}
    known |= {name: number for number, name, _ in rows}
    parts = [(chunk.dictionary.to_pylist(), chunk.indices.to_numpy(zero_copy_only=False)) for chunk in values.chunks]
    names = dict.fromkeys(words[code] for words, codes in parts for code in np.unique(codes).tolist())
    numbers = _assigned(list(names), known)
    found = [np.array([numbers.get(word, 0) for word in words], np.uint8)[codes] for words, codes in parts]
    return np.concatenate([np.empty(0, np.uint8), *found])


def _assigned(names: list[str], known: Mapping[str, int]) -> dict[str, int]:
    """Channel numbers of names."""
    found = {name: known[name] for name in names if name in known}
    taken = {*known.values()}
    for name in names:
        ending = name[len(name.rstrip("0123456789")) :]
        if name not in found and ending and int(ending) < 256 and int(ending) not in taken:
            found[name] = int(ending)
            taken.add(found[name])
    free = (number for number in range(256) if number not in taken)
    for name in names:
        if name not in found:
            number = next(free, None)
            if number is None:
                raise ValueError(f"column channel has more than 256 names; {name!r} is one too many")
            found[name] = number
            taken.add(number)
    return found


def to_pandas(frames: FrameArray, index: str | None = "time", *, interfaces: Any = None, epoch: bool = True) -> Any:
    """Frames as a pandas DataFrame (needs pandas).

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    index : "time" or None
        "time": the column timestamp becomes the index. None: rows are numbered.
    interfaces, epoch
        As for `to_arrow`; channel names become a category.

    Returns
    -------
    pandas.DataFrame
        `data` holds a bytes object a frame, the one column that costs memory for each row.

    Raises
    ------
    ImportError, TypeError, ValueError

    Examples
    --------
    >>> table = cf.to_pandas(cf.read_log("drive.blf"))
    >>> table["arbitration_id"].value_counts().to_dict()
    {256: 100, 512: 10}
    >>> table.index[0]
    Timestamp('2026-01-01 00:00:00+0000', tz='UTC')
    """
    if index not in ("time", None):
        raise ValueError(f"index = {index!r}, allowed 'time' and None")
    pandas = imported("pandas", "to_pandas")
    arrow = to_arrow(frames, interfaces=interfaces, epoch=epoch)
    frames = arrow.frames
    columns: dict[str, Any] = {name: frames[name].copy() for name in COLUMNS[1:5]}
    if arrow.names:
        highest = max(*arrow.names, int(frames["channel"].max(initial=0)))
        names = [arrow.names.get(number, f"can{number}") for number in range(highest + 1)]
        columns["channel"] = pandas.Categorical.from_codes(frames["channel"].astype(np.int16), names)
    columns["data"] = _payloads(frames)
    times = frames["timestamp_ns"].copy()
    stamps = pandas.DatetimeIndex(times.view("datetime64[ns]"), tz="UTC") if epoch else pandas.Index(times)
    if index is None:
        return pandas.DataFrame({"timestamp": stamps, **columns})
    return pandas.DataFrame(columns, index=stamps.rename("timestamp"))


def _payloads(frames: FrameArray) -> Array:
    found = np.empty(len(frames), object)
    for at in range(0, len(frames), BATCH_FRAMES):
        part = frames[at : at + BATCH_FRAMES]
        offsets = np.empty(len(part) + 1, np.int32)
        data = np.empty(len(part) * frames.dtype["data"].itemsize, np.uint8)
        split(part, OFFSET_LIMIT, (*(np.empty(len(part), kind) for kind in _TYPES), offsets, data))
        text, ends = data.tobytes(), offsets.tolist()
        for row, (begin, end) in enumerate(itertools.pairwise(ends), at):
            found[row] = text[begin:end]
    return found


def to_polars(frames: FrameArray, *, interfaces: Any = None, epoch: bool = True) -> Any:
    """Frames as a polars DataFrame (needs polars, and nothing else).

    Parameters
    ----------
    frames, interfaces, epoch
        As for `to_arrow`.

    Returns
    -------
    polars.DataFrame
        The columns of `to_arrow`.

    Raises
    ------
    ImportError, TypeError, ValueError

    Examples
    --------
    >>> table = cf.to_polars(cf.read_log("drive.blf"))
    >>> table.shape, table["dlc"].max()
    ((110, 6), 8)
    """
    return imported("polars", "to_polars").DataFrame(to_arrow(frames, interfaces=interfaces, epoch=epoch))


def imported(package: str, what: str, extra: str | None = None) -> Any:
    """A package that only `what` needs.

    Raises
    ------
    ImportError
        It is not installed; the message says how to get it.
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        raise ImportError(f"{what} needs {package}: pip install '{extra or package}'") from None
