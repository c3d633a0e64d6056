"""Worst-case response times: beside formulas in fractions, queues that are run, and the bus bit by bit."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from message_sets import BIT_NS, BITRATE, MessageSet, random_jobs, random_set, worst
from oracle import response_oracle as twin

import canal_fast as cf
from canal_fast.analysis import Message, bus_order_key, response_times
from canal_fast.frames import FrameFlag
from canal_fast.simulation import Bus, Event

MANY = pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.unsanitized])  # nothing of it is in C
MS = 1_000_000


def paper() -> list[Message]:
    """Table 1 of the paper: three messages of 1 ms each (7 bytes at 125 kbit/s)."""
    rows = [("A", 2_500_000, 2_500_000), ("B", 3_500_000, 3_250_000), ("C", 3_500_000, 3_250_000)]
    return [Message(name, n, 7, period, 0, due) for n, (name, period, due) in enumerate(rows)]


def test_the_papers_example() -> None:
    """The second instance of C is its worst: the analysis of 1994 says 3.0 ms."""
    streams = [twin.Stream(n, 1, Fraction(t), 0) for n, t in enumerate(["2.5", "3.5", "3.5"])]
    assert [twin.bound(streams, i, Fraction(1, 125)).response for i in range(3)] == [2, 3, Fraction(7, 2)]
    found = response_times(paper(), 125_000)
    assert [row.worst_ns for row in found] == [2_000_000, 3_000_000, 3_500_000]
    assert found["C"].instances == 2
    assert found["C"].busy_ns == 7_000_000
    assert [row.schedulable for row in found] == [True, True, False]
    assert found["C"].slack_ns == -250_000
    assert not found.schedulable
    assert found.utilisation == pytest.approx(1 / 2.5 + 2 / 3.5)
    ends = [(slot.message.name, slot.queued_ns, slot.end_ns) for slot in found.critical_instant("C")]
    assert ends[-1] == ("C", 3_500_000, 7_000_000)


def test_breakdown_of_the_example() -> None:
    """C's deadline of 3.25 ms holds as soon as its second frame is not pushed."""
    found = response_times(paper(), 125_000)
    breakdown = found.breakdown()
    assert 0.95 < breakdown.scale < 1
    assert breakdown.utilisation == pytest.approx(found.utilisation * breakdown.scale)
    slower = response_times(paper(), math.ceil(breakdown.bitrate))
    assert slower.schedulable
    assert not response_times(paper(), int(breakdown.bitrate * 1023 / 1025)).schedulable


def check_formula(rng: random.Random) -> None:
    chosen = random_set(rng, jitter=rng.random() < 0.5, load=rng.uniform(0.2, 0.8))
    shuffled = rng.sample(chosen.messages, len(chosen.messages))
    interval = rng.choice([None, 3_000, 20_000])
    errors = None if interval is None else interval / BITRATE
    again = 0 if interval is None else (twin.ERROR_BITS + max(s.c for s in chosen.streams)) / interval
    if again + sum(s.c / s.t for s in chosen.streams) >= 1:
        with pytest.raises(ValueError, match=r"utilisation is .* allowed below 1"):
            response_times(shuffled, BITRATE, errors=errors)
        return
    found = response_times(shuffled, BITRATE, errors=errors)
    assert [row.message for row in found] == chosen.messages
    for number, row in enumerate(found):
        bound = twin.bound(chosen.streams, number, 1, None if interval is None else Fraction(interval))
        assert row.worst_ns == bound.response * BIT_NS
        assert row.busy_ns == bound.busy * BIT_NS
        assert row.instances == bound.instances


@pytest.mark.parametrize("count", [200, MANY])
def test_beside_the_formulas_in_fractions(count: int) -> None:
    for seed in range(count):
        check_formula(random.Random(seed))


@pytest.mark.parametrize("count", [300, MANY])
def test_no_queue_that_is_run_exceeds_the_bound(count: int) -> None:
    """Priority queues, with jitter, and faults in every third set; and the bound is not far off."""
    nearest = []
    for seed in range(count):
        rng = random.Random(seed)
        interval = rng.choice([None, None, 2_500])
        load = rng.uniform(0.3, 0.75) if interval else None
        chosen = random_set(rng, jitter=rng.random() < 0.5, load=load)
        errors = None if interval is None else interval / BITRATE
        try:
            found = response_times(chosen.messages, BITRATE, errors=errors)
        except ValueError:
            assert interval
            continue
        jobs = random_jobs(rng, chosen.streams, 8)
        hits, at = [], 0
        while interval and at < max(job.queued for job in jobs):
            at += interval + rng.choice([0, 0, rng.randrange(500)])
            hits.append(at)
        seen = worst(twin.run_queue(chosen.streams, jobs, hits=hits), len(chosen.streams))
        for row, value in zip(found, seen, strict=True):
            assert value * BIT_NS <= row.worst_ns, (seed, row)
        nearest.append(max(value * BIT_NS / row.worst_ns for row, value in zip(found, seen, strict=True)))
    assert np.mean(nearest) > 0.7
    assert max(nearest) > 0.98


@pytest.mark.parametrize("seed", [231, 373, 537])
def test_queues_that_are_run_exceed_what_the_first_instance_says(seed: int) -> None:
    """13 of 14,920 messages of the first 3,000 sets do: the runs can tell a wrong bound."""
    rng = random.Random(seed)
    chosen = random_set(rng, jitter=rng.random() < 0.5)
    streams = chosen.streams
    seen = worst(twin.run_queue(streams, random_jobs(rng, streams, 8)), len(streams))
    first = [twin.bound(streams, number, 1, first_only=True).response for number in range(len(streams))]
    assert any(value > one for value, one in zip(seen, first, strict=True))
    found = response_times(chosen.messages, BITRATE)
    assert all(value * BIT_NS <= row.worst_ns for value, row in zip(seen, found, strict=True))


@pytest.mark.parametrize("count", [100, MANY])
def test_the_critical_instant_reaches_the_bound(count: int) -> None:
    """Within a bit; of sets where a frame is queued within a bit of a start the bound counts that frame, too."""
    cases = Counter[str]()
    for seed in range(count):
        chosen = random_set(random.Random(seed))
        found = response_times(chosen.messages, BITRATE)
        for number, row in enumerate(found):
            sent = twin.critical_instant(chosen.streams, number, row.busy_ns // BIT_NS + 1)
            own = [one for one in sent if one.job.stream == number][: row.instances]
            if number < len(found) - 1:
                own = [one for one in own if one.job.queued]
            seen = max(one.end - one.job.due for one in own)
            starts = {one.start for one in sent if one.job.stream <= number}
            close = any(one.job.queued - 1 in starts for one in sent if one.job.stream < number)
            assert seen * BIT_NS <= row.worst_ns
            if close:
                cases["a frame queued within a bit of a start"] += 1
            else:
                cases["reached"] += 1
                assert row.worst_ns - seen * BIT_NS <= BIT_NS, (seed, number)
            slots = found.critical_instant(row.message.name)
            assert slots[-1].message == row.message
            assert [slot.end_ns for slot in slots] == [(one.end - 1) * BIT_NS for one in sent[: len(slots)]]
    assert cases["reached"] > 0.9 * cases.total()
    assert cases["a frame queued within a bit of a start"]
    print(dict(cases))


def test_the_worst_moment_with_jitter() -> None:
    """By hand: A may be queued 1 ms late, B's frame has begun a bit before; A's next comes 9 ms behind."""
    rows = [Message("A", 1, 8, 10 * MS, 1 * MS), Message("B", 2, 0, 20 * MS)]
    found = response_times(rows, 1_000_000)
    assert found["A"].worst_ns == 1_000_000 + 55_000 + 135_000
    assert [tuple(slot[1:]) for slot in found.critical_instant("A")] == [(-1000, -1000, 54_000), (0, 54_000, 189_000)]
    assert [tuple(slot[1:]) for slot in found.critical_instant("B")] == [(0, 0, 135_000), (0, 135_000, 190_000)]
    assert found.critical_instant()[-1].message.name == "A"


@pytest.mark.parametrize("count", [300, MANY])
def test_no_fifo_queue_exceeds_its_bound(count: int) -> None:
    told = Counter[str]()
    for seed in range(count):
        rng = random.Random(seed)
        chosen = random_set(rng, jitter=rng.random() < 0.5, nodes=3, load=rng.uniform(0.1, 0.7))
        nodes = sorted({str(s.node) for s in chosen.streams})
        fifos = rng.sample(nodes, rng.randint(1, len(nodes)))
        expected = twin.fifo_bounds(chosen.streams, fifos, 1)
        if expected is None:
            told["refused"] += 1
            with pytest.raises(
                ValueError, match=r"in the FIFO queue of 'node\d': its response time exceeds its period"
            ):
                response_times(chosen.messages, BITRATE, fifo=fifos)
            continue
        found = response_times(chosen.messages, BITRATE, fifo=fifos)
        assert [row.worst_ns for row in found] == [value * BIT_NS for value in expected]
        assert [row.queue == "fifo" for row in found] == [s.node in fifos for s in chosen.streams]
        seen = worst(twin.run_queue(chosen.streams, random_jobs(rng, chosen.streams, 8), fifos), len(chosen.streams))
        for row, value in zip(found, seen, strict=True):
            told["longer than a priority queue's"] += (
                value * BIT_NS > response_times(chosen.messages, BITRATE)[row.message.name].worst_ns
            )
            assert value * BIT_NS <= row.worst_ns, (seed, row)
        told["held"] += 1
    assert min(told["held"], told["refused"], told["longer than a priority queue's"]) > count // 100
    print(dict(told))


def on_the_bus(chosen: MessageSet, rng: random.Random) -> list[int]:
    """Greatest response times, in bits with intermission, on the bus bit by bit."""
    bus = Bus(BITRATE)
    jobs = random_jobs(rng, chosen.streams, 3)
    length = 0
    for number, message in enumerate(chosen.messages):
        node = bus.node(f"n{number}")
        due = sorted((job.due, job.queued) for job in jobs if job.stream == number)
        data = np.frombuffer(rng.randbytes(message.length * len(due)), np.uint8).reshape(len(due), message.length)
        data = data * np.uint8(rng.random() < 0.7)  # zeros have many stuff bits
        flags = FrameFlag.EXTENDED_ID * message.is_extended
        frames = cf.make_frames(message.arbitration_id, data, flags=flags, fd=message.is_fd)
        bus.send(node, frames, at=[q for _, q in due])
        length = max(length, due[-1][1])
    run = bus.run(length + 20_000, record_levels=False)
    found = []
    for number in range(len(chosen.messages)):
        own = run.frames_at(number)
        ends = own["timestamp_ns"][own["flags"] & FrameFlag.TX != 0] // BIT_NS
        due = sorted((job.due, job.queued) for job in jobs if job.stream == number)
        assert len(ends) == len(due)
        found.append(max(int(end) + 3 - start for end, (start, _) in zip(ends, due, strict=True)))
    return found


@pytest.mark.parametrize("count", [200])
def test_no_bus_bit_by_bit_exceeds_the_bound(count: int) -> None:
    nearest = 0.0
    for seed in range(count):
        rng = random.Random(seed)
        chosen = random_set(rng, jitter=seed % 2 == 0, fd=seed % 4 > 1)
        seen = on_the_bus(chosen, rng)
        found = response_times(chosen.messages, BITRATE)
        assert [row.longest_ns for row in found] == [s.c * BIT_NS for s in chosen.streams]
        for row, value in zip(found, seen, strict=True):
            assert value * BIT_NS <= row.worst_ns, (seed, row)
            nearest = max(nearest, value * BIT_NS / row.worst_ns)
    assert nearest > 0.8


def kinds_of(identifier: int) -> list[tuple[str, cf.FrameArray]]:
    """A base identifier, the extended ones that begin with it, data, remote, FD."""
    found = []
    for extended in (None, 0, 0x2AAAA):
        number = identifier if extended is None else identifier << 18 | extended
        for flags, name in ((FrameFlag(0), "data"), (FrameFlag.REMOTE, "remote"), (FrameFlag.FD, "FD")):
            more = FrameFlag(0) if extended is None else FrameFlag.EXTENDED_ID
            frame = cf.make_frames(number, flags=flags | more, fd=True)
            frame["flags"] = flags | more
            found.append((f"{number:X} {name}", frame))
    return found


def test_order_is_that_of_arbitration() -> None:
    """All pairs; whoever sends the first whole frame has won. A classical and an FD frame of one identifier tie: the
    FD sender finds a bit error behind the arbitration field."""
    frames = [*kinds_of(0x123), *kinds_of(0x122), *kinds_of(0x523)]
    outcomes = Counter[str]()
    for (name, one), (other_name, other) in itertools.combinations(frames, 2):
        bus = Bus(500_000)
        for node, frame in (("a", one), ("b", other)):
            bus.node(node)
            bus.send(node, frame, at=20)
        bus.node("c")
        run = bus.run(1000, record_levels=False)
        sent = run.events[run.events["event"] == Event.SENT]
        first, second = (int(bus_order_key(frame)[0]) for frame in (one, other))
        errors = run.events["event"] == Event.BIT_ERROR
        if first == second:
            assert errors.any(), (name, other_name)
            assert sorted([name.split()[1], other_name.split()[1]]) == ["FD", "data"]
            outcomes["tie"] += 1
        else:
            assert not errors.any(), (name, other_name)
            assert sent["node"][0] == (first > second), (name, other_name)
            outcomes["won"] += 1
    assert outcomes == {"tie": 9, "won": 27 * 26 // 2 - 9}


def test_order_beside_the_levels_as_sent() -> None:
    rng = random.Random(1)
    rows = [(rng.getrandbits(29 if ext else 11), ext, rng.random() < 0.5) for ext in [False, True] * 500]
    rows += [(5, False, True), (5, False, False), (5 << 18, True, False), (5 << 18, True, True)]
    frames = np.concatenate(
        [cf.make_frames(i, flags=FrameFlag.EXTENDED_ID * ext | FrameFlag.REMOTE * remote) for i, ext, remote in rows]
    )
    by_levels = sorted(range(len(rows)), key=lambda i: (twin.arbitration_key(*rows[i]), i))
    assert np.argsort(bus_order_key(frames), kind="stable").tolist() == by_levels
