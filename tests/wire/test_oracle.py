"""Known answers, taken off real controllers, pin the oracle; then the oracle pins the kernels."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import wire_oracle as oracle
from wire_cases import EXTENDED, FD, LONG, REMOTE, random_frames, same_on_wire, to_oracle

import canal_fast as cf
from canal_fast import checksum, wire

Frame = oracle.Frame
KNOWN = [  # frame, CRC, dynamic stuff bits, bits from SOF to the last EOF bit
    (Frame(0x222, dlc=5, data=bytes.fromhex("0011223344")), 0x66DA, 3, 87),
    (Frame(0x11223344, extended=True, dlc=7, data=bytes.fromhex("00112233445566")), 0x0D30, 3, 123),
    (Frame(0x550, dlc=8, data=bytes.fromhex("aabbccddeeff0a0b")), 0x4FBC, 4, 112),
    (Frame(0x9F80100, extended=True, dlc=8, data=bytes.fromhex("aab0c513a02d44c6")), 0x226B, 5, 133),
    (Frame(0x42, extended=True, fd=True, dlc=8, data=bytes(range(8))), 0x02D8B, 13, 155),
    (Frame(0x42, extended=True, fd=True, brs=True, dlc=15, data=bytes(range(64))), 0x153747, 29, 624),
]


def record(frame: Frame) -> cf.FrameArray:
    frames = np.zeros(1, cf.FD_FRAME_DTYPE if frame.fd else cf.FRAME_DTYPE)
    frames["arbitration_id"], frames["dlc"] = frame.arbitration_id, frame.dlc
    frames["flags"] = (
        frame.extended * EXTENDED | frame.remote * REMOTE | frame.fd * FD | frame.brs * 16 | frame.esi * 32
    )
    frames["data"][0, : len(frame.data)] = list(frame.data)
    return frames


def controller_crc(frames: cf.FrameArray) -> int:
    frame = to_oracle(frames[0])
    kind = (
        checksum.crc15_frames
        if not frame.fd
        else checksum.crc17_frames
        if frame.size() <= 16
        else checksum.crc21_frames
    )
    return int(kind(frames)[0])


@pytest.mark.parametrize(("frame", "crc", "stuff", "bits"), KNOWN)
def test_known_answers(frame: Frame, crc: int, stuff: int, bits: int) -> None:
    assert oracle.crc_of(frame) == crc
    assert oracle.stuff_bit_count(frame) == stuff
    assert len(oracle.encode(frame)) == bits
    frames = record(frame)
    assert controller_crc(frames) == crc
    assert wire.stuff_bit_count(frames)[0] == stuff
    assert wire.frame_length_bits(frames, intermission=False)[0] == bits
    assert oracle.decode(oracle.encode(frame)) == oracle.Decoded("OK", -1, frame, bits)


def compare(frames: cf.FrameArray) -> None:
    bits, offsets = wire.encode(frames)
    lengths = wire.frame_length_bits(frames, intermission=False)
    parts = wire.frame_length_bits(frames, intermission=False, parts=True)
    worst = wire.frame_length_bits(frames, "worst_case", intermission=False)
    plain = wire.frame_length_bits(frames, "unstuffed", intermission=False)
    stuffs = wire.stuff_bit_count(frames)
    for index, row in enumerate(frames):
        frame = to_oracle(row)
        expected = oracle.encode(frame)
        assert bits[offsets[index] : offsets[index + 1]].tolist() == expected, frame
        assert lengths[index] == len(expected), frame
        assert (parts["nominal"][index], parts["data"][index]) == oracle.length_parts(frame, expected), frame
        fixed = (6 if frame.size() <= 16 else 7) + 4 + (17 if frame.size() <= 16 else 21) if frame.fd else 15
        unstuffed = sum(len(field) for _, field in oracle.header(frame)) + 8 * frame.size() + fixed + 10
        assert plain[index] == unstuffed
        assert stuffs[index] == len(expected) - unstuffed, frame
        assert lengths[index] <= worst[index], frame


@pytest.mark.parametrize("remote", [False, True])
def test_all_base_identifiers_and_dlcs(remote: bool) -> None:
    """All 2048 identifiers x dlc 0..15; the oracle sees each pair in the long form, a sample by default."""
    ids, dlcs = (a.ravel() for a in np.meshgrid(np.arange(2048), np.arange(16), indexing="ij"))
    frames = cf.make_frames(ids, dlc=dlcs, flags=REMOTE if remote else 0)
    frames["data"][:] = np.where(np.arange(8) < cf.payload_length(frames)[:, None], ids[:, None] * 37 & 255, 0)
    compare(frames if LONG else frames[:: 29 - 8 * remote].copy())
    result = wire.decode(*wire.encode(frames))
    assert same_on_wire(result.frames, frames)
    assert not result.status.any()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50 if LONG else 4))
def test_random_frames(seed: int) -> None:
    compare(random_frames(20_000 if LONG else 5_000, seed))


@pytest.mark.parametrize("pattern", [0x00, 0xFF, 0x55, 0xAA, 0xF0, 0x0F, 0xF8, 0x07, 0xC1, 0x3E, 0x83])
def test_runs(pattern: int) -> None:
    ids = [0, 0x7FF, 0x555, 0x0F0, 0x1F07C1F, 0x1FFFFFFF]
    flags = [0, 0, 0, 0, EXTENDED, EXTENDED]
    classical = [cf.make_frames(ids, bytes([pattern]) * n, flags=flags) for n in range(9)]
    flexible = [cf.make_frames(ids, bytes([pattern]) * n, flags=flags, fd=True) for n in oracle.FD_LENGTHS]
    for frames in classical + flexible:
        compare(frames)


def test_stuff_bit_due_at_the_ends() -> None:
    """Frames whose last data bit, or last CRC bit, is the fifth of a run."""
    frames = random_frames(1 << 15, 7)
    last_data, last_crc = [], []
    for index, row in enumerate(frames):
        frame = to_oracle(row)
        if frame.fd:
            message = oracle.message(frame)
            if oracle.stuff(message)[-1] != message[-1]:
                last_data.append(index)
        elif len(last_crc) < 60:
            body = oracle.message(frame)
            body += oracle.number_to_bits(oracle.crc(body, *oracle.CRC15), 15)
            if oracle.stuff(body)[-1] != body[-1]:
                last_crc.append(index)
        if len(last_data) >= 60 and len(last_crc) >= 60:
            break
    assert len(last_data) >= 60
    assert len(last_crc) >= 60
    chosen = frames[last_data + last_crc]
    compare(chosen)
    assert same_on_wire(wire.decode(*wire.encode(chosen), strict=True).frames, chosen)


def test_crc_sequences() -> None:
    frames = random_frames(3000, 11)
    crcs = np.array([oracle.crc_of(to_oracle(row)) for row in frames])
    fd = (frames["flags"] & FD) != 0
    short = cf.payload_length(frames) <= 16
    for select, function in (
        (~fd, checksum.crc15_frames),
        (fd & short, checksum.crc17_frames),
        (fd & ~short, checksum.crc21_frames),
    ):
        assert np.array_equal(function(frames[select]), crcs[select])


def test_packed_is_the_same_bits() -> None:
    frames = random_frames(2000, 12)
    for ack in (True, False):
        bits, offsets = wire.encode(frames, ack=ack)
        packed, places = wire.encode(frames, ack=ack, packed=True)
        assert np.array_equal(offsets, places)
        assert np.array_equal(np.packbits(bits), packed)
        assert wire.decode(packed, places, packed=True).status.tolist() == wire.decode(bits, offsets).status.tolist()


def test_round_trip() -> None:
    frames = random_frames(1_000_000 if LONG else 100_000, 13)
    result = wire.decode(*wire.encode(frames, packed=True), packed=True, strict=True)
    assert same_on_wire(result.frames, frames)
    assert result.frames.dtype == cf.FD_FRAME_DTYPE
    classical = random_frames(100_000, 14, fd=False)
    result = wire.decode(*wire.encode(classical), strict=True)
    assert result.frames.dtype == cf.FRAME_DTYPE
    assert same_on_wire(result.frames, classical)
