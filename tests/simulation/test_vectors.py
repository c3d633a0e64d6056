"""Measured runs of hardware cores: levels, driven levels and counters of the simulation and of its twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bus_cases import Outcome, Scenario, in_c, in_twin, record
from bus_vectors import Row, rows, scenario

from canal_fast import simulation

REC_LIMIT = 119  # values from here on are one


def over_time(bits: int, start: tuple[int, int], changes: list[tuple[int, int | None, int | None]]) -> list[Any]:
    """Counters after each bit; None while off."""
    now: Any = (start[0], min(start[1], REC_LIMIT))
    by_bit = {bit: None if tec is None or rec is None else (tec, min(rec, REC_LIMIT)) for bit, tec, rec in changes}
    return [now := by_bit.get(bit, now) for bit in range(bits)]


def check(row: Row, run: Callable[[Scenario], Outcome], flexible: bool) -> None:
    case, present = scenario(row, flexible)
    outcome = run(case)
    assert "".join(map(str, outcome.bits)) == row["bits"]
    for k, number in enumerate(present):
        assert "".join(map(str, outcome.driven[k])) == row["tx"][number]
        if row.get("sent"):
            assert len(outcome.sent[k]) == row["sent"][number]
        node = row["nodes"][number]
        if node["mode"] == "listen_only":
            continue
        start = (node["tec"], node["rec"])
        ours = [(bit, None if tec >= 256 else tec, rec) for bit, who, _, _, _, tec, rec in outcome.events if who == k]
        theirs = [(bit, tec, rec) for bit, who, tec, rec in row["counters"] if who == number]
        mine, measured = (over_time(case.bits, start, changes) for changes in (ours, theirs))
        for bit in range(case.bits):
            earlier = flexible and bit > 0 and mine[bit - 1] == measured[bit]
            assert mine[bit] == measured[bit] or earlier, f"node {number}, bit {bit}"
        if (row.get("received") or [None] * 3)[number] is not None:  # the core tells of a frame after its last EOF bit
            told = [e for e in outcome.events if e[1] == k and e[2] == "received" and e[0] < case.bits - 1]
            own = sum(r.own for who, r in case.requests if who == k) * bool(outcome.sent[k])
            assert len(told) + own == row["received"][number]


@pytest.mark.parametrize("run", [in_c, in_twin], ids=["c", "twin"])
@pytest.mark.parametrize(
    ("name", "count", "flexible"), [("bus_vectors.jsonl.gz", 302, False), ("bus_vectors_fd.jsonl.gz", 118, True)]
)
def test_measured_runs(name: str, count: int, flexible: bool, run: Callable[[Scenario], Outcome]) -> None:
    measured = rows(name)
    assert len(measured) == count
    for row in measured:
        try:
            check(row, run, flexible)
        except AssertionError as error:
            raise AssertionError(f"run {row['run']}, {row['group']}: {row['note']}: {error}") from None


def played(case: Scenario, whole_frames: bool) -> tuple[str, list[str]]:
    """Levels of the bus and what each node drives, by the public names."""
    bus = simulation.Bus(500_000, whole_frames=whole_frames)
    for k, n in enumerate(case.nodes):
        bus.node(
            f"n{k}", mode=n.mode, fd=n.fd, fd_ack_bits=n.ack_bits, protocol_exception=n.exception, tec=n.tec, rec=n.rec,
            recovery="automatic" if n.automatic else "on_request", queue="priority" if n.by_priority else "fifo",
        )  # fmt: skip
    for number, r in case.requests:
        bus.send(f"n{number}", record(r.frame), at=r.bit, one_shot=r.one_shot, self_reception=r.own)
    bus.inject([fault.line() for fault in case.faults])
    bits, driven = "", [""] * len(case.nodes)
    for stop in sorted({*case.recover, case.bits} - {0}):
        run = bus.run(stop - bus.bit)
        bits += "".join(map(str, run.bits.tolist()))
        driven = [
            sofar + "".join(map(str, levels)) for sofar, levels in zip(driven, run.levels.T.tolist(), strict=True)
        ]
        for number in case.recover.get(stop, ()):
            bus.nodes[number].recover()
    return bits, driven


@pytest.mark.parametrize("whole_frames", [False, True])
@pytest.mark.parametrize(("name", "flexible"), [("bus_vectors.jsonl.gz", False), ("bus_vectors_fd.jsonl.gz", True)])
def test_measured_runs_by_the_public_names(name: str, flexible: bool, whole_frames: bool) -> None:
    for row in rows(name):
        case, present = scenario(row, flexible)
        assert played(case, whole_frames) == (row["bits"], [row["tx"][number] for number in present]), row["run"]
