"""`python read_back.py FILE.pcapng REPORT.json`: does what Windows recorded hold every frame that its ledger tells of?

Reads with the tests' oracle, which imports nothing of canal_fast.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from oracle import pcapng_oracle


def main() -> None:
    recording, report = map(Path, sys.argv[1:])
    frames, interfaces = pcapng_oracle.read(recording.read_bytes())
    end = json.loads(report.read_text().splitlines()[-1])
    ledger = end["ledger"]
    numbers = [int.from_bytes(frame["data"][:4], "little") for frame in frames]
    stamps = [frame["timestamp_ns"] for frame in frames]
    assert end["error"] is None
    assert numbers == list(range(len(frames))), "a sequence number is missing"
    assert stamps == sorted(stamps)
    assert len(frames) == end["frames_written"] == ledger["received"] == ledger["delivered"]
    assert len(frames) > 4 * 8000, "not a saturated 1 Mbit/s bus"
    lost = [ledger[name] for name in ("dropped", "malformed", "filtered", "pending", "driver_overruns")]
    assert not any(lost), ledger
    assert interfaces[0]["statistics"]["usrdeliv"] == len(frames)
    seconds = (stamps[-1] - stamps[0]) / 1e9
    print(
        f"{recording.name}: {len(frames)} frames in {seconds:.2f} s, in order, none lost; ledger and statistics agree"
    )


if __name__ == "__main__":
    main()
