"""Converting and merging take constant memory: four sources that repeat a recording's body until each gave 1 GiB."""

from __future__ import annotations

import os
from pathlib import Path

import memory
import numpy as np
import pytest

import canal_fast as cf

PROGRAM = """
import sys
import canal_fast as cf
from canal_fast.logs import convert

head, body = (open(path, "rb").read() for path in sys.argv[1:3])
total, target, format = int(sys.argv[3]), sys.argv[4], sys.argv[5]

class Repeating:
    def __init__(self, left):
        self.left, self.part = left, memoryview(head)
    def read(self, size):
        if not len(self.part) and self.left > 0:
            self.part = memoryview(body)
            self.left -= len(body)
        out, self.part = self.part[:size], self.part[size:]
        return bytes(out)

convert([Repeating(len(body)) for _ in range(4)], target, format=format, force=True)  # imports, first buffers
before = peak_kib()
account = convert([Repeating(total) for _ in range(4)], target, format=format, force=True)
account.verify()
print(account.written, peak_kib() - before)
"""


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.unsanitized
@pytest.mark.parametrize(
    ("format", "total", "limit"), [("pcapng", 1 << 30, 64), ("blf", 1 << 28, 64), ("mf4", 1 << 27, 256)]
)
def test_peak_memory(format: str, total: int, limit: int, tmp_path: Path) -> None:
    """pcapng goes to the null device; the others, which take longer or room on the disk, from smaller sources."""
    if format == "mf4":
        pytest.importorskip("asammdf", reason="NOT RUN: asammdf is not installed")
    if os.environ.get("CANAL_FAST_LONG"):
        total = 1 << 30
    frames = cf.make_frames(np.arange(4000) % 2048, bytes(8), timestamp_ns=1_700_000_000 * 10**9 + np.arange(4000))
    whole = tmp_path / "whole.pcap"
    cf.write_log(whole, frames)
    data = whole.read_bytes()
    (tmp_path / "head").write_bytes(data[:24])
    (tmp_path / "body").write_bytes(data[24:])
    target = "/dev/null" if format == "pcapng" else str(tmp_path / "target")
    written, grown = memory.run(PROGRAM, tmp_path / "head", tmp_path / "body", total, target, format)
    assert written >= 4 * (total // 32)
    assert grown <= limit << 10, f"{grown / 1024:.0f} MiB"
