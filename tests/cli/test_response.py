"""`canal-fast response`: what it prints, refuses and draws."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.__main__ import main

pytest.importorskip("cantools")
DATABASES = Path(__file__).parent.parent / "data" / "databases"
ABS = ["response", "--dbc", str(DATABASES / "abs.dbc"), "--bitrate", "500000"]
MS = 1_000_000
START = 1_700_000_000_000_000_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A second of the database's messages, one a millisecond, so that nothing waits."""
    messages = cf.load_database(DATABASES / "abs.dbc").messages
    parts = []
    for number, message in enumerate(messages):
        period = int(message.cycle_time_ms or 1) * MS
        times = START + number * period // len(messages) + np.arange(1000 * MS // period, dtype=np.int64) * period
        parts.append(cf.make_frames(message.arbitration_id, bytes(message.length), timestamp_ns=times))
    frames = np.concatenate(parts)
    path = tmp_path / "bus.pcapng"
    cf.write_log(path, frames[np.argsort(frames["timestamp_ns"], kind="stable")])
    return path


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ABS) == 0
    out = capsys.readouterr().out
    assert "18 messages at 500000 bit/s: longest busy stretch 4.860 ms, every deadline is met" in out
    row = next(line for line in out.splitlines() if "BREMSE_2 " in line)
    assert row.split() == [
        "24A",
        "BREMSE_2",
        "8",
        "10.000",
        "0.000",
        "0.270",
        "2.430",
        "10.000",
        "7.570",
        "2.70",
        row.split()[-1],
    ]
    assert "load: best 39.96 %, expected" in out
    assert "the deadlines need 243" in out
    assert "transmit buffers that cannot be aborted" in out


def test_a_missed_deadline_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ABS, "--cycle", "MM5_10_TX3=4"]) == 1
    out = capsys.readouterr().out
    assert "1 can miss the deadline: MM5_10_TX3" in out
    assert sum("MISSED" in line for line in out.splitlines()) == 1
    assert main([*ABS, "--deadline", "BREMSE_*=4.5"]) == 1
    assert "2 can miss the deadline: BREMSE_50, BREMSE_53" in capsys.readouterr().out


def test_beside_a_recording(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ABS, "--log", str(log)]) == 0
    out = capsys.readouterr().out
    assert "nothing contradicts, which proves nothing" in out
    assert "; measured " in out
    assert main([*ABS, "--log", str(log), "--leave-out", "BREMSE_2"]) == 1
    out = capsys.readouterr().out
    assert "100 findings" in out
    assert "foreign 100" in out
    assert "and 80 more (--json has all)" in out


def test_a_recording_alone(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["response", "--log", str(log), "--bitrate", "500000"]) == 0
    assert "18 messages at 500000 bit/s" in capsys.readouterr().out


def test_json(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ABS, "--json", "--log", str(log), "--cycle", "BREMSE_2=20", "--error-interval", "0.1"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert len(found["messages"]) == 18
    assert found["assumptions"][1] == "faults at least 0.1 s apart"
    assert found["messages"][7]["message"]["name"] == "BREMSE_2"
    assert {row["kind"] for row in found["recording"]["findings"]} == {"distance"}
    assert found["recording"]["messages"][0]["frames"] == 100
    assert found["load"]["best"] < found["recording"]["load"] < found["load"]["worst"]


def test_fifo(capsys: pytest.CaptureFixture[str]) -> None:
    sender = cf.load_database(DATABASES / "abs.dbc")["BREMSE_2"].senders[0]
    assert main([*ABS, "--fifo", sender]) == 0
    out = capsys.readouterr().out
    assert f"FIFO queues of {sender}, priority queues elsewhere" in out
    assert "fifo" in next(line for line in out.splitlines() if "BREMSE_2 " in line)


@pytest.mark.parametrize("options", [[], ["--message", "BREMSE_2"], ["--error-interval", "1"]])
def test_picture(options: list[str], log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "worst.png"
    assert main([*ABS, "--log", str(log), "--plot", str(path), *options]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    assert main([*ABS, "--plot", str(path)]) == 1
    assert "--force" in capsys.readouterr().err


MISTAKES: list[tuple[list[str], str]] = [
    (["response", "--bitrate", "500000"], "give --dbc, or --log to learn from"),
    ([*ABS, "--cycle", "BREMS_2=5"], "--cycle NAME=MS: no message 'BREMS_2'; did you mean 'BREMSE_2'"),
    ([*ABS, "--cycle", "*=1"], "utilisation is"),
    ([*ABS, "--message", "BREMSE_2"], "--message needs --plot"),
    ([*ABS, "--message", "BREMS_2", "--plot", "no.png"], "there is no message 'BREMS_2'; did you mean 'BREMSE_2'"),
    ([*ABS, "--fifo", "nobody"], "no message has the sender 'nobody'"),
    ([*ABS, "--log", "nowhere.log"], "nowhere.log"),
    (["response", "--dbc", str(DATABASES / "_toyota_2017.dbc"), "--bitrate", "500000"], "no cycle time: KINEMATICS"),
]


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES)
def test_mistakes(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    err = capsys.readouterr().err
    assert err.startswith("canal-fast response: ")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--cycle", "BREMSE_2"], "'BREMSE_2' is not NAME=MS, as in Engine=10"),
        (["--cycle", "BREMSE_2=x"], "'x' is not a number"),
        (["--bitrate", "500"], "did you mean 500000?"),
    ],
)
def test_wrong_usage(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*ABS, *arguments])
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


def test_channels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = cf.make_frames(
        [1, 2] * 50, timestamp_ns=START + np.arange(100, dtype=np.int64) * 10 * MS, channel=[0, 1] * 50
    )
    path = tmp_path / "two.pcapng"
    cf.write_log(path, frames)
    arguments = ["response", "--log", str(path), "--bitrate", "500000"]
    assert main(arguments) == 1
    assert "has channels 0, 1: choose one with --channel" in capsys.readouterr().err
    assert main([*arguments, "--channel", "3"]) == 1
    assert "has no channel 3; there are 0, 1" in capsys.readouterr().err
    assert main([*arguments, "--channel", "1"]) == 0
    assert "1 message at" in capsys.readouterr().out
