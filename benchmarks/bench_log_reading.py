"""Reading recordings in each format beside python-can, and beside the bare work that each format makes necessary.

100,000 frames a file, in memory (/dev/shm where there is one); python-can reads 5,000 of them. Opening is inside,
imports are outside. CPU time, one thread.
"""

from __future__ import annotations

import base64
import gzip
import os
import statistics
import struct
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import canal_fast as cf

FRAMES = 100_000
PEER_FRAMES = 5_000
ROUNDS = 7
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
CONTAINER = 128 << 10


def traffic(count: int) -> cf.FrameArray:
    rng = np.random.default_rng(1)
    data = rng.integers(0, 256, (count, 8), np.uint8)
    data[:, 2:] = np.arange(count)[:, None] >> 7 & 255  # half of it changes slowly, as signals do
    times = 1_700_000_000 * 10**9 + np.arange(count) * 241_000
    return cf.make_frames(rng.integers(0, 64, count) * 16 + 0x100, data, timestamp_ns=times)


def rows(frames: cf.FrameArray) -> list[tuple[int, int, bytes]]:
    """(us after the start, identifier, data)."""
    micros = (frames["timestamp_ns"] - frames["timestamp_ns"][0]) // 1000
    return list(zip(micros.tolist(), frames["arbitration_id"].tolist(), map(bytes, frames["data"]), strict=True))


def asc(frames: cf.FrameArray) -> bytes:
    head = "date Sat Sep 30 10:06:13.191 PM 2017\nbase hex  timestamps absolute\ninternal events logged\n"
    lines = [
        f"{us / 1e6:11.6f} 1  {word:X}             Rx   d 8 {data.hex(' ').upper()}\n"
        for us, word, data in rows(frames)
    ]
    return (head + "".join(lines)).encode()


def trc(frames: cf.FrameArray) -> bytes:
    head = ";$FILEVERSION=2.1\r\n;$STARTTIME=44548.6028595139\r\n;$COLUMNS=N,O,T,B,I,d,R,L,D\r\n"
    lines = [
        f"{n:7} {us / 1e3:13.3f} DT 1      {word:04X} Rx -  8    {data.hex(' ').upper()}\r\n"
        for n, (us, word, data) in enumerate(rows(frames), 1)
    ]
    return (head + "".join(lines)).encode()


def csv(frames: cf.FrameArray) -> bytes:
    lines = [
        f"{1_700_000_000 + us // 10**6}.{us % 10**6:06},{hex(word)},0,0,0,8,{base64.b64encode(data).decode()}\n"
        for us, word, data in rows(frames)
    ]
    return ("timestamp,arbitration_id,extended,remote,error,dlc,data\n" + "".join(lines)).encode()


def blf(frames: cf.FrameArray) -> tuple[bytes, list[bytes]]:
    """The file, and its compressed containers."""
    stream = b"".join(
        struct.pack("<4sHHLLLHHqHBBL8s", b"LOBJ", 32, 1, 48, 1, 2, 0, 0, us * 1000, 1, 0, 8, word, data)
        for us, word, data in rows(frames)
    )
    out = struct.pack("<4sLLBBBBQQLL8H8HQ", b"LOGG", 144, 4080200, *[0] * 8, *(2024, 5, 3, 1, 12, 0, 0, 0), *[0] * 9)
    out += bytes(144 - len(out))
    packed = [zlib.compress(stream[at : at + CONTAINER], 1) for at in range(0, len(stream), CONTAINER)]
    for number, part in enumerate(packed):
        size = len(stream[number * CONTAINER : (number + 1) * CONTAINER])
        item = struct.pack("<4sHHLLHHLLL", b"LOBJ", 16, 1, 32 + len(part), 10, 2, 0, 0, size, 0) + part
        out += item + bytes(len(item) % 4)
    return out, packed


def pcap(frames: cf.FrameArray) -> bytes:
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 227)]
    out += [
        struct.pack("<IIII", us // 10**6, us % 10**6 * 1000, 16, 16) + struct.pack(">IBBBB", word, 8, 0, 0, 0) + data
        for us, word, data in rows(frames)
    ]
    return b"".join(out)


def mf4(path: Path, frames: cf.FrameArray) -> None:
    from asammdf import MDF, Signal, Source

    name = "CAN_DataFrame"
    columns = {
        "BusChannel": np.ones(len(frames), np.uint8),
        "ID": frames["arbitration_id"].copy(),
        "IDE": np.zeros(len(frames), np.uint8),
        "DLC": frames["dlc"].copy(),
        "DataLength": frames["dlc"].copy(),
        "DataBytes": frames["data"].copy(),
        "Dir": np.zeros(len(frames), np.uint8),
        "EDL": np.zeros(len(frames), np.uint8),
        "BRS": np.zeros(len(frames), np.uint8),
        "ESI": np.zeros(len(frames), np.uint8),
    }
    samples: Any = np.zeros(len(frames), [(f"{name}.{k}", v.dtype, v.shape[1:]) for k, v in columns.items()])
    for key, column in columns.items():
        samples[f"{name}.{key}"] = column
    seconds = (frames["timestamp_ns"] - frames["timestamp_ns"][0]) / 1e9
    bus = Source("CAN", "CAN", "", source_type=Source.SOURCE_BUS, bus_type=Source.BUS_TYPE_CAN)
    file = MDF(version="4.10")
    file.append(Signal(samples, seconds, name=name, source=bus), comment=name, acq_source=bus)
    file.groups[0].channel_group.flags = 0x2 | 0x4  # bus event, plain
    file.save(path, overwrite=True)
    file.close()


def cpu(*calls: Callable[[], object]) -> list[float]:
    """Median CPU seconds of each call, the rounds interleaved."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for row, call in zip(times, calls, strict=True):
            start = time.process_time()
            call()
            row.append(time.process_time() - start)
    return [statistics.median(row) for row in times]


def peer(reader: str, path: Path) -> Callable[[], int]:
    """python-can reading that file, message by message."""
    import can

    make = getattr(can, reader)
    return lambda: sum(1 for _ in make(str(path)))


def beside(
    folder: Path, name: str, make: Callable[[cf.FrameArray], bytes], reader: str, frames: cf.FrameArray
) -> float:
    path, small = folder / name, folder / f"small-{name}"
    path.write_bytes(make(frames))
    small.write_bytes(make(frames[:PEER_FRAMES]))
    assert len(cf.read_log(path)) == FRAMES
    fast, slow = cpu(lambda: cf.read_log(path), peer(reader, small))
    return slow / PEER_FRAMES / (fast / FRAMES)


def missing(module: str) -> str | None:
    try:
        __import__(module)
    except ImportError:
        return f"NOT RUN: {module} is not installed"
    return None


def read_blf(folder: Path, frames: cf.FrameArray) -> dict[str, float | str]:
    from canal_fast.logs import layers, stream

    data, packed = blf(frames)
    path = folder / "x.blf"
    path.write_bytes(data)
    assert len(cf.read_log(path)) == FRAMES

    def inflate(tool: Any) -> None:
        for part in packed:
            tool.decompress(part)

    def ours(tool: Any) -> None:
        layers.inflater = stream.inflater = lambda: tool
        cf.read_log(path)

    kept = layers.inflater
    try:
        fast, bare = cpu(lambda: ours(zlib), lambda: inflate(zlib))
        found: dict[str, float | str] = {"log-read-blf-inflate": fast / bare}
        found["log-read-blf-isal"] = missing("isal") or 0.0
        if found["log-read-blf-isal"] == 0.0:
            from isal import isal_zlib

            plain, quick = cpu(lambda: ours(zlib), lambda: ours(isal_zlib))
            found["log-read-blf-isal"] = quick / plain
    finally:
        layers.inflater = stream.inflater = kept
    return found


def read_mf4(folder: Path, frames: cf.FrameArray) -> dict[str, float | str]:
    from asammdf import MDF

    path, small = folder / "x.mf4", folder / "small.mf4"
    mf4(path, frames)
    mf4(small, frames[:PEER_FRAMES])
    assert len(cf.read_log(path)) == FRAMES

    def get() -> None:
        with MDF(path) as file:
            file.get("CAN_DataFrame", group=0, raw=True)

    fast, bare, slow = cpu(lambda: cf.read_log(path), get, peer("MF4Reader", small))
    return {"log-read-mf4": slow / PEER_FRAMES / (fast / FRAMES), "log-read-mf4-get": fast / bare}


def read_packed(folder: Path, frames: cf.FrameArray) -> float:
    text = cf.logs.format_candump(frames)
    plain, packed = folder / "x.log", folder / "x.log.gz"
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text, 6))

    def inflate() -> None:
        from canal_fast.logs.layers import inflater

        inflater().decompress(packed.read_bytes(), 31)

    both, alone, inflating = cpu(lambda: cf.read_log(packed), lambda: cf.read_log(plain), inflate)
    return both / (alone + inflating)


def read_with_polars(path: Path) -> None:
    import polars

    polars.read_csv(path)


def measure() -> dict[str, float | str]:
    frames = traffic(FRAMES)
    found: dict[str, float | str] = {}
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        folder = Path(name)
        absent = missing("can")
        for row, make, reader in (
            ("asc", asc, "ASCReader"),
            ("trc", trc, "TRCReader"),
            ("csv", csv, "CSVReader"),
            ("blf", lambda part: blf(part)[0], "BLFReader"),
        ):
            found[f"log-read-{row}"] = absent or beside(folder, f"x.{row}", make, reader, frames)
        found["log-read-csv-polars"] = missing("polars") or 0.0
        if found["log-read-csv-polars"] == 0.0:
            (folder / "x.csv").write_bytes(csv(frames))
            fast, slow = cpu(lambda: cf.read_log(folder / "x.csv"), lambda: read_with_polars(folder / "x.csv"))
            found["log-read-csv-polars"] = fast / slow
        found |= read_blf(folder, frames)
        (folder / "x.pcap").write_bytes(pcap(frames))
        cf.write_log(folder / "x.pcapng", frames)
        classic, blocks = cpu(lambda: cf.read_log(folder / "x.pcap"), lambda: cf.read_log(folder / "x.pcapng"))
        found["log-read-pcap"] = classic / blocks
        nothing = absent or missing("asammdf")
        found |= dict.fromkeys(("log-read-mf4", "log-read-mf4-get"), nothing) if nothing else read_mf4(folder, frames)
        found["log-read-gz"] = read_packed(folder, frames)
    return found


@pytest.mark.parametrize("suffix", ["asc", "trc", "csv", "pcap"])
def test_read(benchmark: Any, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.{suffix}"
    path.write_bytes({"asc": asc, "trc": trc, "csv": csv, "pcap": pcap}[suffix](traffic(1000)))
    assert len(benchmark(cf.read_log, path)) == 1000


if __name__ == "__main__":
    for key, ratio in measure().items():
        print(key, ratio if isinstance(ratio, str) else f"{ratio:.3g}")
