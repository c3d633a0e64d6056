"""Recordings to a folder of decoded Parquet and one account, on a cluster: Dask does the rest.

    pip install 'canal_fast[arrow,dbc]' 'dask[distributed]'
    python examples/dask_lake.py LAKE DATABASE.dbc RECORDING ...

Nothing here is Dask's alone: `decode_one` and `add` are plain functions, and the plan pickles to a few kilobytes, so
Spark (`sc.parallelize(paths).map(...).reduce(add)`) and Ray (`ray.remote(decode_one)`) take it as it is.
Workers that are restarted may do a file again: its Parquet files have the same names and bytes, so nothing changes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import canal_fast as cf
from canal_fast.logs import ParquetAccount

Total = tuple[ParquetAccount, cf.analysis.Statistics]


def decode_one(path: str, lake: str, plan: cf.signals.Plan) -> Total:
    """One recording: its signals into the lake, and its statistics."""
    account, _ = cf.signals.to_parquet(plan, path, lake)
    statistics = cf.analysis.Statistics()
    with cf.logs.open_log(path) as log:
        for frames in log.batches():
            statistics.add(frames)
    return account, statistics


def add(one: Total, other: Total) -> Total:
    return one[0] + other[0], one[1] + other[1]


def total(client: Any, paths: Sequence[str], lake: str, plan: cf.signals.Plan) -> Total:
    """All of them, on the cluster of `client`; sums are made there, too."""
    import dask.bag

    parts = dask.bag.from_sequence(paths, partition_size=1).map(decode_one, lake, plan)
    found: Total = client.compute(parts.fold(add)).result()
    return found


if __name__ == "__main__":
    from dask.distributed import Client, LocalCluster

    lake, database, *recordings = sys.argv[1:]
    with LocalCluster() as cluster, Client(cluster) as client:
        account, statistics = total(client, recordings, lake, cf.load_database(database).plan(choices="dictionary"))
    print(f"{account.frames} frames, {account.rows} rows in {len(account.files)} files of {lake}")
    print(f"{statistics.summary()['identifiers']} identifiers in {statistics.summary()['span_s']:.0f} s")
