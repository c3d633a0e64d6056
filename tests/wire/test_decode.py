"""The decoder against its oracle: corrupted frames, arbitrary bits, streams with errors and overloads."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import wire_oracle as oracle
from wire_cases import LONG, random_frames, same_on_wire, to_oracle

import canal_fast as cf
from canal_fast import WireError, wire
from canal_fast.wire import WireStatus

IDLE = [1] * 11
FLAG = [0] * 6
DELIMITER = [1] * 8
PAUSE = [1] * 3
GOOD = oracle.Frame(0x123, dlc=2, data=b"\x12\x34")
BITS = oracle.encode(GOOD)


def u1(bits: list[int]) -> np.ndarray:
    return np.array(bits, np.uint8)


def check_slice(bits: list[int], result: wire.Decoded, row: int, base: int) -> str:
    """Row of `result` against the oracle on the same bits, which begin at `base`."""
    expected = oracle.decode(bits)
    name = WireStatus(result.status[row]).name
    place = expected.bit_index + base if expected.bit_index >= 0 else -1
    assert (name, result.bit_index[row], result.start[row]) == (expected.status, place, base), bits
    assert bool(result.valid[row]) == (expected.frame is not None)
    if expected.frame is not None:
        assert to_oracle(result.frames[row]) == expected.frame
    return name


def check_many(pieces: list[list[int]]) -> set[str]:
    offsets = np.cumsum([0] + [len(p) for p in pieces], dtype=np.int64)
    result = wire.decode(u1([b for p in pieces for b in p]), offsets)
    return {check_slice(piece, result, i, int(offsets[i])) for i, piece in enumerate(pieces)}


def test_status_mirror() -> None:
    from canal_fast.wire import _wire

    assert {s.name: s.value for s in WireStatus} == {name: number for number, name, _ in _wire.status_table()}


@pytest.mark.parametrize("seed", range(40 if LONG else 8))
def test_one_and_two_wrong_bits(seed: int) -> None:
    """Every single-bit corruption and many double ones: as the oracle says, never another valid frame, unless the
    received CRC sequence agrees with the received bits."""
    rng = np.random.default_rng(seed)
    pieces = []
    for row in random_frames(4, seed):
        bits = oracle.encode(to_oracle(row), ack=bool(seed & 1))
        for first in range(len(bits)):
            one = list(bits)
            one[first] ^= 1
            two = list(one)
            two[(first + int(rng.integers(1, 20))) % len(bits)] ^= 1
            pieces += [one, two]
    seen = check_many(pieces)
    assert {"STUFF_ERROR", "FORM_ERROR", "CRC_ERROR"} <= seen


def test_all_double_corruptions_of_a_classical_frame() -> None:
    """Of a short frame, all pairs. CRC-15 finds two wrong bits unless stuffing moves the others."""
    pieces = []
    for first in range(len(BITS)):
        for second in range(first):
            bits = list(BITS)
            bits[first] ^= 1
            bits[second] ^= 1
            pieces.append(bits)
    check_many(pieces)


@pytest.mark.parametrize("seed", range(20 if LONG else 3))
def test_arbitrary_bits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pieces = []
    for _ in range(1500):
        bits = (rng.random(rng.integers(1, 200)) < rng.choice([0.3, 0.5, 0.7])).astype(int).tolist()
        pieces.append([0, *oracle.stuff(bits)] if rng.random() < 0.7 else bits)
    check_many(pieces)


def test_every_truncation() -> None:
    pieces = []
    for row in random_frames(12, 3):
        bits = oracle.encode(to_oracle(row))
        pieces += [bits[:n] for n in range(1, len(bits))]
    assert check_many(pieces) == {"TRUNCATED"}


def test_nothing_past_the_end_is_read() -> None:
    """What stands behind a slice does not change what is read from it."""
    bits = u1(BITS[:60])
    offsets = np.array([0, 60], np.int64)
    for tail in ([], [0] * 80, [1] * 80, BITS[60:]):
        result = wire.decode(u1([*bits, *tail]), offsets)
        assert (result.status[0], result.bit_index[0]) == (WireStatus.TRUNCATED, 60)


def fd(bits: list[int], **kwargs: object) -> list[int]:
    return oracle.encode(oracle.Frame(0x42, fd=True, dlc=4, data=b"abcd", **kwargs))


@pytest.mark.parametrize(
    ("tail", "status"),
    [
        ([1, 0, 1, *[1] * 7], "OK"),
        ([1, 1, 0, 1, *[1] * 7], "OK"),  # CRC delimiter of two bits
        ([1, 0, 0, 1, *[1] * 7], "OK"),  # ACK slot of two bits
        ([1, 1, 0, 0, 1, *[1] * 7], "OK"),
        ([1, 1, 1, *[1] * 7], "NOT_ACKNOWLEDGED"),
        ([1, 0, 0, 0, *[1] * 7], "FORM_ERROR"),
        ([0, 0, 1, *[1] * 7], "FORM_ERROR"),
        ([1, 0, 1, 1, 1, 1, 0, 1, 1, 1], "FORM_ERROR"),
        ([1, 0, 1, *[1] * 6, 0], "OVERLOAD"),
    ],
)
def test_ends_of_fd_frames(tail: list[int], status: str) -> None:
    assert check_many([fd([])[:-10] + tail]) == {status}


@pytest.mark.parametrize(
    ("tail", "status"),
    [
        ([1, 0, 1, *[1] * 7], "OK"),
        ([1, 1, 0, 1, *[1] * 7], "NOT_ACKNOWLEDGED"),
        ([1, 0, 0, *[1] * 7], "FORM_ERROR"),
        ([1, 1, 1, *[1] * 6, 0], "NOT_ACKNOWLEDGED"),
        ([1, 0, 1, *[1] * 6, 0], "OVERLOAD"),
    ],
)
def test_ends_of_classical_frames(tail: list[int], status: str) -> None:
    assert check_many([BITS[:-10] + tail]) == {status}


def test_either_level_of_the_reserved_bits() -> None:
    """r0 of an extended frame and SRR may be the other way; the CRC runs over them as received."""
    frame = oracle.Frame(0x1ABCDE12, extended=True, dlc=1, data=b"x")
    for place in (12, 34 + 3):  # SRR; r0 after 1 + 11 + 2 + 18 + RTR + r1
        bits = oracle.message(frame)
        index = place if place == 12 else 1 + 11 + 2 + 18 + 2
        bits[index] ^= 1
        bits += oracle.number_to_bits(oracle.crc(bits, *oracle.CRC15), 15)
        bits = oracle.stuff(bits) + [1, 0, 1] + [1] * 7
        result = wire.decode(u1(bits), np.array([0, len(bits)], np.int64), strict=True)
        assert to_oracle(result.frames[0]) == frame


def test_recessive_res_is_a_protocol_exception() -> None:
    bits = [0, *oracle.number_to_bits(0x2A5, 11), 0, 0, 1, 1] + [1, 0] * 20
    assert check_many([bits]) == {"PROTOCOL_EXCEPTION"}
    stream = wire.decode(u1(IDLE + bits + IDLE + BITS + PAUSE))
    assert [WireStatus(s).name for s in stream.status] == ["PROTOCOL_EXCEPTION", "OK"]


def check_stream(bits: list[int]) -> list[tuple[str, int, int]]:
    result = wire.decode(u1(bits))
    got = [
        (WireStatus(s).name, int(at), int(place))
        for s, at, place in zip(result.status, result.start, result.bit_index, strict=True)
    ]
    expected = oracle.stream(bits)
    assert got == [(e.status, e.start, e.bit_index) for e in expected]
    for row, event in enumerate(expected):
        assert bool(result.valid[row]) == (event.frame is not None)
        if event.frame is not None:
            assert to_oracle(result.frames[row]) == event.frame
    packed = wire.decode(np.packbits(u1(bits)), packed=True, bit_count=len(bits))
    assert np.array_equal(packed.status, result.status)
    return got


N = len(BITS)
STREAMS = {  # None: where the oracle says
    "two frames": (IDLE + BITS + PAUSE + BITS + PAUSE, [("OK", 11, -1), ("OK", 14 + N, -1)]),
    "SOF in the third intermission bit": (IDLE + BITS + [1, 1] + BITS + PAUSE, [("OK", 11, -1), ("OK", 13 + N, -1)]),
    "not yet integrated": ([1] * 10 + BITS + [1] * 3 + BITS + PAUSE, [("OK", 10 + N + 3, -1)]),
    "a frame before integration": (BITS + [1] * 5 + BITS + PAUSE, [("OK", N + 5, -1)]),
    "overload in the first intermission bit": (
        IDLE + BITS + FLAG + DELIMITER + PAUSE + BITS + PAUSE,
        [("OK", 11, -1), ("OVERLOAD", 11 + N, 11 + N), ("OK", 11 + N + 17, -1)],
    ),
    "overload in the second intermission bit, answered late": (
        IDLE + BITS + [1] + [0] * 7 + DELIMITER + PAUSE + BITS,
        [("OK", 11, -1), ("OVERLOAD", 12 + N, 12 + N), ("OK", 11 + N + 19, -1)],
    ),
    "dominant last EOF bit": (
        IDLE + BITS[:-1] + [0] + FLAG + DELIMITER + PAUSE + BITS,
        [("OK", 11, -1), ("OVERLOAD", 10 + N, 10 + N), ("OK", 11 + N + 17, -1)],
    ),
    "error flag inside the data": (
        IDLE + BITS[:40] + [0] * 6 + DELIMITER + PAUSE + BITS,
        [("STUFF_ERROR", 11, None), ("ERROR_FLAG", None, None), ("OK", 11 + 40 + 17, -1)],
    ),
    "superposed error flags": (
        IDLE + BITS[:40] + [0] * 12 + DELIMITER + PAUSE + BITS,
        [("STUFF_ERROR", 11, None), ("ERROR_FLAG", None, None), ("OK", 11 + 40 + 23, -1)],
    ),
    "dominant last delimiter bit": (
        IDLE + BITS[:40] + FLAG + [1] * 7 + FLAG + DELIMITER + PAUSE + BITS,
        [
            ("STUFF_ERROR", 11, None),
            ("ERROR_FLAG", None, None),
            ("OVERLOAD", 11 + 53, 11 + 53),
            ("OK", 11 + 40 + 30, -1),
        ],
    ),
    "error flag in an error delimiter": (
        IDLE + BITS[:40] + FLAG + [1] * 3 + FLAG + DELIMITER + PAUSE + BITS,
        [
            ("STUFF_ERROR", 11, None),
            ("ERROR_FLAG", None, None),
            ("ERROR_FLAG", 11 + 49, 11 + 49),
            ("OK", 11 + 40 + 26, -1),
        ],
    ),
    "nobody acknowledges": (
        IDLE + oracle.encode(GOOD, ack=False)[:-8] + FLAG + DELIMITER + PAUSE + BITS,
        [("NOT_ACKNOWLEDGED", 11, N + 2), ("ERROR_FLAG", N + 3, N + 3), ("OK", N + 3 + 17, -1)],
    ),
    "a listener's loop-back without ACK": (
        IDLE + oracle.encode(GOOD, ack=False) + PAUSE + BITS,
        [("NOT_ACKNOWLEDGED", 11, N + 2), ("OK", N + 14, -1)],
    ),
    "ends inside a frame": (IDLE + BITS[:50], [("TRUNCATED", 11, 61)]),
    "silence": ([1] * 100, []),
    "stuck dominant": ([0] * 100, []),
    "nothing": ([], []),
}


@pytest.mark.parametrize("name", STREAMS)
def test_streams(name: str) -> None:
    bits, expected = STREAMS[name]
    got = check_stream(bits)
    assert [g[0] for g in got] == [e[0] for e in expected]
    for found, wanted in zip(got, expected, strict=True):
        assert all(w is None or f == w for f, w in zip(found, wanted, strict=True)), name


@pytest.mark.parametrize("seed", range(2000 if LONG else 150))
def test_damaged_streams(seed: int) -> None:
    """Frames, flags and noise in any order, some bits flipped."""
    rng = np.random.default_rng(seed)
    bits = list(IDLE)
    for row in random_frames(6, seed, fd=bool(seed & 1)):
        frame = oracle.encode(to_oracle(row), ack=rng.random() < 0.8)
        cut = int(rng.integers(1, len(frame))) if rng.random() < 0.3 else len(frame)
        bits += frame[:cut]
        if cut < len(frame) or rng.random() < 0.2:
            bits += [0] * int(rng.integers(1, 15)) + [1] * int(rng.choice([3, 7, 8, 9, 11]))
        bits += [1] * int(rng.choice([1, 2, 3, 3, 3, 12]))
    for place in rng.integers(0, len(bits), rng.integers(0, 4)):
        bits[place] ^= 1
    check_stream(bits)


@pytest.mark.parametrize("seed", range(300 if LONG else 6))
def test_eleven_recessive_bits_end_any_trouble(seed: int) -> None:
    """One wrong bit anywhere before the ACK delimiter: the next frame, back to back, is found all the same."""
    rows = random_frames(2, seed, fd=bool(seed & 1))
    first, second = (oracle.encode(to_oracle(row)) for row in rows)
    lost = []
    for place in range(len(first) - 8):
        bits = IDLE + first + [1, 1, 1] + second + PAUSE
        bits[11 + place] ^= 1
        result = wire.decode(u1(bits))
        found = result.start[result.status == WireStatus.OK]
        if 11 + len(first) + 3 not in found:
            lost.append(place)
    assert lost == []


def test_a_long_stream() -> None:
    """More rows than one batch, an FD frame at the very end."""
    frames = np.zeros(70_000, cf.FD_FRAME_DTYPE)
    frames["arbitration_id"] = np.arange(len(frames)) & 0x7FF
    frames[-1]["flags"] = cf.FrameFlag.FD
    bits, offsets = wire.encode(frames)
    lengths = np.diff(offsets)
    spaced = np.ones(len(bits) + 11 + 3 * len(frames), np.uint8)
    spaced[np.arange(len(bits)) + 11 + np.repeat(3 * np.arange(len(frames)), lengths.astype(np.intp))] = bits
    result = wire.decode(spaced)
    assert len(result.frames) == len(frames)
    assert not result.status.any()
    assert same_on_wire(result.frames, frames)


def test_strict() -> None:
    with pytest.raises(WireError, match="row 1, from bit 61: TRUNCATED at bit 101") as caught:
        wire.decode(u1(BITS + BITS[:40]), np.array([0, N, N + 40], np.int64), strict=True)
    assert caught.value.bit_index == N + 40


def bad_bits() -> np.ndarray:
    bits = u1(BITS * 2)
    bits[70] = 2
    return bits


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: wire.decode(bad_bits()), WireError, r"bits\[70\] = 2, allowed 0"),
        (lambda: wire.stuff(bad_bits()), WireError, r"bits\[70\] = 2, allowed 0"),
        (lambda: wire.destuff(bad_bits()[66:]), WireError, r"bits\[4\] = 2, allowed 0"),
        (lambda: wire.destuff(np.zeros(7, "u1")), WireError, r"bits\[5\] = 0, a sixth equal bit"),
        (lambda: wire.decode(u1(BITS).astype("i4")), TypeError, "must have the dtype of uint8, not int32"),
        (lambda: wire.decode(u1(BITS * 2)[::2]), ValueError, "bits must be contiguous"),
        (lambda: wire.decode([0, 1]), TypeError, "must be a numpy array"),
        (lambda: wire.decode(u1(BITS), np.array([0, 9, 9], np.int64)), ValueError, r"offsets\[2\] = 9 is not above 9"),
        (lambda: wire.decode(u1(BITS), np.array([0, 9, 5], np.int64)), ValueError, r"offsets\[2\] = 5 is not above 9"),
        (lambda: wire.decode(u1(BITS), np.array([-1, 9], np.int64)), ValueError, r"offsets\[0\] = -1, allowed 0\.\.61"),
        (lambda: wire.decode(u1(BITS), np.array([0, 68], np.int64)), ValueError, r"offsets\[1\] = 68, allowed 0\.\.61"),
        (lambda: wire.decode(u1(BITS), np.array([0, 1 << 62], np.int64)), ValueError, r"offsets\[1\]"),
        (lambda: wire.decode(u1(BITS), np.array([], "i8")), ValueError, "offsets has 0 elements, needed 1"),
        (lambda: wire.decode(u1(BITS), np.array([0, 9], "i4")), TypeError, "not int32"),
        (lambda: wire.decode(u1(BITS), bit_count=3), ValueError, "packed"),
        (lambda: wire.decode(u1(BITS), packed=True, bit_count=9999), ValueError, r"bit_count = 9999, allowed 0\.\.488"),
        (lambda: wire.encode(np.zeros(4, "u1")), TypeError, "FRAME_DTYPE"),
        (lambda: wire.frame_length_bits(cf.make_frames(1), "longest"), ValueError, "'worst_case'"),
    ],
)  # fmt: skip
def test_bad_input(call: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()  # type: ignore[operator]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("arbitration_id", 0x800, r"frames\[2\].*0x800, allowed 0\.\.0x7ff"),
        ("dlc", 16, r"frames\[2\].*16, allowed 0\.\.15"),
        ("flags", cf.FrameFlag.FD, r"frames\[2\].*does not fit a classical"),
        ("flags", cf.FrameFlag.STATUS, r"frames\[2\].*not a frame"),
        ("flags", cf.FrameFlag.ERROR_FRAME, r"frames\[2\].*not a frame"),
        ("flags", cf.FrameFlag.BITRATE_SWITCH, r"frames\[2\].*need the FD flag"),
        ("flags", 0x400, r"frames\[2\]: flags that no record has: flags = .*1024"),
        ("flags", 0x8000 | cf.FrameFlag.TX, r"frames\[2\]: flags that no record has: flags = .*TX.*32768"),
    ],
)
def test_refused_records(field: str, value: int, words: str) -> None:
    frames = cf.make_frames([1, 2, 3, 4])
    frames[field][2] = value
    for call in (
        wire.encode,
        wire.frame_length_bits,
        wire.stuff_bit_count,
        cf.checksum.crc15_frames,
        lambda f: wire.bus_load(f, 500_000),
    ):
        with pytest.raises(cf.FrameError, match=words) as caught:
            call(frames)
        assert caught.value.index == 2


def test_remote_with_fd_is_refused() -> None:
    frames = cf.make_frames([1, 2], fd=True)
    frames["flags"][1] |= cf.FrameFlag.REMOTE
    with pytest.raises(cf.FrameError, match=r"frames\[1\].*cannot be a remote"):
        wire.encode(frames)


def test_nothing_in_nothing_out() -> None:
    for packed in (False, True):
        bits, offsets = wire.encode(np.empty(0, cf.FRAME_DTYPE), packed=packed)
        assert len(bits) == 0
        assert offsets.tolist() == [0]
        assert len(wire.decode(bits, offsets, packed=packed).frames) == 0
    assert len(wire.stuff(u1([]))) == len(wire.destuff(u1([]))) == 0
