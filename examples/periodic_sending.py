"""Send frames cyclically from a native thread, change their data on the way, and look at how even the cycle was.

python examples/periodic_sending.py [SECONDS]
"""

from __future__ import annotations

import sys
import time

import numpy as np

import canal_fast as cf

PERIOD_S = 0.01


def run(seconds: float) -> tuple[cf.FrameArray, int]:
    """Frames as a second channel of the bus receives them, and how many were handed over."""
    with cf.Channel.virtual("desk;500000") as sender, cf.Channel.virtual("desk") as listener:
        with sender.send_periodic(cf.make_frames([0x100], b"\x00\x00"), PERIOD_S) as task:
            time.sleep(seconds / 2)
            task.modify(cf.make_frames([0x100], b"\x00\x01"))  # from the next period on
            time.sleep(seconds / 2)
        statistics = task.statistics()
        sender.drain(timeout=1)
        frames = listener.receive(max_frames=100_000, timeout=0.5)
    print(f"{statistics.sent} sent, {statistics.rejected} rejected, {statistics.late} late, {statistics.missed} missed")
    mean, most = statistics.jitter_mean_ns / 1e3, statistics.jitter_max_ns / 1e3
    print(f"handed over {mean:.0f} us after they were due, {most:.0f} us at most")
    return frames, statistics.sent


def main(seconds: str = "2") -> None:
    frames, _ = run(float(seconds))
    changed = np.flatnonzero(frames["data"][:, 1])
    print(f"{len(frames)} received, the data changed with number {changed[0]}")
    (row,) = cf.analysis.periods(frames)
    print(f"period {row['mean_ns'] / 1e6:.3f} ms on average, {row['least_ns'] / 1e6:.3f} to {row['most_ns'] / 1e6:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
