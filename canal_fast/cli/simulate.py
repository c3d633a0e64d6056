"""`canal-fast simulate`: a scenario of nodes, messages and faults on a simulated bus, bit by bit."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from typing import Any

import numpy as np

from canal_fast.cli.options import keep_existing
from canal_fast.logs import LogInterface, write_log
from canal_fast.simulation import FIELDS, Bus, Event, NodeState, Run
from canal_fast.simulation.scenario import Scenario

_ERRORS = [Event.BIT_ERROR, Event.STUFF_ERROR, Event.FORM_ERROR, Event.CRC_ERROR, Event.ACK_ERROR]


def run(args: argparse.Namespace) -> int:
    """Simulate, write what was asked for, print how each node stands."""
    keep_existing(args, args.output, args.events, args.plot, read=(args.scenario,))
    scenario = Scenario.read(args.scenario)
    bus, made = scenario.run(record_levels=True if args.draw or args.plot else None)
    if args.output:
        _record(args, bus, made)
    if args.events:
        _write_events(args.events, made)
    if args.draw or args.plot:
        text = made.draw(args.first, args.bits, plot=args.plot)
        if args.draw:
            print(text)
    rows = [_summary(bus, made, number) for number in range(len(bus.nodes))]
    if args.json:
        summary = {"bits": len(made.bits), "duration_ns": made.duration_ns, "gear": made.gear}
        print(json.dumps({**summary, "warnings": list(made.warnings), "nodes": rows}))
        return 0
    for warning in made.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    title = f"{scenario.title}: " if scenario.title else ""
    print(f"{title}{len(made.bits)} bits, {made.duration_ns / 1e6:.3f} ms at {bus.bitrate} bit/s")
    print(f"{'node':16} {'sent':>6} {'received':>8} {'errors':>7} {'off':>4} {'TEC':>4} {'REC':>4}  state")
    for row in rows:
        print(
            f"{row['name']:16} {row['sent']:6} {row['received']:8} {row['errors']:7} {row['times_off']:4} "
            f"{row['tec']:4} {row['rec']:4}  {row['state'].lower().replace('_', ' ')}"
        )
    return 0


def _summary(bus: Bus, made: Run, number: int) -> dict[str, Any]:
    node = bus.nodes[number]
    kinds = made.events["event"][made.events["node"] == number]
    return {
        "name": node.name,
        "sent": node.sent,
        "received": node.received,
        "errors": int(np.isin(kinds, _ERRORS).sum()),
        "times_off": int((kinds == Event.BUS_OFF).sum()),
        "tec": node.tec,
        "rec": node.rec,
        "state": node.state.name,
    }


def _record(args: argparse.Namespace, bus: Bus, made: Run) -> None:
    frames = made.logs if args.node is None else made.frames_at(args.node)
    interfaces = [
        LogInterface(node.name, node.number, bus.bitrate, int((frames["channel"] == node.number).sum()), None)
        for node in bus.nodes
        if args.node in (None, node.name)
    ]
    write_log(args.output, frames, interfaces=interfaces)


def _write_events(path: str, made: Run) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["timestamp_ns", "bit", "node", "event", "field", "field_bit", "arbitration_id", "tec", "rec", "state",
             "transmitter", "driven"]
        )  # fmt: skip
        for e in made.events:
            writer.writerow(
                [int(e["timestamp_ns"]), int(e["bit"]), made.nodes[e["node"]], Event(e["event"]).name,
                 FIELDS[e["field"]], int(e["field_bit"]), f"{int(e['arbitration_id']):X}", int(e["tec"]), int(e["rec"]),
                 NodeState(e["state"]).name, int(e["transmitter"]), int(e["driven"])]
            )  # fmt: skip
