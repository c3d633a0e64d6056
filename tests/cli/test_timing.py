"""`canal-fast timing`, and the bit as text and as a picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from canal_fast import BitTiming
from canal_fast.__main__ import main
from canal_fast.bittiming import CONTROLLERS, solve
from canal_fast.bittiming.drawing import draw_text, plot


def test_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timing", "500000", "--limits", "usb_8dev", "--sample-point", "80", "--bus-length", "40"]) == 0
    out = capsys.readouterr().out
    assert "8devices USB2CAN" in out
    assert "sample point 81.25 %" in out
    assert "oscillator tolerance" in out
    assert "BTR0" not in out
    assert max(map(len, out.splitlines())) < 100


def test_registers_only_where_the_controller_has_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timing", "500000", "--limits", "sja1000", "--sjw", "1", "--all"]) == 0
    out = capsys.readouterr().out
    assert "0x00, 0x1c" in out
    assert "16 solutions" in out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timing", "250000/3", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["brp"] for row in rows] == [t.brp for t in solve(83_333, limits="usb_8dev")]
    assert rows[0]["bitrate_error"] == 0
    assert main(["timing", "83000", "--json"]) == 1
    assert "nearest rates" in json.loads(capsys.readouterr().out)["reasons"][-1]


def test_linux(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timing", "800000", "--limits", "ti_hecc", "--linux"]) == 0
    assert "812500 bit/s" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["83000"], ["500000", "--limits", "none"], ["0"], ["500000", "--linux", "--bus-length", "9"]]
)
def test_failure(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timing", *arguments]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("canal-fast timing: ")


def test_text() -> None:
    assert draw_text(BitTiming(32_000_000, 4, 13, 2)).split("\n") == [
        "0 ns                                                          1750     2000",
        "+---+------------------------------------------------+--------+--------+",
        "|1  |propagation: 11                                 |p1: 2   |p2: 2   |",
        "+---+------------------------------------------------+--------+--------+",
        "                                                              ^ 87.5 %",
    ]


@pytest.mark.parametrize("name", CONTROLLERS)
def test_text_is_to_scale(name: str) -> None:
    for rate in (500_000, 125_000):
        for t in solve(rate, limits=name, max_bitrate_error=0.01)[::7]:
            head, rule, row, same, foot = draw_text(t, 72).split("\n")
            assert rule == same
            assert len(rule) == len(row) == 72
            marks = [0, *(round(71 * sum(t.segments[: i + 1]) / t.nbt) for i in range(4))]
            assert all(rule[mark] == "+" and row[mark] == "|" for mark in marks)
            assert rule.count("+") == len(set(marks))
            assert foot.index("^") == marks[3]
            assert f"{t.sample_point:.4g} %" in foot
            assert head.startswith("0 ns")


@pytest.mark.slow
def test_plot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib", reason="NOT RUN: matplotlib is not installed")
    file = tmp_path / "bit.png"
    assert main(["timing", "500000", "--plot", str(file)]) == 0
    capsys.readouterr()
    assert file.read_bytes().startswith(b"\x89PNG")
    plot([BitTiming(80_000_000, 1, 139, 20, 16)], tmp_path / "one.svg")
    assert (tmp_path / "one.svg").stat().st_size > 1000
