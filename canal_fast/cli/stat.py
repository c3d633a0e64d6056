"""`canal-fast stat`: what a recording holds, and how full the bus was."""

from __future__ import annotations

import argparse
import importlib
import json
from typing import Any

from canal_fast.analysis.statistics import Statistics

HEADER = (
    f"{'ch':>2}  {'id':>8}  {'dlc':>5}  {'count':>9}  {'rate/s':>9}  {'min ms':>10}  {'mean ms':>10}  {'max ms':>10}  "
    f"{'jitter ms':>10}  {'bus %':>6}"
)


def add_parser(subparsers: Any) -> None:
    """Add `stat` to the command line."""
    parser = subparsers.add_parser(
        "stat",
        help="identifiers, periods and bus load of a recording",
        description="Per identifier: count, rate, period (least, mean, greatest, and jitter, its standard deviation), "
        "dlc and share of the bus; and the load of each bus in all and at its peak. Loads count exact stuffed "
        "lengths with intermission.",
    )
    parser.add_argument("file", help="recording: pcapng or candump .log")
    parser.add_argument("--bitrate", type=float, default=500_000, help="nominal, bit/s (default: %(default)s)")
    parser.add_argument("--data-bitrate", type=float, help="bit/s of CAN FD's data phase")
    parser.add_argument(
        "--window", type=float, default=1.0, metavar="S", help="for the peak load (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--plot", metavar="PNG", help="also draw the load over time and by identifier (needs matplotlib)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, count, print."""
    logs = importlib.import_module("canal_fast.logs")
    statistics = Statistics(args.bitrate, args.data_bitrate, args.window)
    for batch in logs.batches(args.file, max_frames=65_536):
        statistics.add(batch)
    summary = statistics.summary()
    print(json.dumps(summary, indent=1) if args.json else table(summary))
    if args.plot:
        plot(statistics, summary, args.plot)
    return 0


def table(summary: dict[str, Any]) -> str:
    """The summary for people."""
    rate = f"{summary['bitrate']:.0f} bit/s"
    if summary["data_bitrate"]:
        rate += f", data {summary['data_bitrate']:.0f} bit/s"
    lines = [f"{summary['frames']} frames, {len(summary['ids'])} identifiers, {summary['span_s']:.3f} s, at {rate}"]
    if summary["not_frames"]:
        lines.append(f"{summary['not_frames']} status and error records are not counted")
    for bus in summary["channels"]:
        lines.append(
            f"channel {bus['channel']}: {bus['frames']} frames, load {percent(bus['load'])} %, peak "
            f"{percent(bus['peak_load'])} % in the {summary['window_s']:g} s from {bus['peak_at_s']:g} s"
        )
    lines.append(HEADER)
    for row in summary["ids"]:
        dlcs = row["dlc"]
        dlc = str(dlcs[0]) if len(dlcs) == 1 else f"{dlcs[0]}..{dlcs[-1]}"
        name = f"{row['arbitration_id']:0{8 if row['extended'] else 3}X}"
        periods = [row[key] for key in ("period_min_s", "period_mean_s", "period_max_s", "jitter_s")]
        times = "  ".join(f"{'-' if p is None else f'{p * 1e3:.3f}':>10}" for p in periods)
        rate = "-" if row["rate"] is None else f"{row['rate']:.2f}"
        lines.append(
            f"{row['channel']:2}  {name:>8}  {dlc:>5}  {row['count']:9}  {rate:>9}  {times}  {percent(row['share']):>6}"
        )
    return "\n".join(lines)


def percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f}"


def plot(statistics: Statistics, summary: dict[str, Any], path: str) -> None:
    """Load over time, and the identifiers with the greatest shares."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 7), layout="constrained")
    above, below = figure.subplots(2, 1)
    window = summary["window_s"]
    for channel, windows in statistics.load_over_time().items():
        numbers = range(min(windows), max(windows) + 1)
        values = [100 * windows.get(number, 0.0) for number in numbers]
        edges = [number * window for number in [*numbers, numbers[-1] + 1]]
        above.stairs(values, edges, baseline=None, linewidth=1.3, label=f"channel {channel}")
    above.set(xlabel="time since the first frame, s", ylabel=f"bus load, % ({window:g} s windows)")
    above.set_ylim(bottom=0)
    above.grid(alpha=0.3)
    if summary["channels"]:
        above.legend(fontsize=8, loc="lower left")
    rows = sorted(summary["ids"], key=lambda row: -(row["share"] or 0))[:30]
    names = [f"{r['channel']}: {r['arbitration_id']:0{8 if r['extended'] else 3}X}" for r in rows]
    below.bar(range(len(rows)), [100 * (r["share"] or 0) for r in rows], color="#4878a8")
    below.set_xticks(range(len(rows)), names, rotation=90, fontsize=8)
    below.set(
        ylabel="share of the bus, %", xlabel=f"channel: identifier (the {len(rows)} with most of {len(summary['ids'])})"
    )
    figure.savefig(path, dpi=110)
