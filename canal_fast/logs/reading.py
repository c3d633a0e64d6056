"""Reading recordings: `LogFile`."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol

import numpy as np

from canal_fast.dataframes import ArrowStream
from canal_fast.dataframes.metadata import interface_rows, schema_metadata
from canal_fast.errors import CanalFastError
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray

from . import _logs
from .format_rows import LIKELY, PERHAPS, LogFormat, by_name, foreign, recognise, refuse
from .interfaces import ID_ORDERS, LogInterface, plain_name
from .layers import open_source
from .room import FIRST, enlarged, widened
from .source import LogSource, Source
from .stream import CHUNK_BYTES, END, FD_IN_CLASSICAL, Stream
from .zones import Zone, find_zone

__all__ = ["BATCH_FRAMES", "LogFile"]

BATCH_FRAMES = 65_536


class _Body(Protocol):
    """What a format gives: `Stream`, or a package's."""

    truncated: bool
    start: dt.datetime | None
    note: str | None

    def read(self, frames: FrameArray) -> tuple[int, int]: ...
    def interfaces(self) -> list[LogInterface]: ...
    def error(self, status: int) -> Exception: ...
    def failure(self) -> Exception | None: ...
    def share(self) -> float: ...
    def close(self) -> None: ...
    @property
    def skipped(self) -> int: ...
    @property
    def skipped_by_kind(self) -> dict[str, int]: ...
    @property
    def lost_bytes(self) -> int: ...


class LogFile:
    """A recording open for reading, as `open_log` returns it.

    Iterate `batches`; `interfaces`, `statistics`, `skipped`, `lost_bytes` and `truncated` tell what was met so
    far, so ask them when the iteration has ended. A forked child goes on from where its parent was; of a pipe, a given
    file object or MDF 4 it reads nothing, ValueError says so.

    Attributes
    ----------
    path : str
    format : str
        The name of the format, as `formats` lists it.
    start : datetime or None
        The wall clock that the recording states as its start, as it stands in the file: without a zone where the
        format has none (ASC, BLF, TRC). None where it states none; times then begin at 0, or are absolute.
    zone_note : str or None
        What is to be said of the start in the zone of `tz`: an hour that occurs twice, or not at all.
    truncated : bool
        The file ends inside a line, block, object, container or compressed stream: the rest of it is missing.
        Everything whole was read.

    Examples
    --------
    >>> with cf.logs.open_log("drive.blf") as log:
    ...     frames = log.read()
    >>> log.format, str(log.start), len(frames)
    ('blf', '2026-01-01 00:00:00', 110)
    >>> [(bus.name, bus.frames) for bus in log.interfaces]
    [('', 110)]
    """

    def __init__(
        self,
        source: LogSource,
        *,
        format: str | None = None,
        tz: Zone = "UTC",
        errors: str = "strict",
        strict: bool = False,
        id_order: str | None = None,
    ) -> None:
        if errors not in ("strict", "skip"):
            raise ValueError(f'errors = {errors!r}, allowed "strict" and "skip"')
        if id_order not in ID_ORDERS:
            raise ValueError(f'id_order = {id_order!r}, allowed None, "little" and "big"')
        zone = find_zone(tz)
        row = None if format is None else by_name(format)
        if row is not None and not row.reads:
            raise ValueError(f"format {format!r} is only written")
        self._strict = strict
        if isinstance(source, (str, os.PathLike)) and os.path.isdir(source):
            self._open_folder(os.fspath(source), row)
            return
        self._source = open_source(source)
        self.path = self._source.name
        try:
            self._body = self._open(row, zone, errors, ID_ORDERS.index(id_order))
        except BaseException:
            self._source.close()
            raise

    def batches(self, max_frames: int = BATCH_FRAMES, fd: bool | None = None) -> Iterator[FrameArray]:
        """The frames in file order, at most `max_frames` at a time.

        Parameters
        ----------
        max_frames : int
        fd : bool, optional
            None, True: arrays of FD_FRAME_DTYPE. False: of FRAME_DTYPE.

        Raises
        ------
        LogFormatError
            The file breaks its format; the frames before that place have come first. With
            `strict`, also when the file is truncated.
        FrameError
            `fd=False`, and the file holds an FD frame.

        Examples
        --------
        >>> with cf.logs.open_log("drive.blf") as log:
        ...     for batch in log.batches(50):
        ...         print(len(batch), batch["timestamp_ns"][0].view("datetime64[ns]"))
        50 2026-01-01T00:00:00.000000000
        50 2026-01-01T00:00:00.450000000
        10 2026-01-01T00:00:00.903000000
        """
        if max_frames < 1:
            raise ValueError(f"max_frames = {max_frames}, allowed 1 and above")
        dtype = FRAME_DTYPE if fd is False else FD_FRAME_DTYPE
        status = 0
        while status != END:
            frames: FrameArray = np.empty(max_frames, dtype)
            made, status = self._body.read(frames)
            if made:
                yield frames[:made]
            if status > 0:
                raise self._body.error(status)
        self._finish()

    def read(self, fd: bool | None = None) -> FrameArray:
        """The rest of the frames as one array; `fd=None` takes the dtype that fits what is there."""
        frames: FrameArray = np.empty(FIRST, FD_FRAME_DTYPE if fd else FRAME_DTYPE)
        made = 0
        while True:
            count, status = self._body.read(frames[made:])
            made += count
            if status == END:
                break
            if status == FD_IN_CLASSICAL and fd is None:
                frames = widened(frames, made)
            elif status > 0:
                raise self._body.error(status)
            elif made == len(frames):
                frames = enlarged(frames, self._body.share())
        frames.resize(made, refcheck=False)
        self._finish()
        return frames

    @property
    def format(self) -> str:
        return self._row.name

    @property
    def start(self) -> dt.datetime | None:
        return self._body.start

    @property
    def zone_note(self) -> str | None:
        return self._body.note

    @property
    def truncated(self) -> bool:
        return self._body.truncated

    @property
    def interfaces(self) -> list[LogInterface]:
        """CAN interfaces met so far."""
        return self._body.interfaces()

    @property
    def names(self) -> dict[int, str]:
        """Channel -> interface name as candump text can take it: no white space, 1 to 63 bytes."""
        return {row.channel: plain_name(row.name, row.channel) for row in self.interfaces}

    @property
    def statistics(self) -> dict[str, dict[str, int | None]]:
        """Interface name -> counters of its last Interface Statistics Block, where there is one."""
        return {row.name: row.statistics for row in self.interfaces if row.statistics is not None}

    @property
    def skipped(self) -> int:
        """Items passed over so far that are no CAN frames: other buses, status lines, CAN XL, payload cut off ..."""
        return self._body.skipped

    @property
    def skipped_by_kind(self) -> dict[str, int]:
        """What they are -> their number; together `skipped`."""
        return self._body.skipped_by_kind

    @property
    def lost_bytes(self) -> int:
        """Bytes passed over so far in search of the next whole object or block."""
        return self._body.lost_bytes

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rest of the frames as a stream that pyarrow, polars, duckdb and others take, in constant memory.

        Columns as of `canal_fast.to_arrow`. `channel` is a dictionary where the recording names its interfaces before
        its first frames end; `timestamp` counts from 1970 where the first frame's does. Errors are the consumer's.
        """

        def metadata(epoch: bool) -> dict[str, str]:
            return schema_metadata(interface_rows(self.interfaces), epoch, {"canal_fast.source": self.format})

        return ArrowStream(self.batches(), lambda: self.names, None, metadata).__arrow_c_stream__()

    def close(self) -> None:
        """Close the file; what was read stays readable."""
        self._body.close()
        self._source.close()

    def __enter__(self) -> LogFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, row: LogFormat | None, zone: dt.tzinfo | None, errors: str, id_order: int) -> _Body:
        buffer = np.empty(CHUNK_BYTES, np.uint8)
        suffix = _suffix(self.path)
        size, ended = 0, False
        found: LogFormat | None = None
        failure: Exception | None = None
        while True:  # a pipe gives little at a time: ask as soon as there is something
            try:
                got = self._source.readinto(buffer.data[size:])
            except (OSError, CanalFastError) as error:
                got, failure = 0, error  # after the frames before it
            size += got
            ended = got == 0
            head = buffer[: min(size, _logs.HEAD)].tobytes()
            sure, found = recognise(head, ended, suffix)
            if ended or row is not None or sure >= LIKELY or size >= _logs.HEAD:
                break
        guessed = row is None and sure <= PERHAPS
        if row is None:
            row = found
        if failure is not None and (row is None or row.index < 0):
            raise failure
        if row is None:
            raise refuse(self.path, head)
        if guessed and foreign(head):
            raise refuse(self.path, head, 1)
        self._row = row
        if row.index < 0:
            return _package_body(row, self._source, buffer[:size].tobytes(), zone, errors == "skip")
        return Stream(
            self._source, row, buffer, size, ended,
            zone=zone, errors=errors, id_order=id_order, failure=failure, guessed=guessed,
        )  # fmt: skip

    def _open_folder(self, path: str, row: LogFormat | None) -> None:
        from .parquet_reading import ParquetFolder

        if row is not None and row.name != "parquet":
            raise ValueError(f"{path} is a folder; format = {row.name!r}, allowed None and 'parquet'")
        self.path, self._source = path, Source(path)
        self._row, self._body = by_name("parquet"), ParquetFolder(path)

    def _finish(self) -> None:
        failure = self._body.failure()
        if failure is not None:
            raise failure
        if self.truncated and self._strict:
            raise self._body.error(END)


def _suffix(path: str) -> str:
    """The end of the name that tells the format: that before .gz, .bz2 or .zst."""
    stem, suffix = os.path.splitext(path)
    return os.path.splitext(stem)[1] if suffix.lower() in (".gz", ".bz2", ".zst") else suffix


def _package_body(row: LogFormat, source: Source, head: bytes, zone: dt.tzinfo | None, skip: bool) -> _Body:
    from importlib import import_module

    module, _, name = row.opener.partition(":")
    opener: Callable[[Source, LogFormat, bytes, dt.tzinfo | None, bool], _Body] = getattr(
        import_module(f".{module}", __package__), name
    )
    return opener(source, row, head, zone, skip)
