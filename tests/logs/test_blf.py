"""Vector BLF: against the slow reader on random files, flipped bit by bit, padded, cut, with damage inside."""

from __future__ import annotations

import datetime as dt
import io
import os
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from oracle import blf_oracle as oracle

import canal_fast as cf
from canal_fast.logs import open_log, read_log

LONG = os.environ.get("CANAL_FAST_LONG") == "1"
PLAIN = ("blf_plain", "blf_split_over_containers", "blf_split_mixed_methods", "blf_without_containers", "blf_fd")


def agree(data: bytes) -> int:
    """Reader and oracle give the same; the number of frames."""
    expected = oracle.read(data)
    with open_log(io.BytesIO(data)) as log:
        frames = log.read(fd=True)
        assert log.start == expected.start
        assert log.skipped_by_kind == dict(expected.skipped)
        assert (log.lost_bytes, log.truncated) == (0, False)
    assert len(frames) == len(expected.frames)
    for frame, record in zip(frames, expected.frames, strict=True):
        words = [int(frame[name]) for name in ("timestamp_ns", "arbitration_id", "flags", "channel", "dlc")]
        assert words == [record.timestamp_ns, record.arbitration_id, record.flags, record.channel, record.dlc]
        assert frame["data"].tobytes() == record.data.ljust(64, b"\0")
    return len(frames)


def random_object(rng: random.Random, ticks: int) -> bytes:
    channel = rng.choice([0, 1, 1, 2, 16, 256, 257, 65535])
    word = rng.choice([rng.randrange(0x800), 0x80000000 | rng.randrange(1 << 29), rng.randrange(1 << 32)])
    dlc = rng.choice([rng.randrange(16), rng.randrange(9), 8, 200])
    data = rng.randbytes(rng.choice([8, 8, 64, 12, 0]))
    kind = rng.choice([1, 1, 86, 100, 101, 2, 3, 73, 104, 91, 125, 126, 4, 71, 96, 115, 31, 72, 199, 65])
    unit = rng.choice([1, 2])
    ticks = ticks // 10_000 if unit == 1 else ticks
    if kind in (1, 86):
        return oracle.message(kind, channel, word, dlc, data, ticks, rng.choice([0, 1, 0x80, 0x81, 2, 0x60]), unit)
    if kind == 100:
        return oracle.message(
            100, channel, word, dlc, data, ticks, rng.choice([0, 1, 0x80]) | rng.randrange(8) << 8, unit
        )
    if kind == 101:
        bits = rng.choice([0, 0x10, 0x1000, 0x3000, 0x5000, 0x7000])
        return oracle.message_64(channel % 256, word, dlc, data, ticks, bits, rng.randrange(3))
    if kind == 73:
        valid, code, ecc = rng.randrange(4), rng.randrange(1 << 14), rng.randrange(256)
        body = struct.pack("<HHLBBBxLLHH8s", channel, 0, valid, ecc, 5, 8, 0, 0x123, code, 0, bytes(8))
    elif kind == 104:
        valid, code, ecc = rng.randrange(4), rng.randrange(1 << 14), rng.randrange(256)
        body = struct.pack("<BBBBHH", channel % 256, 0, 0, ecc, valid, code) + bytes(rng.choice([36, 40, 44]))
    elif kind == 91:
        body = struct.pack("<LHH", rng.choice([1, 1, 5]), min(channel, 256), 0)
    elif kind in (2, 3):
        body = struct.pack("<HHL", channel, 0, 0)
    else:
        body = rng.randbytes(rng.randrange(24, 80))
    padding = rng.choice([None, None, 0, 8])
    return oracle.item(kind, body, ticks, unit, padding, rng.choice([1, 1, 2]))


def random_file(rng: random.Random) -> bytes:
    ticks, body, stream = 0, b"", b""
    for _ in range(rng.randrange(1, 40)):
        ticks += rng.randrange(-(10**9), 10**10)
        stream += random_object(rng, ticks)
    while stream:
        size = rng.choice([len(stream), rng.randrange(1, len(stream) + 1)])
        body += oracle.container(stream[:size], rng.choice([0, 2, 2]))
        stream = stream[size:]
        if rng.random() < 0.2:
            body += oracle.message(1, 1, 0x700, 2, b"\1\2", ticks)
    start = dt.datetime(2024, 5, 1, 12, 30, 15, 250_000) if rng.random() < 0.8 else None
    return oracle.file(body, start)


def test_random_files_agree_with_the_oracle() -> None:
    rng = random.Random(1)
    total = sum(agree(random_file(rng)) for _ in range(20_000 if LONG else 400))
    assert total > 2000


@pytest.mark.parametrize("name", PLAIN)
def test_samples_agree_with_the_oracle(name: str, data_dir: Path) -> None:
    assert agree((data_dir / "recordings" / f"{name}.blf").read_bytes()) >= 4


@pytest.mark.parametrize("padding", range(9))
def test_any_padding(padding: int) -> None:
    stream = b"".join(
        oracle.item(96, bytes(24 + n % 5), n, padding=padding) + oracle.message(1, 1, n, 1, b"\1", n) for n in range(50)
    )
    for body in (stream, oracle.container(stream), oracle.container(stream[:777]) + oracle.container(stream[777:])):
        assert agree(oracle.file(body)) == 50


@pytest.mark.parametrize("there", range(1, 5))
def test_an_object_between_a_container_and_the_rest_of_its_last_object(there: int) -> None:
    """After padding, of which the first bytes of that object are part of what the container ends with."""
    first, second = oracle.item(4, bytes(26), 0), oracle.message(1, 1, 2, 1, b"\1", 1)
    body = oracle.container(first + second[:there]) + oracle.message(1, 1, 3, 1, b"\1", 2)
    assert len(first) % 4 == 0
    assert agree(oracle.file(body + oracle.container(second[there:]))) == 2


def test_filling_bytes_are_lost_bytes() -> None:
    """One of Vector's converters ends a container with 27 of them."""
    first, second = (b"".join(oracle.message(1, 1, i, 1, b"\1", i) for i in part) for part in (range(5), range(5, 9)))
    data = oracle.file(oracle.container(first + bytes(27)) + oracle.container(second))
    with open_log(io.BytesIO(data), strict=True) as log:
        assert log.read()["arbitration_id"].tolist() == list(range(9))
        assert log.lost_bytes == 27


def test_header_sizes_and_stale_fields() -> None:
    body = oracle.message(1, 1, 0x100, 1, b"\1", 0)
    data = bytearray(oracle.file(body))
    longer = data[:144] + bytes(56) + body
    longer[4:8] = struct.pack("<L", 200)
    assert len(read_log(io.BytesIO(longer))) == 1
    for place in (16, 24, 32):  # a logger that died leaves these stale
        data[place : place + 4] = b"\xff" * 4
    assert len(read_log(io.BytesIO(data), strict=True)) == 1
    for size in (0, 71, 100_000, 2**32 - 1):
        data[4:8] = struct.pack("<L", size)
        assert len(read_log(io.BytesIO(data))) == 1  # an object stands where it should
    with pytest.raises(cf.LogFormatError, match="byte 0: a BLF header shorter"):
        read_log(io.BytesIO(data[:144] + bytes(200)))
    assert len(read_log(io.BytesIO(oracle.file(b"")), strict=True)) == 0


@pytest.mark.parametrize("milliseconds", [1000, 4295, 65535])
def test_a_start_of_too_many_milliseconds_is_none(milliseconds: int) -> None:
    data = bytearray(oracle.file(oracle.message(1, 1, 0x100, 1, b"\1", 0)))
    data[54:56] = struct.pack("<H", milliseconds)
    with open_log(io.BytesIO(data)) as log:
        assert log.read()["timestamp_ns"].tolist() == [0]
        assert log.start is None


def test_names_of_channels() -> None:
    text = b"C:\\x.dbc;Powertrain\0"
    body = struct.pack("<LLLL", 1, 1 << 16 | 2 << 8, len(text), 0) + text
    stream = oracle.item(65, body, 0) + oracle.message(1, 2, 0x100, 1, b"\1", 0)
    with open_log(io.BytesIO(oracle.file(oracle.container(stream)))) as log:
        log.read()
        assert log.names == {1: "Powertrain"}
        assert log.skipped_by_kind == {}  # it was taken


def frames_of(data: bytes, errors: str) -> tuple[cf.FrameArray, int, int, bool]:
    with open_log(io.BytesIO(data), errors=errors) as log:
        frames = log.read(fd=True)
        return frames, log.skipped, log.lost_bytes, log.truncated


class Places:
    """Which frames of a file whose objects are whole each of its bytes belongs to."""

    def __init__(self, data: bytes, frames: cf.FrameArray) -> None:
        self.outer: list[tuple[int, int, int | None, int, int]] = []  # begin, end, method, begin and end of contents
        self.objects: list[tuple[int, int, list[bytes]]] = []  # begin, end, frames, in the contents or in the file
        inner = b""
        for at, item in oracle.objects(data[144:]):
            method, part = None, b""
            if item[12] == 10:
                method = item[16]
                part = zlib.decompress(item[32:]) if method == 2 else item[32:]
            self.outer.append((144 + at, 144 + at + len(item), method, len(inner), len(inner) + len(part)))
            inner += part
        base = 0 if inner else 144
        rest = list(map(kept, frames))
        for at, item in oracle.objects(inner or data[144:]):
            count = len(oracle.read(data[:144] + item).frames)
            self.objects.append((base + at, base + at + len(item), rest[:count]))
            rest = rest[count:]
        assert not rest

    def inside(self, byte: int) -> tuple[bool, set[int]]:
        """Is the byte compressed, and which objects may change with it?"""
        for begin, end, method, first, last in self.outer:
            if begin <= byte < end:
                low, high = first, last
                if method is None:
                    low, high = byte, byte + 1
                elif method == 0 and byte >= begin + 32:
                    low, high = first + byte - begin - 32, first + byte - begin - 31
                touched = {i for i, row in enumerate(self.objects) if row[0] < high and row[1] > low}
                return method == 2 and byte >= begin + 32, touched
        return False, set()


def kept(frame: np.void) -> bytes:
    """A frame without GAP, which the object before it sets."""
    frame = frame.copy()
    frame["flags"] &= 0xFF
    return bytes(frame.tobytes())


BLF_SAMPLES = (
    "split_mixed_methods", "without_containers", "split_over_containers", "plain", "fd", "negative_time",
    "no_start_time", "errors_overrun_padding",
)  # fmt: skip


@pytest.mark.parametrize("name", BLF_SAMPLES)
def test_every_bit_flipped(name: str, data_dir: Path) -> None:
    """In a compressed container it is said; elsewhere the object it lies in changes, and no other is missing."""
    data = (data_dir / "recordings" / f"blf_{name}.blf").read_bytes()
    good, *_ = frames_of(data, "skip")
    total = len(good) + frames_of(data, "skip")[1]
    places = Places(data, good)
    for bit in range(144 * 8, len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        packed, touched = places.inside(bit // 8)
        frames, skipped, lost, truncated = frames_of(bytes(flipped), "skip")
        try:
            strict, *counts = frames_of(bytes(flipped), "strict")
        except cf.LogFormatError:
            assert packed or skipped or lost or truncated, bit
        else:
            assert not packed or np.array_equal(strict, good), bit  # other bits that mean the same
            assert np.array_equal(strict, frames), bit
            assert counts == [skipped, lost, truncated], bit
        rows = list(map(kept, frames))
        wanted = [row for i, (_, _, part) in enumerate(places.objects) if i not in touched for row in part]
        found = 0
        for row in rows:
            found += found < len(wanted) and row == wanted[found]
        assert found == len(wanted), bit
        assert len(rows) - found <= max(len(touched), 1), bit
        assert len(rows) + skipped >= total - len(touched) + bool(touched) or lost or truncated, bit


def test_every_bit_of_the_header_flipped(data_dir: Path) -> None:
    """What it says of the file is not used, but the start, and its size where an object begins there."""
    data = (data_dir / "recordings" / "blf_plain.blf").read_bytes()
    good, *_ = frames_of(data, "strict")
    refused = 0
    for bit in range(144 * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            frames, *_ = frames_of(bytes(flipped), "strict")
        except cf.LogFormatError:
            refused += 1
            continue
        frames["timestamp_ns"] += good["timestamp_ns"][0] - frames["timestamp_ns"][0]
        assert np.array_equal(frames, good), bit
    assert refused == 32  # "LOGG"


def test_a_cut_container_with_a_bit_flipped(data_dir: Path) -> None:
    data = (data_dir / "recordings" / "blf_cut_in_container.blf").read_bytes()
    good, *_ = frames_of(data, "strict")
    for bit in range(144 * 8, len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        frames, skipped, lost, truncated = frames_of(bytes(flipped), "skip")
        assert len(frames) <= len(good) + 1
        assert truncated or skipped or lost, bit


def test_a_damaged_container_is_left_out() -> None:
    parts = [b"".join(oracle.message(1, 1, n, 1, b"\1", n) for n in range(i, i + 5)) for i in (0, 10, 20)]
    packed = [oracle.container(part) for part in parts]
    bad = bytearray(packed[1])
    bad[len(bad) // 2 + 10] ^= 0x10
    data = oracle.file(packed[0] + bytes(bad) + packed[2])
    with open_log(io.BytesIO(data)) as log:
        batches = log.batches()
        assert next(batches)["arbitration_id"].tolist() == [0, 1, 2, 3]  # what stands before it comes first
        with pytest.raises(cf.LogFormatError, match=r"byte \d+: a damaged container") as caught:
            next(batches)
        assert caught.value.offset == 144 + len(packed[0]) + 32
    with open_log(io.BytesIO(data), errors="skip") as log:
        assert log.read()["arbitration_id"].tolist() == [0, 1, 2, 3, *range(20, 25)]
        assert log.skipped_by_kind == {"damaged container": 1}
        assert log.lost_bytes >= len(packed[1]) - 32


def test_a_container_that_grows_too_much_is_refused() -> None:
    bomb = zlib.compress(bytes(17 << 20), 9)
    head = struct.pack("<4sHHLL", b"LOBJ", 16, 1, 32 + len(bomb), 10) + struct.pack("<HHLLL", 2, 0, 0, 17 << 20, 0)
    data = oracle.file(head + bomb)
    with pytest.raises(cf.LogFormatError, match=r"byte 176: a container of more than 16777216 bytes.*17825792"):
        read_log(io.BytesIO(data))
    assert len(read_log(io.BytesIO(data), errors="skip")) == 0
    unknown = oracle.container(oracle.message(1, 1, 1, 1, b"\1", 0), 0)
    unknown = unknown[:16] + b"\x07\0" + unknown[18:]
    with pytest.raises(cf.LogFormatError, match="packed in an unknown way"):
        read_log(io.BytesIO(oracle.file(unknown)))


def test_times_at_the_limits() -> None:
    far = oracle.message(1, 1, 1, 1, b"\1", 2**62, unit=1)
    with open_log(io.BytesIO(oracle.file(far))) as log:
        assert len(log.read()) == 0
        assert log.skipped_by_kind == {"damaged object": 1}


def test_peers_err_where_the_list_says(data_dir: Path) -> None:
    """docs/reference/formats.md lists what python-can makes of these; it does so still."""
    can = pytest.importorskip("can", reason="NOT RUN: python-can is not installed")

    def read(name: str) -> list[object]:
        with can.BLFReader(str(data_dir / "recordings" / name)) as reader:
            return list(reader)

    assert len(read("blf_plain.blf")) == 4
    assert len(read("blf_without_containers.blf")) == 0
    assert len(read_log(data_dir / "recordings" / "blf_without_containers.blf")) == 4
