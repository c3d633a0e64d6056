"""Lines of JSON, byte for byte what Python's json makes of the same frames."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import json_lines_oracle as oracle
from random_frames import random_frames

import canal_fast as cf
from canal_fast import FrameFlag
from canal_fast.__main__ import main
from canal_fast.logs import _json_lines, json_lines

NAMES = {0: "can0", 1: 'quote " and \\', 2: "é漢\U0001f697\x01\x7f", 3: "\ud800", 200: "x" * 63, 255: "\x01" * 63}


def text(frames: cf.FrameArray, names: dict[int, str]) -> bytes:
    return b"".join(map(bytes, json_lines.format_json_lines(frames, names)))


def twin(frames: cf.FrameArray, names: dict[int, str]) -> bytes:
    return "".join(oracle.lines(frames, names)).encode()


def odd(count: int, seed: int, dtype: np.dtype[np.void]) -> cf.FrameArray:
    """Records of random bytes: dlc above 15, flags that are not known, payload behind its end."""
    return np.random.default_rng(seed).integers(0, 256, count * dtype.itemsize, np.uint8).view(dtype)


def test_known_answers() -> None:
    frames = cf.make_frames(
        [0x123, 0x1ABCDEF0], [b"\x01\xff", b""], flags=[FrameFlag.TX, 0x1], timestamp_ns=[5, -(2**63)]
    )
    frames["flags"][1] |= FrameFlag.GAP
    assert text(frames, {0: "engine"}).decode().splitlines() == [
        '{"timestamp_ns": 5, "interface": "engine", "channel": 0, "arbitration_id": 291, "dlc": 2, "flags": ["TX"], '
        '"data": "01ff"}',
        '{"timestamp_ns": -9223372036854775808, "interface": "engine", "channel": 0, "arbitration_id": 448585456, '
        '"dlc": 0, "flags": ["EXTENDED_ID", "GAP"], "data": ""}',
    ]
    assert text(frames[:0], {}) == b""


def test_flags_are_those_of_the_package() -> None:
    assert [(flag.value, flag.name) for flag in FrameFlag] == list(oracle.FLAGS)
    frames = cf.make_frames(np.zeros(1024, np.int64))
    frames["flags"] = np.arange(1024)
    assert text(frames, {}) == twin(frames, {})


@pytest.mark.parametrize("fd", [False, True])
def test_frames_of_every_kind(fd: bool) -> None:
    frames = random_frames(2000, fd=fd, channels=4)
    assert text(frames, NAMES) == twin(frames, NAMES)
    for line in text(frames, NAMES).splitlines():
        json.loads(line)


@pytest.mark.parametrize("dtype", [cf.FRAME_DTYPE, cf.FD_FRAME_DTYPE])
@pytest.mark.parametrize("seed", range(5))
def test_odd_records(dtype: np.dtype[np.void], seed: int) -> None:
    frames = odd(1000, seed, dtype)
    frames["timestamp_ns"][:6] = [0, 1, -1, 2**63 - 1, -(2**63), 10**18]
    frames["dlc"][:4] = [0, 9, 15, 255]
    assert text(frames, NAMES) == twin(frames, NAMES)


@settings(max_examples=50)
@given(st.binary(min_size=80, max_size=80), st.text(min_size=1, max_size=63))
def test_any_record_and_name(record: bytes, name: str) -> None:
    frames = np.frombuffer(record, cf.FD_FRAME_DTYPE)
    names = {int(frames["channel"][0]): name}
    assert text(frames, names) == twin(frames, names)


def test_the_longest_line_fits() -> None:
    """Each part holds whole lines, however little room is left; nothing is written behind it."""
    frames = odd(50, 9, cf.FD_FRAME_DTYPE)
    frames["flags"], frames["dlc"], frames["timestamp_ns"] = 0x3FF & ~FrameFlag.REMOTE, 255, -(2**63)
    frames["arbitration_id"], frames["channel"] = 0xFFFFFFFF, 255
    expected = twin(frames, NAMES)
    about, places = json_lines._channels(NAMES)
    longest = int(places[256] - places[255])
    assert max(map(len, expected.splitlines(True))) <= _json_lines.LINE_MAX + longest
    for room in (0, _json_lines.LINE_MAX + longest - 1, _json_lines.LINE_MAX + longest, 5000):
        out = np.full(room + 64, 0xEE, np.uint8)
        count, used = _json_lines.json_lines(frames, 7, about, places, out[:room])
        assert out[:used].tobytes() == twin(frames[7 : 7 + count], NAMES)
        assert (out[used:] == 0xEE).all()
        assert (count > 0) == (room >= _json_lines.LINE_MAX + longest)


def test_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = random_frames(1000)
    monkeypatch.setattr(json_lines, "_BUFFER_BYTES", 2000)
    parts = [bytes(part) for part in json_lines.format_json_lines(frames, NAMES)]
    assert len(parts) > 20
    assert b"".join(parts) == twin(frames, NAMES)


def test_glue_refuses_what_does_not_fit_together() -> None:
    frames, out = random_frames(3), np.empty(10_000, np.uint8)
    about, places = json_lines._channels({})
    _json_lines.json_lines(frames, 3, about, places, out)
    with pytest.raises(IndexError, match="first"):
        _json_lines.json_lines(frames, 4, about, places, out)
    with pytest.raises(ValueError, match="places"):
        _json_lines.json_lines(frames, 0, about, places[:256], out)
    with pytest.raises(ValueError, match="places"):
        _json_lines.json_lines(frames, 0, about[:-1], places, out)
    with pytest.raises(ValueError, match="places"):
        _json_lines.json_lines(frames, 0, about, places[::-1].copy(), out)


def test_dump(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    frames = random_frames(500, fd=True)
    cf.write_log(tmp_path / "x.pcapng", frames, interfaces={0: "engine", 1: "é"})
    read = cf.read_log(tmp_path / "x.pcapng", fd=True)
    with cf.logs.open_log(tmp_path / "x.pcapng") as log:
        list(log.batches())
        names = log.names
    assert main(["dump", str(tmp_path / "x.pcapng"), "--json"]) == 0
    assert capfdbinary.readouterr().out == twin(read, names)
    assert main(["dump", str(tmp_path / "x.pcapng"), "--json", "--frames", "3", "--filter", "5:7"]) == 0
    others = read["flags"] & (FrameFlag.ERROR_FRAME | FrameFlag.STATUS) != 0  # pass every filter
    assert capfdbinary.readouterr().out == twin(read[(read["arbitration_id"] & 7 == 5) | others][:3], names)
