"""`canal-fast stat`: what a recording holds, and how full the bus was."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import compress
from typing import Any

import numpy as np

from canal_fast.analysis.recordings import USUAL, batches_with_buses, describe, summary_of, too_full
from canal_fast.analysis.statistics import Statistics
from canal_fast.cli.left_out import exit_code, tell
from canal_fast.cli.matching import matching
from canal_fast.cli.options import (
    keep_existing,
    reading,
)
from canal_fast.dataframes import is_dated
from canal_fast.frames import FrameFlag
from canal_fast.plot import bus_load

HEADER = (
    f"{'id':>8}  {'dlc':>5}  {'count':>9}  {'rate/s':>9}  {'min ms':>10}  {'mean ms':>10}  {'max ms':>10}  "
    f"{'jitter ms':>10}  {'gaps':>6}  {'bus %':>6}"
)
Sort = tuple[Callable[[dict[str, Any]], Any], bool]  # key of a row of the summary; whether the greatest comes first
SORTS: dict[str, Sort] = {
    "id": (lambda row: (row["channel"], row["extended"], row["arbitration_id"]), False),
    "count": (lambda row: row["count"], True),
    "load": (lambda row: row["share"], True),
    "period": (lambda row: row["period_mean_s"], False),
    "jitter": (lambda row: row["jitter_s"], True),
    "gaps": (lambda row: row["gaps"], True),
}


def run(args: argparse.Namespace) -> int:
    """Read, count, print."""
    keep_existing(args, args.plot, read=(args.file,))
    rates = dict(args.bitrate or ())
    common = rates.pop("", None)
    statistics = Statistics(USUAL if common is None else common, args.data_bitrate, args.window)
    with reading(args) as log, batches_with_buses(log) as batches:
        for batch, buses in batches:
            describe(statistics, buses, common is None)
            if args.data_bitrate is None and (batch["flags"] & FrameFlag.BITRATE_SWITCH).any():
                raise ValueError("frames with a bit rate switch: give their second rate with --data-bitrate")
            statistics.add(batch)
        tell(log, "stat")
    given = of_buses(rates, statistics) if rates else {}
    statistics.bitrates |= given
    summary = summary_of(statistics, log, common is not None, given)
    if args.plot:
        plot(statistics, summary, args.plot)
    shown = {**summary, "ids": chosen(summary["ids"], args.filter, args.sort, args.top)}
    print(json.dumps(shown, indent=1) if args.json else table(shown))
    for line in warnings(summary):
        print(f"canal-fast stat: {line}", file=sys.stderr)
    return exit_code(log)


def of_buses(rates: Mapping[str, float], statistics: Statistics) -> dict[int, float]:
    """Channel -> rate, of rates by the name or number of a bus."""
    buses = statistics.summary()["channels"]
    known = {str(bus["channel"]): bus["channel"] for bus in buses} | {bus["name"]: bus["channel"] for bus in buses}
    for name, rate in rates.items():
        if name not in known:
            there = ", ".join(bus["name"] for bus in buses) or "none with frames"
            raise ValueError(f"--bitrate {name}={rate:.0f}: the recording has no bus {name}; it has {there}")
    return {known[name]: rate for name, rate in rates.items()}


def chosen(
    rows: list[dict[str, Any]], filters: list[dict[str, Any]] | None, sort: str, top: int | None
) -> list[dict[str, Any]]:
    """The rows to show, in their order; those without a value come last."""
    ids = np.array([row["arbitration_id"] for row in rows], np.uint32)
    extended = np.array([row["extended"] for row in rows], bool)
    kept = list(compress(rows, matching(filters, ids, extended))) if filters else rows
    key, greatest = SORTS[sort]
    known = [row for row in kept if key(row) is not None]
    unknown = [row for row in kept if key(row) is None]
    return [*sorted(known, key=key, reverse=greatest), *unknown][:top]


def warnings(summary: dict[str, Any]) -> Iterator[str]:
    """What cannot be so."""
    for bus in summary["channels"]:
        if too_full(bus):
            yield (
                f"{bus['name']}: a load of {percent(bus['load'])} % is more than a bus can carry: at "
                f"{bus['bitrate']:.0f} bit/s ({bus['bitrate_from']}) these frames do not fit; give the bus's rate with "
                "--bitrate"
            )


def table(summary: dict[str, Any]) -> str:
    """The summary for people."""
    lines = [f"{summary['frames']} frames, {summary['identifiers']} identifiers, {summary['span_s']:.3f} s"]
    if summary["not_frames"]:
        lines.append(f"{summary['not_frames']} status and error records are not counted")
    for bus in summary["channels"]:
        lines.append(
            f"{bus['name']}: {bus['frames']} frames at {bus['bitrate']:.0f} bit/s{_data(summary)}{_source(bus)}, load "
            f"{percent(bus['load'])} %, peak {percent(bus['peak_load'])} % in the {summary['window_s']:g} s from "
            f"{moment(bus['peak_at_s'])}"
        )
    names = {bus["channel"]: bus["name"] for bus in summary["channels"]}
    width = max(map(len, ["bus", *names.values()]))
    lines.append(f"{'bus':{width}}  {HEADER}")
    for row in summary["ids"]:
        dlcs = row["dlc"]
        dlc = str(dlcs[0]) if len(dlcs) == 1 else f"{dlcs[0]}..{dlcs[-1]}"
        name = f"{row['arbitration_id']:0{8 if row['extended'] else 3}X}"
        periods = [row[key] for key in ("period_min_s", "period_mean_s", "period_max_s", "jitter_s")]
        times = "  ".join(f"{'-' if p is None else f'{p * 1e3:.3f}':>10}" for p in periods)
        rate = "-" if row["rate"] is None else f"{row['rate']:.2f}"
        lines.append(
            f"{names[row['channel']]:{width}}  {name:>8}  {dlc:>5}  {row['count']:9}  {rate:>9}  {times}  "
            f"{'-' if row['gaps'] is None else row['gaps']:>6}  {percent(row['share']):>6}"
        )
    return "\n".join(lines)


def moment(seconds: float | None) -> str:
    """Where a window begins: a date, or seconds where time stamps are none."""
    if seconds is None:
        return "-"
    if not is_dated(np.array([round(seconds * 1e9)]))[0]:
        return f"{seconds:g} s"
    when = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
    return when.strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip(".") + " UTC"


def _data(summary: dict[str, Any]) -> str:
    return f", data {summary['data_bitrate']:.0f} bit/s" if summary["data_bitrate"] else ""


def _source(bus: dict[str, Any]) -> str:
    return " (assumed: the recording does not say)" if bus.get("bitrate_from") == "assumed" else ""


def percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f}"


def plot(statistics: Statistics, summary: dict[str, Any], path: str) -> None:
    """Load over time, and the identifiers with the greatest shares."""
    bus_load(statistics, summary).savefig(path, dpi=110)
