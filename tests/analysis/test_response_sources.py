"""Where messages come from, what is refused, and what a recording can refute."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from message_sets import BIT_NS, BITRATE, random_jobs, random_set
from oracle import response_oracle as twin

import canal_fast as cf
from canal_fast import analysis
from canal_fast.analysis import Message, response_times, timed_messages
from canal_fast.analysis.lines import spread
from canal_fast.frames import FrameFlag
from canal_fast.simulation import Bus

MS = 1_000_000
START = 1_700_000_000_000_000_000
DATABASES = Path(__file__).parent.parent / "data" / "databases"


def two(**changes: Any) -> list[Message]:
    return [Message("fast", 0x100, 8, 10 * MS), Message(**{**SLOW, **changes})]


SLOW: dict[str, Any] = {"name": "slow", "arbitration_id": 0x200, "length": 8, "period_ns": 100 * MS}


def test_lengths_are_the_worst_ones() -> None:
    """Classical by the paper's formula, FD at both rates; blocking is the longest lower frame."""
    rows = [
        Message("a", 1, 0, MS),
        Message("b", 2 << 18, 8, MS, is_extended=True),
        Message("c", 3, 8, MS, is_remote=True),
        Message("d", 4, 64, 10 * MS, is_fd=True),
        Message("e", 5, 64, 10 * MS, is_fd=True, bitrate_switch=False),
    ]
    found = response_times(rows, 1_000_000, 4_000_000)
    a, b, c, d, e = (found[name].longest_ns for name in "abcde")
    assert (a, b, c) == (55_000, 160_000, 55_000)
    # SOF to DLC 22, 64 bytes: 534 bits, 133 stuff bits; stuff count and CRC-21: 25, 7 fixed stuff bits; 10 + 3 behind
    assert e == (534 + 133 + 25 + 7 + 10 + 3) * 1000
    # nominal: 17 bits to BRS, 3 stuff bits, ACK, end of frame, intermission
    assert d == (17 + 3 + 9 + 3) * 1000 + (534 + 133 + 25 + 7 + 10 - 17 - 3 - 9) * 250
    assert [found[name].blocking_ns for name in "abcde"] == [e, e, e, e, 0]
    assert found["d"].best_ns < d


def test_rates_that_are_no_whole_ns() -> None:
    found = response_times([Message("a", 1, 8, 10 * MS)], 83_333)
    assert found["a"].worst_ns == -(-135 * 10**9 // 83_333)
    assert response_times([Message("a", 1, 8, 10 * MS)], 83_333.0)["a"].worst_ns == found["a"].worst_ns


def test_a_database() -> None:
    pytest.importorskip("cantools")
    database = cf.load_database(DATABASES / "abs.dbc")
    found = response_times(database, 500_000)
    assert len(found) == len(database.messages)
    assert [row.message.arbitration_id for row in found] == sorted(m.arbitration_id for m in database.messages)
    assert found["BREMSE_2"].message.period_ns == 10 * MS
    assert found["BREMSE_2"].message.sender == database["BREMSE_2"].senders[0]
    changed = timed_messages(database, cycle_ms={"*": 20, "BREMSE_2": 5}, jitter_ms={"MM5*": 0.5}, leave_out=["DRS*"])
    cycles = {m.name: (m.period_ns, m.jitter_ns) for m in changed}
    assert cycles["BREMSE_2"] == (5 * MS, 0)
    assert cycles["MM5_10_TX1"] == (20 * MS, 500_000)
    assert "DRS_RX_ID0" not in cycles


def test_a_database_without_cycle_times() -> None:
    pytest.importorskip("cantools")
    database = cf.load_database(DATABASES / "_toyota_2017.dbc")
    count = len(database.messages)
    with pytest.raises(
        ValueError, match=rf"{count} of {count} messages have no cycle time: KINEMATICS, .* and \d+ more"
    ):
        response_times(database, 500_000)
    with pytest.raises(ValueError, match=f"{count - 1} of {count} messages have no cycle time"):
        response_times(database, 500_000, cycle_ms={"KINEMATICS": 10})
    assert len(response_times(database, 500_000, default_cycle_ms=100)) == count


def test_a_table_of_dicts() -> None:
    rows = [{**SLOW}, {**SLOW, "name": "other", "arbitration_id": 7, "jitter_ns": 5}]
    assert [m.name for m in timed_messages(rows)] == ["slow", "other"]
    assert response_times(iter(rows), 500_000)["other"].message.jitter_ns == 5


def test_a_recording_teaches() -> None:
    rng = np.random.default_rng(1)
    regular = cf.make_frames(
        0x100, rng.integers(0, 256, (500, 8), np.uint8), timestamp_ns=START + np.arange(500, dtype=np.int64) * 10 * MS
    )
    times = START + np.cumsum(rng.exponential(30 * MS, 150).astype(np.int64) + 2 * MS)
    events = cf.make_frames(0x1234567, b"123", timestamp_ns=times, flags=FrameFlag.EXTENDED_ID)
    once = cf.make_frames(0x7FF, timestamp_ns=START + 5)
    frames = np.concatenate([regular, events, once])
    frames = frames[np.argsort(frames["timestamp_ns"], kind="stable")]
    found = {m.name: m for m in timed_messages(frames)}
    assert (found["100"].period_ns, found["100"].jitter_ns, found["100"].length) == (10 * MS, 0, 8)
    event = found["01234567"]
    assert (event.sporadic, event.is_extended, event.length) == (True, True, 3)
    assert 2 * MS <= event.period_ns < 3 * MS
    assert found["7FF"].period_ns == int(frames["timestamp_ns"].max()) - START
    assert response_times(frames, 500_000).schedulable
    both = frames.copy()
    both["channel"][::2] = 1
    with pytest.raises(ValueError, match="frames of channels 0, 1: give those of one bus"):
        response_times(both, 500_000)
    same = cf.make_frames([1, 1, 1], timestamp_ns=START)
    with pytest.raises(ValueError, match="1 of 1 messages have no cycle time: 001"):
        response_times(same, 500_000)


MISTAKES: list[tuple[str, Any, dict[str, Any], str]] = [
    (
        "full",
        two(period_ns=200_000),
        {},
        r"utilisation is 1\.377 up to priority 1 of 0\.\.1 \(200, 'slow'\), allowed below 1",
    ),
    ("all but full", two(period_ns=277_493), {}, r"utilisation is 0\.99999\d up to priority 1 .* allowed below 1"),
    ("full at once", two(period_ns=10)[1:], {}, r"up to priority 0 of 0\.\.0"),
    ("faults", two(), {"errors": 300e-6}, r"utilisation is .* \(faults included\)"),
    ("rate", two(), {"bitrate": 0}, r"bitrate = 0 bit/s, allowed 1\.\.1e12"),
    ("data rate", two(is_fd=True, bitrate_switch=True), {}, "'slow' has a bit rate switch, which needs data_bitrate"),
    ("errors", two(), {"errors": 0}, "errors = 0 s between faults, allowed"),
    ("name", two(name="fast"), {}, "two messages have the name 'fast'"),
    ("identifier", two(arbitration_id=0x100), {}, r"'fast' and 'slow' have the same arbitration field \(100\)"),
    ("nothing", [], {}, "there are no messages to analyse"),
    ("node", two(sender="ecu"), {"fifo": ["ECU"]}, "no message has the sender 'ECU'; did you mean 'ecu'"),
    ("leave out", two(), {"leave_out": ["fats"]}, "leave_out: no message 'fats'; did you mean 'fast'"),
    ("cycle", two(), {"cycle_ms": {"fast": 0}}, r"cycle_ms\['fast'\] = 0, allowed"),
    ("cycle of none", two(), {"cycle_ms": {"quick*": 10}}, r"cycle_ms: no message 'quick\*'"),
    ("jitter", two(), {"jitter_ms": {"fast": -1}}, r"jitter_ms\['fast'\] = -1, allowed 0\.\."),
    ("unknown field", [{**SLOW, "cycle": 3}], {}, r"messages\[0\] has \['cycle'\]; known are name, "),
    ("missing field", [{"name": "a"}], {}, r"messages\[0\] has no arbitration_id, length, period_ns"),
]


@pytest.mark.parametrize(("messages", "options", "sentence"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_mistakes(messages: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        response_times(messages, **{"bitrate": 500_000, **options})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"arbitration_id": 0x800}, "message 'slow': arbitration_id = 2048, allowed 0..2047"),
        ({"length": 9}, "message 'slow': length = 9, allowed 0..8"),
        ({"length": 65, "is_fd": True}, r"length = 65, allowed 0\.\.64"),
        ({"period_ns": 0}, r"period_ns = 0, allowed 1\.\."),
        ({"jitter_ns": -1}, r"jitter_ns = -1, allowed 0\.\."),
        ({"deadline_ns": 0}, r"deadline_ns = 0, allowed 1\.\."),
        ({"is_fd": True, "is_remote": True}, "remote and CAN FD"),
    ],
)
def test_messages_are_checked(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        two(**changes)


def test_types_are_checked() -> None:
    with pytest.raises(TypeError, match="message 'slow': period_ns must be an integer, not float"):
        two(period_ns=1e6)
    with pytest.raises(TypeError, match=r"messages\[0\] must be a Message or a dict of its fields, not int"):
        response_times([5], 500_000)  # type: ignore[list-item]
    with pytest.raises(TypeError, match="fifo must be a sequence of senders"):
        response_times(two(), 500_000, fifo="ecu")
    with pytest.raises(TypeError, match="leave_out must be a sequence of names, not str"):
        response_times(two(), 500_000, leave_out="fast")
    with pytest.raises(KeyError, match="there is no message 'fats'; did you mean 'fast'"):
        response_times(two(), 500_000)["fats"]


def test_the_worst_moment_is_of_priority_queues() -> None:
    for options in ({"errors": 1}, {"fifo": ["ecu"]}):
        found = response_times(two(sender="ecu"), 500_000, **options)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="known for priority queues without errors only"):
            found.critical_instant()


def test_non_abortable_buffers_are_named_as_not_covered() -> None:
    assert any("cannot be aborted" in sentence for sentence in response_times(two(), 500_000).assumptions)


def recorded(seed: int) -> tuple[list[Message], cf.FrameArray]:
    """A queue that was run, as a recording: frames with all stuff bits that fit."""
    rng = random.Random(seed)
    chosen = random_set(rng, jitter=True, load=0.6)
    jobs = random_jobs(rng, chosen.streams, 30)
    sent = twin.run_queue(chosen.streams, jobs)
    ids = [chosen.messages[one.job.stream].arbitration_id for one in sent]
    flags = [FrameFlag.EXTENDED_ID * chosen.messages[one.job.stream].is_extended for one in sent]
    data = [bytes(chosen.messages[one.job.stream].length) for one in sent]
    frames = cf.make_frames(ids, data, flags=flags, timestamp_ns=[START + one.end * BIT_NS for one in sent])
    return chosen.messages, frames


@pytest.mark.parametrize("seed", range(20))
def test_what_keeps_to_the_bounds_is_not_refuted(seed: int) -> None:
    messages, frames = recorded(seed)
    messages = [Message(**{**vars(m), "sporadic": True}) for m in messages]  # some jobs leave a period out
    found = response_times(messages, BITRATE).compare(frames)
    assert not found.refuted, found.findings[:3]
    assert sum(row.frames for row in found.rows) == len(frames)
    assert 0 < found.busy_ns <= found.busy_allowed_ns


@pytest.mark.parametrize("seed", range(3))
def test_a_bus_bit_by_bit_is_not_refuted(seed: int) -> None:
    """With every frame late at random within its jitter; who claims no jitter is refuted."""
    rng = random.Random(seed)
    rows = [
        Message(f"m{n}", identifier, 8, rng.choice([4, 5, 10, 20]) * MS, 1 * MS)
        for n, identifier in enumerate(rng.sample(range(0x800), 10))
    ]
    bus = Bus(500_000)
    for m in rows:
        due = rng.randrange(m.period_ns) + np.arange(1000 * MS // m.period_ns, dtype=np.int64) * m.period_ns
        late = np.array([rng.randrange(m.jitter_ns) for _ in due])
        data = np.frombuffer(rng.randbytes(8 * len(due)), np.uint8).reshape(-1, 8)
        bus.send(bus.node(m.name), cf.make_frames(m.arbitration_id, data, timestamp_ns=due + late))
    run = bus.run(seconds=1.1, record_bits=False, record_levels=False)
    frames = run.frames_at(0)
    result = response_times(rows, 500_000)
    found = result.compare(frames, tolerance_ns=2000, clock_ppm=0)
    assert not found.refuted, found.findings[:3]
    assert sum(row.frames for row in found.rows) == len(frames) == sum(1000 * MS // m.period_ns for m in rows)
    assert all(row.delay_ns is not None and row.delay_ns > 0.5 * MS for row in found.rows)
    assert found.busy_ns > 2 * result.rows[0].longest_ns * 0.8
    sure = response_times(rows, 500_000, jitter_ms={"*": 0}).compare(frames, tolerance_ns=2000, clock_ppm=0)
    assert "delay" in sure.findings["kind"]


def steady(count: int = 200) -> cf.FrameArray:
    """The two messages, each waiting for at most the other."""
    rng = np.random.default_rng(1)
    fast = START + np.arange(count, dtype=np.int64) * 10 * MS + rng.integers(0, 200_000, count)
    slow = START + 3 * MS + np.arange(count // 10, dtype=np.int64) * 100 * MS + rng.integers(0, 200_000, count // 10)
    ids = np.concatenate([np.full(len(fast), 0x100), np.full(len(slow), 0x200)])
    frames = cf.make_frames(ids, b"12345678", timestamp_ns=np.concatenate([fast, slow]))
    return frames[np.argsort(frames["timestamp_ns"], kind="stable")]


def test_each_kind_of_finding() -> None:
    result = response_times(two(), 500_000)
    frames = steady()
    clean = result.compare(frames)
    assert not clean.refuted
    assert clean.rows[0].least_ns is not None
    assert clean.rows[0].delay_ns is not None
    assert clean.rows[0].delay_ns <= 200_000

    late = frames.copy()
    place = int(np.flatnonzero(late["arbitration_id"] == 0x100)[50])
    late["timestamp_ns"][place] += 3 * MS
    found = result.compare(late[np.argsort(late["timestamp_ns"], kind="stable")]).findings
    assert found["kind"].tolist() == ["delay", "distance"]
    assert found["message"].tolist() == [0, 0]
    assert found["timestamp_ns"][0] == late["timestamp_ns"][place]
    assert found["measured_ns"][0] == pytest.approx(3 * MS, abs=250_000)
    assert found["measured_ns"][1] == pytest.approx(7 * MS, abs=250_000)

    strange = np.concatenate([frames, cf.make_frames(0x300, timestamp_ns=int(frames["timestamp_ns"][-1]) + MS)])
    (row,) = result.compare(strange).findings
    assert (row["kind"], row["index"], row["arbitration_id"], row["message"]) == ("foreign", len(frames), 0x300, -1)

    short = response_times(two(length=4), 500_000)
    found = short.compare(frames).findings
    assert set(found["kind"]) == {"length"}
    assert len(found) == 20
    assert (found["measured_ns"][0], found["allowed_ns"][0]) == (8, 4)

    burst = cf.make_frames([0x100, 0x200] * 20, b"12345678")
    burst["timestamp_ns"] = START + np.cumsum(cf.wire.frame_duration_ns(burst, 500_000))
    found = result.compare(burst).findings
    busy = found[found["kind"] == "busy"]
    assert len(busy) == 1
    assert busy["timestamp_ns"][0] == burst["timestamp_ns"][0]
    assert busy["measured_ns"][0] == cf.wire.frame_duration_ns(burst, 500_000).sum()
    assert busy["allowed_ns"][0] == result.busy_ns
    assert len(result.compare(burst[:2]).findings) == 0
    burst["timestamp_ns"] -= cf.wire.frame_duration_ns(burst, 500_000)
    found = result.compare(burst, stamp="start").findings
    assert found[found["kind"] == "busy"]["measured_ns"].tolist() == busy["measured_ns"].tolist()


def test_shorter_frames_are_sooner() -> None:
    """A frame without payload takes 80 bits less: it may be that much sooner behind one that waited."""
    rows = two(length=8)
    result = response_times(rows, 500_000)
    varies = result["slow"].worst_ns - result["slow"].best_ns
    first = cf.make_frames(0x200, b"12345678", timestamp_ns=START)
    second = cf.make_frames(0x200, b"", timestamp_ns=START + 100 * MS - varies - 100_000)
    exact = {"tolerance_ns": 0, "clock_ppm": 0}
    assert not result.compare(np.concatenate([first, second]), **exact).refuted  # type: ignore[arg-type]
    second["dlc"] = 8
    assert result.compare(np.concatenate([first, second]), **exact).refuted  # type: ignore[arg-type]


def test_records_that_are_no_frames_are_counted() -> None:
    frames = steady()
    error = np.zeros(1, frames.dtype)
    error["flags"], error["timestamp_ns"] = FrameFlag.ERROR_FRAME, START
    found = response_times([*two(), Message("other", 0x10, 1, MS)], 500_000).compare(np.concatenate([error, frames]))
    assert (found.error_frames, found.unseen) == (1, ("other",))
    assert not found.refuted
    empty = response_times(two(), 500_000).compare(frames[:0])
    assert (empty.refuted, empty.unseen, empty.busy_ns) == (False, ("fast", "slow"), 0)


def test_compare_checks_its_arguments() -> None:
    result = response_times(two(), 500_000)
    for options, sentence in (
        ({"tolerance_ns": -1}, "tolerance_ns = -1, allowed 0 and above"),
        ({"clock_ppm": -1}, r"clock_ppm = -1, allowed 0\.\."),
        ({"stamp": "middle"}, "stamp = 'middle', allowed 'end', 'start'"),
    ):
        with pytest.raises(ValueError, match=sentence):
            result.compare(steady(), **options)  # type: ignore[arg-type]


def test_the_narrowest_strip() -> None:
    """Beside every pair of points as the slope: one of them is the best."""
    rng = np.random.default_rng(1)
    for _ in range(30):
        numbers = np.unique(rng.integers(0, 60, 25)).astype(np.int64)
        times = numbers * 10_000 + rng.integers(0, 3_000, len(numbers))
        height, slope, _ = spread(numbers, times, 10_000.0)
        slopes = [
            (times[j] - times[i]) / (numbers[j] - numbers[i])
            for i in range(len(times))
            for j in range(i + 1, len(times))
        ]
        best = min(float(np.ptp(times - s * numbers)) for s in slopes)
        assert height == pytest.approx(best, abs=1e-3)
        assert float(np.ptp(times - slope * numbers)) == pytest.approx(height, abs=1e-3)


def test_nothing_of_it_is_imported_before_it_is_asked_for() -> None:
    loaded = "[m for m in sys.modules if m.startswith('canal_fast.analysis.')]"
    code = f"import canal_fast.analysis, sys; canal_fast.analysis.Statistics; print(*{loaded})"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    modules = {name.rpartition(".")[2] for name in done.stdout.split()}
    assert "statistics" in modules
    assert not modules & {"response", "bounds", "schedule", "forecast", "gateway", "sources", "drawing"}


def test_names_are_there() -> None:
    for name in analysis.__all__:
        assert name in dir(analysis)
        assert getattr(analysis, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'respond'"):
        analysis.respond  # noqa: B018
