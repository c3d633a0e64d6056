"""Captures of real buses, with sigrok-cli and the wire oracle as witnesses."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from oracle import wire_oracle as oracle
from wire_cases import random_frames, to_oracle

import canal_fast as cf
from canal_fast import waveform
from canal_fast.waveform.trace import trace_frame

CLASSICAL = ["mcp2515_222_5bytes", "mcp2515_ext_7bytes", "mcp2515_load_25"]
FD = {
    "can_fd_ext_without_brs_8": oracle.Frame(0x42, extended=True, fd=True, dlc=8, data=bytes(range(8))),
    "can_fd_std_brs_64": oracle.Frame(0x42, fd=True, brs=True, dlc=15, data=bytes(range(64))),
}
ROW = re.compile(r"(\d+)-(\d+) can-1: (.*)")


class Seen:
    """One frame as sigrok's decoder shows it."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.id = self.dlc = self.crc = 0
        self.data = b""
        self.bits: list[tuple[int, int]] = []  # first sample and level


def sigrok(arguments: list[str]) -> list[Seen]:
    program = shutil.which("sigrok-cli")
    if program is None:
        pytest.skip("NOT RUN: sigrok-cli is not installed")
    run = subprocess.run(
        [program, *arguments, "--protocol-decoder-samplenum", "-A", "can"], capture_output=True, text=True, check=True
    )
    frames: list[Seen] = []
    bits: list[tuple[int, int]] = []
    for line in run.stdout.splitlines():
        match = ROW.match(line)
        if match is None:
            continue
        at, text = int(match[1]), match[3].strip('"')
        name, _, value = text.partition(": ")
        number = int(m[1], 0) if (m := re.match(r"(0x[0-9a-fA-F]+|\d+)", value)) else 0
        if text in ("0", "1"):
            bits.append((at, int(text)))
        elif name == "Start of frame":
            frames.append(Seen(at))
        elif name in ("Identifier", "Full Identifier"):
            frames[-1].id = number
        elif name == "Data length code":
            frames[-1].dlc = number
        elif name.startswith("Data byte"):
            frames[-1].data += bytes([number])
        elif name.startswith("CRC") and "sequence" in name:
            frames[-1].crc = number
    for at, level in bits:
        owner = [f for f in frames if f.start <= at]
        if owner:
            owner[-1].bits.append((at, level))
    return frames


def compare(wave: waveform.Wave, seen: list[Seen], bitrate: float) -> None:
    """Equal identifier, dlc, data and CRC; each bit within half a bit of sigrok's, which starts them at bit starts."""
    d = waveform.decode(wave, bitrate)
    assert (d.status == 0).all()
    assert len(d) == len(seen)
    sample_ns = 1e9 / wave.ticks_per_second
    for row, other in enumerate(seen):
        frame = to_oracle(d.frames[row])
        assert (frame.arbitration_id, frame.dlc, frame.data) == (other.id, other.dlc, other.data)
        assert oracle.crc_of(frame) == other.crc
        trace = trace_frame(wave, d, row)
        assert trace.bits.tolist()[: len(other.bits)] == [level for _, level in other.bits][: len(trace.bits)]
        places = np.array([at for at, _ in other.bits[: len(trace.bits)]]) * sample_ns
        assert np.abs(trace.start_ns[: len(places)] - places).max() < 0.5e9 / bitrate


@pytest.mark.parametrize("name", CLASSICAL)
def test_classical_captures(name: str, data_dir: Path) -> None:
    path = data_dir / "captures" / f"{name}.sr"
    assert waveform.detect_bitrate(waveform.read(path)).bitrate == 125_000
    compare(waveform.read(path), sigrok(["-i", str(path), "-P", "can:can_rx=CAN_RX:nominal_bitrate=125000"]), 125_000)


@pytest.mark.parametrize("name", FD)
def test_fd_captures(name: str, data_dir: Path) -> None:
    wave = waveform.read(data_dir / "captures" / f"{name}.sr")
    found = waveform.detect_bitrate(wave)
    assert (found.bitrate, found.data_bitrate) == (1_000_000, 2_000_000 if FD[name].brs else None)
    d = waveform.decode(wave)
    assert [to_oracle(f) for f in d.frames] == [FD[name]]
    assert d.status.tolist() == [0]
    expected = oracle.encode(FD[name])
    trace = trace_frame(wave, d, 0)
    assert trace.bits.tolist() == expected
    nominal, fast = oracle.length_parts(FD[name])
    length = nominal * 1000 + fast * 500
    assert abs(int(d.end_ns[0] - d.start_ns[0]) - length) < 500
    assert abs(d.clock_ppm[0]) < 500


def test_sigrok_reads_our_waveforms(tmp_path: Path) -> None:
    frames = random_frames(400, 6, fd=False)
    frames = frames[(frames["flags"] & int(cf.FrameFlag.REMOTE)) == 0]
    frames["dlc"] = np.minimum(frames["dlc"], 8)
    rng = np.random.default_rng(1)
    wave = waveform.synthesise(
        frames, 1_000_000, sample_rate=20_000_000, clock_ppm=rng.uniform(-800, 800, len(frames)), idle_bits=5.5, seed=2
    )
    samples = (np.searchsorted(wave.edges, np.arange(wave.end), side="right") + 1) % 2
    path = tmp_path / "wave.bin"
    path.write_bytes(samples.astype(np.uint8).tobytes())
    source = ["-I", "binary:numchannels=1:samplerate=20000000", "-i", str(path)]
    compare(wave, sigrok([*source, "-P", "can:can_rx=0:nominal_bitrate=1000000:sample_point=75"]), 1_000_000)
