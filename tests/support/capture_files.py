"""Writers of capture files, for tests of their readers."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from canal_fast.waveform import Wave


def samples_of(wave: Wave, every: float = 1.0) -> npt.NDArray[np.uint8]:
    """The level at each tick, or each `every` ticks."""
    ticks = np.arange(wave.begin, wave.end, every)
    return ((np.searchsorted(wave.edges, ticks, side="right") + wave.level) % 2).astype(np.uint8)


def write_sigrok(
    path: Path,
    logic: npt.NDArray[np.unsignedinteger] | None,
    rate: str | None,
    *,
    version: str = "2",
    chunk: int = 1 << 20,
    probes: dict[int, str] | None = None,
    analog: npt.NDArray[np.float32] | None = None,
    extra: str = "",
) -> Path:
    probes = {1: "CAN_RX"} if probes is None else probes
    lines = ["[global]", "sigrok version=0.6.0", "", "[device 1]", "capturefile=logic-1"]
    lines += [] if rate is None else [f"samplerate={rate}"]
    lines += [f"total probes={len(probes)}", f"total analog={int(analog is not None)}"]
    lines += [f"probe{number}={name}" for number, name in probes.items()]
    lines += ["analog9=A0"] if analog is not None else []
    lines += [] if logic is None else [f"unitsize={logic.dtype.itemsize}"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("version", version)
        archive.writestr("metadata", "\n".join(lines) + "\n" + extra)
        for stem, samples in (("logic-1", logic), ("analog-1-9", analog)):
            if samples is None:
                continue
            if version == "1":
                archive.writestr(stem, samples.tobytes())
                continue
            pieces = [samples[at : at + chunk] for at in range(0, len(samples), chunk)]
            order = sorted(range(len(pieces)), key=str)  # as file systems list them: 10 before 2
            for index in order:
                archive.writestr(f"{stem}-{index + 1}", pieces[index].tobytes())
    return path


def seconds(wave: Wave) -> npt.NDArray[np.float64]:
    return wave.edges / wave.ticks_per_second


def write_saleae(path: Path, wave: Wave, offset: float = 0.0, version: int = 0) -> Path:
    times = seconds(wave) + offset
    head = b"<SALEAE>" + struct.pack("<ii", version, 0)
    head += struct.pack("<IddQ", wave.level, offset, offset + wave.end / wave.ticks_per_second, len(times))
    path.write_bytes(head + times.astype("<f8").tobytes())
    return path


def write_saleae_analog(path: Path, volts: npt.NDArray[np.float32], rate: int, downsample: int = 1) -> Path:
    head = b"<SALEAE>" + struct.pack("<iidQQQ", 0, 1, -0.001, rate, downsample, len(volts))
    path.write_bytes(head + volts.astype("<f4").tobytes())
    return path


def write_saleae_csv(path: Path, wave: Wave, dates: bool = False) -> Path:
    levels = [(wave.level + i) % 2 for i in range(len(wave.edges) + 1)]
    times = [0.0, *seconds(wave).tolist()]
    stamps = [f"{t:.9f}" for t in times]
    if dates:
        base = np.datetime64("2024-05-06T07:08:09.123456789", "ns")
        stamps = [str(base + np.timedelta64(round(t * 1e9), "ns")) + "Z" for t in times]
    rows = [f"{stamp},{level},{i % 3 % 2}" for i, (stamp, level) in enumerate(zip(stamps, levels, strict=True))]
    last = f"{wave.end / wave.ticks_per_second:.9f}"
    if dates:
        last = str(base + np.timedelta64(round(wave.end / wave.ticks_per_second * 1e9), "ns")) + "Z"
    rows.append(f"{last},{levels[-1]},0")
    path.write_text("Time [s],CAN RX,Channel 1\n" + "\n".join(rows) + "\n")
    return path


def write_vcd(path: Path, wave: Wave, unit_ns: int = 25, vectors: bool = False) -> Path:
    lines = ["$date today $end", "$comment a # in here 0! $end", f"$timescale {unit_ns} ns $end"]
    lines += ["$scope module top $end", "$var wire 1 ! rx $end", '$var wire 1 " other $end', "$var wire 8 # byte $end"]
    lines += ["$upscope $end", "$enddefinitions $end", "#0", "$dumpvars", f"{wave.level}!", 'x"', "b10101010 #", "$end"]
    level = wave.level
    for index, edge in enumerate(wave.edges.tolist()):
        level ^= 1
        recessive = "xz1"[index // 2 % 3] if not vectors else "1"
        value = recessive if level else "0"
        lines += [f"#{edge}", f"b{value} !" if vectors else f"{value}!", "b1 #", f'{level}"']
    lines += [f"#{wave.end}"]
    path.write_text("\n".join(lines) + "\n")
    return path
