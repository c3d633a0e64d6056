"""usb2can.dll whose ticks are not what the profile says, or are not known: measured, and the time stamps true."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fake_table import LP64, Row, build

import canal_fast as cf
from canal_fast.live.clock import ChannelClock

pytestmark = pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")
VERSION_2 = "-DFAKE_DLL_VERSION=0x00000002"
LEGACY = "-DFAKE_DLL_VERSION=0x00060001"
TICKS = {"1 us": (1000, 1), "10 us": (10_000, 1), "100 ns": (100, 1), "992.1875 us": (1984375, 2)}


def observe(
    path: Path, tick: tuple[int, int], seconds: float, **options: str
) -> tuple[np.ndarray, ChannelClock, cf.Ledger, str]:
    """Time stamp minus the driver's own clock, in ns, of the frames of the last second; a frame every 2 ms."""
    count = int(seconds * 500)
    config = f"frames={count};bursts={count};pause=2;host_time=1;tick_num={tick[0]};tick_den={tick[1]}"
    with cf.Channel(path, config, **options) as channel:
        frames = channel.receive(count, min_frames=count, timeout=seconds + 5)
        clock, ledger, profile = channel.clock(), channel.ledger(), channel.driver.profile
    truth = frames["data"].copy().view("<i8")[:, 0]
    return (frames["timestamp_ns"] - truth)[-500:], clock, ledger, profile


def judge(fakes: Path, macros: str, seconds: float, **options: str) -> list[tuple[str, ChannelClock, cf.Ledger, str]]:
    paths = [build(Row(f"{macros} {name} {options}", macros=macros, file="usb2can.so"), fakes) for name in TICKS]
    with ThreadPoolExecutor(len(TICKS)) as pool:
        rows = zip(paths, TICKS.values(), strict=True)
        seen = list(pool.map(lambda row: observe(*row, seconds, **options), rows))
    for name, (off_ns, *_) in zip(TICKS, seen, strict=True):
        assert np.median(np.abs(off_ns)) < 5e6, name
        assert np.percentile(np.abs(off_ns), 99) < 20e6, name
    return [(name, *rest) for name, (_, *rest) in zip(TICKS, seen, strict=True)]


@pytest.mark.parametrize("seconds", [4.0, pytest.param(10.0, marks=pytest.mark.slow)])
def test_version_2_is_measured(seconds: float, fakes: Path) -> None:
    for name, clock, ledger, profile in judge(fakes, VERSION_2, seconds):
        num, den = TICKS[name]
        assert (profile, ledger.clock_resets) == ("usb2can-winusb", 0)
        assert clock.calibrated
        assert clock.tick_ns is not None
        assert clock.tick_ns * den == num, name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*counter was reset:RuntimeWarning")
def test_a_version_that_lies_is_found_out(fakes: Path) -> None:
    """Taken for 992.1875 us: after a few resets the tick is measured, and the books tell of the resets."""
    for name, clock, ledger, profile in judge(fakes, LEGACY, 10.0):
        num, den = TICKS[name]
        assert profile == "usb2can"
        assert clock.tick_ns is not None, name
        assert clock.tick_ns * den == num, name
        assert (ledger.clock_resets > 0) == (name != "992.1875 us")
        assert ledger.clock_resets < 10
        assert ("counter was reset" in str(ledger)) == (ledger.clock_resets > 0)


def test_resets_are_warned_of(fakes: Path) -> None:
    path = build(Row("resets", macros=LEGACY, file="usb2can.so"), fakes)
    with pytest.warns(RuntimeWarning, match="counter was reset 3 times"):
        observe(path, TICKS["1 us"], 0.2)
