"""`canal-fast waveform` on the captures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import canal_fast as cf
from canal_fast.__main__ import main


@pytest.fixture
def capture(data_dir: Path) -> str:
    return str(data_dir / "captures" / "mcp2515_load_25.sr")


def test_table(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["waveform", capture]) == 0
    out, err = capsys.readouterr()
    rows = out.splitlines()
    assert len(rows) == 1 + 14
    assert rows[3].endswith("  550    8     -453 ±303        750    9  aa bb cc dd ee ff 0a 0b")
    assert err.startswith("14 valid frames and 0 other rows in 3 s at 125000 bit/s")


def test_the_sentence_stands_last_in_one_file(capture: str) -> None:
    command = [sys.executable, "-P", "-m", "canal_fast", "waveform", capture]
    lines = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout
    assert lines.splitlines()[-1].startswith("14 valid frames and 0 other rows")


def test_json_and_recording(capture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "x.pcapng"
    assert main(["waveform", capture, "--bitrate", "125000", "--channel", "CAN_RX", "--json", "-o", str(target)]) == 0
    shown = json.loads(capsys.readouterr().out)
    frames = cf.read_log(target)
    assert shown["valid"] == len(frames) == 14
    assert [row["arbitration_id"] for row in shown["rows"]] == frames["arbitration_id"].tolist()
    assert [row["start_ns"] for row in shown["rows"]] == frames["timestamp_ns"].tolist()
    assert shown["data_bitrate"] is None


def test_drawing(capture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["waveform", capture, "--draw", "0"]) == 0
    assert "SRR" in capsys.readouterr().out
    assert main(["waveform", capture, "--draw", "99"]) == 1
    assert "there are 14 rows" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--channel", "TX"], "'CAN_RX'"),
        (["--bitrate", "3e6"], "at least 2 are needed"),
        (["--invert"], "inverted there are 14 valid frames; read it with --invert; give --bitrate\n"),
    ],
)
def test_mistakes(capture: str, arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["waveform", capture, *arguments]) == 1
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(("arbitration_id", "extended", "last"), [(0x123, False, 14), (0x1ABCDEF0, True, 35)])
def test_a_broken_frame_shows_its_identifier_where_it_was_read(
    arbitration_id: int, extended: bool, last: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Six equal bits from each bit of the frame on: behind the last of the identifier it is known."""
    wave = cf.waveform.synthesise(
        cf.make_frames(arbitration_id, b"\x55" * 4, flags=int(extended)), 500_000, idle_bits=40
    )
    ticks, bit = wave.edges // 1000, 2000  # ns
    name = f"{arbitration_id:0{8 if extended else 3}X}"
    for place in range(17 if extended else 3, 60):  # before its IDE an extended frame is taken for a base one
        broken = ticks[ticks < ticks[0] + place * bit]
        lines = [f"#0 {wave.level}!"]
        lines += [f"#{time} {(wave.level + number + 1) % 2}!" for number, time in enumerate(broken.tolist())]
        end = int(broken[-1]) + 100 * bit
        lines += [f"#{end - 50 * bit} 1!"] * (len(broken) % 2) + [f"#{end}"]
        path = tmp_path / "x.vcd"
        path.write_text("$timescale 1 ns $end $var wire 1 ! rx $end $enddefinitions $end\n" + "\n".join(lines) + "\n")
        assert main(["waveform", str(path), "--bitrate", "500000"]) == 0
        row = capsys.readouterr().out.splitlines()[1].split()
        known = int(row[row.index("bit") + 1].strip(",")) >= (39 if extended else 17)
        assert row[1] == (name if known else "-"), (place, row)
        assert not known or int(row[row.index("bit") + 1].strip(",")) > last
