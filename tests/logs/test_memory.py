"""Reading takes constant memory: a source that repeats a recording's body until 1 GiB was read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource, sys
import numpy as np
import canal_fast as cf
from canal_fast.logs import open_log
import io

head, body, tail = (open(path, "rb").read() for path in sys.argv[1:4])
total, fd = int(sys.argv[4]), sys.argv[5] == "fd"

class Repeating:
    def __init__(self):
        self.left = total
        self.part = memoryview(head)
    def read(self, size):
        if not len(self.part) and self.left > 0:
            self.part = memoryview(body)
            self.left -= len(body)
        out, self.part = self.part[:size], self.part[size:]
        return bytes(out)

open_log(io.BytesIO(head + body)).read()  # imports, first buffers
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
frames = 0
with open_log(Repeating()) as log:
    for batch in log.batches(fd=None if fd else False):
        frames += len(batch)
    assert log.skipped == 0 and not log.truncated, (log.skipped_by_kind, log.truncated)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(frames, grown)
"""
LIMIT_KIB = 64 << 10


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


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.unsanitized
@pytest.mark.parametrize(
    "name", ["blf", "blf-loose", "pcap", "pcapng", "candump", "asc", "trc", "csv", "csv-gvret", "candump.gz"]
)
def test_peak_memory(name: str, tmp_path: Path) -> None:
    import gzip

    head, body = bodies()[name.removesuffix(".gz")]
    if name.endswith(".gz"):
        head, body = gzip.compress(body, 1), gzip.compress(body, 1)
    total = (1 << 30) // (12 if name.endswith(".gz") else 1)
    paths = [tmp_path / part for part in ("head", "body", "tail")]
    for path, data in zip(paths, (head, body, b""), strict=True):
        path.write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, *map(str, paths), str(total), "fd"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    frames, grown = map(int, done.stdout.split())
    assert frames > 1_000_000
    assert grown <= LIMIT_KIB, f"{grown / 1024:.0f} MiB"
