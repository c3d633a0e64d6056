"""Frame records: the dtypes, their flags, and how to make some.

Examples
--------
>>> cf.FRAME_DTYPE.names
('timestamp_ns', 'arbitration_id', 'flags', 'channel', 'dlc', 'data')
>>> cf.FRAME_DTYPE.itemsize, cf.FD_FRAME_DTYPE.itemsize
(24, 80)
>>> frames: cf.FrameArray = np.zeros(3, cf.FRAME_DTYPE)  # an array to receive into
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import canal_fast._frames as _frames
from canal_fast._gate import FD_FRAME_DTYPE, FRAME_DTYPE, SENTENCES
from canal_fast.errors import FrameError

__all__ = ["FD_FRAME_DTYPE", "FRAME_DTYPE", "FrameArray", "FrameFlag", "check_frames", "make_frames", "payload_length"]

FrameArray = npt.NDArray[np.void]
"""Array of FRAME_DTYPE or FD_FRAME_DTYPE."""

_FD_LENGTHS = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64])
_WHOLE = np.dtype((np.void, FD_FRAME_DTYPE.itemsize))
_REST = FD_FRAME_DTYPE.itemsize - FRAME_DTYPE.itemsize
_PARTS = np.dtype([("classical", np.void, FRAME_DTYPE.itemsize), ("rest", np.void, _REST)])  # of an FD record


class FrameFlag(enum.IntFlag):
    """Bits of the `flags` field. The low nibble has CANAL's own values.

    Examples
    --------
    >>> frames = cf.make_frames([0x123, 0x18FEF100], flags=[0, cf.FrameFlag.EXTENDED_ID])
    >>> (frames["flags"] & cf.FrameFlag.EXTENDED_ID != 0).tolist()
    [False, True]
    >>> cf.FrameFlag(0x11)
    <FrameFlag.EXTENDED_ID|BITRATE_SWITCH: 17>
    """

    EXTENDED_ID = 0x0001
    REMOTE = 0x0002
    STATUS = 0x0004
    FD = 0x0008
    BITRATE_SWITCH = 0x0010
    ERROR_STATE_INDICATOR = 0x0020
    TX = 0x0040
    ERROR_FRAME = 0x0080
    GAP = 0x0100
    CLOCK_STEP = 0x0200


def payload_length(frames: FrameArray) -> npt.NDArray[np.uint8]:
    """Bytes of payload that each frame carries.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)

    Returns
    -------
    array of u1, shape (n,)
        0 for remote frames; min(dlc, 8) for classical frames; the CAN FD table
        (ISO 11898-1:2015, table 5) for FD frames.

    Raises
    ------
    TypeError, ValueError
        The array has another dtype, more than one dimension, or is not contiguous.

    Examples
    --------
    >>> cf.payload_length(cf.make_frames(0x123, [b"", b"hello"])).tolist()
    [0, 5]
    >>> cf.payload_length(cf.make_frames(0x123, b"hello", dlc=9, fd=True)).tolist()  # code 9: 12 bytes
    [12]
    """
    lengths = np.empty(len(frames), np.uint8)
    _frames.payload_lengths(frames, lengths)
    return lengths


def check_frames(frames: FrameArray) -> None:
    """Raise `FrameError` for the first record that no controller could send.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)

    Raises
    ------
    FrameError
        With `.index`. STATUS and ERROR_FRAME records count as such: they are not frames on the wire.

    Examples
    --------
    >>> frames = cf.make_frames([1, 2, 3])
    >>> frames["arbitration_id"][1] = 0x800
    >>> cf.check_frames(frames)
    Traceback (most recent call last):
        ...
    canal_fast.errors.FrameError: frames[1]: arbitration_id does not fit the identifier: ...
    """
    _refuse(frames, *_frames.check(frames))


def check_records(frames: FrameArray) -> None:
    """Raise `FrameError` for the first record that no recording could hold.

    Raises
    ------
    FrameError
        With `.index`: an identifier above 0x7FF without EXTENDED_ID (or ERROR_FRAME, STATUS) or above 0x1FFFFFFF
        with it, a dlc above 15, or flags beyond `FrameFlag`.
    """
    _refuse(frames, *_frames.check(frames, kept=True))


def _refuse(frames: FrameArray, status: int, index: int) -> None:
    if status:
        row = frames[index]
        wide = int(row["flags"]) & (FrameFlag.EXTENDED_ID | FrameFlag.ERROR_FRAME)
        detail = {
            "arbitration_id": f"{int(row['arbitration_id']):#x}, allowed 0..{0x1FFFFFFF if wide else 0x7FF:#x}"
            + ("" if wide else " (flags=FrameFlag.EXTENDED_ID allows 29 bits)"),
            "dlc": f"{int(row['dlc'])}, allowed 0..15",
            "flags": f"{FrameFlag(int(row['flags']))!r}",
        }
        sentence = SENTENCES[status]
        field = next((name for name in ("arbitration_id", "dlc") if sentence.startswith(name)), "flags")
        raise FrameError(f"frames[{index}]: {sentence}: {field} = {detail[field]}", index=index)


def make_frames(
    arbitration_id: npt.ArrayLike,
    data: bytes | bytearray | memoryview | Sequence[bytes] | npt.NDArray[np.uint8] = b"",
    dlc: npt.ArrayLike | None = None,
    flags: npt.ArrayLike = 0,
    timestamp_ns: npt.ArrayLike = 0,
    channel: npt.ArrayLike = 0,
    fd: bool = False,
) -> FrameArray:
    r"""Make an array of frame records; every argument is broadcast to a common length.

    Parameters
    ----------
    arbitration_id : int or array of int
        11 bits, or 29 where `flags` has EXTENDED_ID.
    data : bytes, sequence of bytes, or u1 array of shape (n, k)
        One payload for all frames, or one each.
    dlc : int or array of int, optional
        Raw data length code, 0..15. Default: the smallest that holds the payload.
    flags : FrameFlag or array of int
    timestamp_ns, channel : int or array of int
    fd : bool
        False: classical records (FRAME_DTYPE, 24 bytes). True: FD_FRAME_DTYPE (80 bytes), with the
        FD flag set on every frame that is not remote; mixed arrays are made by clearing it.

    Returns
    -------
    array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)

    Raises
    ------
    FrameError
        An identifier, dlc, payload or combination of flags that no controller could send, or a
        payload that its dlc does not hold.
    ValueError
        Arguments of different lengths.

    Examples
    --------
    >>> frames = cf.make_frames([0x100, 0x200], [b"\x01\x02", b"\x03"])
    >>> frames["dlc"].tolist()
    [2, 1]
    >>> ten = cf.make_frames(0x100, b"hello", timestamp_ns=np.arange(10) * 1_000_000)
    >>> len(ten), ten["timestamp_ns"][-1].item()
    (10, 9000000)
    >>> cf.make_frames(0x18FEF100, b"\xff" * 8, flags=cf.FrameFlag.EXTENDED_ID)["arbitration_id"][0].item()
    419361024
    """
    capacity = 64 if fd else 8
    payload, sizes = _payloads(data, capacity)
    ids = _integers("arbitration_id", arbitration_id, 0, 0x1FFFFFFF)
    flag_values = _integers("flags", flags, 0, 0xFFFF)
    channels = _integers("channel", channel, 0, 255)
    times = np.atleast_1d(np.asarray(timestamp_ns, np.int64))
    codes = None if dlc is None else _integers("dlc", dlc, 0, 15)
    shapes = [a.shape for a in (ids, flag_values, channels, times, sizes)] + ([] if codes is None else [codes.shape])
    try:
        (count,) = np.broadcast_shapes(*shapes)
    except ValueError:
        names = ["arbitration_id", "flags", "channel", "timestamp_ns", "data", "dlc"]
        lengths = ", ".join(f"{name} {size}" for name, (size,) in zip(names, shapes, strict=False) if size != 1)
        raise ValueError(
            f"arguments of different lengths: {lengths}; one, or as many as the others, is allowed"
        ) from None
    frames: FrameArray = np.zeros(count, FD_FRAME_DTYPE if fd else FRAME_DTYPE)
    frames["timestamp_ns"] = times
    frames["arbitration_id"] = ids
    frames["flags"] = flag_values
    frames["channel"] = channels
    if fd:
        frames["flags"] |= np.where(flag_values & FrameFlag.REMOTE, 0, FrameFlag.FD).astype(np.uint16)
    frames["dlc"] = np.searchsorted(_FD_LENGTHS, sizes) if codes is None else codes
    frames["data"][:, : payload.shape[1]] = payload
    on_wire = np.flatnonzero(frames["flags"] & (FrameFlag.STATUS | FrameFlag.ERROR_FRAME) == 0)
    check_frames(chosen(frames, on_wire) if on_wire.size < count else frames)
    too_long = np.flatnonzero(sizes > payload_length(frames))
    if too_long.size:
        index = int(too_long[0])
        row, size = frames[index], int(np.broadcast_to(sizes, count)[index])
        raise FrameError(
            f"frames[{index}]: data has {size} bytes, but dlc {int(row['dlc'])} with "
            f"{FrameFlag(int(row['flags']))!r} carries {int(payload_length(frames)[index])}",
            index=index,
        )
    return frames


def copy_records(frames: FrameArray, out: FrameArray) -> None:
    """Copy records over as many others: into wider ones with zeros behind, into narrower ones what these hold.

    numpy copies records without fields whole, all others field by field, which takes five times as long.
    """
    if frames.dtype == out.dtype:
        _whole(out)[:] = _whole(frames)
    elif out.dtype == FD_FRAME_DTYPE:
        out.view(_PARTS)["classical"] = _whole(frames)
        out.view(_PARTS)["rest"] = b""
    else:
        _whole(out)[:] = frames.view(_PARTS)["classical"]


def copied(frames: FrameArray) -> FrameArray:
    """The same records one behind the other in memory of their own."""
    out: FrameArray = np.empty(len(frames), frames.dtype)
    copy_records(frames, out)
    return out


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


def joined(arrays: Sequence[FrameArray]) -> FrameArray:
    """A new array of all; of FD_FRAME_DTYPE where one of them is."""
    wide = {array.dtype == FD_FRAME_DTYPE for array in arrays}
    out: FrameArray = np.empty(sum(map(len, arrays)), FD_FRAME_DTYPE if True in wide else FRAME_DTYPE)
    if len(wide) == 1:
        np.concatenate([_whole(array) for array in arrays], out=_whole(out))
        return out
    first = 0
    for array in arrays:
        copy_records(array, out[first : first + len(array)])
        first += len(array)
    return out


def chosen(frames: FrameArray, which: npt.NDArray[Any]) -> FrameArray:
    """`frames[which]` of a mask or of indexes; take() copies whole records, [] field by field."""
    # To intp as frames[which] does: take alone refuses int64 where pointers have 32 bits.
    return frames.take(np.flatnonzero(which) if which.dtype == np.bool_ else which.astype(np.intp, copy=False))


def _whole(frames: FrameArray) -> npt.NDArray[np.void]:
    return frames.view(_PARTS["classical"] if frames.dtype == FRAME_DTYPE else _WHOLE)


def _integers(name: str, values: npt.ArrayLike, low: int, high: int) -> npt.NDArray[np.int64]:
    array = np.atleast_1d(np.asarray(values))
    if array.dtype.kind not in "iub" and array.size:
        raise TypeError(f"{name} must be an integer or an array of integers, not {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"{name} must be a number or have one dimension, not {array.ndim}")
    bad = np.flatnonzero((array < low) | (array > high))
    if bad.size:
        index, limit = int(bad[0]), f"{high:#x}" if high > 255 else high
        raise FrameError(f"frames[{index}]: {name} = {int(array[index])}, allowed {low}..{limit}", index=index)
    return array.astype(np.int64)


def _payload(index: int, item: object) -> bytes:
    if not isinstance(item, (bytes, bytearray, memoryview, np.ndarray)):  # bytes(3) would be three zeros
        raise TypeError(f"data[{index}] must be bytes, the payload of one frame, not {type(item).__name__}")
    return bytes(item)


def _payloads(data: object, capacity: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Payloads as a (n or 1, width) array, and their lengths."""
    if isinstance(data, np.ndarray):
        if data.dtype != np.uint8 or data.ndim not in (1, 2):
            raise TypeError(f"data must be a u1 array of shape (n, k), not {data.dtype} of {data.ndim} dimensions")
        rows = np.atleast_2d(data)
        sizes = np.full(len(rows), rows.shape[1], np.int64)
    else:
        if isinstance(data, (bytes, bytearray, memoryview)):
            items = [bytes(data)]
        elif isinstance(data, Sequence) and not isinstance(data, str):
            items = [_payload(index, item) for index, item in enumerate(data)]
        else:
            raise TypeError(f"data must be bytes, a sequence of bytes or a u1 array, not {type(data).__name__}")
        sizes = np.fromiter(map(len, items), np.int64, len(items))
        width = int(sizes.max(initial=0))
        rows = np.frombuffer(b"".join(item.ljust(width, b"\0") for item in items), np.uint8).reshape(len(items), width)
    too_long = np.flatnonzero(sizes > capacity)
    if too_long.size:
        index = int(too_long[0])
        raise FrameError(f"frames[{index}]: data has {int(sizes[index])} bytes, allowed 0..{capacity}", index=index)
    return rows, sizes
