"""Reading takes constant memory: a source that repeats a recording's body until 1 GiB was read."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import memory
import numpy as np
import pytest

PROGRAM = """
import sys
import numpy as np
import canal_fast as cf
from canal_fast.logs import open_log
import io

head, body = (open(path, "rb").read() for path in sys.argv[1:3])
places, step, total = np.load(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])

def bodies():
    # the body again and again; the numbers of 8 bytes at `places` grow by `step` each time
    part = np.frombuffer(body, np.uint8).copy()
    at = places[:, None] + np.arange(8)
    numbers = np.ascontiguousarray(part[at]).view(np.uint64)
    while True:
        yield memoryview(part)
        numbers += np.uint64(step)
        part[at] = numbers.view(np.uint8)

class Repeating:
    def __init__(self):
        self.left = total
        self.part = memoryview(head)
        self.bodies = bodies()
    def read(self, size):
        if not len(self.part) and self.left > 0:
            self.part = next(self.bodies)
            self.left -= len(body)
        out, self.part = self.part[:size], self.part[size:]
        return bytes(out)

open_log(io.BytesIO(head + body)).read()  # imports, first buffers
before = peak_kib()
frames = 0
with open_log(Repeating()) as log:
    for batch in log.batches():
        frames += len(batch)
    assert log.skipped == 0 and not log.truncated, (log.skipped_by_kind, log.truncated)
grown = peak_kib() - before
print(frames, grown)
"""
LIMIT_KIB, MF4_LIMIT_KIB = 64 << 10, 256 << 10
MF4_TOTAL = 1 << 30


def bodies() -> dict[str, tuple[bytes, bytes]]:
    """Format -> what a recording begins with, and what may be repeated behind it (some 100 KiB)."""
    from oracle import blf_oracle, pcapng_oracle

    data = bytes(range(8))
    packet = pcapng_oracle.can(0x123, 0, 8, data)
    stream = b"".join(blf_oracle.message(1, 1, 0x100 + n % 512, 8, data, n * 1000) for n in range(2700))
    record = (100).to_bytes(4, "little") + bytes(4) + (16).to_bytes(4, "little") * 2 + packet
    header = bytes.fromhex("d4c3b2a1020004000000000000000000ffff0000e3000000")
    return {
        "blf": (blf_oracle.file(b""), blf_oracle.container(stream)),
        "blf-loose": (blf_oracle.file(b""), stream),
        "pcap": (header, record * 3000),
        "pcapng": (
            pcapng_oracle.section() + pcapng_oracle.interface(227, [(9, b"\x09")]),
            pcapng_oracle.packet(0, 100, packet) * 2000,
        ),
        "candump": (b"", b"(1436509052.249713) can0 123#0011223344556677\n" * 2000),
        "asc": (b"base hex  timestamps absolute\n", b"   0.500000 1  100             Rx   d 2 01 02\n" * 2000),
        "trc": (
            b";$FILEVERSION=2.1\n;$STARTTIME=44548.6\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n",
            b"      1     17535.400 DT 1      0100 Tx -  2    00 01\n" * 2000,
        ),
        "csv": (
            b"timestamp,arbitration_id,extended,remote,error,dlc,data\n",
            b"1483389946.197,0x123,0,0,0,2,AQI=\n" * 2000,
        ),
        "csv-gvret": (
            b"Time Stamp,ID,Extended,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n",
            b"166064000,0000021A,false,0,8,FE,36,12,FE,69,05,07,AD,\n" * 2000,
        ),
    }


def grown(tmp_path: Path, head: bytes, body: bytes, total: int, places: Sequence[int] = (), step: int = 0) -> int:
    """KiB that reading it takes."""
    paths = [tmp_path / part for part in ("head", "body", "places.npy")]
    paths[0].write_bytes(head)
    paths[1].write_bytes(body)
    np.save(paths[2], np.array(places, np.intp))
    frames, kib = memory.run(PROGRAM, *paths, step, total)
    assert frames > 1_000_000
    return kib


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.unsanitized
@pytest.mark.parametrize(
    "name", ["blf", "blf-loose", "pcap", "pcapng", "candump", "asc", "trc", "csv", "csv-gvret", "candump.gz"]
)
def test_peak_memory(name: str, tmp_path: Path) -> None:
    head, body = bodies()[name.removesuffix(".gz")]
    if name.endswith(".gz"):
        head, body = gzip.compress(body, 1), gzip.compress(body, 1)
    kib = grown(tmp_path, head, body, (1 << 30) // (12 if name.endswith(".gz") else 1))
    assert kib <= LIMIT_KIB, f"{kib / 1024:.0f} MiB"


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.unsanitized
def test_peak_memory_of_mf4(data_dir: Path, tmp_path: Path) -> None:
    """A logger's file, unfinished and unsorted, which asammdf first sorts into a file; its data bytes are in records
    of their own, which the others refer to by their place."""
    pytest.importorskip("asammdf", reason="NOT RUN: asammdf is not installed")
    data = (data_dir / "recordings" / "17BD1DB7_00000170.MF4").read_bytes()
    begin = data.rindex(b"##DT") + 24
    at, places, referred = begin, [], 0
    while at < len(data):  # group 1: events of 22 bytes, the last 8 a place; 2: data bytes; 3: others, of 19 bytes
        size = {1: 22, 2: 4 + data[at + 1], 3: 19}[data[at]]
        referred += size if data[at] == 2 else 0
        at += 1 + size
        if data[at - 1 - size] == 1:
            places.append(at - 8 - begin)
    assert len(places) == 2010
    kib = grown(tmp_path, data[:begin], data[begin:], MF4_TOTAL, places, referred)
    assert kib <= MF4_LIMIT_KIB, f"{kib / 1024:.0f} MiB"
