"""How long frames take on the bus. Public as `canal_fast.wire`."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
import numpy.typing as npt

from canal_fast.arguments import number
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray, FrameFlag, copy_records

from . import _wire
from .codec import refuse

Mode = Literal["exact", "unstuffed", "worst_case"]

_MODES: tuple[Mode, ...] = ("exact", "unstuffed", "worst_case")  # in the order of cf_length_mode
_PARTS = np.dtype([("nominal", "i4"), ("data", "i4")])
_IDS = np.dtype([("arbitration_id", "u4"), ("extended", "?")])
_MOST_CELLS = 1 << 26
_SOME = 8192  # frames, which caches hold
_FIRST_IDS = 256

Bits = npt.NDArray[np.int32]


@overload
def frame_length_bits(
    frames: FrameArray, mode: Mode = "exact", intermission: bool = True, parts: Literal[False] = False
) -> npt.NDArray[np.int32]: ...
@overload
def frame_length_bits(
    frames: FrameArray, mode: Mode = "exact", intermission: bool = True, *, parts: Literal[True]
) -> npt.NDArray[np.void]: ...
def frame_length_bits(
    frames: FrameArray, mode: Mode = "exact", intermission: bool = True, parts: bool = False
) -> npt.NDArray[np.int32] | npt.NDArray[np.void]:
    """Bits that each frame takes, from SOF to the last EOF bit.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    mode : {"exact", "unstuffed", "worst_case"}
        "exact" counts the stuff bits of identifier, data and CRC that are there. "unstuffed" counts no dynamic stuff
        bit (CAN FD's fixed ones belong to the frame). "worst_case" is the bound over all identifiers and payloads of
        this shape: with intermission 55 + 10 n bits for n bytes, extended 80 + 10 n; for CAN FD floor((r - 2) / 4)
        dynamic stuff bits among the r bits from SOF to the last data bit.
    intermission : bool
        Add the 3 bits that follow each frame.
    parts : bool
        Split by bit rate: a structured array with the fields `nominal` and `data`. The bits from ESI to the CRC
        delimiter of a frame with BITRATE_SWITCH are data, all others nominal.

    Returns
    -------
    array of i4, shape (n,), or of the fields above

    Raises
    ------
    FrameError
        A record that no controller could send, with its `.index`.
    ValueError
        Another mode.

    Examples
    --------
    >>> frames = cf.make_frames(0x123, [b"", bytes(8)])
    >>> cf.wire.frame_length_bits(frames).tolist()
    [48, 125]
    >>> cf.wire.frame_length_bits(frames, "worst_case").tolist()
    [55, 135]
    """
    if mode not in _MODES:
        raise ValueError(f"mode = {mode!r}, allowed {', '.join(map(repr, _MODES))}")
    nominal, data = _lengths(frames, mode, intermission, parts)
    if not parts:
        return nominal
    both = np.empty(len(frames), _PARTS)
    both["nominal"], both["data"] = nominal, 0 if data is None else data
    return both


def _lengths(frames: FrameArray, mode: Mode, intermission: bool, parts: bool) -> tuple[Bits, Bits | None]:
    """Bits at the nominal and, with `parts`, at the data rate (None: there are none, or all are in the first)."""
    nominal = np.empty(len(frames), np.int32)
    extra = _wire.INTERMISSION_BITS if intermission else 0
    if mode == "exact" and (not parts or _all_classical(frames)):
        _exact_lengths(frames, extra, nominal)
        return nominal, None
    data = np.empty(len(frames), np.int32) if parts else None
    refuse(frames, *_wire.lengths(frames, _MODES.index(mode), extra, nominal, data))
    return nominal, data


def _exact_lengths(frames: FrameArray, extra: int, nominal: Bits) -> None:
    """Fill `nominal`; what is classical as classical records, for which there is a faster kernel."""
    if getattr(frames, "dtype", None) != FD_FRAME_DTYPE or not _all_classical(frames):
        refuse(frames, *_wire.exact_lengths(frames, extra, nominal))
        return
    some: FrameArray = np.empty(min(len(frames), _SOME), FRAME_DTYPE)
    for first in range(0, len(frames), _SOME):
        part = some[: len(frames) - first]
        copy_records(frames[first : first + _SOME], part)
        status, index = _wire.exact_lengths(part, extra, nominal[first : first + _SOME])
        refuse(frames, status, first + index)


def _all_classical(frames: FrameArray) -> bool:
    """No frame is FD; False, too, for what is no array of frames in a row, which the kernels refuse."""
    if getattr(frames, "dtype", None) != FD_FRAME_DTYPE:
        return getattr(frames, "dtype", None) == FRAME_DTYPE
    return bool(frames.flags.c_contiguous and not np.bitwise_or.reduce(frames["flags"]) & FrameFlag.FD)


def stuff_bit_count(frames: FrameArray) -> npt.NDArray[np.int32]:
    r"""Dynamic stuff bits of each frame; those at fixed places in CAN FD do not count.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)

    Returns
    -------
    array of i4, shape (n,)

    Raises
    ------
    FrameError
        A record that no controller could send, with its `.index`.

    Examples
    --------
    >>> cf.wire.stuff_bit_count(cf.make_frames(0x123, [b"\x55" * 8, bytes(8)])).tolist()
    [1, 14]
    """
    counts = np.empty(len(frames), np.int32)
    refuse(frames, *_wire.stuff_bits(frames, counts))
    return counts


def frame_duration_ns(frames: FrameArray, bitrate: float, data_bitrate: float | None = None) -> npt.NDArray[np.int64]:
    """Exact bus time of each frame with its intermission, to the nearest nanosecond.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    bitrate : float
        Nominal, bit/s.
    data_bitrate : float, optional
        bit/s of the data phase; needed when a frame has BITRATE_SWITCH.

    Returns
    -------
    array of i8, shape (n,)
        ns.

    Raises
    ------
    FrameError
        A record that no controller could send, with its `.index`.
    ValueError
        A bit rate outside 1..1e12, or `data_bitrate` missing.

    Examples
    --------
    >>> cf.wire.frame_duration_ns(cf.make_frames(0x123, [b"", bytes(8)]), 500_000).tolist()
    [96000, 250000]
    """
    for name, rate in (("bitrate", bitrate), ("data_bitrate", data_bitrate)):
        if rate is not None:
            number(name, rate)
        if rate is not None and not 1 <= rate <= 1e12:
            raise ValueError(f"{name} = {rate} bit/s, allowed 1..1e12")
    nominal, data = _lengths(frames, "exact", intermission=True, parts=True)
    if data_bitrate is None and data is not None and data.any():
        index = int(np.flatnonzero(data)[0])
        raise ValueError(f"frames[{index}] has BITRATE_SWITCH, which needs data_bitrate (bit/s)")
    durations = np.empty(len(frames), np.int64)
    _wire.durations(nominal, data, bitrate, data_bitrate or bitrate, durations)
    return durations


@overload
def bus_load(
    frames: FrameArray,
    bitrate: float,
    window_s: float = 1.0,
    data_bitrate: float | None = None,
    per_id: Literal[False] = False,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]: ...
@overload
def bus_load(
    frames: FrameArray,
    bitrate: float,
    window_s: float = 1.0,
    data_bitrate: float | None = None,
    *,
    per_id: Literal[True],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.void]]: ...
def bus_load(
    frames: FrameArray,
    bitrate: float,
    window_s: float = 1.0,
    data_bitrate: float | None = None,
    per_id: bool = False,
) -> (
    tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]
    | tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.void]]
):
    """Share of the bus that frames take, window by window; 1.0 is a full bus.

    A frame counts whole, with its intermission, in the window of its time stamp, so that a window may show a little
    more than 1. Windows begin at the earliest time stamp and follow each other without gaps.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        Of one bus; in any order.
    bitrate, data_bitrate : float
        As for `frame_duration_ns`.
    window_s : float
    per_id : bool
        Also split by identifier.

    Returns
    -------
    starts : array of i8, shape (w,)
        Beginning of each window, ns.
    load : array of f8, shape (w,), or (k, w) with `per_id`
    ids : structured array, shape (k,), only with `per_id`
        Fields `arbitration_id` and `extended`; base identifiers first, rising.

    Raises
    ------
    FrameError, ValueError
        As `frame_duration_ns`; and a window that is not above 0, or so short that there would be more than 2**26.

    Examples
    --------
    >>> frames = cf.read_log("drive.blf")
    >>> starts, load = cf.wire.bus_load(frames, 500_000, window_s=0.5)
    >>> load.round(4).tolist()
    [0.0259, 0.0258]
    >>> starts.view("datetime64[ns]")[1]
    np.datetime64('2026-01-01T00:00:00.500000000')
    """
    if not 1e-9 <= window_s < 9e9:
        raise ValueError(f"window_s = {window_s}, allowed 1e-9..9e9 s")
    durations = frame_duration_ns(frames, bitrate, data_bitrate)
    window_ns = round(window_s * 1e9)
    times = frames["timestamp_ns"]
    first, last = (int(times.min()), int(times.max())) if len(frames) else (0, -1)
    windows = (last - first) // window_ns + 1
    ids, rows = np.empty(0, _IDS), None
    if per_id:
        keys, rows = _identifiers(frames)
        ids = np.empty(len(keys), _IDS)
        ids["arbitration_id"], ids["extended"] = keys & 0xFFFFFFFF, keys >> np.uint64(32)
    count = len(ids) if per_id else 1
    if windows * max(count, 1) > _MOST_CELLS:
        raise ValueError(f"window_s = {window_s} makes {windows} windows of {count} rows; take longer windows")
    load = np.zeros((count, windows))
    placed = _wire.bus_load(frames, durations, rows, first, window_ns, load)
    assert placed == len(frames)
    starts = first + np.arange(windows, dtype=np.int64) * window_ns
    return (starts, load, ids) if per_id else (starts, load[0])


def _identifiers(frames: FrameArray) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """The identifiers, base ones first, rising, and the place there of each frame's."""
    rows = np.empty(len(frames), np.int64)
    keys = np.empty(_FIRST_IDS, np.uint64)
    done = known = 0
    while True:
        slots = np.zeros(4 * len(keys), np.uint32)
        more, known = _wire.id_rows(frames[done:], rows[done:], slots, keys, known)
        done += more
        if done == len(frames):
            break
        keys = np.concatenate([keys, np.empty_like(keys)])
    keys = keys[:known]
    order = np.argsort(keys)
    places = np.empty(known, np.int64)
    places[order] = np.arange(known)
    return keys[order], places[rows]
