"""Fixtures for pytest that need no hardware: `pytest_plugins = ["canal_fast.testing"]`.

`can_frames(count, load=...)` makes frames of a stated bus load, `can_recording(...)` a recording of them on disk,
`can_bus(...)` a virtual bus at a stated load as an open `Channel`. What they make depends on their arguments alone, so
that regression runs (pytest-benchmark) measure the same work each time.

PYTEST_DONT_REWRITE: there is no assert here, and who imported it before pytest did gets no warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from canal_fast.frames import FrameArray, FrameFlag, chosen, copied, make_frames
from canal_fast.live.channel import Channel
from canal_fast.logs import write_log
from canal_fast.wire import frame_duration_ns

__all__ = ["can_bus", "can_frames", "can_recording", "load_frames"]

_START_NS = 1_767_225_600_000_000_000  # 2026-01-01
_FD_LENGTHS = np.array([8, 12, 16, 20, 24, 32, 48, 64])
_buses = count()  # so that each has a name of its own


def load_frames(
    frames: int,
    load: float = 0.8,
    *,
    bitrate: float = 500_000,
    data_bitrate: float = 2_000_000,
    ids: int = 50,
    channels: int = 1,
    fd: bool = False,
    seed: int = 1,
) -> FrameArray:
    """Frames that load each bus as stated, exactly over the whole array.

    Parameters
    ----------
    frames : int
    load : float
        Above 0, to 1: the share of time in which each bus carries a frame or its intermission.
    bitrate, data_bitrate : float
        bit/s.
    ids : int
        1..2048 identifiers, all with random payloads.
    channels : int
        1..256 buses; frame i is of bus i modulo `channels`.
    fd : bool
        Every other frame is CAN FD with a bit rate switch and 8 to 64 bytes.
    seed : int

    Returns
    -------
    array of FRAME_DTYPE, with `fd` of FD_FRAME_DTYPE, shape (frames,)

    Raises
    ------
    ValueError
        An argument outside its interval.

    Examples
    --------
    >>> from canal_fast.testing import load_frames
    >>> frames = load_frames(10_000, load=0.5)
    >>> starts, load = cf.wire.bus_load(frames, 500_000)
    >>> round(load[0].item(), 2)
    0.5
    """
    for name, value, low, high in (("frames", frames, 0, 2**40), ("ids", ids, 1, 2048), ("channels", channels, 1, 256)):
        if not low <= value <= high:
            raise ValueError(f"{name} = {value}, allowed {low}..{high}")
    if not 0 < load <= 1:
        raise ValueError(f"load = {load}, allowed above 0, to 1")
    rng = np.random.default_rng(seed)
    names = np.sort(rng.choice(2048, ids, replace=False))
    payload = rng.integers(0, 256, (frames, 64 if fd else 8), dtype=np.uint8)
    flags, dlc = np.zeros(frames, np.int64), np.full(frames, 8)
    if fd:
        flags[::2] = int(FrameFlag.FD | FrameFlag.BITRATE_SWITCH)
        dlc[::2] = 8 + rng.integers(0, len(_FD_LENGTHS), len(dlc[::2]))
        payload[np.arange(64) >= np.where(flags, _FD_LENGTHS[dlc - 8], 8)[:, None]] = 0
    made = make_frames(names[rng.integers(0, ids, frames)], fd=fd, dlc=dlc)
    made["flags"], made["data"] = flags, payload
    made["channel"] = np.arange(frames) % channels
    for channel in range(channels):
        part = made[channel::channels]
        busy = np.cumsum(frame_duration_ns(copied(part), bitrate, data_bitrate))
        part["timestamp_ns"] = _START_NS + np.rint(busy / load).astype(np.int64)
    return chosen(made, np.argsort(made["timestamp_ns"], kind="stable"))


@pytest.fixture(scope="session")
def can_frames() -> Callable[..., FrameArray]:
    """`load_frames`: frames of a stated load.

    Returns
    -------
    callable
        `load_frames`.

    Examples
    --------
    >>> def test_grouping(can_frames, benchmark):
    ...     benchmark(cf.analysis.group_by_id, can_frames(100_000, load=0.8))
    """
    return load_frames


@pytest.fixture
def can_recording(tmp_path: Path) -> Callable[..., Path]:
    """A function that makes a recording on disk: `can_recording(frames, load=0.8, suffix=".pcapng")` is its path.

    Further arguments are those of `load_frames`.

    Returns
    -------
    callable

    Examples
    --------
    >>> def test_reading(can_recording):
    ...     assert len(cf.read_log(can_recording(1_000, suffix=".blf"))) == 1_000
    """
    numbers = count()

    def make(frames: int, load: float = 0.8, *, suffix: str = ".pcapng", **options: Any) -> Path:
        path = tmp_path / f"recording-{next(numbers)}{suffix}"
        write_log(path, load_frames(frames, load, **options))
        return path

    return make


@pytest.fixture
def can_bus() -> Iterator[Callable[..., Channel]]:
    """A function that opens a channel on a virtual bus of its own: `can_bus(load=1.0, bitrate=500_000, seed=1)`.

    Further arguments are those of `Channel.virtual`. All are closed after the test.

    Yields
    ------
    callable

    Examples
    --------
    >>> def test_draining(can_bus):
    ...     channel = can_bus(load=1.0)
    ...     assert len(channel.receive(100, min_frames=100, timeout=5)) == 100
    """
    opened: list[Channel] = []

    def make(load: float = 1.0, *, bitrate: int = 500_000, seed: int = 1, **options: Any) -> Channel:
        if not 0 <= load <= 1:
            raise ValueError(f"load = {load}, allowed 0..1")
        config = f"testing-{next(_buses)};{bitrate};load={load};seed={seed}"
        opened.append(Channel.virtual(config, **options))
        return opened[-1]

    yield make
    for channel in opened:
        channel.close()
