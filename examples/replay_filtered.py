"""Replay a recording onto a bus, some identifiers only, each frame at its time; says how late they were.

python examples/replay_filtered.py RECORDING ID:MASK [SPEED]

Here onto a virtual bus on which a second channel listens; `cf.Channel.socketcan("can0")` does it on a real one.
"""

from __future__ import annotations

import sys

import numpy as np

import canal_fast as cf


def rule(text: str) -> dict[str, int]:
    """ "18FEF100:1FFFFF00" as python-can's filter; mask bits of 1 must match."""
    can_id, mask = (int(part, 16) for part in text.split(":"))
    return {"can_id": can_id, "can_mask": mask}


def replay(path: str, filters: list[dict[str, int]], speed: float) -> tuple[cf.logger.PlayResult, cf.FrameArray]:
    """Play onto a virtual bus. Returns what became of the frames, and those that a listener received."""
    with cf.Channel.virtual("desk;500000") as bus, cf.Channel.virtual("desk") as listener:
        result = cf.play(path, bus, speed=speed, filters=filters, channel_map={"0": 0})  # its first bus only
        bus.drain(timeout=10)
        heard = [listener.receive(timeout=0.2)]
        while len(heard[-1]):
            heard.append(listener.receive(timeout=0.2))
    return result, np.concatenate(heard)


def main(path: str, text: str, speed: str = "1") -> None:
    result, heard = replay(path, [rule(text)], float(speed))
    print(f"{result.frames} sent, {result.skipped['filtered']} filtered, {len(heard)} heard")
    late = result.lateness
    print(f"late by {late.mean_ns / 1e3:.0f} us on average, {late.max_ns / 1e3:.0f} us at most")
    for identifier, count in zip(*np.unique(heard["arbitration_id"], return_counts=True), strict=True):
        print(f"  {identifier:8X}  {count}")


if __name__ == "__main__":
    main(*sys.argv[1:])
