"""Statistics of many recordings, a process for each core: what every file holds adds up to what all of them hold.

python examples/many_files.py RECORDING ...
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import canal_fast as cf


def count(path: str) -> cf.analysis.Statistics:
    """One file's statistics; they pickle."""
    statistics = cf.analysis.Statistics()
    with cf.logs.open_log(path) as log:
        for frames in log.batches():
            statistics.add(frames)
    return statistics


def total(paths: Iterable[str], workers: int | None = None) -> cf.analysis.Statistics:
    """That of all files."""
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return sum(pool.map(count, paths), cf.analysis.Statistics())


if __name__ == "__main__":
    summary = total(sys.argv[1:]).summary()
    print(f"{summary['frames']} frames of {summary['identifiers']} identifiers in {summary['span_s']:.0f} s")
    for row in sorted(summary["ids"], key=lambda row: -(row["share"] or 0))[:10]:
        print(f"  {row['arbitration_id']:8X}  {row['count']:10}  {100 * (row['share'] or 0):6.2f} % of the bus")
