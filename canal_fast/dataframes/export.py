"""Frames as Arrow's consumers take them: `to_arrow`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from canal_fast._arrow import array_capsule, schema_capsule, stream_capsule
from canal_fast.arrow import Column
from canal_fast.frames import FrameArray, contiguous

from .columns import BATCH_FRAMES, EMPTY, OFFSET_LIMIT, batch_of, is_dated, struct_of
from .metadata import interface_rows, schema_metadata

__all__ = ["ArrowFrames", "ArrowStream", "to_arrow"]

NO_NAMES: Mapping[int, str] = {}


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
        names: Callable[[], Mapping[int, str]] = lambda: NO_NAMES,
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
        table = struct_of(*EMPTY, self._names(), epoch, metadata, 0)
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
                done, table = batch_of(part, self.offset_limit, self._names() if named else NO_NAMES, epoch, metadata)
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
        return schema_capsule(struct_of(*EMPTY, self.names, self.epoch, self.metadata, 0))

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        done, table = batch_of(self.frames, self.offset_limit, self.names, self.epoch, self.metadata)
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
