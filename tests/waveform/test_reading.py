"""Capture files: what was written comes back, and what is broken says so."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from capture_files import (
    samples_of,
    write_saleae,
    write_saleae_analog,
    write_saleae_csv,
    write_sigrok,
    write_vcd,
)
from wire_cases import random_frames, same_on_wire

from canal_fast import waveform
from canal_fast.errors import LogFormatError
from canal_fast.waveform import Wave

FRAMES = random_frames(12, 3, fd=False)
RATE = 4_000_000
WAVE = waveform.synthesise(FRAMES, 125_000, sample_rate=RATE, clock_ppm=200, seed=1)


def good(wave: Wave, tolerance_ns: float = 0.6) -> None:
    assert len(wave.edges) == len(WAVE.edges)
    shift = wave.edges_ns - WAVE.edges_ns
    assert np.abs(shift - shift[0]).max() <= tolerance_ns
    assert same_on_wire(waveform.decode(wave, 125_000).frames, FRAMES)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "u8"])
def test_sigrok_logic(kind: str, version: str, tmp_path: Path) -> None:
    width = 8 * np.dtype(kind).itemsize
    noise = np.random.default_rng(1).integers(0, 1 << min(width, 62), WAVE.end).astype(f"<{kind}")
    bit = np.array(1 << (width - 3), f"<{kind}")
    samples = np.where(samples_of(WAVE) == 1, noise | bit, noise & ~bit).astype(f"<{kind}")
    path = write_sigrok(
        tmp_path / "x", samples, "4 MHz", version=version, chunk=797, probes={1: "A", width - 2: "CAN_RX"}
    )
    wave = waveform.read(path)
    assert np.array_equal(wave.edges, WAVE.edges)
    assert (wave.level, wave.end, wave.ticks_per_second) == (1, WAVE.end, RATE)
    assert np.array_equal(waveform.read(path, channel="CAN_RX", invert=True).edges, WAVE.edges)
    assert waveform.read(path, channel=width - 3, invert=True).level == 0


@pytest.mark.parametrize("text", ["4000000", "4 MHz", "4000 kHz", "4.0 mhz", "0.004 GHz"])
def test_sigrok_rates(text: str, tmp_path: Path) -> None:
    path = write_sigrok(tmp_path / "x.sr", np.array([1, 0, 1], np.uint8), text)
    assert waveform.read(path).ticks_per_second == RATE


@pytest.mark.parametrize("names", [("D0", "D1", "D2"), ("A", "Bus CAN 1", "C")])
def test_sigrok_channel_that_is_meant(names: tuple[str, str, str], tmp_path: Path) -> None:
    """By a part of its name, or because no other changes."""
    samples = samples_of(WAVE) << 1 | 4
    path = write_sigrok(tmp_path / "x.sr", samples, "4 MHz", probes={i + 1: n for i, n in enumerate(names)})
    assert np.array_equal(waveform.read(path).edges, WAVE.edges)


def volts(recessive: float, dominant: float, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 0.08, WAVE.end)
    return (np.where(samples_of(WAVE), recessive, dominant) + noise).astype(np.float32)


def test_sigrok_analog(tmp_path: Path) -> None:
    path = write_sigrok(tmp_path / "x.sr", None, "4 MHz", probes={}, analog=volts(0, 2), chunk=999)
    good(waveform.read(path))
    good(waveform.read(path, threshold=1.0, invert=True))
    good(waveform.read(path, threshold=(0.5, 0.9)))


@pytest.mark.parametrize("offset", [0.0, 12.5, -0.25])
def test_saleae(offset: float, tmp_path: Path) -> None:
    wave = waveform.read(write_saleae(tmp_path / "digital_0.bin", WAVE, offset))
    good(wave)
    assert wave.resolution == 250_000  # ps
    good(waveform.read(write_saleae_analog(tmp_path / "analog_0.bin", volts(0, 2), RATE)))
    good(waveform.read(write_saleae_analog(tmp_path / "analog_1.bin", volts(3.3, 0), 5 * RATE, 5)))


@pytest.mark.parametrize("dates", [False, True])
def test_saleae_csv(dates: bool, tmp_path: Path) -> None:
    path = write_saleae_csv(tmp_path / "digital.csv", WAVE, dates)
    good(waveform.read(path), 1.1)
    good(waveform.read(path, channel=0), 1.1)
    with pytest.raises(ValueError, match=r"'CAN RX', 'Channel 1'"):
        waveform.read(path, channel="CAN TX")


@pytest.mark.parametrize("vectors", [False, True])
def test_vcd(vectors: bool, tmp_path: Path) -> None:
    unit = Wave(WAVE.edges * 10, 1, RATE * 10, 0, WAVE.end * 10, 10)
    wave = waveform.read(write_vcd(tmp_path / "x.vcd", unit, vectors=vectors), "rx")
    good(wave)
    assert vectors or wave.notes["unknown"] > 100


def table(head: str, row: Callable[[int, float, float], str], values: np.ndarray) -> str:
    return head + "".join(row(i, i / RATE - 0.001, v) + "\n" for i, v in enumerate(values.tolist()))


RX = volts(3.3, 0.1)
TABLES = {
    "plain": table("", lambda i, t, v: f"{t:.8e},{v:.3f}", RX),
    "tek": table("Model,MDO3024\nLabel,CAN\n\nTIME,CH1\n", lambda i, t, v: f"{t:.7e},{v:.3f}", RX),
    "units": table("Time,Channel A\n(us),(mV)\n\n", lambda i, t, v: f"{t * 1e6:.3f},{v * 1000:.1f}", RX),
    "rigol": table(
        f"X,CH1,Start,Increment,\nSequence,Volt,-1e-3,{1 / RATE:.8e},\n", lambda i, t, v: f"{i},{v:.3f},", RX
    ),
    "comma": table("s;V\n", lambda i, t, v: f"{t:.8e};{v:.3f}".replace(".", ","), RX),
    "old tek": table(
        "", lambda i, t, v: f"Record Length,2500,,{t:.8f},{v:.4f}" if i < 9 else f",,,{t:.8f},{v:.4f}", RX
    ),
    "differential": table("time,diff\n", lambda i, t, v: f"{t:.8e},{v:.3f}", volts(0.0, 2.0)),
    "two lines": table(
        "Time (s),CAN_H (V),CAN_L (V)\n", lambda i, t, v: f"{t:.8e},{2.5 + v / 2:.4f},{2.5 - v / 2:.4f}", volts(0, 2)
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_oscilloscopes(name: str, tmp_path: Path) -> None:
    (tmp_path / "scope.csv").write_text(TABLES[name])
    good(waveform.read(tmp_path / "scope.csv"), 3)


@pytest.mark.parametrize("kind", ["?", "u1", "u2", "i4", "f4", "f8", "packed"])
def test_raw_samples(kind: str) -> None:
    levels = samples_of(WAVE)
    if kind == "packed":
        wave = waveform.from_samples(np.packbits(levels), RATE, packed=True, count=WAVE.end)
    elif kind.startswith("f"):
        wave = waveform.from_samples((levels * 3.3).astype(kind), RATE)
    else:
        wave = waveform.from_samples(levels.astype(kind), RATE)
    assert np.array_equal(wave.edges, WAVE.edges)
    assert (wave.level, wave.end) == (1, WAVE.end)


def test_edges_of_all_patterns() -> None:
    """Short waveforms, each level at each place, and long idle stretches with an edge anywhere."""
    rng = np.random.default_rng(2)
    cases = [np.array([n >> i & 1 for i in range(11)], np.uint8) for n in range(2048)]
    cases += [(rng.random(n) < p).astype(np.uint8) for n in range(1, 700, 13) for p in (0.5, 0.01)]
    for place in range(0, 1500, 7):
        cases.append((np.arange(1500) >= place).astype(np.uint8))
    for levels in cases:
        expected = np.flatnonzero(np.diff(levels)) + 1
        packed = waveform.from_samples(np.packbits(levels), 1000, packed=True, count=len(levels))
        loose = waveform.from_samples(levels, 1000)
        assert np.array_equal(packed.edges, expected)
        assert np.array_equal(loose.edges, expected)


def test_batches_equal_the_whole(tmp_path: Path) -> None:
    frames = random_frames(400, 5)
    wave = waveform.synthesise(frames, 500_000, 2_000_000, sample_rate=20_000_000, seed=1, idle_bits=3.3)
    path = write_sigrok(tmp_path / "x.sr", samples_of(wave), "20 MHz", chunk=70_001)
    whole = waveform.decode(wave, 500_000, 2_000_000)
    parts = [*waveform.batches(path, 500_000, 2_000_000)]
    assert len(parts) > 3
    for name in ("status", "start_ns", "end_ns", "margin_ns", "clock_ppm"):
        assert np.array_equal(np.concatenate([getattr(p, name) for p in parts]), getattr(whole, name), equal_nan=True)
    assert same_on_wire(whole.frames, frames)
    assert sum(int(p.valid.sum()) for p in waveform.batches(path)) == len(frames)  # rates detected


def test_as_sigrok_writes_them(tmp_path: Path, data_dir: Path) -> None:
    program = shutil.which("sigrok-cli")
    if program is None:
        pytest.skip("NOT RUN: sigrok-cli is not installed")
    path = data_dir / "captures" / "mcp2515_222_5bytes.sr"
    expected = waveform.read(path)
    for form in ("vcd",):
        out = tmp_path / f"x.{form}"
        subprocess.run([program, "-i", str(path), "-O", form, "-o", str(out)], check=True)
        wave = waveform.read(out, "CAN_RX")
        assert np.array_equal(wave.edges_ns, expected.edges_ns)


def message(call: Callable[[], object]) -> str:
    with pytest.raises((ValueError, TypeError)) as error:
        call()
    return str(error.value)


def encrypted(data: bytes, name: bytes) -> bytes:
    """The zip archive with the flag of encryption on one of its members."""
    out = bytearray(data)
    for magic, flags, head in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        at = next(m.start() for m in re.finditer(re.escape(magic), data) if data.startswith(name, m.start() + head))
        out[at + flags] |= 1
    return bytes(out)


def saleae_times(path: Path, begin: float, edge: float, end: float) -> bytes:
    data = write_saleae(path, WAVE).read_bytes()
    return data[:20] + struct.pack("<ddQd", begin, end, 1, edge)


NO_TIMES = [
    ((0.0, np.inf, 1.0), 1),
    ((0.0, np.nan, 1.0), 1),
    ((0.0, 0.5, np.inf), 2),
    ((-np.inf, 0.5, 1.0), 0),
    ((0.0, 1e8, 1.0), 1),
]


def test_bad_files_say_so(tmp_path: Path) -> None:
    one = np.array([1, 0, 1, 1], np.uint8)
    path = tmp_path / "x"
    cases: list[tuple[bytes | None, str]] = [
        (b"", "empty"),
        (b"PK\x03\x04 nothing", "no sigrok session"),
        (b"\x00\x01\x02", "no format that is known"),
        (b"one\ntwo\n", "no table"),
        (b"$timescale 1 ns $end", "enddefinitions"),
        (b"$enddefinitions $end", "timescale"),
        (b"$timescale 1 ns $end $var wire 1 ! a $end $enddefinitions $end #0 1\" #5", "never has a value"),
        (b"$timescale 1 ns $end $var wire 1 ! a $end $enddefinitions $end #5 1! #3 0!", "backwards"),
        (write_saleae(path, WAVE, version=2).read_bytes(), "version 2, readable are 0 and 1"),
        (write_saleae(path, WAVE).read_bytes()[:-8], "the file is cut"),
        (write_saleae(path, WAVE).read_bytes()[:20], "inside its header"),
        (write_sigrok(path, one, "4 MHz", version="3").read_bytes(), "version '3'"),
        (write_sigrok(path, one, None).read_bytes(), "sample_rate="),
        (write_sigrok(path, one, "fast").read_bytes(), "'fast'"),
        (write_sigrok(path, None, "1 MHz").read_bytes(), "unitsize"),
        (write_sigrok(path, one, "1 MHz", probes={}).read_bytes(), "no channel"),
        (write_sigrok(path, 3 * one, "1 MHz", probes={1: "A", 2: "B"}).read_bytes(), "'A', 'B'"),
        (write_sigrok(path, one, "1 MHz", probes={9: "A"}).read_bytes(), "no bit for probe 9"),
        (write_sigrok(path, one, "1.2.3").read_bytes(), "'1.2.3'"),
        (write_sigrok(path, one, "0.2 Hz").read_bytes(), "'0.2 Hz'"),
        (write_sigrok(path, one, "9" * 400).read_bytes(), "no rate"),
        (write_sigrok(path, one, "1 MHz", extra="#" * (1 << 20)).read_bytes(), "metadata has more than"),
        (encrypted(write_sigrok(path, one, "1 MHz").read_bytes(), b"metadata"), "encrypted"),
        (encrypted(write_sigrok(path, one, "1 MHz").read_bytes(), b"logic-1-1"), "encrypted"),
        *((saleae_times(path, *times), f"a time of {times[bad]:g} s") for times, bad in NO_TIMES),
        (write_saleae_analog(path, volts(0, 2)[:9], 1, 1 << 60).read_bytes(), "a time of"),
        (b"0,1.0\n1,1.0\n2,1.01\n3,1.0\n", "no two levels"),
        (b"t,v\n0,1.0\n1,2.0\n2,3\n3,x\n", "line"),
    ]  # fmt: skip
    for content, expected in cases:
        path.write_bytes(content)
        assert expected in message(lambda: waveform.read(path)), expected
    assert len(waveform.read(write_sigrok(path, one, "1 MHz", probes={0: "A", 1: "B"})).edges) == 2  # from 1 on
    path.write_bytes(write_sigrok(tmp_path / "y", one, None).read_bytes())
    assert waveform.read(path, sample_rate=1000).ticks_per_second == 1000
    assert "A" in message(lambda: waveform.read(write_sigrok(path, one, "1 MHz", probes={1: "A"}), channel="B"))


def test_errors_of_formats_are_log_format_errors(tmp_path: Path) -> None:
    with pytest.raises(LogFormatError) as error:
        waveform.read(write_saleae(tmp_path / "x", WAVE, version=2))
    assert error.value.offset == 8
    assert error.value.path is not None


def test_errors_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for text, words in (("", "the file is empty"), ("prose\n", "no rows of at least two numbers")):
        path.write_text(text)
        assert message(lambda: waveform.read(path)).startswith(f"{path}: {words}")


def test_bad_arguments_say_so() -> None:
    one = np.array([1, 0, 1], np.uint8)
    assert "sample_rate" in message(lambda: waveform.from_samples(one, 0))
    assert "bit = 8" in message(lambda: waveform.from_samples(one, 5, bit=8))
    assert "complex" in message(lambda: waveform.from_samples(one.astype(complex), 5))
    assert "count = 25" in message(lambda: waveform.from_samples(one, 5, packed=True, count=25))
    assert "dimension" in message(lambda: waveform.from_samples(np.empty(0), 5))
    assert "must rise" in message(lambda: Wave(np.array([5, 3]), 1, 10, 0, 9))
    assert "level = 2" in message(lambda: Wave(np.array([5]), 2, 10, 0, 9))
    assert "leave" in message(lambda: Wave(np.array([5]), 1, 10, 0, 4))
