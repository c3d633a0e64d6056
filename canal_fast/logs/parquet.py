"""Folders of Parquet: data sets that many recordings go into, partitioned by date and channel."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from canal_fast.dataframes import is_dated, to_arrow
from canal_fast.extras import imported
from canal_fast.frames import FrameArray, chosen

from .zones import Zone

__all__ = ["MARKS", "ParquetAccount", "Partitions", "by_date", "source_digest", "to_parquet"]

VERSION = 1
MARKS = "_canal_fast"
"""Folder in a data set with one file for each source: NAME.json when it is whole, NAME.part before."""
ROW_GROUP = 1 << 17
_DAY_NS = 86_400 * 10**9
_OPEN_FILES = 64
_CHUNK = 1 << 20


@dataclass(frozen=True)
class ParquetAccount:
    """What went into a folder of Parquet; accounts of several sources add.

    Attributes
    ----------
    frames : int
        Frames read.
    rows : int
        Rows written: one a frame; of signals one a frame of each message.
    undated : int
        Rows among them whose time stamps are no dates, in date=undated.
    skipped : int
        Items of the recordings that are no frames.
    files : tuple of str
        Paths in the folder.

    Examples
    --------
    >>> account = cf.logs.to_parquet("drive.blf", "lake")
    >>> account.frames, account.rows, account.undated
    (110, 110, 0)
    """

    frames: int = 0
    rows: int = 0
    undated: int = 0
    skipped: int = 0
    files: tuple[str, ...] = ()

    def __add__(self, other: ParquetAccount) -> ParquetAccount:
        if not isinstance(other, ParquetAccount):
            return NotImplemented
        return ParquetAccount(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    def __radd__(self, other: object) -> ParquetAccount:
        return self if other == 0 else NotImplemented  # sum() begins with 0


def to_parquet(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    format: str | None = None,
    tz: Zone = "UTC",
    errors: str = "strict",
) -> ParquetAccount:
    """Put the frames of a recording into a folder of Parquet files (needs pyarrow), which may hold others.

    Files are called date=2026-11-26/channel=can0/DIGEST-0.parquet after the recording's content, and appear when all of
    them are whole: repeating a call changes nothing, and one that was interrupted can be repeated. Columns are those of
    `canal_fast.to_arrow`, the channel's name in the path; row groups have 131,072 rows. Frames earlier than 1973 have
    no date and go to date=undated. `read_log` takes the folder.

    Parameters
    ----------
    source : path-like
    folder : path-like
        Is made where it is not there.
    format, tz, errors
        As for `open_log`.

    Returns
    -------
    ParquetAccount

    Raises
    ------
    ImportError
        pyarrow is not installed.
    OSError, LogFormatError
        As `open_log` and `LogFile.batches`; nothing of the recording is in the folder then.

    Examples
    --------
    >>> account = cf.logs.to_parquet("drive.blf", "lake")
    >>> account.files[0][:29]
    'date=2026-01-01/channel=can0/'
    >>> len(cf.read_log("lake"))
    110
    """
    from . import open_log

    digest = source_digest(source, "frames", format, str(tz), errors)
    with Partitions(folder, digest, "frames") as out:
        if out.whole is not None:
            return out.whole
        frames = 0
        with open_log(source, format=format, tz=tz, errors=errors) as log:
            for batch in log.batches():
                frames += len(batch)
                _add(out, batch, {row.channel: (row.name, row.bitrate) for row in log.interfaces})
            skipped = log.skipped
        return out.finish(frames, skipped)


def _add(out: Partitions, batch: FrameArray, interfaces: dict[int, tuple[str, int | None]]) -> None:
    for channel in np.unique(batch["channel"]).tolist():
        part = chosen(batch, batch["channel"] == channel)
        name, bitrate = interfaces.get(channel, ("", None))
        name = out.channel_name(channel, name or f"can{channel}")
        about = {"canal_fast.channel": str(channel), "canal_fast.name": name}
        if bitrate:
            about["canal_fast.bitrate"] = str(bitrate)
        for date, rows in by_date(part["timestamp_ns"]):
            table = out.arrow.table(to_arrow(part[rows], metadata=about)).drop_columns(["channel"])
            out.add((f"date={date}", f"channel={quote(name, safe='')}"), table)


def by_date(timestamp_ns: Any) -> Iterator[tuple[str, Any]]:
    """(date or "undated", which rows) of time stamps."""
    days = np.where(is_dated(timestamp_ns), timestamp_ns // _DAY_NS, -1)
    for day in np.unique(days).tolist():
        yield "undated" if day < 0 else str(np.datetime64(day, "D")), days == day


def source_digest(path: str | os.PathLike[str], *plan: object) -> str:
    """Of a file's content and of what is done with it.

    Raises
    ------
    TypeError
        No path: what can be read only once cannot be named before.
    OSError
        It cannot be read.
    """
    if not isinstance(path, (str, os.PathLike)) or path == "-":
        raise TypeError(f"source = {path!r}: a folder of Parquet takes recordings by path")
    digest = hashlib.blake2b(repr((VERSION, *plan)).encode(), digest_size=10)
    with open(path, "rb", buffering=0) as file:
        while part := file.read(_CHUNK):
            digest.update(part)
    return digest.hexdigest()


class Partitions:
    """The files of one source in a data set, one for each partition; a context."""

    def __init__(self, folder: str | os.PathLike[str], digest: str, kind: str) -> None:
        self.arrow = imported("pyarrow", "writing Parquet", "canal_fast[arrow]")
        self._parquet = imported("pyarrow.parquet", "writing Parquet", "canal_fast[arrow]")
        self._folder, self._digest, self._kind = Path(folder), digest, kind
        self._mark = self._folder / MARKS / f"{digest}.json"
        self._writers: OrderedDict[tuple[str, ...], _File] = OrderedDict()
        self._parts: dict[tuple[str, ...], int] = {}
        self._files: list[Path] = []
        self._rows = self._undated = 0
        self._names: dict[str, int] = {}

    def __enter__(self) -> Partitions:
        self._mark.parent.mkdir(parents=True, exist_ok=True)
        if self.whole is None:
            self._mark.with_suffix(".part").write_text("")
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(Exception):
            self._close()
        for path in self._files:
            _beside(path).unlink(missing_ok=True)
        self._mark.with_suffix(".part").unlink(missing_ok=True)

    @property
    def whole(self) -> ParquetAccount | None:
        """The account of an earlier call whose files are all there."""
        try:
            account = json.loads(self._mark.read_text())["account"]
            found = ParquetAccount(**{**account, "files": tuple(account["files"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if all((self._folder / name).is_file() for name in found.files) else None

    def channel_name(self, channel: int, name: str) -> str:
        """The name, made another where another channel of the source has it."""
        return name if self._names.setdefault(name, channel) == channel else f"{name}_{channel}"

    def add(self, key: tuple[str, ...], table: Any) -> None:
        """Rows of a partition, whose folders are `key`."""
        if key not in self._writers:
            if len(self._writers) == _OPEN_FILES:
                self._writers.popitem(last=False)[1].close()
            self._writers[key] = self._open(key, table.schema)
        self._writers.move_to_end(key)
        self._writers[key].add(table)
        self._rows += table.num_rows
        self._undated += table.num_rows * (key[0] == "date=undated")

    def finish(self, frames: int, skipped: int) -> ParquetAccount:
        """Let all files appear, then the mark that they are whole."""
        self._close()
        for path in self._files:
            os.replace(_beside(path), path)
        names = tuple(path.relative_to(self._folder).as_posix() for path in self._files)
        account = ParquetAccount(frames, self._rows, self._undated, skipped, names)
        part = self._mark.with_suffix(".part")
        part.write_text(json.dumps({"version": VERSION, "kind": self._kind, "account": vars(account)}, indent=1))
        os.replace(part, self._mark)
        return account

    def _open(self, key: tuple[str, ...], schema: Any) -> _File:
        number = self._parts[key] = self._parts.get(key, -1) + 1
        path = self._folder.joinpath(*key) / f"{self._digest}-{number}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._files.append(path)
        metadata = {**(schema.metadata or {}), b"canal_fast.kind": self._kind.encode()}
        return _File(self.arrow, self._parquet, _beside(path), schema.with_metadata(metadata))

    def _close(self) -> None:
        while self._writers:
            self._writers.popitem()[1].close()


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


class _File:
    """One file being written, row group by row group."""

    def __init__(self, arrow: Any, parquet: Any, path: Path, schema: Any) -> None:
        self._arrow, self._schema = arrow, schema
        self._writer = parquet.ParquetWriter(
            path,
            schema,
            compression="zstd",
            use_dictionary=[name for name in schema.names if name not in ("timestamp", "data")],
            column_encoding={"timestamp": "DELTA_BINARY_PACKED"},
        )
        self._waiting: list[Any] = []
        self._count = 0

    def add(self, table: Any) -> None:
        self._waiting.append(table.cast(self._schema))
        self._count += table.num_rows
        while self._count >= ROW_GROUP:
            self._write(ROW_GROUP)

    def _write(self, count: int) -> None:
        table = self._arrow.concat_tables(self._waiting)
        self._writer.write_table(table.slice(0, count), row_group_size=ROW_GROUP)
        self._waiting = [table.slice(count)]
        self._count -= count

    def close(self) -> None:
        if self._count:
            self._write(self._count)
        self._writer.close()
