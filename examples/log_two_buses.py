"""Two buses into one recording, in the order of their times; says where every frame went.

python examples/log_two_buses.py [OUT.pcapng [SOURCE ...]]

A source is `socketcan:can0`, `usb2can:ED000200` ..., as for `canal-fast log --source`. Default: two virtual buses.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

import canal_fast as cf

VIRTUAL = ("virtual:engine;500000;load=0.4;seed=1", "virtual:body;125000;load=0.3;seed=2")


def record(path: str, sources: Sequence[str], seconds: float) -> cf.Ledger:
    """Record for so long. Returns the sum of all sources' ledgers."""
    with cf.logger.Logger(sources, path, rotate_s=3600 if "{" in path else None) as logger:
        threading.Timer(seconds, logger.stop).start()
        logger.run()  # until stop, and until all that waits is written
    return logger.ledger


def main(path: str = "two.pcapng", *sources: str) -> None:
    ledger = record(path, sources or VIRTUAL, seconds=2.0)
    ledger.verify()
    print(ledger)
    with cf.logs.open_log(path) as log:
        frames = [len(batch) for batch in log.batches()]
        print(f"{path}: {sum(frames)} frames of {', '.join(interface.name for interface in log.interfaces)}")
    if ledger.lost:
        raise SystemExit(3)


if __name__ == "__main__":
    main(*sys.argv[1:])
