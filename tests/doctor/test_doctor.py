"""`canal-fast doctor` and `canal-fast list`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fake_table import LP64, ROWS, Row, broken_libraries, build

import canal_fast as cf
from canal_fast.__main__ import main
from canal_fast.doctor.diagnosis import Diagnosis, diagnose
from canal_fast.doctor.findings import usb2can_config

needs_fakes = pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems")
Examined = tuple[Diagnosis, float]
STEADY = ";bursts=200;pause=2"  # two frames every 2 ms


def examine(row: Row, path: Path) -> Examined:
    begun = time.monotonic()
    profile = row.options.get("profile", "auto")
    serial = "ED000200;500;" if profile == "usb2can" else ""
    return diagnose(path, serial + row.text + STEADY, profile=profile, seconds=0.6), time.monotonic() - begun


@pytest.fixture(scope="module")
def diagnoses(fakes: Path) -> dict[str, Examined]:
    """All of them, before the first test goes on: pytest changes the environment that starting programs inherit."""
    with ThreadPoolExecutor(12) as pool:
        started = {
            row.name: pool.submit(examine, row, build(row, fakes))
            for row in sorted(ROWS, key=lambda row: "hang" not in row.config)
        }
    return {name: future.result() for name, future in started.items()}


@pytest.mark.slow
@needs_fakes
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_fault_is_in_the_first_three_lines(row: Row, diagnoses: dict[str, Examined]) -> None:
    diagnosis, _ = diagnoses[row.name]
    lines = str(diagnosis).splitlines()
    assert row.doctor in "\n".join(lines[:3]), "\n".join(lines)
    assert diagnosis.works == (row.opens and not row.dies and row.error is None and "hang=" not in row.config)
    json.dumps(diagnosis.as_dict())


@pytest.mark.slow
@needs_fakes
def test_broken_libraries_are_named(tmp_path: Path) -> None:
    broken = broken_libraries(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        for (name, _, words), diagnosis in zip(broken, pool.map(lambda row: diagnose(row[1]), broken), strict=True):
            assert words in "\n".join(str(diagnosis).splitlines()[:3]), (name, str(diagnosis))
            assert not diagnosis.works


@pytest.mark.slow
@needs_fakes
def test_verdict_within_five_seconds(diagnoses: dict[str, Examined], capsys: pytest.CaptureFixture[str]) -> None:
    """What it took is printed; the assertion leaves room for busy machines."""
    doomed = [diagnoses[row.name] for row in ROWS if row.dies or "hang=" in row.config or "hang_open" in row.config]
    with capsys.disabled():
        for diagnosis, seconds in doomed:
            print(f"\n{diagnosis.headline}: after {seconds:.1f} s", end="")
            assert diagnosis.headline.startswith(("FAULT: hangs", "FAULT: crashed (SIGSEGV)"))
            assert seconds < 15


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "virtual", "--config", "bus_doctor;500000;load=0.5", "--json", "--seconds", "0.3"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["works"]
    assert told["facts"]["profile"] == "virtual"
    assert told["facts"]["frames"] > 0
    assert len(told["facts"]["sha256"]) == 64


def test_reason_of_a_virtual_bus_that_does_not_open() -> None:
    diagnosis = diagnose("virtual", "bus_doctor;500000;load=nonsense")
    assert not diagnosis.works
    assert "load" in diagnosis.advice


def test_bad_profile() -> None:
    with pytest.raises(ValueError, match="allowed 'auto', 'generic'"):
        diagnose("virtual", profile="nonsense")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("ED000200;500", ""),
        ("ED000200; 500", ""),
        ("ED-000-200;0x1F4", ""),
        ("ED000200;0;13;2;1;4", ""),
        ("ED000200;83", "silently 125"),
        ("ED000200;62", "silently 125"),
        ("ED000200;0125", "read as octal: 85"),
        ("ED000200;fast", "silently 125"),
        ("ED000200", "no bit rate"),
        ("ED0002000;500", "9 letters and digits"),
        ("", "0 letters and digits"),
    ],
)
def test_usb2can_configuration(config: str, words: str) -> None:
    texts = "; ".join(finding.text for finding in usb2can_config(config))
    assert words in texts
    assert bool(texts) == bool(words)


@pytest.mark.slow
@needs_fakes
@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("open=0", ["did not open", "not of the same generation"]),
        ("frames=0", ["no frame came", "bit rate", "of the same generation"]),
        ("tick_num=1000", ["wrong time unit", "a tick is 1 us"]),
    ],
)
def test_advice_for_usb2can(config: str, words: list[str], fakes: Path) -> None:
    path = build(Row("usb2can", file="usb2can.so"), fakes)
    # The fake takes its settings from what the real library would not look at.
    diagnosis = diagnose(path, f"ED000200;83;{config}{STEADY}", seconds=0.5)
    lines = "\n".join(str(diagnosis).splitlines()[:3])
    for word in [*words, "silently 125 kbit/s"]:
        assert word in lines, str(diagnosis)


def attach(root: Path, name: str, product: str, serial: str | None, vendor: str = "0483", interface: str = "") -> None:
    folder = root / name
    folder.mkdir(parents=True)
    for file, text in (("idVendor", vendor), ("idProduct", "1234"), ("product", product), ("serial", serial)):
        if text is not None:
            (folder / file).write_text(text + "\n")
    if interface:
        (folder / f"{name}:1.0" / "net" / interface).mkdir(parents=True)


def test_list_devices(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    attach(tmp_path, "1-2", "USB2CAN converter", "ed000200", interface="can1")
    attach(tmp_path, "1-1", "USB2CAN converter", "D3365AFB")
    attach(tmp_path, "2-1", "USB2CAN converter", None)
    attach(tmp_path, "2-2", "Some other gadget", "12345678")
    attach(tmp_path, "2-3", "USB2CAN converter", "87654321", vendor="1d50")
    (tmp_path / "usb1").mkdir()
    found = cf.list_devices(tmp_path)
    assert [(d.serial, d.location, d.interface) for d in found] == [
        ("", "2-1", None), ("D3365AFB", "1-1", None), ("ED000200", "1-2", "can1")
    ]  # fmt: skip
    assert main(["list", "--root", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "ED000200" in out
    assert ("SocketCAN" in out) == (sys.platform == "linux")
    assert main(["list", "--json", "--root", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)[2]["interface"] == "can1"
    assert cf.list_devices(tmp_path / "nothing") == []


def test_command_line() -> None:
    command = [sys.executable, "-m", "canal_fast", "list"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent)
    assert done.returncode == 0 or sys.platform != "linux", done.stderr
