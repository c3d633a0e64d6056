"""Oscillators, delay compensation and long cables: what the bit timing's theory says, simulated."""

from __future__ import annotations

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import simulation
from canal_fast.simulation import EdgeKind, Event
from canal_fast.simulation.events import ERRORS

BRS = cf.FrameFlag.BITRATE_SWITCH
TIMINGS = [
    cf.BitTiming(8_000_000, 1, 13, 2, 1),
    cf.BitTiming(8_000_000, 1, 12, 3, 3),
    cf.BitTiming(8_000_000, 1, 11, 4, 4, 1, 6),
    cf.BitTiming(12_500_000, 1, 17, 7, 4),
    cf.BitTiming(4_000_000, 1, 5, 2, 2),
    cf.BitTiming(40_000_000, 1, 63, 16, 16),
]
LOCAL_ERROR = "frame 1 stuff 5 dominant at b"  # a recessive one


def frames(count: int, first: int = 0x100) -> cf.FrameArray:
    data = np.random.default_rng(first).integers(0, 256, (count, 8), np.uint8)
    data[::3] = 0  # stuff bits all along: falling edges ten bits apart
    return cf.make_frames(np.arange(first, first + count), data)


def at_tolerance(timing: cf.BitTiming, share: float, faults: str = "") -> simulation.Run:
    """Two nodes as far apart as they may be, and so much of it."""
    ppm = share * float(timing.oscillator_tolerance_ppm())
    bus = simulation.Bus(int(timing.bitrate))
    bus.node("a", timing=timing, clock_ppm=ppm)
    bus.node("b", timing=timing, clock_ppm=-ppm)
    bus.send("a", frames(9), at=0)
    bus.send("b", frames(9, 0x400), at=0)
    bus.inject(faults)
    return bus.run(3000, record_levels=False)


def errors(run: simulation.Run) -> list[tuple[str, str, int, int]]:
    """Node, event, TEC, REC."""
    wanted = run.events[np.isin(run.events["event"], [*ERRORS, Event.DOMINANT, Event.OVERLOAD])]
    return [(run.nodes[e["node"]], Event(e["event"]).name, int(e["tec"]), int(e["rec"])) for e in wanted]


@pytest.mark.parametrize("timing", TIMINGS, ids=str)
def test_nothing_is_lost_at_the_oscillator_tolerance(timing: cf.BitTiming) -> None:
    run = at_tolerance(timing, 1)
    assert errors(run) == []
    assert len(run.frames_at("b")) == len(run.frames_at("a")) == 18
    assert run.warnings == ()
    assert errors(at_tolerance(timing, 2))


@pytest.mark.parametrize("timing", TIMINGS, ids=str)
def test_nothing_more_is_lost_behind_an_error_flag(timing: cf.BitTiming) -> None:
    """A local error of the receiver: the bit behind both flags comes up to 13 bits after the last edge."""
    ideal, worst = at_tolerance(timing, 0, LOCAL_ERROR), at_tolerance(timing, 1, LOCAL_ERROR)
    assert errors(worst) == errors(ideal)
    assert errors(at_tolerance(timing, 2, LOCAL_ERROR)) != errors(ideal)
    assert errors(ideal)[0][:2] == ("b", "STUFF_ERROR")
    assert len(worst.frames_at("a")) == len(ideal.frames_at("a"))


@pytest.mark.parametrize("timing", TIMINGS, ids=str)
@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_margins_in_theory_and_simulated(timing: cf.BitTiming, share: float) -> None:
    """The sample point of a receiver that is slow, or fast, keeps the distance that theory leaves it."""
    ppm = share * float(timing.oscillator_tolerance_ppm())
    theory = timing.margin(ppm)
    for sign in (1, -1):
        bus = simulation.Bus(int(timing.bitrate))
        bus.node("s", timing=timing, clock_ppm=sign * ppm)
        bus.node("r", timing=timing, clock_ppm=-sign * ppm, mode="listen_only")
        bus.node("ack", timing=timing, clock_ppm=sign * ppm)
        bus.send("s", frames(9), at=0)
        simulated = bus.run(1400).margin("r")
        assert simulated.before_ns >= theory.before_ns
        assert simulated.after_ns >= theory.after_ns - 0.001
        if sign > 0:  # slow: it samples late
            assert simulated.after_ns <= theory.after_ns + timing.tq_ns


def test_three_times_the_tolerance_is_too_much() -> None:
    run = at_tolerance(TIMINGS[0], 3)
    assert errors(run)
    assert [warning.partition("=")[0] for warning in run.warnings] == ["node 'a': clock_ppm ", "node 'b': clock_ppm "]
    assert "beyond what its timing tolerates" in run.warnings[0]


# delay compensation

FAST = cf.BitTimingFd(cf.BitTiming(40_000_000, 1, 59, 20, 20, 1, 39), cf.BitTiming(40_000_000, 1, 14, 5, 5))
CLOCK_NS, SAMPLE, DATA_BIT = 25, 15, 20  # of the data phase in clock periods


def sends_fast(delay: int, tdc: bool, faults: str = "", **options: object) -> tuple[simulation.Bus, simulation.Run]:
    """A frame with bit rate switch by a node whose transceiver takes `delay` clock periods there and back."""
    bus = simulation.Bus(500_000, 2_000_000)
    bus.node("t", timing=FAST, delay_ns=delay * CLOCK_NS, tdc=tdc, **options)  # type: ignore[arg-type]
    bus.node("r", timing=FAST)
    bus.send("t", cf.make_frames([0x155], [b"\x55\x00\xff\x0f\x12\x34\x56\x78"], flags=BRS, fd=True), one_shot=True)
    bus.inject(faults)
    return bus, bus.run(300)


def test_loop_delay_up_to_two_data_bits() -> None:
    """Without compensation a bit error exactly when the delay passes the sample point; with it none."""
    for delay in range(2 * DATA_BIT + 1):
        bus, run = sends_fast(delay, tdc=True)
        assert errors(run) == []
        assert bus.nodes[0].tdc_delay == delay
        assert len(run.frames_at("r")) == 1
        bus, run = sends_fast(delay, tdc=False)
        told = [(who, what) for who, what, _, _ in errors(run)]
        assert (told[:1] == [("t", "BIT_ERROR")]) == (delay >= SAMPLE), delay
        assert bool(told) == (delay >= SAMPLE)
        assert any("no delay compensation" in warning for warning in run.warnings) == (delay > SAMPLE)
        assert bus.nodes[0].tdc_delay is None


@pytest.mark.parametrize("delay", [0, 7, 20, 33])
def test_wrong_bit_at_the_secondary_sample_point(delay: int) -> None:
    """It counts at the next ordinary sample point."""
    _, clean = sends_fast(delay, tdc=True)
    rows = clean.edges[(clean.edges["node"] == 0) & (clean.edges["kind"] == EdgeKind.CHECKED)]
    for row in rows[[0, 5, 30, -4]]:
        hit = int(row["time_fs"])
        # a glitch of one clock period around the secondary sample point, seen by the transmitter alone
        fault = f"time {hit / 1e6 - 20:.6f} ns invert for 25 ns at t"
        _, run = sends_fast(delay, True, fault)
        own = run.edges[run.edges["node"] == 0]
        wrong = own[(own["kind"] == EdgeKind.CHECKED) & (own["time_fs"] == hit)]
        assert wrong["level"].tolist() == [1 - row["level"]]
        samples = own["time_fs"][own["kind"] == EdgeKind.SAMPLED]
        following = int(samples[np.searchsorted(samples, hit)])
        error = run.events[(run.events["node"] == 0) & (run.events["event"] == Event.BIT_ERROR)][0]
        assert error["timestamp_ns"] == following // 1_000_000 + (DATA_BIT - SAMPLE) * CLOCK_NS  # the bit's end


def test_a_glitch_away_from_the_secondary_sample_point_is_nothing() -> None:
    _, clean = sends_fast(20, tdc=True)
    hit = int(clean.edges[(clean.edges["node"] == 0) & (clean.edges["kind"] == EdgeKind.CHECKED)]["time_fs"][9])
    _, run = sends_fast(20, True, f"time {hit / 1e6 + 30:.6f} ns invert for 100 ns at t")
    assert errors(run) == []


def test_a_glitch_shorter_than_a_clock_period_is_not_the_delay() -> None:
    """What lasts to the end of a period counts."""
    bus, run = sends_fast(8, True, "frame 1 res 1 after 30 ns dominant for 10 ns at t")
    assert (bus.nodes[0].tdc_delay, errors(run)) == (8, [])
    bus, _ = sends_fast(8, True, "frame 1 res 1 after 60 ns dominant for 200 ns at t")
    assert bus.nodes[0].tdc_delay == 2


def test_offset_of_the_secondary_sample_point() -> None:
    for offset in (5, 15, 19):
        _, run = sends_fast(20, tdc=True, tdc_offset=offset)
        own = run.edges[run.edges["node"] == 0]
        driven = own["time_fs"][own["kind"] == EdgeKind.DRIVEN]
        checks = own["time_fs"][own["kind"] == EdgeKind.CHECKED]
        assert int(checks[0]) - (20 + offset) * CLOCK_NS * 1_000_000 in driven.tolist()
        assert errors(run) == []


# cables

CABLES = [
    cf.BitTiming(8_000_000, 1, 13, 2, 1, 1, 12),
    cf.BitTiming(16_000_000, 1, 11, 4, 1, 1, 10),
    cf.BitTiming(40_000_000, 1, 63, 16, 1, 1, 62),
    cf.BitTiming(8_000_000, 4, 13, 2, 1, 1, 12),
]
LOOP_NS = 150


def cable(timing: cf.BitTiming, length_m: float) -> simulation.Run:
    """Two senders at its ends, which begin their second frames together: each hears the other late."""
    bus = simulation.Bus(int(timing.bitrate))
    bus.node("a", timing=timing, delay_ns=LOOP_NS)
    bus.node("b", timing=timing, delay_ns={"b": LOOP_NS, "a": length_m * 5})
    bus.send("a", cf.make_frames([0x2AA, 0x555], [b"\x55" * 4] * 2))
    bus.send("b", cf.make_frames([0x554], [b"\x55" * 4]), at=20)
    return bus.run(400, record_levels=False)


@pytest.mark.parametrize("timing", CABLES, ids=str)
def test_longest_bus(timing: cf.BitTiming) -> None:
    """Arbitrates and acknowledges at `max_bus_length_m`, even a metre before sync and phase 1 are used up, too."""
    longest = timing.max_bus_length_m(loop_delay_ns=LOOP_NS)
    assert timing.segments.phase_seg1 == 1
    beyond = longest + 2 * timing.tq_ns / 2 / 5  # sync and phase 1: a quantum each
    for length in (longest, beyond - 1):
        run = cable(timing, length)
        assert errors(run) == []
        assert len(run.frames_at("a")) == len(run.frames_at("b")) == 3
        assert Event.ARBITRATION_LOST in run.events["event"]
        assert bool(run.warnings) == (length > longest)
    run = cable(timing, beyond + 1)
    assert errors(run)
    assert "and back do not fit its propagation segment" in run.warnings[0]
