"""Compressed recordings: whole, damaged, without the package."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.samples import FRAMES

import canal_fast as cf
from canal_fast.logs import open_log, read_log

PACKERS = {"gz": gzip.compress, "bz2": bz2.compress}


def zstd(data: bytes) -> bytes:
    module = pytest.importorskip("zstandard", reason="NOT RUN: zstandard is not installed")
    return bytes(module.ZstdCompressor().compress(data))


@pytest.mark.posix
def test_what_a_pipe_has_is_unpacked_before_more_is_waited_for() -> None:
    """As `cat /dev/shm/growing.log.gz | canal-fast dump -`, where the writer flushes."""
    reading, writing = os.pipe()
    packer = zlib.compressobj(wbits=31)
    os.write(writing, packer.compress(b"(1.000000) can0 123#07\n" * 3) + packer.flush(zlib.Z_SYNC_FLUSH))
    hung = threading.Timer(20, os.close, [writing])
    hung.start()
    with open(reading, "rb") as pipe, open_log(pipe) as log:
        batches = log.batches()
        assert len(next(batches)) == 3
        hung.cancel()
        hung.join()
        os.write(writing, packer.compress(b"(2.000000) can0 123#08\n") + packer.flush())  # fails if it was closed
        os.close(writing)
        assert [len(batch) for batch in batches] == [1]
        assert not log.truncated


@pytest.mark.parametrize("packed", ["gz", "bz2", "zst"])
@pytest.mark.parametrize("name", ["asc_relative.asc", "blf_fd.blf", "trc_2_1.trc", "pcap_ns_be.pcap", "python_can.csv"])
def test_compressed(name: str, packed: str, samples: Path, tmp_path: Path) -> None:
    pack = PACKERS.get(packed, zstd)
    data = (samples / name).read_bytes()
    expected = read_log(samples / name)
    middle = len(data) // 2
    members = pack(data[:middle]) + pack(data[middle:])
    path = tmp_path / f"{name}.{packed}"
    path.write_bytes(members)
    assert np.array_equal(read_log(path, strict=True), expected)
    assert np.array_equal(read_log(io.BytesIO(pack(pack(data)))), expected)
    for cut in range(len(pack(data[:middle])) + 8, len(members)):  # inside the second member
        with open_log(io.BytesIO(members[:cut]), format=FRAMES[name][0]) as log:
            frames = log.read(fd=True)
            assert np.array_equal(frames["arbitration_id"], expected["arbitration_id"][: len(frames)])
            assert log.truncated, cut
    path.write_bytes(members + b"something else")
    with pytest.raises(cf.LogFormatError, match="something else follows"):
        read_log(path)
    path.write_bytes(members + bytes(1000))  # tapes and mkfifo pad with zeros
    assert np.array_equal(read_log(path, strict=True), expected) or packed != "gz"


def read_until_damage(data: bytes) -> tuple[cf.FrameArray, str]:
    """The frames that come before the error, and the error."""
    frames, words = [np.empty(0, cf.FD_FRAME_DTYPE)], ""
    try:
        with open_log(io.BytesIO(data)) as log:
            for batch in log.batches(1000):
                frames.append(batch)
    except cf.LogFormatError as error:
        words = str(error)
    return np.concatenate(frames), words


def checked_zstd(data: bytes) -> bytes:
    module = pytest.importorskip("zstandard", reason="NOT RUN: zstandard is not installed")
    return bytes(module.ZstdCompressor(write_checksum=True).compress(data))


@pytest.mark.parametrize("module", ["isal.isal_zlib", "zlib"])
@pytest.mark.parametrize(
    ("pack", "checksum", "block"), [(gzip.compress, -6, 0), (bz2.compress, -3, 900_000), (checked_zstd, -3, 1 << 17)]
)
def test_frames_before_damage_in_a_compressed_stream(
    pack: Callable[[bytes], bytes], checksum: int, block: int, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong checksum loses no frame, damage in the middle none but those of its block."""
    tool = pytest.importorskip(module, reason=f"NOT RUN: {module} is not installed")
    monkeypatch.setattr("canal_fast.logs.layers.inflater", lambda: tool)
    rng = np.random.default_rng(3)
    given = cf.make_frames(rng.integers(0, 2048, 12_000), rng.integers(0, 256, (12_000, 8), np.uint8), timestamp_ns=0)
    text = cf.logs.format_candump(given)
    for few in (given[:10], given):  # all in the first bytes that are read, and many batches
        data = bytearray(pack(cf.logs.format_candump(few)))
        data[checksum] ^= 16
        frames, words = read_until_damage(bytes(data))
        assert "it is damaged" in words
        assert np.array_equal(frames["data"][:, :8], few["data"])
        frames, words = read_until_damage(pack(text) + bytes(data))  # a member before it
        assert "it is damaged" in words
        assert np.array_equal(frames["arbitration_id"], np.append(given["arbitration_id"], few["arbitration_id"]))
    data = bytearray(pack(text))
    place = len(data) * 2 // 3
    data[place : place + 20] = bytes(20)
    frames, words = read_until_damage(bytes(data))
    assert "damaged" in words or "line" in words  # what it then unpacks to is no candump text
    sure = (len(text) * 2 // 3 - block) // 45 - 1000
    assert len(frames) >= sure
    assert np.array_equal(frames["data"][: max(sure, 0), :8], given["data"][: max(sure, 0)])


@pytest.mark.parametrize("log", [25, 26])
def test_zstd_windows_above_32_mib_are_refused(log: int) -> None:
    module = pytest.importorskip("zstandard", reason="NOT RUN: zstandard is not installed")
    tool = module.ZstdCompressor(compression_params=module.ZstdCompressionParameters(window_log=log)).compressobj()
    text = b"(1.0) can0 123#00\n" * 1000
    data = tool.compress(text) + tool.flush()  # of a size that the frame does not state
    front = zstd(text)
    if log == 25:
        assert len(read_log(io.BytesIO(front + data))) == 2000
        return
    frames, words = read_until_damage(front + data)
    assert len(frames) == 1000
    assert words == (
        f"BytesIO: zstd stream at byte {len(front)}: it needs a window of 67108864 bytes, allowed 33554432"
    )


def test_zstd_frames_to_be_skipped() -> None:
    """pzstd begins each with one."""
    skipped = b"\x50\x2a\x4d\x18\4\0\0\0abcd"
    text = b"(1.0) can0 123#00\n" * 10
    assert len(read_log(io.BytesIO(skipped + zstd(text) + skipped + zstd(text)), strict=True)) == 20


@pytest.mark.parametrize("module", ["isal.isal_zlib", "zlib"])
def test_inflaters_agree(module: str, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = pytest.importorskip(module, reason=f"NOT RUN: {module} is not installed")
    from canal_fast.logs import layers, stream

    for place in (layers, stream):
        monkeypatch.setattr(place, "inflater", lambda: tool)
    assert len(read_log(samples / "GVRET_Log.csv.gz")) == 12_974
    assert len(read_log(samples / "blf_split_mixed_methods.blf")) == 4
    damaged = bytearray((samples / "blf_plain.blf").read_bytes())
    damaged[-8] ^= 1
    with pytest.raises(cf.LogFormatError, match="byte 176: a damaged container"):
        read_log(io.BytesIO(damaged))


def test_a_missing_package_is_named(samples: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "x.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(10))
    for module in ("compression.zstd", "zstandard", "asammdf"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(cf.CanalFastError, match=r"pip install 'canal_fast\[zst\]'"):
        read_log(tmp_path / "x.zst")
    with pytest.raises(cf.CanalFastError, match=r"pip install 'canal_fast\[mf4\]'"):
        read_log(samples / "17BD1DB7_00000170.MF4")
