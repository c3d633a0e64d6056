"""Real buses: logic captures decode with every CRC good, and sigrok-cli sees the same frames, here and in waveforms
made from our own bits."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from oracle import wire_oracle as oracle
from wire_cases import to_oracle

import canal_fast as cf
from canal_fast import wire

CLASSICAL = ["mcp2515_222_5bytes", "mcp2515_ext_7bytes", "mcp2515_load_25"]
Seen = list[tuple[int, int, bytes]]


def levels(path: Path, channel: int) -> tuple[np.ndarray, int]:
    """Samples of one channel, and samples a second."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("metadata").decode()
        chunks = sorted(
            (n for n in archive.namelist() if n.startswith("logic")),
            key=lambda n: [int(d) for d in re.findall(r"\d+", n)],
        )
        raw = b"".join(archive.read(name) for name in chunks)
    size = int(re.search(r"unitsize ?= ?(\d)", text)[1])
    rate = int(re.search(r"samplerate ?= ?(\d+) MHz", text)[1]) * 1_000_000
    return np.frombuffer(raw, f"<u{size}") >> channel & 1, rate


def sample(samples: np.ndarray, period: float, begin: int, end: int) -> tuple[list[int], list[float]]:
    """Bits at bit centres and their places; recessive-to-dominant edges resynchronise, as in a controller."""
    falling = np.flatnonzero((samples[:-1] == 1) & (samples[1:] == 0)) + 1
    edges = [*falling[(falling > begin) & (falling < end)].tolist(), end]
    bits: list[int] = []
    places: list[float] = []
    at = float(begin)
    for edge in edges:
        while at + period / 2 < edge:
            places.append(at + period / 2)
            bits.append(int(samples[int(places[-1])]))
            at += period
        at = float(edge)
    return bits, places


def stream(path: Path) -> np.ndarray:
    """A capture as bus bits, preceded by an idle bus."""
    if "mcp2515" in path.name:
        samples, rate = levels(path, 2)
        bits, _ = sample(samples, rate / 125_000, 0, len(samples))
    else:
        samples, rate = levels(path, 0)
        sof = int(np.flatnonzero(samples == 0)[0])
        bits, places = sample(samples, rate / 1_000_000, sof, len(samples))
        if (
            "_brs_64" in path.name
        ):  # the data phase is as fast again; it begins inside BRS, and ESI's edge sets the clock
            reader = oracle.Reader(bits, 0)
            reader.take(1 + 11 + 1 + 1 + 1 + 1)  # SOF, identifier, RRS, IDE, FDF, res
            reader.take(1)
            brs = reader.at - 1
            esi = int(np.flatnonzero(samples[int(places[brs]) :] == 0)[0]) + int(places[brs])
            bits = bits[: brs + 1] + sample(samples, rate / 2_000_000, esi, len(samples))[0]
    return np.array([1] * 11 + bits + [1] * 12, np.uint8)


def sigrok(arguments: list[str]) -> Seen:
    """Identifier (29 bits where extended), dlc and data of each frame that sigrok's decoder shows."""
    program = shutil.which("sigrok-cli")
    if program is None:
        pytest.skip("NOT RUN: sigrok-cli is not installed")
    run = subprocess.run(
        [program, *arguments, "-A", "can=id:full-id:dlc:data:warnings"], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    frames: list[tuple[int, int, bytes]] = []
    for line in run.stdout.splitlines():
        name, _, value = line.removeprefix("can-1: ").partition(": ")
        number = int(re.match(r"(0x[0-9a-f]+|\d+)", value)[1], 0) if value else 0
        if name == "Identifier":
            frames.append((number, -1, b""))
        elif name == "Full Identifier":
            frames[-1] = (number, *frames[-1][1:])
        elif name == "Data length code":
            frames[-1] = (frames[-1][0], number, b"")
        elif name.startswith("Data byte"):
            frames[-1] = (*frames[-1][:2], frames[-1][2] + bytes([number]))
        elif "bits 10..4 must not" not in line:  # a rule of CAN 2.0 that ISO 11898-1 has dropped
            raise AssertionError(f"sigrok warns: {line}")
    return frames


def ours(frames: cf.FrameArray) -> Seen:
    return [(f.arbitration_id, f.dlc, f.data) for f in map(to_oracle, frames)]


@pytest.mark.parametrize("name", CLASSICAL)
def test_classical_captures(name: str, data_dir: Path) -> None:
    path = data_dir / "captures" / f"{name}.sr"
    result = wire.decode(stream(path), strict=True)
    assert len(result.frames) >= 2
    assert ours(result.frames) == sigrok(["-i", str(path), "-P", "can:can_rx=CAN_RX:nominal_bitrate=125000"])


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("can_fd_ext_without_brs_8", oracle.Frame(0x42, extended=True, fd=True, dlc=8, data=bytes(range(8)))),
        ("can_fd_std_brs_64", oracle.Frame(0x42, fd=True, brs=True, dlc=15, data=bytes(range(64)))),
    ],
)
def test_fd_captures(name: str, frame: oracle.Frame, data_dir: Path) -> None:
    bits = stream(data_dir / "captures" / f"{name}.sr")
    result = wire.decode(bits, strict=True)
    assert [to_oracle(row) for row in result.frames] == [frame]
    start = int(result.start[0])
    sent = wire.encode(result.frames)[0]
    assert np.array_equal(bits[start : start + len(sent) - 10], sent[:-10])  # up to the CRC, the real bits


def test_sigrok_decodes_our_waveforms(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    count = 400
    extended = rng.integers(0, 2, count).astype(np.uint16)
    ids = np.where(extended, rng.integers(0, 1 << 29, count), rng.integers(0, 1 << 11, count))
    dlcs = np.arange(count) % 9
    frames = cf.make_frames(ids, dlc=dlcs, flags=extended * int(cf.FrameFlag.EXTENDED_ID))
    data = rng.choice(np.array([0x00, 0xFF, 0x55, 0xF8, 0x0F, 0x9C], np.uint8), (count, 8))
    frames["data"] = np.where(np.arange(8) < dlcs[:, None], data, 0)
    bits, offsets = wire.encode(frames)
    pieces = [np.ones(20, np.uint8)]
    for index in range(count):
        pieces += [bits[offsets[index] : offsets[index + 1]], np.ones(3 + index % 5, np.uint8)]
    wave = tmp_path / "wave.bin"
    wave.write_bytes(np.repeat(np.concatenate(pieces), 10).tobytes())
    source = ["-I", "binary:numchannels=1:samplerate=10000000", "-i", str(wave)]
    assert sigrok([*source, "-P", "can:can_rx=0:nominal_bitrate=1000000"]) == ours(frames)
