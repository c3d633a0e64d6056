"""`canal-fast filters`: lists of identifiers, tables, registers, and what passes unwanted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import canal_fast as cf
from canal_fast.__main__ import main
from canal_fast.cli.parsers.filters import identifiers

DATA = Path(__file__).resolve().parent.parent / "data"
CAR = str(DATA / "car-bus.log.gz")


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["filters", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert max(map(len, out.splitlines())) <= 120
    return out


def test_lists_of_identifiers() -> None:
    assert identifiers("100, 0x7FF 100-102") == [(0x100, False), (0x7FF, False), *((i, False) for i in (256, 257, 258))]
    assert identifiers("18FEF100,100x,0x800") == [(0x18FEF100, True), (0x100, True), (0x800, True)]
    assert identifiers("7FE-801")[-1] == (0x801, True)
    assert identifiers("10x-11x") == [(0x10, True), (0x11, True)]


def test_registers(capsys: pytest.CaptureFixture[str]) -> None:
    """0x123 << 5 = 2460; ACR0, ACR1 = 24, 60."""
    out = output(capsys, "--ids", "0x123", "--controller", "bxcan")
    assert "  F0R1  0x24602460\n" in out
    assert "0 unwanted identifiers pass" in out
    out = output(capsys, "--ids", "123", "--controller", "sja1000")
    assert "  ACR0     0x24\n  ACR1     0x60\n" in out
    assert "optimal" in out


def test_traffic_of_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "bus.log")
    cf.write_log(path, cf.make_frames([0x100, 0x10F, 0x101, 0x101, 0x200, 0x300]))
    one = ("--ids", "100,10F", "--controller", "mailboxes", "--filters", "1")
    assert "14 unwanted identifiers pass" in output(capsys, *one)
    out = output(capsys, *one, "--traffic", path)
    assert "0 mask  100  7F0   100 10F" in out
    assert "2 of 4 unwanted frames pass (50 %), of 1 identifiers; 2 frames are wanted\n  101  2 frames" in out
    out = output(capsys, "--ids", "100,10F", "--controller", "fdcan", "--traffic", path, "--json")
    found = json.loads(out)
    assert (found["controller"], found["unwanted"], found["optimal"], found["bound"]) == ("stm32_fdcan", 0, True, 0)
    assert found["wanted"] == [
        {"arbitration_id": 0x100, "extended": False},
        {"arbitration_id": 0x10F, "extended": False},
    ]
    assert found["unwanted_unit"] == "frames"
    out = output(capsys, "--ids", "2FC-300,18FEF100", "--controller", "mcp2515", "--traffic", CAR)
    assert "unwanted frames pass" in out


def test_messages_of_a_database(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    out = output(capsys, "--dbc", str(DATA / "databases" / "socialledge.dbc"), "--controller", "m_can")
    assert "M_CAN: 5 base and 0 extended identifiers" in out
    assert "064" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--ids", "100", "--controller", "sja2000"], "invalid choice: 'sja2000'"),
        (["--ids", "100,xyz", "--controller", "bxcan"], "'xyz' is not an identifier in hexadecimal, as in 123"),
        (["--ids", "20000000", "--controller", "bxcan"], "is 20000000, allowed 0..1FFFFFFF"),
        (["--ids", "10F-100", "--controller", "bxcan"], "'10F-100' is a range of -14 identifiers, allowed 1..65536"),
        (["--ids", ", ", "--controller", "bxcan"], "has no identifier"),
        (["--ids", "100"], "--controller"),
        (["--controller", "bxcan"], "one of the arguments --ids --dbc is required"),
        (["--ids", "100", "--controller", "bxcan", "--filters", "0"], "0 is not above 0"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["filters", *arguments])
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert words in err
    if "sja2000" in words:
        assert "bxcan" in err.rpartition("invalid choice")[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--filters", "29", "--traffic", "missing.log"], "filters = 29, allowed 1..28"),
        (["--traffic", "missing.log"], "missing.log: no such file or directory"),
        (["--list-only"], "wanted has 256 base and 0 extended identifiers; bxCAN with 14 banks can list 0..56 base"),
    ],
)
def test_failure(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["filters", "--ids", "100-1FF", "--controller", "bxcan", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("canal-fast filters: ")
    assert words in err
