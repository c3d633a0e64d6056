"""Columns of MDF bus events into records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray, FrameFlag, payload_length

__all__ = ["GROUPS", "frames_of"]

_DATA, _REMOTE, _ERROR, _OVERLOAD = "CAN_DataFrame", "CAN_RemoteFrame", "CAN_ErrorFrame", "CAN_OverloadFrame"
_FD_LENGTHS = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64], np.uint8)
_CLASS_PROTOCOL, _CLASS_NO_ACK, _CLASS_BUS = 0x08, 0x20, 0x80
_ERROR_KINDS = np.array([0, 0x01, 0x02, 0x04, 0, 0], np.uint8)  # ErrorType: not known, bit, form, stuff, CRC, ACK
_KIND, _OVERLOAD_KIND, _ACK = 2, 0x20, 5
_BAD_CHANNEL = "frame of a channel above 256"
_BAD_ID = "frame with an identifier above its limit"
GROUPS = (_DATA, _REMOTE, _ERROR, _OVERLOAD)
Count = Callable[[str, int], None]


def frames_of(
    name: str, samples: npt.NDArray[np.void], seconds: npt.NDArray[np.float64], epoch_ns: int, count: Count
) -> FrameArray:
    """The frames of one block of records of the group `name`; what is left out is told to `count`."""
    columns = _Columns(samples, name)
    length = columns.get("DataLength")
    flexible = columns.get("EDL")
    if name == _DATA and flexible is None and length is not None:
        flexible = length > 8
    any_fd = flexible is not None and bool(flexible.any())
    frames: FrameArray = np.zeros(len(seconds), FD_FRAME_DTYPE if any_fd else FRAME_DTYPE)
    whole = np.floor(seconds)
    time_ns = whole.astype(np.int64)
    time_ns *= 1_000_000_000
    time_ns += np.rint((seconds - whole) * 1e9).astype(np.int64)
    frames["timestamp_ns"] = time_ns + epoch_ns
    bad = None
    channel = columns.get("BusChannel")
    if channel is not None:
        frames["channel"] = channel - (channel > 0)
        if channel.dtype.itemsize > 1 and int(channel.max()) > 256:
            bad = channel > 256
            count(_BAD_CHANNEL, int(bad.sum()))
    if name in (_DATA, _REMOTE):
        bad = _heads(frames, columns, name == _REMOTE, flexible if any_fd else None, length, bad, count)
    else:
        frames["flags"] = FrameFlag.ERROR_FRAME
        frames["dlc"] = 8
        _errors(frames, name, columns)
    return frames if bad is None else frames[~bad]


def _heads(
    frames: FrameArray,
    columns: _Columns,
    remote: bool,
    flexible: npt.NDArray[Any] | None,
    length: npt.NDArray[Any] | None,
    bad: npt.NDArray[np.bool_] | None,
    count: Count,
) -> npt.NDArray[np.bool_] | None:
    """Identifier, flags, dlc and data; what is bad, with those whose identifier is none."""
    identifier = columns.get("ID")
    if identifier is None:
        identifier = np.zeros(len(frames), np.uint32)
    extended = columns.get("IDE")
    if extended is None:
        extended = (identifier >> 31) & 1
        identifier = identifier & np.uint32(0x7FFF_FFFF)
    frames["arbitration_id"] = identifier
    flags = np.full(len(frames), FrameFlag.REMOTE if remote else 0, np.uint16)
    _mark(flags, extended, FrameFlag.EXTENDED_ID, None)
    _mark(flags, columns.get("Dir"), FrameFlag.TX, None)
    if flexible is not None:
        _mark(flags, flexible, FrameFlag.FD, None)
        _mark(flags, columns.get("BRS"), FrameFlag.BITRATE_SWITCH, flexible)
        _mark(flags, columns.get("ESI"), FrameFlag.ERROR_STATE_INDICATOR, flexible)
    frames["flags"] = flags
    dlc = columns.get("DLC")
    if dlc is None:
        dlc = np.zeros(len(frames), np.uint8) if length is None else _code(length)
    frames["dlc"] = np.where(dlc > 15, _code(dlc), dlc) if int(dlc.max()) > 15 else dlc
    if not remote:
        _payload(frames, columns.data(), length)
    if int(identifier.max()) <= 0x7FF:
        return bad
    wrong = identifier > np.where(extended != 0, np.uint32(0x1FFF_FFFF), np.uint32(0x7FF))
    if not wrong.any():
        return bad
    count(_BAD_ID, int((wrong if bad is None else wrong & ~bad).sum()))
    return wrong if bad is None else wrong | bad


class _Columns:
    """Members of a bus event's structure, of which files leave out some."""

    def __init__(self, samples: npt.NDArray[np.void], name: str) -> None:
        self._samples, self._name = samples, name
        self._members = set(samples.dtype.names or ())

    def get(self, member: str) -> npt.NDArray[Any] | None:
        """One column, or None."""
        name = f"{self._name}.{member}"
        return np.asarray(self._samples[name]) if name in self._members else None

    def data(self) -> npt.NDArray[np.uint8]:
        """Data bytes, shape (n, width)."""
        data = self.get("DataBytes")
        if data is None:
            return np.zeros((len(self._samples), 0), np.uint8)
        return data if data.ndim == 2 else data.reshape(len(self._samples), -1).view(np.uint8)


def _mark(
    flags: npt.NDArray[np.uint16], column: npt.NDArray[Any] | None, flag: int, where: npt.NDArray[Any] | None
) -> None:
    """Set the flag where the column says 1 (and `where` does)."""
    if column is not None and column.any():
        flags[(column != 0) if where is None else (column != 0) & (where != 0)] |= np.uint16(flag)


def _code(length: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """The dlc code of a length in bytes."""
    codes: npt.NDArray[np.intp] = np.searchsorted(_FD_LENGTHS, np.minimum(length, 64))
    return codes


def _payload(frames: FrameArray, data: npt.NDArray[np.uint8], length: npt.NDArray[Any] | None) -> None:
    """Data bytes, as many as the dlc and the length say; the others stay zero."""
    width = min(data.shape[1], frames["data"].shape[1])
    carried = payload_length(frames)
    if length is not None:
        carried = np.minimum(carried, length)
    frames["data"][:, :width] = data[:, :width]
    short = np.flatnonzero(carried < width)
    if len(short):
        rows = frames["data"][short]
        rows[np.arange(rows.shape[1]) >= carried[short, None]] = 0
        frames["data"][short] = rows


def _errors(frames: FrameArray, name: str, columns: _Columns) -> None:
    """Classes and kinds of error and overload frames."""
    if name == _OVERLOAD:
        frames["arbitration_id"] = _CLASS_PROTOCOL
        frames["data"][:, _KIND] = _OVERLOAD_KIND
        return
    stated = columns.get("ErrorType")
    kind = np.zeros(len(frames), np.uint8) if stated is None else np.minimum(stated, _ACK)
    frames["arbitration_id"] = np.where(kind == _ACK, _CLASS_NO_ACK, 0) | _CLASS_PROTOCOL | _CLASS_BUS
    frames["data"][:, _KIND] = _ERROR_KINDS[kind]
