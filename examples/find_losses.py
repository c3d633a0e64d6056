"""Where a recording lacks frames: those that were counted, and those that nobody counted.

python examples/find_losses.py RECORDING ...

GAP marks and a file's own counters say what the recorder knew. Cyclic messages that fail to come say the rest: a hole
in all of a bus is the recorder's or the adapter's, a hole in one message is its sender's.
"""

from __future__ import annotations

import sys

import numpy as np

import canal_fast as cf


def losses(path: str) -> tuple[int, int]:
    """Print what is missing. Returns the number of GAP marks and of missing cyclic frames."""
    with cf.logs.open_log(path) as log:
        frames = np.concatenate([np.empty(0, cf.FD_FRAME_DTYPE), *log.batches()])
        print(f"{path}: {log.format}, {len(frames)} records" + (", cut off at its end" if log.truncated else ""))
        if log.lost_bytes:
            print(f"  {log.lost_bytes} damaged bytes were passed over")
    if not len(frames):
        return 0, 0
    start = int(frames["timestamp_ns"][0])
    gaps = np.flatnonzero(frames["flags"] & cf.FrameFlag.GAP)
    for row in frames[gaps]:
        print(f"  {(row['timestamp_ns'] - start) / 1e9:9.3f} s: channel {row['channel']} lost frames before this one")
    found = cf.analysis.learn_schedule(frames).check(frames)
    missing = found[found["kind"] == "missing"]
    for row in missing:
        at = (row["timestamp_ns"] - start) / 1e9
        print(f"  {at:9.3f} s: channel {row['channel']} {row['arbitration_id']:X}: {row['count']} missing")
    return len(gaps), int(missing["count"].sum())


if __name__ == "__main__":
    counts = [losses(path) for path in sys.argv[1:]]
    print(f"{sum(gaps for gaps, _ in counts)} gaps, {sum(missing for _, missing in counts)} cyclic frames missing")
