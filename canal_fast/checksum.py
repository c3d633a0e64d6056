"""CRC-15, CRC-17 and CRC-21 of CAN (ISO 11898-1:2015, 10.4.2.6).

Examples
--------
>>> hex(cf.checksum.crc15(b"123456789"))
'0x59e'
>>> hex(cf.checksum.crc17(b"123456789")), hex(cf.checksum.crc21(b"123456789"))
('0x4f03', '0xed841')
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from canal_fast.errors import FrameError, WireError
from canal_fast.frames import FrameArray
from canal_fast.status import Status
from canal_fast.wire import _checksum
from canal_fast.wire._checksum import crc15, crc17, crc21
from canal_fast.wire.codec import refuse

__all__ = [
    "crc15",
    "crc15_bits",
    "crc15_frames",
    "crc17",
    "crc17_bits",
    "crc17_frames",
    "crc21",
    "crc21_bits",
    "crc21_frames",
]
__test__ = {"crc15": crc15, "crc17": crc17, "crc21": crc21}  # doctest looks for examples here, too

_WHOSE = {15: "classical frames", 17: "FD frames of up to 16 bytes", 21: "FD frames of more than 16 bytes"}


def crc15_bits(bits: npt.NDArray[np.uint8], init: int = 0) -> int:
    """CRC-15/CAN of a u1 array of bits, 0 or 1 each.

    Parameters
    ----------
    bits : array of u1, shape (n,)
        0 or 1 each.
    init : int
        Register before the first bit, 0..0x7fff.

    Returns
    -------
    int
        0..0x7fff.

    Raises
    ------
    WireError
        A bit that is neither 0 nor 1, with its `.bit_index`.
    ValueError
        `init` is out of 0..0x7fff.

    Examples
    --------
    >>> hex(cf.checksum.crc15_bits(np.unpackbits(np.frombuffer(b"123456789", np.uint8))))
    '0x59e'
    """
    return _bits(15, bits, init)


def crc17_bits(bits: npt.NDArray[np.uint8], init: int = 0) -> int:
    """CRC-17/CAN-FD of bits, as `crc15_bits`. Controllers begin with init = 1 << 16.

    Parameters
    ----------
    bits : array of u1, shape (n,)
        0 or 1 each.
    init : int
        Register before the first bit, 0..0x1ffff.

    Returns
    -------
    int
        0..0x1ffff.

    Examples
    --------
    >>> hex(cf.checksum.crc17_bits(np.array([0, 1, 1, 0], np.uint8), init=1 << 16))
    '0x1926e'
    """
    return _bits(17, bits, init)


def crc21_bits(bits: npt.NDArray[np.uint8], init: int = 0) -> int:
    """CRC-21/CAN-FD of bits, as `crc15_bits`. Controllers begin with init = 1 << 20.

    Parameters
    ----------
    bits : array of u1, shape (n,)
        0 or 1 each.
    init : int
        Register before the first bit, 0..0x1fffff.

    Returns
    -------
    int
        0..0x1fffff.

    Examples
    --------
    >>> hex(cf.checksum.crc21_bits(np.array([0, 1, 1, 0], np.uint8), init=1 << 20))
    '0x113d63'
    """
    return _bits(21, bits, init)


def crc15_frames(frames: FrameArray) -> npt.NDArray[np.uint32]:
    r"""The CRC sequence that a controller sends with each classical frame: over SOF to the last data bit, unstuffed.

    Parameters
    ----------
    frames : array of FRAME_DTYPE or FD_FRAME_DTYPE, shape (n,)
        Classical ones.

    Returns
    -------
    array of u4, shape (n,)

    Raises
    ------
    FrameError
        A frame with another CRC, or a record that no controller could send; `.index` says which.

    Examples
    --------
    >>> [hex(crc) for crc in cf.checksum.crc15_frames(cf.make_frames(0x123, [b"\x01", b"\x02"]))]
    ['0x25fe', '0x2ecc']
    """
    return _frames(15, frames)


def crc17_frames(frames: FrameArray) -> npt.NDArray[np.uint32]:
    """The same for FD frames of up to 16 bytes: over SOF to the last data bit with stuff bits, and the stuff count.

    Parameters
    ----------
    frames : array of FD_FRAME_DTYPE, shape (n,)

    Returns
    -------
    array of u4, shape (n,)

    Examples
    --------
    >>> [hex(crc) for crc in cf.checksum.crc17_frames(cf.make_frames(0x123, bytes(16), fd=True))]
    ['0x753f']
    """
    return _frames(17, frames)


def crc21_frames(frames: FrameArray) -> npt.NDArray[np.uint32]:
    """The same for FD frames of more than 16 bytes.

    Parameters
    ----------
    frames : array of FD_FRAME_DTYPE, shape (n,)

    Returns
    -------
    array of u4, shape (n,)

    Examples
    --------
    >>> [hex(crc) for crc in cf.checksum.crc21_frames(cf.make_frames(0x123, bytes(64), fd=True))]
    ['0x19902c']
    """
    return _frames(21, frames)


def _bits(width: int, bits: npt.NDArray[np.uint8], init: int) -> int:
    value, good = _checksum.bits(width, bits, init)
    if good < len(bits):
        raise WireError(f"bits[{good}] = {int(bits[good])}, allowed 0 or 1", bit_index=good)
    return value


def _frames(width: int, frames: FrameArray) -> npt.NDArray[np.uint32]:
    sequences = np.empty(len(frames), np.uint32)
    status, index = _checksum.frames(width, frames, sequences)
    if status:
        if status == Status.OTHER_CRC:
            raise FrameError(f"frames[{index}] has no CRC-{width}, which is for {_WHOSE[width]}", index=index)
        refuse(frames, status, index)
    return sequences
