"""Writing MDF 4 bus logging through asammdf: whole columns of a group at a time."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import warnings
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from canal_fast.errors import CanalFastError
from canal_fast.frames import FrameArray, FrameFlag, check_records, chosen, payload_length

from . import _account
from .account import Account, Screen
from .files import create, name_of
from .format_rows import by_name
from .zones import Zone, find_zone, wall_start

__all__ = ["Mf4Writer"]

_BASE = [("BusChannel", "u1"), ("ID", "u4"), ("IDE", "u1"), ("DLC", "u1"), ("DataLength", "u1"), ("Dir", "u1")]
_FLEXIBLE = [("EDL", "u1"), ("BRS", "u1"), ("ESI", "u1")]
_MEMBERS: dict[str, list[tuple[Any, ...]]] = {  # groups, by what tells them apart here
    "CAN_DataFrame": [*_BASE, ("DataBytes", "u1", 8)],
    "CAN_DataFrame FD": [*_BASE, *_FLEXIBLE, ("DataBytes", "u1", 64)],
    "CAN_RemoteFrame": _BASE,
    "CAN_ErrorFrame": [("BusChannel", "u1"), ("ErrorType", "u1")],
    "CAN_OverloadFrame": [("BusChannel", "u1")],
}
_SECOND = 10**9


class Mf4Writer:
    """Writes frames to a new MDF 4 file, which is there when it is closed: nothing of it survives a kill.

    Used as `Recorder` is. asammdf keeps the columns in a temporary file until then.
    """

    failed = False

    def __init__(self, path: str | os.PathLike[str] | BinaryIO, *, tz: Zone = "UTC", strict: bool = False) -> None:
        self._row = by_name("mf4")
        self.path = name_of(path)
        if not isinstance(path, (str, os.PathLike)) or path == "-":
            raise ValueError(f"{self.path}: {self._row.title} is written to files only: it needs to seek")
        try:
            from asammdf import MDF
        except ImportError:
            raise CanalFastError(
                f"{self.path}: writing MDF 4 needs a package: pip install 'canal_fast[{self._row.extra}]'"
            ) from None
        self._zone = find_zone(tz)
        self._screen = Screen(self._row, False, strict, self.path)
        self._mdf: Any = MDF(version="4.10")
        self._groups: dict[str, int] = {}
        self._start: tuple[int, int | None] | None = None
        self._channel_frames: npt.NDArray[np.int64] = np.zeros(256, np.int64)
        self._file = create(os.fspath(path))  # held until the end

    @property
    def account(self) -> Account:
        """What became of the frames that were given."""
        return self._screen.account

    def describe(self, channel: int, name: str, bitrate: int | None = None) -> None:
        """Bus logging has no place for names."""
        self._screen.name(channel, name)

    def channel_frames(self, channel: int) -> int:
        """Frames of one channel so far."""
        return int(self._channel_frames[channel])

    def write(self, frames: FrameArray) -> None:
        """Append frames; errors as those of `Recorder.write`."""
        check_records(frames)
        if self._start is None and len(frames):
            self._start = wall_start(int(frames["timestamp_ns"].min()), self._zone, self._row.dated_ns)
            self._screen.start(self._start[0])
        frames = self._screen.keep(frames)
        self._channel_frames += np.bincount(frames["channel"], minlength=256)
        flags, data = frames["flags"], frames["data"]
        error = flags & FrameFlag.ERROR_FRAME != 0
        overload = error & (frames["arbitration_id"] == _account.PROTOCOL)
        overload &= data[:, _account.KIND] == _account.KIND_OVERLOAD
        remote = ~error & (flags & FrameFlag.REMOTE != 0)
        flexible = ~error & ~remote & (flags & FrameFlag.FD != 0)
        for name, wanted in (
            ("CAN_DataFrame", ~(error | remote | flexible)),
            ("CAN_DataFrame FD", flexible),
            ("CAN_RemoteFrame", remote),
            ("CAN_ErrorFrame", error & ~overload),
            ("CAN_OverloadFrame", overload),
        ):
            if wanted.any():
                self._append(name, chosen(frames, wanted))

    def close(self) -> None:
        """Save the file. May be called twice."""
        if self._file.closed:
            return
        saved = f"{self.path}.mf4"  # asammdf gives every file this suffix
        try:
            start_ns = self._start[0] if self._start else 0
            epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
            self._mdf.header.start_time = epoch + dt.timedelta(microseconds=start_ns // 1000)
            self._mdf.header.abs_time = start_ns  # asammdf makes it of a double, which steps by 256 ns
            with contextlib.redirect_stdout(io.StringIO()):  # asammdf prints its speed every ten seconds
                self._mdf.save(saved, overwrite=True)
            self._file.close()  # Windows replaces no open file
            os.replace(saved, self.path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(saved)
            self.discard()

    def discard(self) -> None:
        """Give up what was not saved."""
        self._mdf.close()
        self._file.close()

    def __enter__(self) -> Mf4Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close() if kind is None else self.discard()

    def _append(self, name: str, frames: FrameArray) -> None:
        """More records of a group, which is made if it is new."""
        group = name.partition(" ")[0]
        samples, seconds = _samples(name, group, frames), self._seconds(frames)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of asammdf's own calls
            if name in self._groups:
                self._mdf.extend(self._groups[name], [(seconds, None), (samples, None)])
                return
            from asammdf import Signal, Source

            bus = Source("CAN", "CAN", "", source_type=Source.SOURCE_BUS, bus_type=Source.BUS_TYPE_CAN)
            self._groups[name] = self._mdf.append(Signal(samples, seconds, name=group, source=bus), comment=group)

    def _seconds(self, frames: FrameArray) -> npt.NDArray[np.float64]:
        offsets = frames["timestamp_ns"] - (self._start[0] if self._start else 0)
        sizes = np.abs(offsets)
        seconds: npt.NDArray[np.float64] = np.sign(offsets) * (sizes // _SECOND + sizes % _SECOND / 1e9)
        return seconds


def _samples(name: str, group: str, frames: FrameArray) -> npt.NDArray[np.void]:
    """The members of a group's structure."""
    rows = np.zeros(len(frames), [(f"{group}.{member}", *kind) for member, *kind in _MEMBERS[name]])

    def put(member: str, values: npt.NDArray[Any]) -> None:
        if f"{group}.{member}" in (rows.dtype.names or ()):
            rows[f"{group}.{member}"] = values

    flags, data = frames["flags"], frames["data"]
    put("BusChannel", frames["channel"] + 1)
    if "ErrorType" in (member for member, *_ in _MEMBERS[name]):
        kind = data[:, _account.KIND]
        unacknowledged = frames["arbitration_id"] & _account.NO_ACK != 0
        conditions = [unacknowledged, *(kind & bit != 0 for bit in _account.KINDS_OF_MDF)]
        put("ErrorType", np.select(conditions, [5, 1, 2, 3], 0))
        return rows
    put("ID", frames["arbitration_id"])
    put("IDE", flags & FrameFlag.EXTENDED_ID != 0)
    put("DLC", frames["dlc"])
    put("DataLength", payload_length(frames))
    put("Dir", flags & FrameFlag.TX != 0)
    put("EDL", flags & FrameFlag.FD != 0)
    put("BRS", flags & FrameFlag.BITRATE_SWITCH != 0)
    put("ESI", flags & FrameFlag.ERROR_STATE_INDICATOR != 0)
    if f"{group}.DataBytes" in (rows.dtype.names or ()):
        width = rows[f"{group}.DataBytes"].shape[1]
        rows[f"{group}.DataBytes"][:, : min(width, data.shape[1])] = data[:, :width]
    return rows
