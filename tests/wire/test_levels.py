"""The kernels give the same on every instruction set that this machine has; calls let other threads run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from oracle import wire_oracle as oracle
from wire_cases import LONG, REMOTE, random_frames, same_on_wire, to_oracle

import canal_fast as cf
from canal_fast import checksum, processor, wire


@pytest.fixture(params=[*processor.LEVELS, "avx2-gfni"])
def level(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param.partition("-")[0] not in processor.available():
        pytest.skip(f"NOT RUN: this machine has no {request.param}")
    before = os.environ.get("CANAL_FAST_SIMD") or processor.available()[-1]
    processor.select(request.param)
    yield request.param
    processor.select(before)


@pytest.mark.parametrize("count", [0, 1, 7, 63, 128, 129, 511, 512, 1300])
def test_all_sizes(level: str, count: int) -> None:
    frames = random_frames(count, count, fd=False)
    lengths = wire.frame_length_bits(frames, intermission=False)
    crcs = checksum.crc15_frames(frames)
    for row, length, crc in zip(frames, lengths, crcs, strict=True):
        frame = to_oracle(row)
        assert length == len(oracle.encode(frame)), frame
        assert crc == oracle.crc_of(frame), frame


def test_many_frames(level: str) -> None:
    """A million: lengths beside the byte automaton (which fills the parts), CRCs and decoding beside encoding."""
    for seed in range(5 if LONG else 1):
        frames = random_frames(1_000_000 if LONG else 200_000, 100 + seed, fd=False)
        parts = wire.frame_length_bits(frames, parts=True, intermission=False)
        assert np.array_equal(wire.frame_length_bits(frames, intermission=False), parts["nominal"])
        bits, offsets = wire.encode(frames, packed=True)
        assert np.array_equal(np.diff(offsets), parts["nominal"])
        result = wire.decode(bits, offsets, packed=True, strict=True)
        assert same_on_wire(result.frames, frames)
        fields = np.zeros(len(frames), cf.FD_FRAME_DTYPE)  # the long records take the portable way
        for name in ("arbitration_id", "flags", "dlc"):
            fields[name] = frames[name]
        fields["data"][:, :8] = frames["data"]
        assert np.array_equal(checksum.crc15_frames(frames), checksum.crc15_frames(fields))


def test_all_base_identifiers(level: str) -> None:
    ids, dlcs = (a.ravel() for a in np.meshgrid(np.arange(2048), np.arange(16), indexing="ij"))
    for flags in (0, REMOTE):
        frames = cf.make_frames(ids, dlc=dlcs, flags=flags)
        parts = wire.frame_length_bits(frames, parts=True)
        assert np.array_equal(wire.frame_length_bits(frames), parts["nominal"])
        assert same_on_wire(wire.decode(*wire.encode(frames), strict=True).frames, frames)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("arbitration_id", 0x800),
        ("arbitration_id", 1 << 29),
        ("dlc", 16),
        ("flags", 4),
        ("flags", 0x80),
        ("flags", 16),
        ("flags", 0x400),
        ("flags", 0x8000),
    ],
)
@pytest.mark.parametrize("index", [0, 3, 513, 1023, 1029])
def test_refuses_by_index(level: str, index: int, field: str, value: int) -> None:
    for frames in (cf.make_frames(np.arange(1030)), full_frames(1030)):
        frames[field][index] = value
        for call in (wire.frame_length_bits, checksum.crc15_frames, wire.encode):
            with pytest.raises(cf.FrameError) as caught:
                call(frames)
            assert caught.value.index == index


def test_sixth_equal_bit(level: str) -> None:
    """An equal bit before a stuff bit: without both the rest is a good frame, and it is a stuff error all the same."""
    pieces, places = [], []
    for row in random_frames(60, 6, fd=False):
        plain = oracle.encode(to_oracle(row))
        run, last = 0, -1
        for place, bit in enumerate(plain[:-10]):
            if run == 5:
                pieces.append(plain[:place] + [last] + plain[place:])
                places.append(place)
            run, last = (run + 1 if bit == last else 1), bit
    offsets = np.cumsum([0] + [len(piece) for piece in pieces], dtype=np.int64)
    result = wire.decode(np.concatenate([np.array(piece, np.uint8) for piece in pieces]), offsets)
    assert {place < 64 for place in places} == {True, False}
    assert result.status.tolist() == [wire.WireStatus.STUFF_ERROR] * len(pieces)
    assert (result.bit_index - result.start).tolist() == places


def full_frames(count: int) -> cf.FrameArray:
    """Base data frames of 8 random bytes, which have kernels of their own."""
    rng = np.random.default_rng(count)
    frames = cf.make_frames(rng.integers(0, 2048, count), rng.integers(0, 256, (count, 8), np.uint8))
    frames["channel"] = rng.integers(0, 256, count)
    frames["flags"] = rng.choice([0, 0x40, 0x100, 0x140], count)
    frames["timestamp_ns"] = rng.integers(-(1 << 63), (1 << 63) - 1, count)
    return frames


@pytest.mark.parametrize("count", [1, 15, 16, 17, 100, 600])
def test_full_frames(level: str, count: int) -> None:
    frames = full_frames(count)
    expected = [oracle.crc_of(to_oracle(row)) for row in frames]
    assert checksum.crc15_frames(frames).tolist() == expected
    for index in range(0, count, 7):  # one that is something else, at each place of a block
        for field, value in (("dlc", 7), ("dlc", 9), ("dlc", 0), ("flags", 1), ("flags", REMOTE)):
            other = frames.copy()
            other[field][index] = value
            here = expected.copy()
            here[index] = oracle.crc_of(to_oracle(other[index]))
            assert checksum.crc15_frames(other).tolist() == here


def test_marks_that_are_not_on_the_wire_are_ignored(level: str) -> None:
    frames = cf.make_frames(np.arange(600), flags=cf.FrameFlag.TX | cf.FrameFlag.GAP, channel=255)
    assert np.array_equal(wire.frame_length_bits(frames), wire.frame_length_bits(cf.make_frames(np.arange(600))))


@pytest.mark.parametrize("size", [511, 512, 513, 767, 768, 5000, 1 << 16])
def test_long_buffers(level: str, size: int) -> None:
    data = np.random.default_rng(size).bytes(size)
    expected = checksum.crc15_bits(np.unpackbits(np.frombuffer(data, np.uint8)), 0x2AAA)
    assert checksum.crc15(data, 0x2AAA) == expected


@pytest.mark.parametrize("seed", range(200 if LONG else 20))
def test_damaged_frames(level: str, seed: int) -> None:
    """The quick way gives up on exactly the frames that are not plainly good."""
    rng = np.random.default_rng(seed)
    frames = random_frames(200, seed, fd=False)
    bits, offsets = wire.encode(frames)
    flips = rng.integers(0, len(bits), 150)
    bits[flips] ^= 1
    result = wire.decode(bits, offsets)
    for index in np.unique(np.searchsorted(offsets, flips, side="right") - 1):
        expected = oracle.decode(bits[offsets[index] : offsets[index + 1]].tolist())
        assert wire.WireStatus(result.status[index]).name == expected.status
        assert bool(result.valid[index]) == (expected.frame is not None)
        if expected.frame is not None:
            assert to_oracle(result.frames[index]) == expected.frame


def test_a_wrong_stuff_bit_is_a_stuff_error_even_if_the_crc_fits(level: str) -> None:
    """The first stuff bit of each of many frames flipped: among so many, some CRCs agree by chance."""
    frames = random_frames(500_000 if LONG else 150_000, 77, fd=False)
    bits, offsets = wire.encode(frames)
    same = bits[1:] == bits[:-1]
    ends = np.flatnonzero(same[:-3] & same[1:-2] & same[2:-1] & same[3:]) + 4
    ends = ends[np.searchsorted(offsets, ends - 4, side="right") == np.searchsorted(offsets, ends, side="right")]
    first = ends[np.minimum(np.searchsorted(ends, offsets[:-1]), len(ends) - 1)] + 1
    stuffed = wire.stuff_bit_count(frames) > 0
    bits[first[stuffed]] ^= 1
    result = wire.decode(bits, offsets)
    assert np.array_equal(result.status == wire.WireStatus.STUFF_ERROR, stuffed)
    assert np.array_equal(result.bit_index[stuffed], first[stuffed])


def test_a_run_that_ends_in_the_delimiter_forces_no_stuff_bit(level: str) -> None:
    """CRC ...01111, its delimiter, and no ACK: five ones, then a dominant ACK delimiter, which is no stuff bit."""
    found = 0
    for row in random_frames(400, 5, fd=False):
        bits = oracle.encode(to_oracle(row))
        if bits[-15:-10] == [0, 1, 1, 1, 1]:
            found += 1
            bad = bits[:-10] + [1, 1, 0] + [1] * 8
            result = wire.decode(np.array(bad + bits * 3, np.uint8), np.array([0, len(bad)], np.int64))
            assert result.status.tolist() == [wire.WireStatus.NOT_ACKNOWLEDGED]
            assert not result.valid[0]
    assert found > 3


def test_the_environment_chooses(tmp_path: Path) -> None:
    code = "from canal_fast import processor, wire; print(*processor.available())"
    for name in processor.available():
        environment = {**os.environ, "CANAL_FAST_SIMD": name}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, cwd=tmp_path)
    environment = {**os.environ, "CANAL_FAST_SIMD": "mmx"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 1
    assert "CANAL_FAST_SIMD = 'mmx', this machine has portable" in run.stderr


def test_a_level_that_this_machine_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "cpu_units", lambda: processor.UNITS["avx2"] | processor.UNITS["pext"])
    with pytest.raises(cf.CanalFastError, match=r"^CANAL_FAST_SIMD = 'avx512', this machine has portable, avx2, and"):
        processor.select("avx512")


def test_calls_let_other_threads_run() -> None:
    """With a switch interval of an hour, a second thread gets on only where a call gives up the GIL."""
    frames = random_frames(300_000, 5, fd=False)
    bits, offsets = wire.encode(frames)
    data = bytes(1 << 22)
    calls = {
        "frame_length_bits": lambda: wire.frame_length_bits(frames, parts=True),
        "encode": lambda: wire.encode(frames),
        "decode": lambda: wire.decode(bits, offsets),
        "decode a stream": lambda: wire.decode(bits),
        "stuff": lambda: wire.stuff(bits),
        "crc15": lambda: checksum.crc15(data),
        "crc15_frames": lambda: checksum.crc15_frames(frames),
    }
    interval = sys.getswitchinterval()
    for name, call in calls.items():
        ran = threading.Event()
        go = threading.Event()

        def other(go: threading.Event = go, ran: threading.Event = ran) -> None:
            go.wait()
            ran.set()

        thread = threading.Thread(target=other)
        thread.start()
        sys.setswitchinterval(3600)
        try:
            go.set()
            for _ in range(200):
                call()
                if ran.is_set():
                    break
            assert ran.is_set(), name
        finally:
            sys.setswitchinterval(interval)
            thread.join()
