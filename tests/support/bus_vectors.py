"""Measured runs of hardware cores (tests/data/bus), and the scenarios that they are."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from bus_cases import Fault, Scenario, Setup
from oracle.bus_oracle import Request
from oracle.wire_oracle import Frame

DATA = Path(__file__).resolve().parent.parent / "data" / "bus"
REQUEST_BITS = 5  # until a request counts
FD_MODES = {"fd_enabled": "enabled", "fd_enabled_exception": "enabled", "fd_tolerant": "tolerant"}
Row = dict[str, Any]


def rows(name: str) -> list[Row]:
    with gzip.open(DATA / name, "rt") as file:
        return [row for row in map(json.loads, file) if row.get("checked", 1)]


def setup(node: Row, flexible: bool) -> Setup:
    mode = node["mode"]
    return Setup(
        "normal" if flexible else mode,
        FD_MODES.get(mode, "classical"),
        2,
        mode == "fd_enabled_exception",
        automatic=False,
        by_priority=False,
        tec=node["tec"],
        rec=node["rec"],
    )


def scenario(row: Row, flexible: bool) -> tuple[Scenario, list[int]]:
    """And the numbers of the nodes that are there."""
    present = [k for k, node in enumerate(row["nodes"]) if node["mode"] != "absent"]
    requests = [
        (
            present.index(s["node"]),
            Request(
                Frame(
                    s["arbitration_id"], bool(s["extended"]), bool(s["remote"]), bool(s.get("fd")),
                    dlc=s["dlc"], data=bytes.fromhex(s["data"]),
                ),
                max(0, s["at"] + REQUEST_BITS) if s["at"] >= 0 else 0,
                bool(s.get("one_shot")),
                bool(s.get("self_reception")),
            ),
        )
        for s in row["send"]
    ]  # fmt: skip
    faults = [
        Fault(bit, ("dominant", "recessive")[level], node=None if node is None else present.index(node))
        for bit, level, node in row["force"]
        if node is None or node in present
    ]
    if row["drive"]:
        faults.append(Fault(0, "drive", pattern=row["drive"]))
    recover: dict[int, list[int]] = {}
    for bit, node in row.get("restart", []):
        recover.setdefault(bit, []).append(present.index(node))
    nodes = [setup(row["nodes"][k], flexible) for k in present]
    return Scenario(nodes, requests, faults, len(row["bits"]), recover), present
