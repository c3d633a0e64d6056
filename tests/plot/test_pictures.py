"""Pictures of finished arrays: each is a Figure, says its numbers, and differs without colours."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import plot
from canal_fast.__main__ import main

pytest.importorskip("matplotlib", reason="NOT RUN: matplotlib is not installed")
START = 1_764_150_000_000_000_000
F = cf.FrameFlag


def recording(count: int = 4000, ids: int = 6) -> cf.FrameArray:
    rng = np.random.default_rng(2)
    frames = cf.make_frames(0x100 + rng.integers(0, ids, count), b"12345678", channel=rng.integers(0, 2, count))
    frames["timestamp_ns"] = START + np.cumsum(rng.integers(200_000, 2_000_000, count))
    frames["flags"][::11] = int(F.ERROR_FRAME)
    return frames


def statistics(frames: cf.FrameArray) -> cf.analysis.Statistics:
    found = cf.analysis.Statistics(500_000, window_s=0.2, names={0: "engine"})
    found.add(frames)
    return found


def pixels(figure: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=40, metadata={"Software": None})
    return file.getvalue()


FRAME = cf.make_frames(0x123, b"\0\xff")
CALLS: list[Callable[[], Any]] = [
    lambda: plot.bus_load(statistics(recording())),
    lambda: plot.id_raster(recording(), {0: "engine"}),
    lambda: plot.periods(cf.analysis.periods(recording())),
    lambda: plot.periods(statistics(recording()).periods(), {0: "engine"}),
    lambda: plot.signals({"A.S": (START + np.arange(9) * 10**9, np.arange(9))}, {"A.S": "V"}, "title"),
    lambda: plot.frame_bits(cf.wire.fields(FRAME)),
    lambda: plot.bit_timings([cf.BitTiming(80_000_000, 10, 12, 3, 3)], "title"),
]


@pytest.mark.parametrize("call", CALLS)
def test_each_is_a_figure(call: Callable[[], Any]) -> None:
    from matplotlib.figure import Figure

    figure = call()
    assert isinstance(figure, Figure)
    assert pixels(figure)[1:4] == b"PNG"


def test_importing_draws_nothing(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import sys, canal_fast.plot, canal_fast.report; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "False\n"


def test_a_raster_has_a_mark_for_each_frame() -> None:
    frames = cf.make_frames([0x20, 0x10, 0x10, 0x20, 0x10], timestamp_ns=START + np.array([0, 1, 2, 3, 10]) * 10**8)
    (axes,) = plot.id_raster(frames).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["010 (3)", "020 (2)"]
    assert [line.get_xdata().tolist() for line in axes.lines] == [pytest.approx([0.1, 0.2, 1]), pytest.approx([0, 0.3])]


def test_a_raster_of_very_many_stays_small() -> None:
    frames = cf.make_frames(np.arange(200_000) % 150, timestamp_ns=START + np.arange(200_000, dtype=np.int64) * 1000)
    (axes,) = plot.id_raster(frames).axes
    assert len(axes.lines) == 100
    assert max(len(line.get_xdata()) for line in axes.lines) <= 2001
    assert "50 identifiers with fewer frames left out" in axes.get_xlabel()


def test_periods_are_where_they_are() -> None:
    frames = cf.make_frames(np.full(5, 0x10), timestamp_ns=np.array([0, 10, 20, 30, 60]) * 10**6)
    rows = cf.analysis.periods(np.concatenate([frames, cf.make_frames(0x700, timestamp_ns=10**9)]))
    (axes,) = plot.periods(rows).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["010"]
    least, most, mean = (line.get_xdata()[0] for line in axes.lines)
    assert (least, most, mean) == (10, 30, 15)


def test_a_value_table_is_drawn_as_steps() -> None:
    values = np.array([0, 4, 4, 1, 0, 7])
    series = {"A.Gear": (START + np.arange(6) * 10**9, values)}
    figure = plot.signals(series, texts={"A.Gear": {0.0: "park", 1.0: "reverse", 4.0: "drive"}})
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["park", "reverse", "drive", "7"]
    (line,) = axes.lines
    assert line.get_drawstyle() == "steps-post"
    assert line.get_ydata().tolist() == [0, 2, 2, 1, 0, 3]


def test_lines_differ_without_colours() -> None:
    above = plot.bus_load(statistics(recording())).axes[0]
    styles = {patch.get_linestyle() for patch in above.patches}
    assert len(styles) == len(above.patches) == 2


def test_two_times_far_apart_make_a_picture_of_the_load() -> None:
    """One frame of 1970, one of 2026: windows between are not made one by one."""
    frames = cf.make_frames([1, 1], timestamp_ns=[0, START])
    above = plot.bus_load(statistics(frames)).axes[0]
    assert all(len(patch.get_data().values) <= 4000 for patch in above.patches)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: plot.id_raster(recording()[:0]), "no frame to draw"),
        (lambda: plot.id_raster(recording()[::11]), "no frame to draw"),
        (lambda: plot.periods(cf.analysis.periods(cf.make_frames([1, 2]))), "no period to draw"),
        (lambda: plot.signals({}), "0 signals to draw, allowed 1..16"),
    ],
)
def test_what_cannot_be_drawn(call: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()


def test_decode_names_the_values_of_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    from canal_fast.cli import decode

    given: list[Any] = []

    def draw(*arguments: Any) -> Any:
        given.append(arguments)
        return plot.signals(*arguments)

    monkeypatch.setattr(decode, "draw_signals", draw)
    (tmp_path / "x.dbc").write_text(
        'VERSION ""\n\nBU_: A\n\nBO_ 256 M: 1 A\n SG_ Gear : 0|8@1+ (2,0) [0|0] "" A\n\nVAL_ 256 Gear 1 "first" ;\n'
    )
    frames = cf.make_frames(np.full(4, 256), np.arange(4, dtype=np.uint8)[:, None], timestamp_ns=START + np.arange(4))
    cf.write_log(tmp_path / "x.pcapng", frames)
    command = [
        "decode",
        str(tmp_path / "x.pcapng"),
        "--dbc",
        str(tmp_path / "x.dbc"),
        "--plot",
        str(tmp_path / "x.png"),
    ]
    assert main(command) == 0
    assert given[0][3] == {"M.Gear": {2: "first"}}
    assert (tmp_path / "x.png").read_bytes()[1:4] == b"PNG"
