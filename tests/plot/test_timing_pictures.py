"""Pictures of error counters and response times: the numbers are where they belong, and nothing needs colours."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import plot

pytest.importorskip("matplotlib", reason="NOT RUN: matplotlib is not installed")
MESSAGES = [
    cf.analysis.Message("Brake", 0x080, 4, 10_000_000),
    cf.analysis.Message("Engine", 0x100, 8, 20_000_000),
    cf.analysis.Message("Doors", 0x400, 8, 100_000_000),
]


def bus_off(seconds: float = 0.01) -> cf.simulation.Run:
    """`engine` spoils its own frames; `brakes` receives, `silent` comes to no harm."""
    bus = cf.simulation.Bus(500_000)
    engine, _ = bus.node("engine"), bus.node("brakes")
    bus.node("silent", mode="listen_only")
    bus.send(engine, cf.make_frames([0x100], b"\0\x11"))
    bus.inject("id 100 crc 5 invert by engine times 32")
    return bus.run(seconds=seconds)


def png(figure: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40)
    return file.getvalue()


def steps(axes: Any, name: str) -> Any:
    return next(patch for patch in axes.patches if patch.get_label() == name).get_data()


def test_counters_are_drawn_as_they_were() -> None:
    run = bus_off()
    figure = plot.error_counters(run.events, run.nodes, run.duration_ns)
    assert [axes.get_ylabel() for axes in figure.axes] == ["engine:\nTEC, REC", "brakes:\nTEC, REC"]
    above, below = figure.axes
    own = run.events[run.events["node"] == 0]
    values, edges, _ = steps(above, "TEC")
    assert values.tolist() == [0, *own["tec"].tolist()]
    assert edges.tolist() == pytest.approx([0, *(own["timestamp_ns"] / 1e6), 10])
    assert values.max() == 256
    assert steps(below, "REC")[0].max() == run.events["rec"].max() > 0
    assert above.get_xlim() == (0, 10)
    assert [text.get_text() for text in above.get_yticklabels()] == ["0", "warning 96", "passive 128", "bus off 256"]
    assert [text.get_text() for text in below.get_yticklabels()] == ["0", "warning 96"]
    assert png(figure)[1:4] == b"PNG"


def test_states_are_hatched_for_as_long_as_they_lasted() -> None:
    run = bus_off()
    above = plot.error_counters(run.events, run.nodes, run.duration_ns).axes[0]
    spans = {patch.get_label(): patch for patch in above.patches if patch.get_hatch()}
    assert set(spans) == {"error passive", "bus off"}
    assert spans["error passive"].get_hatch() != spans["bus off"].get_hatch()
    own = run.events[run.events["node"] == 0]
    passive = own["timestamp_ns"][own["state"] == cf.simulation.NodeState.PASSIVE] / 1e6
    off = own["timestamp_ns"][own["state"] == cf.simulation.NodeState.BUS_OFF] / 1e6
    assert spans["error passive"].get_x() == pytest.approx(passive[0])
    assert spans["bus off"].get_x() == pytest.approx(off[0])
    assert spans["error passive"].get_x() + spans["error passive"].get_width() == pytest.approx(off[0])
    (back,) = own["timestamp_ns"][own["event"] == cf.simulation.Event.RECOVERED] / 1e6
    assert spans["bus off"].get_x() + spans["bus off"].get_width() == pytest.approx(back)


def test_tec_and_rec_differ_without_colours() -> None:
    above = plot.error_counters(bus_off().events, ["engine", "brakes", "silent"]).axes[0]
    tec, rec = (next(p for p in above.patches if p.get_label() == name) for name in ("TEC", "REC"))
    assert tec.get_linestyle() != rec.get_linestyle()


def test_no_counter_no_picture() -> None:
    bus = cf.simulation.Bus()
    bus.send(bus.node("a"), cf.make_frames([1]))
    bus.node("b")
    with pytest.raises(ValueError, match="all stayed 0"):
        plot.error_counters(bus.run(bits=100).events, ["a", "b"])


def test_response_times_are_percent_of_deadlines() -> None:
    found = cf.analysis.response_times(MESSAGES, 125_000)
    (axes,) = plot.response_times(found.rows, "title").axes
    widths = [100 * row.worst_ns / row.message.due_ns for row in found]
    assert [patch.get_width() for patch in axes.patches] == pytest.approx(widths)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["Brake 080", "Engine 100", "Doors 400"]
    assert axes.get_title() == "title"


def test_a_missed_deadline_is_hatched() -> None:
    late = [*MESSAGES[:2], cf.analysis.Message("Doors", 0x400, 8, 100_000_000, deadline_ns=1_500_000)]
    (axes,) = plot.response_times(cf.analysis.response_times(late, 125_000).rows).axes
    assert [bool(patch.get_hatch()) for patch in axes.patches] == [False, False, True]


def test_of_very_many_the_tightest_are_drawn() -> None:
    many = [cf.analysis.Message(f"M{i}", i, 8, 1_000_000_000) for i in range(60)]
    (axes,) = plot.response_times(cf.analysis.response_times(many, 500_000).rows).axes
    assert len(axes.patches) == 40
    assert "20 with more left of their deadline not shown" in axes.get_title()


def test_the_worst_moment_has_a_bar_for_each_frame() -> None:
    found = cf.analysis.response_times(MESSAGES, 125_000)
    slots = found.critical_instant("Engine")
    figure = plot.critical_instant(found.rows, slots)
    (axes,) = figure.axes
    on_bus = [patch for patch in axes.patches if patch.get_height() == 0.75]
    assert [patch.get_x() for patch in on_bus] == pytest.approx([slot.start_ns / 1e6 for slot in slots])
    assert len({(patch.get_hatch() or "") for patch in on_bus}) == 3  # the message, lower ones, higher ones
    assert "Engine: worst response time" in axes.get_title()
    assert png(figure)[1:4] == b"PNG"


def test_a_row_of_fewer_bits_makes_a_narrower_picture() -> None:
    fields = cf.wire.fields(cf.make_frames([0x123], b"\0\xff"))
    wide, narrow = plot.frame_bits(fields), plot.frame_bits(fields, row_bits=32)
    assert len(wide.axes) < len(narrow.axes)
    assert narrow.get_size_inches()[0] == wide.get_size_inches()[0] / 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plot.frame_bits(cf.wire.fields(cf.make_frames([1])), row_bits=7), "row_bits = 7, allowed 8"),
        (lambda: plot.response_times([]), "no message to draw"),
        (lambda: plot.critical_instant([], []), "no frame to draw"),
        (lambda: plot.error_counters(np.empty(0, cf.simulation.EVENT_DTYPE), ["a"]), "all stayed 0"),
    ],
)
def test_what_cannot_be_drawn(call: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()
