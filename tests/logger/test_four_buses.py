"""The whole job: four saturated buses into one recording, while another thread keeps Python to itself."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.logger import Logger

SECONDS = 600 if os.environ.get("CANAL_FAST_LONG") else 30
ROTATE_S = 20 if SECONDS > 100 else 5
HELD_S = 1.0
BUSES = 4

pytestmark = [pytest.mark.slow, pytest.mark.posix, pytest.mark.unsanitized]  # what it judges is speed


def hold_the_gil(until: float) -> None:
    """For a second at a time, as a C extension that does not release it."""
    usleep = ctypes.PyDLL(None).usleep
    while time.monotonic() < until:
        usleep(round(HELD_S * 1e6))
        time.sleep(0.05)


def judged(program: list[str], path: Path) -> str:
    return subprocess.run([*program, str(path)], capture_output=True, text=True, check=True, timeout=300).stdout


def test_nothing_is_lost(bus: str, tmp_path: Path) -> None:
    sources = [f"virtual:{bus}{i};1000000;load=1;seed={i};fifo=200000,name=bus{i}" for i in range(BUSES)]
    with Logger(sources, tmp_path / "car-{time}-{n}.pcapng", rotate_s=ROTATE_S, window_s=0.5) as logger:
        end = time.monotonic() + SECONDS
        other = threading.Thread(target=hold_the_gil, args=(end,))
        other.start()
        while time.monotonic() < end:
            logger.step()
        logger.stop()
        logger.run()
        other.join()
    paths = sorted(tmp_path.iterdir())
    ledgers = {name: ledger for name, ledger in logger.ledgers.items() if ledger is not None}
    assert len(paths) >= SECONDS // (ROTATE_S + 2)
    totals = {name: dict.fromkeys(("ifrecv", "ifdrop", "filteraccept", "osdrop", "usrdeliv"), 0) for name in ledgers}
    counts, last, next_number = 0, 0, [0] * BUSES
    for path in paths:
        with cf.logs.open_log(path, strict=True) as log:
            for frames in log.batches():
                stamps = frames["timestamp_ns"]
                assert stamps[0] >= last
                assert (np.diff(stamps) >= 0).all()
                last = int(stamps[-1])
                counts += len(frames)
                for channel in range(BUSES):
                    own = frames[frames["channel"] == channel]
                    numbers = np.ascontiguousarray(own["data"][:, :4]).view("<u4")[:, 0]
                    assert np.array_equal(numbers, next_number[channel] + np.arange(len(own)))
                    next_number[channel] += len(own)
            for row in log.interfaces:
                for key in totals[row.name]:
                    totals[row.name][key] += (row.statistics or {})[key] or 0
    for name, ledger in ledgers.items():
        ledger.verify()
        assert ledger.lost == ledger.filtered == ledger.malformed == 0
        assert ledger.delivered > 8000 * SECONDS * 0.9
        assert totals[name] == {
            "ifrecv": ledger.received,
            "ifdrop": 0,
            "filteraccept": ledger.received,
            "osdrop": 0,
            "usrdeliv": ledger.delivered,
        }
    assert counts == logger.frames_written == logger.ledger.delivered
    assert sum(logger.late.values()) == 0
    print(json.dumps({"frames": counts, "files": len(paths), "high_water": logger.ledger.high_water}), file=sys.stderr)
    if shutil.which("capinfos") is None or shutil.which("tshark") is None:
        pytest.skip("NOT RUN: tshark is not installed; the rest passed")
    for path in paths:
        said = judged(["capinfos", "-M", "-c", "-o"], path)
        assert "Strict time order:   True" in said
        count = int(next(line.split()[-1] for line in said.splitlines() if line.startswith("Number of packets")))
        rows = judged(["tshark", "-T", "fields", "-e", "frame.interface_name", "-r"], path).splitlines()
        assert len(rows) == count
        assert set(rows) == set(ledgers)
