"""Mistakes that a person makes with a Channel, and what they are told."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import FrameFlag
from canal_fast.drivers.library import find_library

FRAMES = cf.make_frames([0x100, 0x101, 0x7FF], [b"\x01", b"\x02\x03", b"12345678"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"config": "a\0b"}, "NUL character at 1"),
        ({"config": "x" * 256}, "config has 256 bytes, allowed 0..255"),
        ({"flags": -1}, "flags = -1, allowed 0..4294967295"),
        ({"channel": 256}, "channel = 256, allowed 0..255"),
        ({"ring_frames": 0}, "ring_frames = 0"),
        ({"ring_full": "block"}, "ring_full = 'block', allowed 'drop', 'wait'"),
        ({"coalesce_ms": float("nan")}, "coalesce_ms = nan"),
        ({"clock": "utc"}, "clock = 'utc', allowed 'epoch', 'device'"),
        ({"layout": 25}, "layout = 25, allowed 'auto', 28, 48, 84, 104"),
        ({"profile": "nope"}, "profile = 'nope', allowed 'auto', 'generic'"),
        ({"filters": [{"can_id": 1}]}, r"filters\[0\] has no can_mask"),
        ({"filters": [{"can_id": 1 << 29, "can_mask": 1}]}, r"filters\[0\]: can_id"),
        ({"filters": [{"can_id": 1, "can_mask": 1, "ext": 1}]}, r"\['ext'\]"),
        ({"profile": "generic", "clock": "device"}, "no usable device clock"),
    ],
)
def test_bad_options(bus: str, options: dict, words: str) -> None:
    config = options.pop("config", bus)
    with pytest.raises(ValueError, match=words):
        cf.Channel("virtual", config, **options)


def test_the_driver_says_what_is_wrong_with_its_config() -> None:
    with pytest.raises(cf.DriverError, match=r"bitrate=99999999 is outside 1000..1000000"):
        cf.Channel.virtual("x;99999999")


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan")])
def test_negative_time_out(pair: tuple[cf.Channel, cf.Channel], timeout: float) -> None:
    for call in (pair[0].receive, lambda **k: pair[0].send(FRAMES, **k)):
        with pytest.raises(ValueError, match="allowed 0 and above, or None"):
            call(timeout=timeout)


@pytest.mark.parametrize(
    ("buffer", "error", "words"),
    [
        (np.zeros(4, "u1"), TypeError, "not uint8"),
        (np.zeros(8, cf.FRAME_DTYPE)[::2], ValueError, "contiguous"),
        (np.zeros(4, cf.FD_FRAME_DTYPE), TypeError, "dtype"),
        (np.frombuffer(bytes(48), cf.FRAME_DTYPE), ValueError, "read-only"),
        (bytearray(48), TypeError, "numpy array"),
    ],
)
def test_bad_buffers(pair: tuple[cf.Channel, cf.Channel], buffer: object, error: type[Exception], words: str) -> None:
    pair[1].send(FRAMES)
    with pytest.raises(error, match=words):
        pair[0].receive_into(buffer, min_frames=1, timeout=1)
    assert len(pair[0].receive(min_frames=3, timeout=5)) == 3  # nothing was lost by it


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("dlc", 16, "dlc = 16"),
        ("arbitration_id", 0x800, "0x800"),
        ("flags", FrameFlag.STATUS, "not a frame on the wire"),
        ("flags", 0x8000, "flags that no record has"),
    ],
)
def test_bad_frames_are_refused_before_any_is_sent(
    pair: tuple[cf.Channel, cf.Channel], field: str, value: int, words: str
) -> None:
    frames = FRAMES.copy()
    frames[field][2] = value
    with pytest.raises(cf.FrameError, match=words) as caught:
        pair[0].send(frames)
    assert caught.value.index == 2
    assert len(pair[1].receive(timeout=0.05)) == 0


def test_fd_frame_on_a_classical_channel(pair: tuple[cf.Channel, cf.Channel]) -> None:
    mixed = cf.make_frames([1, 2], b"x", fd=True)
    mixed["flags"][0] = 0
    with pytest.raises(cf.FrameError, match=r"frames\[1\] is a CAN FD frame; this channel is classical"):
        pair[0].send(mixed)
    assert pair[0].send(mixed[:1]) == 1


def test_min_frames_beyond_the_ring(bus: str) -> None:
    with (
        cf.Channel.virtual(bus, ring_frames=60) as ch,
        pytest.raises(ValueError, match=r"min_frames = 65, allowed 0..64"),
    ):
        ch.receive(100, min_frames=65)


def test_pythons_own_messages_name_the_channel(pair: tuple[cf.Channel, cf.Channel]) -> None:
    with pytest.raises(TypeError, match=r"^Channel\.send\(\) got an unexpected keyword argument 'wait'"):
        pair[0].send(FRAMES, wait=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^Channel\.batches\(\) got an unexpected keyword argument 'size'"):
        pair[0].batches(size=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^Channel\.virtual\(\) takes from 1 to 2 positional"):
        cf.Channel.virtual("x", 500_000)  # type: ignore[misc]


def test_pickling(pair: tuple[cf.Channel, cf.Channel]) -> None:
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(pair[0])


def test_forgotten_channel_warns_and_closes(bus: str) -> None:
    ch = cf.Channel.virtual(bus)
    with pytest.warns(ResourceWarning, match="unclosed channel"):
        ch.__del__()


@pytest.mark.parametrize(
    ("serial", "options", "words"),
    [
        ("ED00", {}, "eight letters and digits"),
        ("ED000200", {"bitrate": 77_777}, "nearest"),
        ("ED000200", {"timing": cf.BitTiming(16_000_000, 2, 13, 2, 1)}, "runs at 32,000,000 Hz"),
    ],
)
def test_usb2can_arguments(serial: str, options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cf.Channel.usb2can(serial, **options)


def test_usb2can_without_its_dll() -> None:
    with pytest.raises(
        cf.DriverNotFoundError, match=r"no driver library called usb2can.dll in .*CANAL_FAST_LIBRARY_PATH"
    ):
        cf.Channel.usb2can("ED000200")


# -- libraries


def test_a_bare_name_is_not_taken_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "usb2can.dll").write_bytes(b"planted")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(cf.DriverNotFoundError, match=r"write .[/\\]usb2can.dll to use it"):
        find_library("usb2can.dll")
    assert find_library("./usb2can.dll") == tmp_path / "usb2can.dll"
    monkeypatch.setenv("CANAL_FAST_LIBRARY_PATH", str(tmp_path))
    assert find_library("usb2can.dll") == tmp_path / "usb2can.dll"


ELF = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8) + b"\x03\x00"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (ELF + (183).to_bytes(2, "little") + bytes(44), "is a 64-bit ARM .aarch64. ELF library; this Python is 64-bit"),
        (b"\x7fELF\x01" + ELF[5:] + b"\x03\x00" + bytes(44), "is a 32-bit x86 .i386. ELF library"),
        (b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\x4c\x01" + bytes(20), "is a 32-bit x86 Windows DLL"),
        (b"MZ" + bytes(58) + b"\xff\xff\0\0" + bytes(20), "is not a shared library"),
        (b"#!/bin/sh\n", "is not a shared library"),
        (b"", "cannot be read or is empty"),
    ],
)
def test_wrong_files(tmp_path: Path, content: bytes, words: str) -> None:
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        pytest.skip("NOT RUN: written for Linux on x86-64")
    path = tmp_path / "driver.so"
    path.write_bytes(content)
    with pytest.raises(cf.DriverError, match=words):
        cf.Channel(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(cf.DriverNotFoundError, match=r"no such driver library: .*nothing.so"):
        cf.Channel(tmp_path / "nothing.so")


def test_no_canal_driver() -> None:
    import canal_fast._gate

    with pytest.raises(cf.DriverError, match="does not export CanalOpen, CanalClose, CanalSend, CanalReceive"):
        cf.Channel(canal_fast._gate.__file__)
