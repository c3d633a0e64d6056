"""`canal-fast filters`: acceptance filters for the identifiers that a node wants."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import Any

from canal_fast.analysis import FilterDesign, design_filters
from canal_fast.analysis.design import frames_by_id, room_of
from canal_fast.analysis.design_controllers import CONTROLLERS
from canal_fast.cli.left_out import tell
from canal_fast.cli.parsers.filters import Id
from canal_fast.logs import open_log
from canal_fast.signals import load_database

SHOWN = 12  # unwanted identifiers that are listed


def run(args: argparse.Namespace) -> int:
    """Design and print."""
    room_of(args.controller, args.filters)  # before anything is read
    wanted = args.ids if args.dbc is None else of_database(args.dbc)
    traffic = None if args.traffic is None else frames_of(args.traffic)
    design = design_filters(wanted, args.controller, traffic, filters=args.filters, list_only=args.list_only)
    if args.json:
        print(json.dumps(as_dict(design, traffic), indent=1))
    else:
        print("\n".join(report(design, traffic)))
    return 0


def of_database(path: str) -> list[Id]:
    found = [(m.arbitration_id, m.is_extended) for m in load_database(path).messages]
    if not found:
        raise ValueError(f"{path} has no message")
    return found


def frames_of(path: str) -> dict[Id, int]:
    """Frames of each identifier of a recording."""
    found: Counter[Id] = Counter()
    with open_log(path) as log:
        for frames in log.batches():
            found.update(frames_by_id(frames))
        tell(log, "filters")
    return dict(found)


def shown(number: int, extended: bool) -> str:
    return f"{number:08X}" if extended else f"{number:03X}"


def report(design: FilterDesign, traffic: dict[Id, int] | None) -> list[str]:
    """Table of filters, registers, what passes unwanted, and how good that is."""
    title = CONTROLLERS[design.controller].title
    base = sum(not extended for _, extended in design.wanted)
    lines = [f"{title}: {base} base and {len(design.wanted) - base} extended identifiers", ""]
    rows = [("filter", "id", "mask", "wanted")]
    for number, one in enumerate(design.filters):
        mask = "" if one.can_mask is None else shown(one.can_mask, one.extended)
        ident = shown(one.can_id, one.extended) + (f"-{shown(one.high, one.extended)}" if one.high is not None else "")
        ids = " ".join(shown(i, one.extended) for i in one.ids[:8]) + (" ..." if len(one.ids) > 8 else "")
        if one.kind == "list":
            ident = " ".join(shown(i, one.extended) for i in one.ids)
        rows.append((f"{number} {one.kind}", ident, mask, ids if one.kind != "list" else ""))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines += [
        "  " + "  ".join((*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[3])).rstrip() for row in rows
    ]
    if design.registers:
        pad = max(len(name) for name, _ in design.registers)
        wide = 4 if design.controller == "sja1000" else 10
        lines += ["", *(f"  {name:{pad}}  {value:#0{wide}x}" for name, value in design.registers)]
    lines += ["", through(design, traffic)]
    listed = design.let_through[:SHOWN]
    more = [f"and {len(design.let_through) - SHOWN} more"] * (len(design.let_through) > SHOWN)
    if traffic is None:
        words = [*(shown(number, extended) for number, extended, _ in listed), *more]
        lines += ["  " + " ".join(words)] * bool(words)
    else:
        lines += ["  " + row for row in [*(f"{shown(i, e)}  {w} frames" for i, e, w in listed), *more]]
    if design.optimal:
        return [*lines, "optimal: no other grouping of the identifiers lets less through"]
    better = f"any grouping lets at least {design.bound} through; merging pairs alone {design.greedy}"
    return [*lines, f"not proved best: {better}"]


def through(design: FilterDesign, traffic: dict[Id, int] | None) -> str:
    if traffic is None:
        return f"{design.unwanted} unwanted identifiers pass"
    others = sum(number for one, number in traffic.items() if one not in set(design.wanted))
    share = f" ({100 * design.unwanted / others:.3g} %)" if others else ""
    return (
        f"{design.unwanted} of {others} unwanted frames pass{share}, of {len(design.let_through)} identifiers; "
        f"{sum(traffic.values()) - others} frames are wanted"
    )


def as_dict(design: FilterDesign, traffic: dict[Id, int] | None) -> dict[str, Any]:
    return {
        "controller": design.controller,
        "wanted": [{"arbitration_id": i, "extended": e} for i, e in design.wanted],
        "filters": [
            {key: getattr(one, key) for key in ("kind", "extended", "can_id", "can_mask", "high", "ids")}
            for one in design.filters
        ],
        "registers": dict(design.registers),
        "unwanted": design.unwanted,
        "unwanted_unit": "identifiers" if traffic is None else "frames",
        "let_through": [{"arbitration_id": i, "extended": e, "weight": w} for i, e, w in design.let_through],
        "optimal": design.optimal,
        "bound": design.bound,
        "greedy": design.greedy,
    }
