"""Places of bits, exhaustively, and numbers, beside the bit-by-bit twin."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from oracle import signals_oracle as twin
from signals_support import LONG, frames_of, one_message, plan_of, same

import canal_fast as cf
from canal_fast.signals import Signal


def test_twin_knows_the_answers() -> None:
    """By hand: DBC's little-endian start is the least significant bit, big-endian the most significant one."""
    payload = bytes([0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0])
    assert twin.raw(payload, Signal("a", 0, 16)) == 0x3412
    assert twin.raw(payload, Signal("b", 7, 16, big_endian=True)) == 0x1234
    assert twin.raw(payload, Signal("c", 4, 8)) == 0x41
    assert twin.raw(payload, Signal("d", 3, 8, big_endian=True)) == 0x23
    assert twin.raw(payload, Signal("e", 56, 8, is_signed=True)) == -16
    assert twin.raw(payload, Signal("f", 7, 64, big_endian=True)) == 0x123456789ABCDEF0
    assert twin.raw(payload[:7], Signal("g", 56, 8)) is None
    assert twin.raw(struct.pack("<f", 1.5), Signal("h", 0, 32, is_float=True)) == 1.5
    assert twin.raw(struct.pack(">e", -2.5), Signal("i", 7, 16, big_endian=True, is_float=True)) == -2.5
    assert twin.j1939_pgn(0x0CF004FE) == 0xF004
    assert twin.j1939_pgn(0x18EAFF21) == 0xEA00
    assert twin.j1939_pgn(0x19F11923) == 0x1F119


def everywhere(size: int) -> list[Signal]:
    """Every start and length, in both orders and signs, that `size` bytes hold."""
    found = []
    for big in (False, True):
        for start in range(8 * size):
            for length in range(1, 65):
                signal = Signal(f"s{len(found)}", start, length, big_endian=big)
                if signal.payload_bytes <= size:
                    found += [signal, Signal(f"s{len(found) + 1}", start, length, big_endian=big, is_signed=True)]
    return found


def check(signals: list[Signal], payloads: np.ndarray) -> None:
    message = one_message(*signals, length=payloads.shape[1])
    table = plan_of(message).decode(frames_of(message, payloads))["M"]
    for signal in signals:
        expected = [twin.physical(row.tobytes(), signal) for row in payloads]
        got = table[signal.name]
        assert all(map(same, got.tolist(), expected)), (signal, got.tolist(), expected)


def test_every_place_in_eight_bytes() -> None:
    signals = everywhere(8)
    assert len(signals) == 2 * 2 * 64 * 65 // 2
    payloads = np.random.default_rng(0).integers(0, 256, (3, 8), np.uint8)
    payloads[1], payloads[2] = 0xFF, 0x80
    check(signals, payloads)


@pytest.mark.parametrize("seed", range(40 if LONG else 4))
def test_random_places_in_64_bytes(seed: int) -> None:
    """Nine bytes are common here."""
    rng = np.random.default_rng(seed)
    signals: list[Signal] = []
    while len(signals) < 400:
        length = int(rng.choice([int(rng.integers(1, 65)), 64, 63, 60]))
        big, signed = bool(rng.integers(2)), bool(rng.integers(2))
        signal = Signal(f"s{len(signals)}", int(rng.integers(0, 512)), length, big, signed)
        if signal.payload_bytes <= 64:
            signals.append(signal)
    assert sum((s.first_position % 8) + s.length > 64 for s in signals) > 50
    check(signals, rng.integers(0, 256, (5, 64), np.uint8))


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("scale", "offset"), [(0.1, -40), (0.01, 0.003), (1 / 3, 1e-3), (-0.7, 123.4), (0.1, -40.0)])
def test_two_roundings_of_every_raw_value(scale: float, offset: float, signed: bool, big: bool) -> None:
    """A fused multiply-add gives other numbers for a quarter of them."""
    start = 3 if big else 4
    signal = Signal("s", start, 12, big, signed, scale=scale, offset=offset)
    payloads = np.zeros((4096, 8), np.uint8)
    for value in range(4096):
        data = bytearray(8)
        twin.put(data, signal, value)
        payloads[value] = np.frombuffer(data, np.uint8)
    check([signal], payloads)


@pytest.mark.parametrize("length", [31, 32, 33, 51, 52, 53, 54, 63, 64])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("scale", "offset"),
    [
        (1, 0),
        (3, 7),
        (-2, 5),
        (10, 0),
        (1 << 40, -(1 << 50)),
        (0.1, -40),
        (3, 0.5),
        (7, -0.125),
        (1, 0.1),
        (2.0, 1),
        (-(1 << 61), 1),
    ],
)
def test_wide_numbers(scale: float, offset: float, signed: bool, length: int) -> None:
    """Ends and neighbours of ends; integers that 64 bits do not hold are the nearest double, rounded once."""
    signal = Signal("s", 0, length, False, signed, scale=scale, offset=offset)
    rng = np.random.default_rng(length)
    edges = [
        0,
        1,
        2,
        (1 << length) - 1,
        (1 << length) - 2,
        1 << length - 1,
        (1 << length - 1) - 1,
        (1 << length - 1) + 1,
    ]
    values = edges + [(1 << 53) + 1, (1 << 53) + 3] + [int(v) for v in rng.integers(0, 1 << 63, 300)]
    payloads = np.array([list((v % (1 << length)).to_bytes(8, "little")) for v in values], np.uint8)
    check([signal], payloads)


@pytest.mark.parametrize("length", [16, 32, 64])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (0.1, -40), (2, 1)])
def test_floats(length: int, big: bool, scale: float, offset: float) -> None:
    signal = Signal("s", 7 if big else 0, length, big, is_float=True, scale=scale, offset=offset)
    form = {16: "e", 32: "f", 64: "d"}[length]
    words = [0.0, -0.0, 1.0, -2.5, float("inf"), float("-inf"), float("nan"), 6e-8]
    if length == 16:
        data = [struct.pack("<H", value) for value in range(0, 65536, 1 if scale == 1 else 7)]
    else:
        rng = np.random.default_rng(length)
        data = [rng.bytes(length // 8) for _ in range(1000)]
    data += [struct.pack("<" + form, word) for word in words]
    payloads = np.array([list((d[::-1] if big else d).ljust(8, b"\0")) for d in data], np.uint8)
    check([signal], payloads)


@pytest.mark.parametrize(
    ("signal", "dtype"),
    [
        (Signal("s", 0, 1), "u1"),
        (Signal("s", 0, 8), "u1"),
        (Signal("s", 0, 8, is_signed=True), "i1"),
        (Signal("s", 0, 8, offset=-1), "i2"),
        (Signal("s", 0, 8, scale=2), "u2"),
        (Signal("s", 0, 8, scale=-1), "i2"),
        (Signal("s", 0, 8, offset=-128), "i1"),
        (Signal("s", 0, 12), "u2"),
        (Signal("s", 0, 17), "u4"),
        (Signal("s", 0, 33), "u8"),
        (Signal("s", 0, 64, is_signed=True), "i8"),
        (Signal("s", 0, 64, scale=2), "f8"),
        (Signal("s", 0, 8, scale=0.5), "f8"),
        (Signal("s", 0, 8, offset=0.5), "f8"),
        (Signal("s", 0, 16, is_float=True), "f4"),
        (Signal("s", 0, 32, is_float=True), "f4"),
        (Signal("s", 0, 32, is_float=True, scale=2), "f8"),
        (Signal("s", 0, 64, is_float=True), "f8"),
    ],
)
def test_smallest_right_type(signal: Signal, dtype: str) -> None:
    message = one_message(signal)
    assert plan_of(message).decode(frames_of(message, np.zeros((1, 8), np.uint8)))["M"]["s"].dtype == np.dtype(dtype)


def test_blocks_join_without_a_seam() -> None:
    """More frames than the kernel takes at a time, of both record sizes, keep their order."""
    message = one_message(Signal("a", 0, 32), Signal("b", 39, 24, True, scale=0.5))
    values = np.arange(3000, dtype=np.uint32)
    payloads = np.zeros((3000, 8), np.uint8)
    payloads[:, :4] = values.view(np.uint8).reshape(-1, 4)
    payloads[:, 4:7] = values.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:]
    for fd in (False, True):
        frames = cf.make_frames(np.full(3000, 0x123), payloads, timestamp_ns=np.arange(3000) * 7, fd=fd)
        table = plan_of(message).decode(frames)["M"]
        assert np.array_equal(table["a"], values)
        assert np.array_equal(table["b"], values * 0.5)
        assert np.array_equal(table.timestamp_ns, np.arange(3000) * 7)
        assert np.array_equal(table.source_row, np.arange(3000))
