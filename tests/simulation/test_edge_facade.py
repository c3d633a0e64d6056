"""Bus, Node and Run with clocks: what they tell, what they refuse, and faults below a bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bus_cases import record
from bus_scenes import BASE, FLEXIBLE

import canal_fast as cf
from canal_fast import simulation
from canal_fast.errors import SimulationError
from canal_fast.simulation import EdgeKind, Event

TIMING = cf.BitTiming(8_000_000, 1, 12, 3, 3)
FAST = cf.BitTimingFd(cf.BitTiming(40_000_000, 1, 63, 16, 16), cf.BitTiming(40_000_000, 1, 14, 5, 5))
SLOW = cf.BitTimingFd(cf.BitTiming(40_000_000, 4, 15, 4, 4), cf.BitTiming(40_000_000, 4, 3, 1, 1))


def edge_bus(**a: object) -> simulation.Bus:
    bus = simulation.Bus(500_000)
    bus.node("a", timing=TIMING, **a)  # type: ignore[arg-type]
    bus.node("b", timing=TIMING)
    bus.node("c", timing=TIMING)
    bus.send("a", record(BASE))
    return bus


@pytest.mark.parametrize("option", [{"clock_ppm": 1}, {"delay_ns": 1}, {"timing": TIMING}, {"tdc": False}])
def test_what_chooses_the_gear(option: dict[str, object]) -> None:
    bus = simulation.Bus(500_000)
    bus.node("a")
    bus.node("b", **option)  # type: ignore[arg-type]
    bus.send("a", record(BASE))
    assert bus.gear == "bits"
    run = bus.run(100)
    assert (run.gear, run.handed_over, bus.bit, bus.time_ns) == ("edges", None, 100, 200_000)
    assert len(run.frames_at("b")) == 1


def test_the_bit_gear_tells_so() -> None:
    bus = simulation.Bus(500_000)
    bus.node("a")
    run = bus.run(100)
    assert (run.gear, len(run.edges), run.warnings, run.handed_over) == ("bits", 0, (), None)


@pytest.mark.parametrize("timing", [(8_000_000, 1, 12, 3), {"f_clock": 8_000_000, "brp": 1, "tseg1": 12, "tseg2": 3}])
def test_a_timing_without_sjw(timing: object) -> None:
    bus = simulation.Bus(500_000)
    with pytest.raises(TypeError, match=r"node 'a': timing = .* must be a BitTiming or BitTimingFd, .* and sjw"):
        bus.node("a", timing=timing)  # type: ignore[arg-type]
    assert not bus.nodes


def test_compensation_that_is_barred() -> None:
    bus = simulation.Bus(500_000, 2_000_000)
    with pytest.raises(SimulationError, match=r"the data prescaler is 4, allowed 1\.\.2"):
        bus.node("a", timing=SLOW, tdc=True)
    with pytest.raises(TypeError, match="tdc = 'on'"):
        bus.node("a", tdc="on")  # type: ignore[arg-type]
    with pytest.raises(SimulationError, match=r"timing.data_bitrate = 2000000, the bus has 1000000"):
        simulation.Bus(500_000, 1_000_000).node("a", timing=SLOW)


def test_a_run_that_is_too_long() -> None:
    bus = edge_bus()
    with pytest.raises(SimulationError, match="ends at 5000 s, with clocks at most 4000 s"):
        bus.run(seconds=5000)
    assert bus.bit == 0


def test_chunks_are_one_run() -> None:
    whole = edge_bus(clock_ppm=300, delay_ns=100).run(400)
    bus = edge_bus(clock_ppm=300, delay_ns=100)
    parts = [bus.run(bits) for bits in (1, 30, 5, 64, 300)]
    for name in ("events", "edges", "logs", "bits"):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name)), name


def test_requests_and_nodes_between_runs() -> None:
    """As in the bit gear: a request for the coming bit is sent in it."""
    bus = edge_bus()
    bus.run(200)
    bus.send("b", record(BASE), at=bus.bit)
    bus.node("late", timing=TIMING, clock_ppm=100)
    run = bus.run(200)
    starts = run.events[(run.events["event"] == Event.START) & (run.events["transmitter"] == 1)]
    assert starts["bit"].tolist() == [200]
    assert [node.received for node in bus.nodes] == [1, 1, 2, 1]


def test_long_runs_record_in_pieces() -> None:
    bus = edge_bus(clock_ppm=50)
    bus.send("a", np.concatenate([record(BASE)] * 300))
    run = bus.run(30_000)
    assert len(run.frames_at("b")) == 301
    assert len(run.edges) > 90_000
    assert (np.diff(run.edges["time_fs"]) >= 0).all()
    quiet = edge_bus()
    assert len(quiet.run(30_000, record_levels=False).edges) == 0
    assert len(quiet.run(10, record_bits=False, record_events=False, record_frames=False).bits) == 0


def test_bits_are_those_of_the_node_asked_for() -> None:
    bus = edge_bus()
    bus.inject("bit 3 dominant at b\nbit 3 recessive at c")
    run = bus.run(10, at="b")
    assert run.bits[3] == 0
    sampled = run.edges[(run.edges["kind"] == EdgeKind.SAMPLED) & (run.edges["node"] == 2)]
    assert sampled["level"][3] == 1


def test_two_rates_in_step_are_the_bit_gear() -> None:
    """Frames with bit rate switch on ideal clocks: the same events at the same times."""
    frames = cf.make_frames([0x55, 0x56], [bytes(range(48)), b"\x55"], flags=cf.FrameFlag.BITRATE_SWITCH, fd=True)
    runs = []
    for timing in (None, FAST):
        bus = simulation.Bus(500_000, 2_000_000)
        for name in ("a", "b", "c"):
            bus.node(name, timing=timing)
        bus.send("a", frames)
        runs.append(bus.run(1000))
    bits, edges = runs
    assert (bits.gear, edges.gear) == ("bits", "edges")
    for name in ("timestamp_ns", "node", "event", "field", "field_bit", "tec", "rec", "state", "transmitter", "driven"):
        assert bits.events[name].tolist() == edges.events[name].tolist(), name
    assert np.array_equal(bits.logs, edges.logs)
    last = int(np.flatnonzero(bits.bits == 0)[-1])
    assert bits.bits[:last].tolist() == edges.bits[:last].tolist()


def test_a_classical_node_destroys_a_frame_with_bit_rate_switch() -> None:
    """Handed over from bits to edges; all are back in step after the error frame."""
    bus = simulation.Bus(500_000, 2_000_000)
    bus.node("a")
    bus.node("b")
    bus.node("old", fd="classical")
    bus.send("a", cf.make_frames([0x155], [b"\x55" * 8], flags=cf.FrameFlag.BITRATE_SWITCH, fd=True), one_shot=True)
    bus.send("b", record(BASE), at=60)
    run = bus.run(400)
    assert run.gear == "edges"
    assert run.handed_over is not None
    flags = run.events[(run.events["node"] == 2) & (run.events["event"] == Event.STUFF_ERROR)]
    assert len(flags) >= 1
    assert [node.received for node in bus.nodes] == [1, 0, 1]
    assert bus.nodes[1].sent == 1


# faults below a bit


def test_a_glitch_counts_where_it_is_sampled() -> None:
    """Sample point at 13 of 16 quanta of 125 ns: 1,625 ns into the bit."""
    for begin, length, wrong in ((1400, 60, 0), (1.51e3, 60, 0), (1510, 120, 1), (1620, 60, 1), (1630, 60, 0)):
        bus = edge_bus()
        bus.inject(f"bit 0 after {begin} ns recessive for {length} ns at b")
        run = bus.run(40)
        started = run.events[(run.events["node"] == 1) & (run.events["event"] == Event.START)]
        assert (started["bit"][0] != 0) == wrong, begin


def test_a_pulse_that_ends_before_the_sample_starts_no_frame() -> None:
    for length, starts in ((1500, 0), (1700, 1)):
        bus = simulation.Bus(500_000)
        bus.node("a", timing=TIMING)
        bus.inject(f"time 20.0625 us dominant for {length} ns")
        run = bus.run(40)
        assert (run.events["event"] == Event.START).sum() == starts


def test_a_late_edge_of_one_sender() -> None:
    """A dominant bit that begins late: the receiver's sample moves by sjw."""
    bus = edge_bus()
    bus.inject("frame 1 id 3 recessive for 300 ns by a")  # falls in the third quantum
    run = bus.run(30)
    samples = run.edges[(run.edges["node"] == 1) & (run.edges["kind"] == EdgeKind.SAMPLED)]["time_fs"]
    assert (np.diff(samples)[:6] // 1_000_000).tolist() == [2000, 2000, 2250, 2000, 1750, 2000]


def test_a_janus_frame() -> None:
    """Levels of parts of a bit: nodes with other sample points read other bits."""

    def read(levels: str) -> list[list[int]]:
        bus = simulation.Bus(500_000)
        for name, tseg1 in (("early", 6), ("late", 13)):
            bus.node(name, timing=cf.BitTiming(8_000_000, 1, tseg1, 15 - tseg1, 1), mode="listen_only")
        bus.inject(f"bit 4 force {levels} each 500 ns")
        run = bus.run(12)
        sampled = run.edges[run.edges["kind"] == EdgeKind.SAMPLED]
        return [sampled["level"][sampled["node"] == k][4:7].tolist() for k in (0, 1)]

    assert read("000011") == [[0, 1, 1], [0, 1, 1]]
    assert read("00000011") == [[0, 0, 1], [0, 1, 1]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("time 5 us dominant for 0 ns", "'0': expected a number of bits"),
        ("time 5 us after 3 dominant", "'dominant': expected a time"),
        ("bit 5 after 0 ns dominant", "'0': expected a time above 0"),
        ("bit 5 force 01 each 3", "the line ends: expected a time"),
        ("bit 5 dominant each 3 ns", "'each': not expected here"),
        ("bit 5 dominant for 9999999999 s", "expected a number of bits"),
    ],
)
def test_bad_faults_below_a_bit(line: str, message: str) -> None:
    bus = edge_bus()
    with pytest.raises(SimulationError, match=message):
        bus.inject(line)


def test_faults_that_have_passed_or_never_come() -> None:
    bus = edge_bus()
    bus.run(100)
    with pytest.raises(SimulationError, match="has passed: the bus is at bit 100, 200000 ns"):
        bus.inject("time 100 us dominant for 20 ns")
    bus.inject("time 900 us dominant for 20 ns")
    with pytest.raises(SimulationError, match="is outside the run, which ends at bit 110, 220000 ns"):
        bus.run(10)


def test_draw_over_time(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    bus = simulation.Bus(500_000, 2_000_000)
    bus.node("a", timing=FAST, delay_ns=200)
    bus.node("b", timing=FAST)
    bus.send("a", record(FLEXIBLE._replace(brs=True)))
    run = bus.run(90)
    text = run.draw(0, 40, plot=tmp_path / "run.png")
    assert "one column is 500 ns, 4 a nominal bit" in text
    assert "|sof|id." in text
    assert "a (transmitter): sent at end_of_frame 7" in run.draw()
    assert (tmp_path / "run.png").stat().st_size > 10_000
    with pytest.raises(SimulationError, match=r"first = 100, the run has edges of bits 0..89"):
        run.draw(100)
    with pytest.raises(SimulationError, match="the run recorded no edges"):
        bus.run(10, record_levels=False).draw()


# rules that random runs meet seldom


def sample_times(run: simulation.Run, node: int) -> list[int]:
    """ns."""
    own = run.edges[(run.edges["node"] == node) & (run.edges["kind"] == EdgeKind.SAMPLED)]
    times: list[int] = (own["time_fs"] // 1_000_000).tolist()
    return times


def listener(fault: str, timing: cf.BitTiming = TIMING, bits: int = 40, **options: object) -> simulation.Run:
    """What a node alone on a line makes of it."""
    bus = simulation.Bus(500_000)
    bus.node("a", timing=timing, **options)  # type: ignore[arg-type]
    bus.inject(fault)
    return bus.run(bits)


@pytest.mark.parametrize(
    ("begin", "length", "one", "three"), [(1500, 125, 1, 0), (1375, 250, 1, 1), (1375, 125, 0, 0), (1250, 250, 0, 1)]
)
def test_three_samples_outvote_a_spike(begin: int, length: int, one: int, three: int) -> None:
    """Sample point at 1,625 ns, the others 125 and 250 ns before it; a recessive spike in a dominant bit."""
    for nof_samples, level in ((1, one), (3, three)):
        bus = simulation.Bus(500_000)
        bus.node("a", timing=TIMING)
        bus.node("b", timing=TIMING._replace(nof_samples=nof_samples))
        bus.send("a", record(BASE))
        bus.inject(f"frame 1 id 3 after {begin} ns recessive for {length} ns at b")
        assert bus.run(4, at="b").bits.tolist() == [0, 0, 1, level]


def test_a_glitch_within_a_quantum_is_not_seen() -> None:
    still = [1625 + 2000 * k for k in range(40)]
    assert sample_times(listener("bit 5 after 260 ns dominant for 100 ns"), 0) == still
    assert sample_times(listener("bit 5 after 260 ns dominant for 200 ns"), 0) == [
        time + 250 * (time >= 11_625) for time in still if time < 80_000 - 250
    ]


def test_integration_begins_again_at_every_edge() -> None:
    """An FD node counts 11 recessive bits from the last edge on, though all its samples are recessive."""
    pulses = "\n".join(f"bit {bit} after 250 ns dominant for 500 ns" for bit in (4, 9, 14))
    for fd, expected in (("enabled", 24), ("classical", 10)):
        run = listener(pulses, fd=fd, integrating=True)
        assert run.bits.all()
        done = run.events[run.events["event"] == Event.INTEGRATED]["bit"]
        assert done.tolist() == [expected], fd


def test_a_transmitter_keeps_its_time_in_the_data_phase() -> None:
    """Its own bits come back while it sends the next, and do not move it; its samples are a data bit apart."""
    bus = simulation.Bus(500_000, 2_000_000)
    bus.node("a", timing=FAST, delay_ns=600)
    bus.node("b", timing=FAST)
    bus.send("a", record(FLEXIBLE._replace(brs=True)))
    run = bus.run(90)
    assert bus.nodes[0].sent == 1
    fast = [distance for distance in np.diff(sample_times(run, 0)).tolist() if distance < 1000]
    assert len(fast) > 40
    assert set(fast) == {500}


@pytest.mark.parametrize(("bit", "hard"), [(1, False), (2, True), (3, True)])
def test_hard_synchronisation_in_intermission(bit: int, hard: bool) -> None:
    """Of bits 2 and 3, not of bit 1: an edge 6 quanta late moves the sample by all of it, or by sjw."""
    bus = edge_bus()
    bus.inject(f"frame 1 intermission {bit} after 750 ns dominant for 500 ns at b")
    run = bus.run(100)
    longest = int(np.diff(sample_times(run, 1)).max())
    assert longest == 2000 + (750 if hard else 375)
    assert not (run.events["event"] == Event.OVERLOAD).any()
