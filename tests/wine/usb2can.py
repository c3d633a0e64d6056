"""`python usb2can.py FAKES`: an emulated usb2can.dll, here and as a 32-bit one in a host. FAKES is what fakes.py built.

The DLL's generations told apart, ticks measured where they are not what was said, an adapter that is unplugged, which
only CanalGetStatus tells, and plugged in again.
"""

from __future__ import annotations

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import canal_fast as cf

SECONDS = 10
COUNT = SECONDS * 250
TICKS = {"1 us": "tick_num=1000", "10 us": "tick_num=10000", "100 ns": "tick_num=100"}


def true_stamps(dll: Path, tick: str, profile: str) -> str:
    config = f"frames={COUNT};bursts={COUNT};pause=4;host_time=1;{TICKS[tick]}"
    with cf.Channel(dll, config) as channel:
        frames = channel.receive(COUNT, min_frames=COUNT, timeout=SECONDS + 10)
        assert channel.driver.profile == profile, channel.driver
        clock, resets = channel.clock(), channel.ledger().clock_resets
    assert clock.calibrated, clock
    assert (resets > 0) == (profile == "usb2can"), resets
    off_ms = np.abs(frames["timestamp_ns"] - frames["data"].copy().view("<i8")[:, 0])[-250:] / 1e6
    median, worst = np.median(off_ms), np.percentile(off_ms, 99)
    assert median < 5, (tick, median, worst)
    assert worst < 20, (tick, median, worst)
    return f"{profile}, ticks of {tick}: off by {median:.2f} ms (median), {worst:.2f} ms (99 %), {resets} resets"


def plugged_in_again(dll: Path) -> None:
    config = "frames=100;bursts=1;unplug=60;back=300"
    with cf.Channel(dll, config, profile="usb2can", reconnect=0.05) as channel:
        parts = [channel.receive(count, min_frames=count, timeout=10) for count in (60, 100)]
        frames = np.concatenate(parts)
        ledger = channel.ledger()
    assert len(frames) == 160, len(frames)
    assert frames["flags"][60] & cf.FrameFlag.GAP, len(frames)
    assert ledger.outages == 1, ledger
    print(f"{dll}: unplugged, status 13 after silence, opened again after {ledger.outage_ns / 1e6:.0f} ms")


if __name__ == "__main__":
    warnings.simplefilter("ignore", RuntimeWarning)
    folder = Path(sys.argv[1])
    for bits in ("64", "32"):
        jobs = [
            (folder / bits / f"{variant}_{number}" / "usb2can.dll", tick, profile)
            for variant, profile in (("version_1", "usb2can"), ("version_2", "usb2can-winusb"))
            for number, tick in enumerate(TICKS)
        ]
        with ThreadPoolExecutor(len(jobs)) as pool:
            for line in pool.map(lambda job: true_stamps(*job), jobs):
                print(f"{bits}-bit DLL: {line}")
        plugged_in_again(folder / bits / "plain" / "usb2can.dll")
