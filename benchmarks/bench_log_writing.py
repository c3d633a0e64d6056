"""Writing recordings in each format beside python-can, and beside deflating alone; converting beside `logconvert`.

100,000 frames; python-can writes 5,000 ready messages. Text goes to the null device: the system's part of writing a
file is half of ours. BLF and MDF go into memory (/dev/shm where there is one). Opening and closing are inside; imports
and making messages are outside. CPU time, one thread. python-can writes no pcapng: it converts BLF to candump text, and
20,000 frames of it stand for as many as ours, by the frame (CANAL_FAST_LONG=1: 200,000 for 10 M).
"""

from __future__ import annotations

import os
import tempfile
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench_log_reading import FRAMES, MEMORY, PEER_FRAMES, cpu, missing, traffic

import canal_fast as cf
from canal_fast.logs import convert, packing

CONVERTED, PEER_CONVERTED = (10_000_000, 200_000) if os.environ.get("CANAL_FAST_LONG") else (1_000_000, 20_000)


def messages(frames: cf.FrameArray) -> list[Any]:
    from canal_fast.messages import to_messages

    return to_messages(frames)


def peer(writer: str, path: Path, given: list[Any], **options: Any) -> Callable[[], None]:
    """python-can writing those messages."""
    import can
    from can.io import mf4  # noqa: F401  (some writers are found there only)

    make = getattr(can, writer, None) or getattr(can.io.mf4, writer)

    def write() -> None:
        out = make(str(path), **options)
        for message in given:
            out.on_message_received(message)
        out.stop()

    return write


def ratio(fast: float, slow: float, frames: int = FRAMES, peers: int = PEER_FRAMES) -> float:
    return slow / peers / (fast / frames)


def write_text(folder: Path, frames: cf.FrameArray, given: list[Any]) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for format, writer in (("asc", "ASCWriter"), ("trc", "TRCWriter"), ("csv", "CSVWriter")):
        path = folder / f"x.{format}"
        cf.write_log(path, frames, format=format)
        assert len(cf.read_log(path)) == FRAMES
        fast, slow = cpu(
            lambda format=format: cf.write_log(os.devnull, frames, format=format),  # type: ignore[misc]
            peer(writer, Path(os.devnull), given),
        )
        found[f"log-write-{format}"] = ratio(fast, slow)
    return found


def write_blf(folder: Path, frames: cf.FrameArray, given: list[Any]) -> dict[str, float | str]:
    path = folder / "x.blf"
    containers: list[bytes] = []
    kept = packing._fast

    def ours() -> None:
        cf.write_log(path, frames)

    def with_zlib() -> None:
        packing._fast = lambda: None
        try:
            ours()
        finally:
            packing._fast = kept

    def deflate() -> None:
        for part in containers:
            zlib.compress(part, 1)

    with_zlib()
    data, at = path.read_bytes(), 144
    while at < len(data):
        size = int.from_bytes(data[at + 8 : at + 12], "little")
        containers.append(zlib.decompress(data[at + 32 : at + size]))
        at += size + size % 4
    small = folder / "small.blf"
    fast, default, first, bare = cpu(
        with_zlib, peer("BLFWriter", small, given), peer("BLFWriter", small, given, compression_level=1), deflate
    )
    found: dict[str, float | str] = {
        "log-write-blf": ratio(fast, default),
        "log-write-blf-level": ratio(fast, first),
        "log-write-blf-deflate": fast / bare,
        "log-write-blf-isal": missing("isal") or 0.0,
    }
    if found["log-write-blf-isal"] == 0.0:
        fast, default = cpu(ours, peer("BLFWriter", small, given))
        found["log-write-blf-isal"] = ratio(fast, default)
    return found


def write_mf4(folder: Path, frames: cf.FrameArray, given: list[Any]) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fast, slow = cpu(
            lambda: cf.write_log(folder / "x.mf4", frames), peer("MF4Writer", folder / "small.mf4", given[:500])
        )
    return ratio(fast, slow, peers=500)


def converting(folder: Path) -> float:
    frames = np.tile(traffic(FRAMES), CONVERTED // FRAMES)
    big, small = folder / "big.blf", folder / "few.blf"
    cf.write_log(big, frames)
    cf.write_log(small, frames[:PEER_CONVERTED])

    def theirs() -> None:
        import can

        with can.LogReader(small) as reader, can.Logger(folder / "few.log") as logger:
            for message in reader:
                logger(message)

    fast, slow = cpu(lambda: convert(big, folder / "big.pcapng", force=True), theirs)
    return ratio(fast, slow, CONVERTED, PEER_CONVERTED)


def measure() -> dict[str, float | str]:
    frames = traffic(FRAMES)
    rows = ("asc", "trc", "csv", "blf", "blf-level", "blf-deflate", "blf-isal")
    if absent := missing("can"):
        return dict.fromkeys([f"log-write-{row}" for row in rows] + ["log-write-mf4", "log-convert"], absent)
    given = messages(frames[:PEER_FRAMES])
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        folder = Path(name)
        found = write_text(folder, frames, given) | write_blf(folder, frames, given)
        found["log-write-mf4"] = missing("asammdf") or write_mf4(folder, frames, given)
        found["log-convert"] = converting(folder)
    return found


@pytest.mark.parametrize("format", ["asc", "trc", "csv", "blf", "pcap"])
def test_write(benchmark: Any, tmp_path: Path, format: str) -> None:
    frames = traffic(1000)
    benchmark(cf.write_log, tmp_path / f"x.{format}", frames, format=format)
    assert len(cf.read_log(tmp_path / f"x.{format}")) == 1000
    assert os.listdir(tmp_path) == [f"x.{format}"]


if __name__ == "__main__":
    for key, value in measure().items():
        print(key, value if isinstance(value, str) else f"{value:.3g}")
