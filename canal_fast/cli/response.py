"""`canal-fast response`: worst-case response times and bus load, from a database or a recording."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from canal_fast.cli.options import keep_existing
from canal_fast.frames import FrameArray, chosen
from canal_fast.logs import read_log
from canal_fast.signals import load_database

SHOWN = 20  # findings of a recording without --json
NOT_MET = 1  # exit code
OPTIONS = {  # the library's words: the command's; longer ones first
    "default_cycle_ms": "--default-cycle",
    "cycle_ms": "--cycle NAME=MS",
    "jitter_ms": "--jitter",
    "deadline_ms": "--deadline",
    "leave_out": "--leave-out",
    "data_bitrate (bit/s)": "--data-bitrate",
}


def run(args: argparse.Namespace) -> int:
    """Analyse, compare, print."""
    from canal_fast.analysis import forecast_load, response_times

    keep_existing(args, args.plot, read=(args.dbc, args.log))
    if args.dbc is None and args.log is None:
        raise ValueError("give --dbc, or --log to learn from")
    if args.message is not None and args.plot is None:
        raise ValueError("--message needs --plot")
    database = None if args.dbc is None else load_database(args.dbc, encoding=args.encoding)
    frames = None if args.log is None else one_channel(args)
    source: Any = frames if database is None else database
    options: dict[str, Any] = {
        "cycle_ms": dict(args.cycle),
        "default_cycle_ms": args.default_cycle,
        "jitter_ms": dict(args.jitter),
        "deadline_ms": dict(args.deadline),
        "leave_out": args.leave_out,
    }
    try:
        result = response_times(source, args.bitrate, args.data_bitrate, args.error_interval, fifo=args.fifo, **options)
        if args.message is not None:
            result[args.message]
        forecast = forecast_load(source, args.bitrate, args.data_bitrate, **options)
        comparison = measured = None
        if frames is not None:
            tolerance = None if args.tolerance is None else round(args.tolerance * 1000)
            comparison = result.compare(frames, tolerance_ns=tolerance)
            measured = forecast.measure(frames)
    except KeyError as error:
        raise ValueError(error.args[0]) from None
    except ValueError as error:
        raise ValueError(as_options(str(error))) from None
    if args.plot:
        from canal_fast.analysis.drawing import plot_response

        plot_response(result, forecast, measured, args.message).savefig(args.plot, dpi=110)
    if args.json:
        print(json.dumps(as_json(result, forecast, comparison, measured), indent=1))
    else:
        print("\n".join(text(result, forecast, comparison, measured)))
    return 0 if result.schedulable and not (comparison and comparison.refuted) else NOT_MET


def one_channel(args: argparse.Namespace) -> FrameArray:
    """The recording's frames of one channel."""
    frames = read_log(args.log)
    channels = np.unique(frames["channel"]).tolist()
    if args.channel is not None:
        if args.channel not in channels:
            raise ValueError(f"{args.log} has no channel {args.channel}; there are {', '.join(map(str, channels))}")
        frames = chosen(frames, frames["channel"] == args.channel)
    elif len(channels) > 1:
        raise ValueError(f"{args.log} has channels {', '.join(map(str, channels))}: choose one with --channel")
    if not len(frames):
        raise ValueError(f"{args.log} holds no frames")
    return frames


def as_options(sentence: str) -> str:
    """The library's sentence with the command's words."""
    for argument, option in OPTIONS.items():
        sentence = sentence.replace(argument, option)
    return sentence


def ms(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value / 1e6:.{digits}f}"


def text(result: Any, forecast: Any, comparison: Any, measured: Any) -> Iterator[str]:
    """For people."""
    missed = [row.message.name for row in result if not row.schedulable]
    data = f", data {result.data_bitrate:.0f} bit/s" if result.data_bitrate else ""
    met = f"{len(missed)} can miss the deadline: {', '.join(missed[:8])}" if missed else "every deadline is met"
    count = f"{len(result)} message{'s' * (len(result) > 1)}"
    yield f"{count} at {result.bitrate:.0f} bit/s{data}: longest busy stretch {ms(result.busy_ns)} ms, {met}"
    width = max(4, *(len(row.message.name) for row in result))
    yield (
        f"{'id':>8}  {'message':{max(width, 7)}}  {'bytes':>5}  {'period ms':>10}  {'jitter ms':>9}  "
        f"{'blocking':>8}  {'worst ms':>9}  {'deadline':>9}  {'slack ms':>9}  {'bus %':>6}  {'expected':>8}"
        + (f"  {'measured':>8}" if measured else "")
    )
    loads = {row.message.name: row.expected for row in forecast.rows}
    seen = dict(zip(loads, measured.rows, strict=True)) if measured else {}
    for row in result:
        m = row.message
        yield (
            f"{m.identifier:>8}  {m.name:{max(width, 7)}}  {m.length:5}  {ms(m.period_ns):>10}  {ms(m.jitter_ns):>9}  "
            f"{ms(row.blocking_ns):>8}  {ms(row.worst_ns):>9}  {ms(m.due_ns):>9}  {ms(row.slack_ns):>9}  "
            f"{100 * row.utilisation:6.2f}  {100 * loads[m.name]:8.2f}"
            + (f"  {100 * seen[m.name]:8.2f}" if measured else "")
            + ("" if row.schedulable else "  MISSED")
            + ("  fifo" if row.queue == "fifo" else "")
        )
    breakdown = result.breakdown()
    yield (
        f"load: best {100 * forecast.best:.2f} %, expected {100 * forecast.expected:.2f} %, worst "
        f"{100 * forecast.worst:.2f} %"
        + (f"; measured {100 * measured.total:.2f} % in {measured.seconds:.3f} s" if measured else "")
    )
    both = " (with the data rate in proportion)" if data else ""
    load = f"{100 * breakdown.utilisation:.1f} %"
    yield (
        f"the deadlines need {breakdown.bitrate:.0f} bit/s{both}, where the worst load is {load}"
        if breakdown.scale
        else "no bit rate near this one meets the deadlines"
    )
    yield f"assumed: {'; '.join(result.assumptions)}"
    if comparison:
        yield from of_recording(result, comparison)


def of_recording(result: Any, comparison: Any) -> Iterator[str]:
    """What contradicts."""
    found = comparison.findings
    yield (
        f"recording: longest busy stretch {ms(comparison.busy_ns)} ms, allowed {ms(comparison.busy_allowed_ns)} ms; "
        + (f"{len(found)} findings" if len(found) else "nothing contradicts, which proves nothing")
        + (f"; {len(comparison.unseen)} messages not seen" if comparison.unseen else "")
        + (f"; {comparison.error_frames} error frames" if comparison.error_frames else "")
    )
    if len(found):
        counts = Counter(found["kind"].tolist())
        yield "  " + ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
    for row in found[:SHOWN]:
        name = result.rows[row["message"]].message.name if row["message"] >= 0 else "-"
        identifier = f"{int(row['arbitration_id']):0{8 if row['extended'] else 3}X}"
        measure = ""
        if row["kind"] == "length":
            measure = f"  {row['measured_ns']:.0f} bytes, allowed {row['allowed_ns']:.0f}"
        elif not np.isnan(row["measured_ns"]):
            sign = "at least" if row["kind"] == "distance" else "at most"
            measure = f"  {ms(row['measured_ns'])} ms, allowed {sign} {ms(row['allowed_ns'])} ms"
        yield f"  {row['timestamp_ns'] / 1e9:.6f}  {row['kind']:8}  {identifier:>8}  {name}{measure}"
    if len(found) > SHOWN:
        yield f"  and {len(found) - SHOWN} more (--json has all)"


def as_json(result: Any, forecast: Any, comparison: Any, measured: Any) -> dict[str, Any]:
    """For programs: times in ns, shares of the bus as fractions."""
    breakdown = result.breakdown()
    loads = {row.message.name: row for row in forecast.rows}
    rows = []
    for row in result:
        load = loads[row.message.name]
        shares = {"best": load.best, "expected": load.expected, "worst": load.worst}
        more = {"slack_ns": row.slack_ns, "schedulable": row.schedulable, "load": shares}
        rows.append({**asdict(row), **more})
    found: dict[str, Any] = {
        "bitrate": float(result.bitrate),
        "data_bitrate": result.data_bitrate and float(result.data_bitrate),
        "utilisation": result.utilisation,
        "busy_ns": result.busy_ns,
        "schedulable": result.schedulable,
        "assumptions": list(result.assumptions),
        "breakdown": asdict(breakdown) if breakdown.scale else None,
        "load": {"best": forecast.best, "expected": forecast.expected, "worst": forecast.worst},
        "messages": rows,
    }
    if comparison:
        names = comparison.findings.dtype.names or ()
        found["recording"] = {
            "seconds": measured.seconds,
            "load": measured.total,
            "foreign_load": measured.foreign,
            "loads": {row.message.name: share for row, share in zip(forecast.rows, measured.rows, strict=True)},
            "busy_ns": comparison.busy_ns,
            "unseen": list(comparison.unseen),
            "error_frames": comparison.error_frames,
            "messages": [asdict(row) for row in comparison.rows],
            "findings": [
                {name: None if value != value else value for name, value in zip(names, row.item(), strict=True)}
                for row in comparison.findings
            ],
        }
    return found
