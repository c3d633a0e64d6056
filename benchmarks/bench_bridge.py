"""The bridge beside the thread path: the same library, the same calls, in a host process and in this one.

`measure()` is for check.py; the test functions are pytest-benchmark's.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
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


@contextlib.contextmanager
def opened(driver: Path, where: Where) -> Iterator[cf.Channel]:
    """A channel on the library; its driver hands out nothing yet."""
    config = str(MANY)
    with cf.Channel(driver, config, bridge=where, ring_full="wait", ring_frames=1 << 16, coalesce_ms=0.05) as channel:
        yield channel


def receive(driver: Path, where: Where) -> float:
    """Nanoseconds per frame, from open on."""
    buffer = np.empty(BATCH, cf.FRAME_DTYPE)
    with opened(driver, where) as channel:
        got = channel.receive_into(buffer, min_frames=BATCH, timeout=30)
        first = got
        begun = time.perf_counter_ns()
        while got < MANY:
            got += channel.receive_into(buffer, min_frames=1, timeout=30)
        return (time.perf_counter_ns() - begun) / (got - first)


def send(driver: Path, where: Where) -> float:
    """Nanoseconds per frame in batches of 1024."""
    with opened(driver, where) as channel:
        channel.send(FRAMES, timeout=30)
        begun = time.perf_counter_ns()
        for _ in range(SENT):
            channel.send(FRAMES, timeout=30)
        return (time.perf_counter_ns() - begun) / (SENT * BATCH)


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
