"""MDF 4 bus logging, through asammdf: whole columns of a group at a time."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from canal_fast.errors import CanalFastError, FrameError, LogFormatError
from canal_fast.frames import FrameArray

from . import _logs
from .format_rows import LogFormat
from .interfaces import LogInterface
from .mf4_blocks import Finish, Patched, check_blocks
from .mf4_columns import GROUPS, Block, Merged, merged
from .source import Source, refuse_forked
from .stream import END, FD_IN_CLASSICAL
from .zones import epoch_of, wall_clock

__all__ = ["Mf4"]

_BLOCK = 1 << 18  # records that are taken out of a group at a time
_MISSING = 8  # records at the end of a cut file whose data may be missing
_OTHER_BUSES = (("LIN_", "LIN"), ("ETH_", "Ethernet"), ("FLX_", "FlexRay"))  # channel of a group that has no CAN frames
_VARIABLE_LENGTH = 1  # flag of a group that holds another one's data bytes
_LOCAL_TIME = 1  # flag of the header: its start is a wall clock without a zone


class _Source:
    """Source in the shape of a file object, after the bytes that were looked at."""

    def __init__(self, head: bytes, source: Source) -> None:
        self._head, self._source = head, source

    def read(self, size: int) -> bytes:
        part, self._head = self._head[:size], self._head[size:]
        return part or self._source.read(size)


class Mf4:
    """One MDF file being read; `LogFile` holds it."""

    def __init__(self, source: Source, row: LogFormat, head: bytes, zone: dt.tzinfo | None, skip: bool) -> None:
        try:
            from asammdf import MDF
        except ImportError:
            raise CanalFastError(
                f"{source.name}: reading MDF 4 needs a package: pip install 'canal_fast[{row.extra}]'"
            ) from None
        self.truncated = False
        self.lost_bytes = 0
        self._name = source.name
        self._process = os.getpid()
        self._reader = _logs.ColumnReader()
        self._failure: Exception | None = None
        self._file = _spool(head, source) if source.path is None else open(source.path, "rb")  # noqa: SIM115
        try:
            finish = check_blocks(self._file)
            if finish.cut is not None:
                self.truncated = True
                self._failure = None if skip else self._damage(finish.cut)  # after the frames before it
            self._file.seek(0)
            self._mdf: Any = cast(Any, MDF)(self._input(source, finish), process_bus_logging=False)
            start_ns = int(self._mdf.header.abs_time)
            local = cast(Any, self._mdf.header).time_flags & _LOCAL_TIME
        except Exception as error:  # links that lead nowhere, and what asammdf's parsing stumbles over
            self._file.close()
            raise self._damage(error) from error
        self._epoch_ns, self.note = epoch_of(start_ns, zone) if local else (start_ns, None)
        self.start: dt.datetime | None = wall_clock(start_ns) if local else wall_clock(start_ns).replace(tzinfo=dt.UTC)
        self._others = self._other_groups()
        self._blocks = self._all_blocks()
        self._block: Block | Merged | None = None
        self._made = self._records = 0

    def read(self, frames: FrameArray) -> tuple[int, int]:
        """As `Stream.read`."""
        refuse_forked(self._name, self._process)
        made = 0
        while made < len(frames):
            if self._block is None or self._block.done:
                try:
                    with contextlib.redirect_stdout(io.StringIO()):  # asammdf prints its speed every ten seconds
                        self._block = next(self._blocks, None)
                except Exception as error:
                    self._failure = self._failure or (None if self.truncated else self._damage(error))
                    return made, END
                if self._block is None:
                    return made, END
            status, count = self._block.read(self._reader, self._epoch_ns, frames, made)
            made += count
            self._made += count
            if status:
                return made, status
        return made, 0

    def interfaces(self) -> list[LogInterface]:
        return [
            LogInterface("", channel, None, frames, None) for _, channel, _, frames, *_ in self._reader.interfaces()
        ]

    @property
    def skipped(self) -> int:
        return self._reader.skipped + sum(self._others.values())

    @property
    def skipped_by_kind(self) -> dict[str, int]:
        return self._reader.kinds() | self._others

    def failure(self) -> Exception | None:
        return self._failure

    def share(self) -> float:
        """As `Stream.share`."""
        return min((self._made + self._reader.skipped) / max(self._records, 1), 1.0)

    def error(self, status: int) -> Exception:
        if status == FD_IN_CLASSICAL:
            return FrameError(
                f"{self._name}: an FD frame does not fit a classical (24-byte) record; read it with fd=True"
            )
        return LogFormatError(f"{self._name}: the file is cut short", path=self._name)

    def close(self) -> None:
        self._mdf.close()
        self._file.close()

    def _damage(self, error: Exception) -> Exception:
        if isinstance(error, (LogFormatError, MemoryError)):
            return error
        what = str(error) or type(error).__name__
        return LogFormatError(f"{self._name}: the MDF file is damaged or cut short: {what}", path=self._name)

    def _input(self, source: Source, finish: Finish) -> object:
        """What asammdf reads from, without mapping it into memory; what it has to finish, it copies."""
        if finish.patches:
            return Patched(self._file, finish.patches)
        return source.path if source.path is not None and finish.open else self._file

    def _other_groups(self) -> dict[str, int]:
        """Records of groups that hold no CAN frames, by kind."""
        taken = {group for name in GROUPS for group, _ in self._mdf.channels_db.get(name, ())}
        kinds: dict[str, int] = {}
        for number, group in enumerate(self._mdf.groups):
            records = int(group.channel_group.cycles_nr)
            if number in taken or group.channel_group.flags & _VARIABLE_LENGTH or not records:
                continue
            names = [channel.name for channel in group.channels]
            kind = next((kind for begin, kind in _OTHER_BUSES if any(name.startswith(begin) for name in names)), None)
            kind = kind or "record of a group without CAN frames"
            kinds[kind] = kinds.get(kind, 0) + records
        return kinds

    def _all_blocks(self) -> Iterator[Block | Merged]:
        """The records of all groups; several are merged by time, each keeping its order."""
        groups = [(name, group) for name in GROUPS for group, _ in self._mdf.channels_db.get(name, ())]
        self._records = sum(int(self._mdf.groups[group].channel_group.cycles_nr) for _, group in groups)
        if len(groups) == 1:
            yield from self._group(*groups[0])
        else:
            yield from merged([self._frames(*row) for row in groups])

    def _frames(self, name: str, group: int) -> Iterator[FrameArray]:
        """The frames of one of several groups."""
        for block in self._group(name, group):
            frames = block.frames(self._reader, self._epoch_ns)
            if len(frames):
                yield frames

    def _group(self, name: str, group: int) -> Iterator[Block]:
        total = int(self._mdf.groups[group].channel_group.cycles_nr)
        widths = getattr(getattr(self._mdf, "_mdf", None), "vlsd_max_length", {})
        for channel in self._mdf.groups[group].channels:  # as wide as a block's longest: all would be read for it
            widths[(group, channel.name)] = 0
        for first in range(0, total, _BLOCK):
            count = min(_BLOCK, total - first)
            signal, error = self._get(name, group, first, count)
            if len(signal.samples):
                yield Block.of(name, signal.samples, signal.timestamps)
            if error is not None:
                raise error
            if len(signal.samples) != count:
                found = first + len(signal.samples)
                what = f"group {group} ({name}) holds {found} of the {total} records that it states"
                raise LogFormatError(f"{self._name}: {what}", path=self._name)

    def _get(self, name: str, group: int, first: int, count: int) -> tuple[Any, Exception | None]:
        """So many records; fewer, with the error, where the bytes that the last ones refer to are missing."""
        reason: Exception | None = None
        for missing in range(min(_MISSING, count)):
            some = missing or count < self._mdf.groups[group].channel_group.cycles_nr
            part = {"record_offset": first, "record_count": count - missing} if some else {}  # the whole costs less
            try:
                signal = self._mdf.get(name, group=group, raw=True, ignore_invalidation_bits=True, **part)
            except Exception as error:
                reason = reason or error
            else:
                return signal, reason
        raise reason or LogFormatError(f"{self._name}: group {group} is empty", path=self._name)


def _spool(head: bytes, source: Source) -> BinaryIO:
    """asammdf seeks: what cannot goes into a file that has no name."""
    file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115
    shutil.copyfileobj(cast(BinaryIO, _Source(head, source)), file)
    return file
