"""make_frames, payload_length, check_frames."""

from __future__ import annotations

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import FrameFlag

FD_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64]


def test_broadcasts() -> None:
    frames = cf.make_frames([1, 2, 3], b"\x01\x02", channel=7, timestamp_ns=[10, 20, 30])
    assert frames.dtype is cf.FRAME_DTYPE
    assert frames["arbitration_id"].tolist() == [1, 2, 3]
    assert frames["dlc"].tolist() == [2, 2, 2]
    assert frames["data"][1].tolist() == [1, 2, 0, 0, 0, 0, 0, 0]
    assert frames["channel"].tolist() == [7, 7, 7]


@pytest.mark.parametrize("dlc", range(16))
def test_payload_length(dlc: int) -> None:
    assert cf.payload_length(cf.make_frames(1, dlc=dlc))[0] == min(dlc, 8)
    assert cf.payload_length(cf.make_frames(1, dlc=dlc, fd=True))[0] == FD_LENGTHS[dlc]
    assert cf.payload_length(cf.make_frames(1, dlc=dlc, flags=FrameFlag.REMOTE))[0] == 0


@pytest.mark.parametrize("size", range(65))
def test_smallest_dlc(size: int) -> None:
    frames = cf.make_frames(1, bytes(range(size)), fd=True)
    length = int(cf.payload_length(frames)[0])
    assert length == min(n for n in FD_LENGTHS if n >= size)
    assert bytes(frames["data"][0]) == bytes(range(size)).ljust(64, b"\0")


def test_rows_of_bytes_and_arrays_agree() -> None:
    rows = np.arange(24, dtype="u1").reshape(3, 8)
    assert np.array_equal(cf.make_frames(1, rows), cf.make_frames(1, [bytes(r) for r in rows]))


def test_empty() -> None:
    assert len(cf.make_frames([], [])) == 0
    assert len(cf.payload_length(np.empty(0, cf.FRAME_DTYPE))) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"arbitration_id": 0x800}, "0x800, allowed 0..0x7ff"),
        ({"arbitration_id": -1}, "-1, allowed 0..0x1fffffff"),
        ({"arbitration_id": 0x20000000, "flags": 1}, "allowed 0..0x1fffffff"),
        ({"arbitration_id": 1, "dlc": 16}, "dlc = 16, allowed 0..15"),
        ({"arbitration_id": [1, 2], "data": [b"", b"123456789"]}, r"frames\[1\]: data has 9 bytes, allowed 0..8"),
        ({"arbitration_id": 1, "data": b"123", "dlc": 2}, "data has 3 bytes, but dlc 2"),
        ({"arbitration_id": 1, "data": b"1", "flags": FrameFlag.REMOTE}, "carries 0"),
        ({"arbitration_id": 1, "flags": FrameFlag.BITRATE_SWITCH}, "need the FD flag"),
        ({"arbitration_id": 1, "flags": FrameFlag.FD}, "does not fit a classical"),
        ({"arbitration_id": 1, "flags": FrameFlag.FD | FrameFlag.REMOTE, "fd": True}, "cannot be a remote"),
    ],
)
def test_refused(arguments: dict, words: str) -> None:
    with pytest.raises(cf.FrameError, match=words):
        cf.make_frames(**arguments)


@pytest.mark.parametrize(
    ("array", "error", "words"),
    [
        ([1, 2], TypeError, "must be a numpy array"),
        (np.zeros(3), TypeError, "not float64"),
        (np.zeros((2, 2), cf.FRAME_DTYPE), ValueError, "one dimension"),
        (np.zeros(6, cf.FRAME_DTYPE)[::2], ValueError, "contiguous"),
        (np.zeros(6, cf.FRAME_DTYPE)["dlc"], TypeError, "not uint8"),
    ],
)
def test_gate(array: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        cf.payload_length(array)  # type: ignore[arg-type]


def test_gate_takes_an_equal_dtype() -> None:
    dtype = np.dtype({"names": cf.FRAME_DTYPE.names, "formats": ["i8", "u4", "u2", "u1", "u1", ("u1", 8)]})
    assert dtype is not cf.FRAME_DTYPE
    assert cf.payload_length(np.zeros(2, dtype)).tolist() == [0, 0]
