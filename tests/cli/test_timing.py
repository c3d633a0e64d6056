"""`canal-fast timing`, and the bit as text and as a picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from canal_fast import BitTiming
from canal_fast.__main__ import main
from canal_fast.bittiming import CONTROLLERS, ControllerLimits, solve, solve_fd
from canal_fast.bittiming.drawing import draw_text, plot


def test_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timing", "500000", "--limits", "usb_8dev", "--sample-point", "80", "--bus-length", "40"]) == 0
    out = capsys.readouterr().out
    assert "8devices USB2CAN" in out
    assert "sample point 81.25 %" in out
    assert "oscillator tolerance" in out
    assert "BTR0" not in out
    assert max(map(len, out.splitlines())) < 100


def test_wires(capsys: pytest.CaptureFixture[str]) -> None:
    """16 quanta of 250 ns, 11 of propagation: 2750 / 250 = 11 m."""
    assert main(["timing", "250000", "--limits", "usb_8dev"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) < 100
    assert "\n                        1.67 m: edge of 50 ns, 5 ns/m (TI SLLA270)\n" in out
    assert "\n                        11 m: propagation segment of 2750 ns / 50 (OnSemi AND8376)\n" in out
    assert "stub, strictest first 0.3 m: at every rate" in out
    assert "rate x length         200 m by <= 50 Mbit/s m" in out
    assert "250 m at 250 kbit/s make 62.5" in out
    assert main(["timing", "500000", "--data-bitrate", "2000000", "--limits", "m_can"]) == 0
    out = capsys.readouterr().out
    assert "stub, strictest first" in out
    assert "62.5" not in out
    assert main(["timing", "500000", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["stub_lengths_m"][0]["length_m"] == 0.3


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


def test_limits_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    """`--limits` with a controller's figures gives what its name gives, whatever the spelling."""
    assert main(["timing", "20000", "--limits", "esp32_twai_v2", "--json"]) == 0
    named = json.loads(capsys.readouterr().out)
    for text in (
        "tseg1=1..16,tseg2=1..8,sjw=4,brp=2..256 step 2,above 128 step 4",
        str(CONTROLLERS["esp32_twai_v2"]).partition(": ")[2],
    ):
        assert main(["timing", "20000", "--limits", text, "--f-clock", "80000000", "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == named
    assert main(["timing", "500000", "--limits", "tseg1=16,tseg2=8,sjw=4,brp=64", "--f-clock", "8000000"]) == 0
    assert "custom: tseg1 1..16, tseg2 1..8, sjw 1..4, brp 1..64, 8,000,000 Hz" in capsys.readouterr().out


@pytest.mark.parametrize("name", CONTROLLERS)
def test_limits_there_and_back(name: str) -> None:
    row = CONTROLLERS[name]
    assert ControllerLimits.from_text(str(row).partition(": ")[2]).registers == row.registers


def test_fd(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fd = ["timing", "500000", "--limits", "mcp251xfd", "--data-bitrate", "2000000"]
    assert main(fd) == 0
    out = capsys.readouterr().out
    assert "Microchip MCP2517FD" in out
    assert "the best 8 pairs" in out
    assert max(map(len, out.splitlines())) < 100
    assert main([*fd, "--json", "--data-sample-point", "80"]) == 0
    rows = json.loads(capsys.readouterr().out)
    pairs = solve_fd(500_000, 2_000_000, limits="mcp251xfd", data_sample_point=80, count=8)
    assert [(row["nominal"]["tseg1"], row["data"]["tseg1"]) for row in rows] == [(n.tseg1, d.tseg1) for n, d in pairs]
    assert rows[0]["tdc_offset"] == pairs[0].tdc_offset
    assert main([*fd, "--all", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) > 100
    nominal = "tseg1=2..256,tseg2=1..128,sjw=128,brp=256"
    data = ["--data-limits", "tseg1=32,tseg2=16,sjw=16,brp=256", "--f-clock", "40000000"]
    assert main(["timing", "500000", "--limits", nominal, *data, "--data-bitrate", "2000000", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 8
    assert main([*fd, "--linux"]) == 0
    assert "as the Linux kernel does" in capsys.readouterr().out


FD = "500000 --data-bitrate 2000000 --limits"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["500000", "--limits", "tseg1=1..16"], "tseg2, sjw, brp missing; an example: tseg1=1..16, tseg2=1..8"),
        (["500000", "--limits", "tseg1=1..x,tseg2=1..8"], "limits: 'tseg1=1..x' has no meaning here; an example:"),
        (["500000", "--limits", "tseg1=9,tseg1=9,tseg2=8,sjw=4,brp=64"], "limits: 'tseg1=9' has no meaning here"),
        (["500000", "--limits", "tseg1=9,tseg2=8,sjw=4,brp=64"], "f_clock is missing: limits 'custom' name no usual"),
        (["500000", "--limits", "tseg1=9..5,tseg2=8,sjw=4,brp=64"], "tseg1_min = 9, tseg1_max = 5"),
        (["500000", "--data-sample-point", "80"], "--data-sample-point needs --data-bitrate"),
        ([*FD.split(), "sja1000"], "limits 'sja1000' have no data phase: the controller does not do CAN FD"),
        ([*FD.split(), "mcp251xfd", "--sjw", "2"], "--sjw goes without --data-bitrate only"),
        (
            [*FD.split(), "mcp251xfd", "--data-sample-point", "0.8"],
            "--data-sample-point = 0.8, allowed 50 to below 100",
        ),
        (["2000000", "--data-bitrate", "500000", "--limits", "mcp251xfd"], "data = 500000 bit/s is slower than"),
    ],
)
def test_mistakes(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timing", *arguments]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("canal-fast timing: ")
    assert words in err
    assert "Traceback" not in err
