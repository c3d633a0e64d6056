"""A report of a long recording takes little memory and gives a small page."""

from __future__ import annotations

import os
from pathlib import Path

import memory
import numpy as np
import pytest

import canal_fast as cf

LONG = bool(os.environ.get("CANAL_FAST_LONG"))
PROGRAM = """
import sys
from canal_fast.__main__ import main
assert main(["report", sys.argv[1], "-o", sys.argv[2], *sys.argv[3:]]) == 0
print(peak_kib())
"""


@pytest.mark.slow
@pytest.mark.posix
@pytest.mark.unsanitized
def test_peak_memory_and_size(tmp_path: Path) -> None:
    """20 M frames (1.2 GB) with CANAL_FAST_LONG=1, else 2 M: 300 MiB in all, and 5 MB on the disk."""
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    step = 500_000
    rng = np.random.default_rng(1)
    frames = cf.make_frames(rng.integers(0, 600, step), rng.integers(0, 256, (step, 8), np.uint8))
    frames["channel"] = np.arange(step) % 5 == 0
    frames["flags"][::10_000] = int(cf.FrameFlag.ERROR_FRAME)
    steps = 150_000 * (1 + np.arange(step, dtype=np.int64))
    last = 1_764_150_000_000_000_000
    with cf.logs.Recorder(
        tmp_path / "x.pcapng", interfaces={0: ("engine", 1_000_000), 1: ("body", 500_000)}
    ) as recorder:
        for _ in range(40 if LONG else 4):
            frames["timestamp_ns"] = last + steps
            last += int(steps[-1])
            recorder.write(frames)
    messages = "".join(
        f"BO_ {number} M{number}: 8 A\n"
        + "".join(f' SG_ S{k} : {8 * k}|8@1+ (0.5,0) [0|0] "" A\n' for k in range(4))
        + "\n"
        for number in range(0, 600, 6)
    )
    page = tmp_path / "x.html"
    (tmp_path / "x.dbc").write_text(f'VERSION ""\n\nBU_: A\n\n{messages}')
    (peak_kib,) = memory.run(PROGRAM, tmp_path / "x.pcapng", page, "--dbc", tmp_path / "x.dbc")
    size = page.stat().st_size
    print(f"peak {peak_kib / 1024:.0f} MiB, page {size / 1e6:.2f} MB")
    assert peak_kib < 300 << 10
    assert size < 5_000_000
