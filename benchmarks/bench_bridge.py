"""The bridge beside the thread path: the same library, the same calls, in a host process and in this one.

`measure()` is for check.py; the test functions are pytest-benchmark's.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
import peers
import pytest
from bench_receive import interleaved

import canal_fast as cf

BATCH = 1024
MANY = 4_000_000  # frames received in a round
SENT = 400  # batches sent in a round
FRAMES = np.zeros(BATCH, cf.FRAME_DTYPE)
Where = Literal["never", "always"]


def receive(driver: Path, where: Where) -> float:
    """Nanoseconds per frame, from open on."""
    buffer = np.empty(BATCH, cf.FRAME_DTYPE)
    ring: dict[str, Any] = {"ring_full": "wait", "ring_frames": 1 << 16, "coalesce_ms": 0.05}
    with cf.Channel(driver, str(MANY), bridge=where, **ring) as channel:
        got = channel.receive_into(buffer, min_frames=BATCH, timeout=30)
        first = got
        begun = time.perf_counter_ns()
        while got < MANY:
            got += channel.receive_into(buffer, min_frames=1, timeout=30)
        return (time.perf_counter_ns() - begun) / (got - first)


def send(driver: Path, where: Where) -> float:
    """Nanoseconds per frame in batches of 1024, of the tenth of them that other programs disturbed least.

    Two threads that hand over to each other need two processors that are free at the same time.
    """
    took = []
    with cf.Channel(driver, "0", bridge=where) as channel:
        for _ in range(SENT):
            begun = time.perf_counter_ns()
            channel.send(FRAMES, timeout=30)
            took.append(time.perf_counter_ns() - begun)
    return float(np.percentile(took, 10)) / BATCH


def measure() -> dict[str, float | str]:
    with tempfile.TemporaryDirectory() as folder:
        driver = peers.compile_c("instant_driver", Path(folder))
        took = interleaved(
            {
                "receive here": lambda: receive(driver, "never"),
                "receive there": lambda: receive(driver, "always"),
                "send here": lambda: send(driver, "never"),
                "send there": lambda: send(driver, "always"),
            }
        )
    return {
        "bridge-frames": 1e3 / took["receive there"],
        "bridge-receive": took["receive there"] / took["receive here"],
        "bridge-send": took["send there"] / took["send here"],
    }


@pytest.mark.parametrize("where", ["never", "always"])
@pytest.mark.parametrize("side", [receive, send])
def test_bridge(benchmark: Any, side: Any, where: Where, tmp_path: Path) -> None:
    driver = peers.compile_c("instant_driver", tmp_path)
    benchmark.pedantic(lambda: side(driver, where), rounds=3)
