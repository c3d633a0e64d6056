"""Frames to bits and back. Public as `canal_fast.wire`."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from canal_fast.errors import FrameError, WireError
from canal_fast.frames import FD_FRAME_DTYPE, FRAME_DTYPE, FrameArray, FrameFlag, check_frames, joined
from canal_fast.status import Status

from . import _wire

Bits = npt.NDArray[np.uint8]

_SENTENCES = {number: sentence for number, _, sentence in _wire.status_table()}
_STREAM_ROWS = 65_536
_ROOM = 1024  # more than the longest frame takes, which the kernel wants to see before each


class WireStatus(enum.IntEnum):
    """What `decode` tells of a row.

    Examples
    --------
    >>> bits, offsets = cf.wire.encode(cf.make_frames(0x123, b"hello"))
    >>> bits[30] ^= 1  # a bit of the data is hit
    >>> cf.wire.WireStatus(cf.wire.decode(bits, offsets).status[0])
    <WireStatus.CRC_ERROR: 3>
    """

    OK = 0
    STUFF_ERROR = 1
    FORM_ERROR = 2
    CRC_ERROR = 3
    NOT_ACKNOWLEDGED = 4
    TRUNCATED = 5
    ERROR_FLAG = 6
    OVERLOAD = 7
    PROTOCOL_EXCEPTION = 8


class Decoded(NamedTuple):
    """What `decode` found: a row for each frame and, in a stream, for each event.

    Examples
    --------
    >>> bits, starts = cf.wire.encode_stream(cf.make_frames([0x123, 0x124], b"hello"), idle_bits=20)
    >>> found = cf.wire.decode(bits)
    >>> found.frames["arbitration_id"].tolist(), found.status.tolist(), found.start.tolist()
    ([291, 292], [0, 0], [11, 119])
    """

    frames: FrameArray
    """FD_FRAME_DTYPE if one of them is FD. A row that is no valid frame has the ERROR_FRAME flag and the fields that
    were read before the trouble; their content is not trustworthy."""
    status: npt.NDArray[np.uint8]
    """`WireStatus` of each row."""
    bit_index: npt.NDArray[np.int64]
    """Where the trouble is, as an index into all bits; -1 where there is none."""
    start: npt.NDArray[np.int64]
    """First bit of each row: its SOF, or the first dominant bit of the flag."""

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Rows whose frame a receiver accepts: OK, acknowledged or not, with an overload at its end or not."""
        valid: npt.NDArray[np.bool_] = (self.frames["flags"] & FrameFlag.ERROR_FRAME) == 0
        return valid


def refuse(frames: FrameArray, status: int, index: int) -> None:
    """Raise for the record that a kernel stopped at."""
    if status:
        check_frames(frames)
        raise FrameError(f"frames[{index}] changed while it was read", index=index)


def encode(frames: FrameArray, ack: bool = True, packed: bool = False) -> tuple[Bits, npt.NDArray[np.int64]]:
    r"""Bits of each frame from SOF to the last EOF bit, stuffed.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        r0, r1 and res are sent dominant; an FD frame's RRS too. Classical dlc 9..15 carry 8 bytes.
    ack : bool
        Level of the ACK slot: True dominant (as on a bus where somebody listens), False recessive.
    packed : bool
        False: one u1 of 0 or 1 for each bit. True: eight bits a byte, MSB first, frames one after the other without
        gaps, zeros after the last.

    Returns
    -------
    bits : array of u1
    offsets : array of i8, shape (n + 1,)
        Frame i is bits ``offsets[i]`` to ``offsets[i + 1] - 1``, packed or not.

    Raises
    ------
    FrameError
        A record that no controller could send, with its `.index`.

    Examples
    --------
    >>> bits, offsets = cf.wire.encode(cf.make_frames([0x123, 0x124], b"\x01"))
    >>> offsets.tolist()
    [0, 55, 109]
    >>> "".join(map(str, bits[:offsets[1]]))
    '0001001000110000010100000100101001011111011101011111111'
    """
    if packed:
        room = _wire.encode_room(frames)
    else:  # eight times as much memory: worth measuring it first
        lengths = np.empty(len(frames), np.int32)
        refuse(frames, *_wire.exact_lengths(frames, 0, lengths))
        room = int(lengths.sum(dtype=np.int64)) + _ROOM
    bits = np.empty(room, np.uint8)
    offsets = np.empty(len(frames) + 1, np.int64)
    refuse(frames, *_wire.encode(frames, ack, packed, bits, offsets))
    total = int(offsets[-1])
    if not packed:
        return bits[:total], offsets
    bits.resize((total + 7) // 8, refcheck=False)
    return bits, offsets


def encode_stream(
    frames: FrameArray,
    idle_bits: int | npt.NDArray[np.integer[Any]] = 0,
    *,
    lead_bits: int = 11,
    ack: bool = True,
    packed: bool = False,
) -> tuple[Bits, npt.NDArray[np.int64]]:
    r"""Frames as one continuous stream of bus bits, which `decode` reads without offsets.

    Each frame is followed by three bits of intermission and `idle_bits` more recessive ones.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
    idle_bits : int, or array of int, shape (n,)
        Recessive bits after each frame's intermission, 0 or more.
    lead_bits : int
        Recessive bits before the first SOF; a receiver needs 11.
    ack, packed
        As for `encode`.

    Returns
    -------
    bits : array of u1
    starts : array of i8, shape (n + 1,)
        Bit of each frame's SOF, and last the number of bits.

    Raises
    ------
    FrameError
        A record that no controller could send, with its `.index`.
    ValueError
        A number of bits below 0.

    Examples
    --------
    >>> bits, starts = cf.wire.encode_stream(cf.make_frames([0x123, 0x124], b"\x01"), idle_bits=5)
    >>> starts.tolist(), len(bits)
    ([11, 74, 136], 136)
    """
    gaps = np.ascontiguousarray(np.broadcast_to(np.asarray(idle_bits, np.int64), len(frames)))
    least = min(lead_bits, int(gaps.min(initial=0)))
    if least < 0:
        raise ValueError(f"idle_bits and lead_bits must be 0 or more, not {least}")
    gaps = gaps + _wire.INTERMISSION_BITS
    room = _wire.encode_room(frames) + (lead_bits + int(gaps.sum())) // 8 + len(frames) + 32
    data, starts = np.empty(room, np.uint8), np.empty(len(frames) + 1, np.int64)
    refuse(frames, *_wire.encode_stream(frames, ack, lead_bits, gaps, data, starts))
    total = int(starts[-1])
    if packed:
        data.resize((total + 7) // 8, refcheck=False)
        return data, starts
    return np.unpackbits(data, count=total), starts


def decode(
    bits: Bits,
    offsets: npt.NDArray[np.int64] | None = None,
    *,
    packed: bool = False,
    bit_count: int | None = None,
    strict: bool = False,
) -> Decoded:
    r"""Frames out of bits, as a receiver reads them (ISO 11898-1:2015, 10.4 to 10.6).

    SRR, r0 and r1 may have either level. A dominant last EOF bit is an OVERLOAD and leaves the frame valid. CAN FD's
    CRC delimiter and ACK slot may have two bits. Of several faults the one that shows first counts; a CRC that is
    wrong shows where its sequence begins (a wrong stuff count where that begins).

    Parameters
    ----------
    bits : array of u1
        0 or 1 each; with `packed`, eight a byte, MSB first.
    offsets : array of i8, shape (n + 1,), optional
        Frame i is bits ``offsets[i]`` to ``offsets[i + 1] - 1``; bits after its last EOF bit are not looked at.
        None: a continuous stream of bus bits. Then reading begins after 11 recessive bits, each SOF is found, error
        and overload flags get rows of their own (ERROR_FLAG, OVERLOAD, starting at their first dominant bit), and a
        frame without ACK whose delimiter is dominant is NOT_ACKNOWLEDGED and not valid: an error flag is what
        follows. After trouble six dominant bits are an error flag and 11 recessive ones an idle bus.
    packed : bool
    bit_count : int, optional
        Bits in a packed array. Default: eight a byte.
    strict : bool
        Raise for the first row that is not OK.

    Returns
    -------
    Decoded
        With `frames`, `status` (`WireStatus`), `bit_index` of the trouble and `start`, a row each.

    Raises
    ------
    WireError
        A bit that is neither 0 nor 1; with `strict`, the first row that is not OK. `.bit_index` says where.
    TypeError, ValueError
        Another dtype or layout; offsets that do not rise or leave the bits.

    Examples
    --------
    >>> bits, offsets = cf.wire.encode(cf.make_frames(0x123, b"hello"))
    >>> cf.wire.decode(bits, offsets).frames["data"][0].tobytes()
    b'hello\x00\x00\x00'
    >>> bits[-3] = 0  # within the end of frame
    >>> found = cf.wire.decode(bits, offsets)
    >>> cf.wire.WireStatus(found.status[0]).name, found.bit_index[0].item() - len(bits)
    ('FORM_ERROR', -3)
    """
    if packed:
        data = bits
        count = 8 * len(bits) if bit_count is None else bit_count
    else:
        if bit_count is not None:
            raise ValueError("bit_count is for packed bits")
        count = len(bits)
        data = np.empty((count + 7) // 8, np.uint8)
        _good(bits, _wire.pack_bits(bits, data))
    result = _stream(data, count) if offsets is None else _slices(data, count, offsets)
    if strict:
        trouble = np.flatnonzero(result.status)
        if trouble.size:
            row = int(trouble[0])
            status, place = int(result.status[row]), int(result.bit_index[row])
            raise WireError(
                f"row {row}, from bit {int(result.start[row])}: {WireStatus(status).name} at bit {place}: "
                f"{_SENTENCES[status]}",
                bit_index=place,
            )
    return result


def stuff(bits: Bits) -> Bits:
    """Bits with a stuff bit after each five equal ones, also after the last (ISO 11898-1:2015, 10.5).

    Parameters
    ----------
    bits : array of u1, 0 or 1 each

    Returns
    -------
    array of u1

    Raises
    ------
    WireError
        A bit that is neither 0 nor 1.

    Examples
    --------
    >>> cf.wire.stuff(np.zeros(6, np.uint8)).tolist()
    [0, 0, 0, 0, 0, 1, 0]
    """
    out = np.empty(len(bits) + len(bits) // 4, np.uint8)
    written, good = _wire.stuff(bits, out)
    _good(bits, good)
    return out[:written].copy()


def destuff(bits: Bits) -> Bits:
    """Bits without their stuff bits.

    Parameters
    ----------
    bits : array of u1, 0 or 1 each

    Returns
    -------
    array of u1

    Raises
    ------
    WireError
        A sixth equal bit, or a bit that is neither 0 nor 1; `.bit_index` says where.

    Examples
    --------
    >>> cf.wire.destuff(np.array([0, 0, 0, 0, 0, 1, 0], np.uint8)).tolist()
    [0, 0, 0, 0, 0, 0]
    """
    out = np.empty(len(bits), np.uint8)
    written, good = _wire.destuff(bits, out)
    _good(bits, good)
    return out[:written].copy()


def _good(bits: Bits, good: int) -> None:
    if good < len(bits):
        value = int(bits[good])
        reason = "allowed 0 (dominant) or 1 (recessive)" if value > 1 else "a sixth equal bit, so a stuff error"
        raise WireError(f"bits[{good}] = {value}, {reason}", bit_index=good)


def _rows(count: int, fd: bool) -> Decoded:
    return Decoded(
        np.empty(count, FD_FRAME_DTYPE if fd else FRAME_DTYPE),
        np.empty(count, np.uint8),
        np.empty(count, np.int64),
        np.empty(count, np.int64),
    )


def _slices(data: Bits, count: int, offsets: npt.NDArray[np.int64]) -> Decoded:
    for fd in (False, True):  # the first FD frame stops the classical pass
        result = _rows(max(len(offsets) - 1, 0), fd)
        status, index = _wire.decode(data, count, offsets, *result)
        if status == Status.OFFSET_ORDER:
            raise ValueError(
                f"offsets[{index}] = {int(offsets[index])} is not above {int(offsets[index - 1])}: must rise"
            )
        if status == Status.OFFSET_RANGE:
            raise ValueError(f"offsets[{index}] = {int(offsets[index])}, allowed 0..{count}, the number of bits")
        if status == 0:
            break
    return result


def _stream(data: Bits, count: int) -> Decoded:
    fd = False
    place = np.zeros(2, np.int64)
    parts: list[Decoded] = []
    while True:
        rows = _rows(min(_STREAM_ROWS, count // 6 + 2), fd)
        status, found = _wire.decode_stream(data, count, place, *rows)
        if status == Status.FD_IN_CLASSICAL:  # begin anew, with longer records
            fd = True
            parts.clear()
            place[:] = 0
            continue
        parts.append(rows)
        if found < len(rows.status):
            break
    total = sum(len(part.status) for part in parts[:-1]) + found
    frames, *rest = zip(*parts, strict=True)
    statuses, places, starts = (np.concatenate(columns)[:total] for columns in rest)
    return Decoded(joined(frames)[:total], statuses, places, starts)
