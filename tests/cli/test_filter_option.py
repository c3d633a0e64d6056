"""--filter ID:MASK: candump's meaning, the same in every command that has it."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

import canal_fast as cf
from canal_fast.__main__ import main

BASE, EXTENDED, ALIKE = 0x100, 0x100, 0x18FEF100  # the last ends with the bits of 100
MEANINGS = [  # filter, which of BASE, EXTENDED and ALIKE pass
    ("100:7FF", "bea"),
    ("100:1FFFFFFF", "be"),
    ("100:800007FF", "b"),
    ("100:C00007FF", "b"),
    ("100:FFFFFFFF", "b"),
    ("00000100:9FFFFFFF", "e"),  # eight digits
    ("80000100:9FFFFFFF", "e"),
    ("80000100:800007FF", "ea"),
    ("98FEF100:DFFFFFFF", "a"),
    ("0:80000000", "b"),
    ("80000000:80000000", "ea"),
]


@pytest.fixture
def frames() -> cf.FrameArray:
    extended = cf.FrameFlag.EXTENDED_ID
    return cf.make_frames([BASE, EXTENDED, ALIKE], flags=[0, extended, extended], timestamp_ns=[0, 10**6, 2 * 10**6])


def letters(frames: cf.FrameArray) -> str:
    """Which of the three they are."""
    names = {(BASE, False): "b", (EXTENDED, True): "e", (ALIKE, True): "a"}
    return "".join(names[int(f["arbitration_id"]), bool(f["flags"] & cf.FrameFlag.EXTENDED_ID)] for f in frames)


@pytest.mark.parametrize(("filter", "passed"), MEANINGS)
def test_recordings(
    filter: str, passed: str, frames: cf.FrameArray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = str(tmp_path / "x.log"), tmp_path / "out.log"
    cf.write_log(path, frames)
    assert main(["convert", path, str(out), "--filter", filter]) == 0
    assert letters(cf.read_log(out)) == passed
    capsys.readouterr()
    assert main(["stat", path, "--json", "--filter", filter]) == 0
    ids = [(row["arbitration_id"], row["extended"]) for row in json.loads(capsys.readouterr().out)["ids"]]
    assert sorted(ids) == sorted((int(f["arbitration_id"]), bool(f["flags"])) for f in cf.read_log(out))


@pytest.mark.parametrize(("filter", "passed"), MEANINGS)
def test_dump(
    filter: str, passed: str, frames: cf.FrameArray, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = str(tmp_path / "x.log")
    cf.write_log(path, frames)
    assert main(["dump", path, "--filter", filter]) == 0
    (tmp_path / "out.log").write_bytes(capfdbinary.readouterr().out)
    assert letters(cf.read_log(tmp_path / "out.log")) == passed


def test_a_bus(frames: cf.FrameArray, bus: str, tmp_path: Path) -> None:
    """Several filters, any of which may match."""
    path = tmp_path / "x.pcapng"
    options = ["--filter", "100:800007FF", "--filter", "98FEF100:9FFFFFFF", "--frames", "4"]
    done = threading.Event()
    with cf.Channel.virtual(bus) as sender:

        def send() -> None:
            while not done.wait(0.01):
                sender.send(frames)

        thread = threading.Thread(target=send)
        thread.start()
        try:
            assert main(["log", "--source", f"virtual:{bus}", "-o", str(path), *options]) == 0
        finally:
            done.set()
            thread.join()
    assert set(letters(cf.read_log(path))) == set("ba")


def test_error_frames_always_pass(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    path = str(tmp_path / "x.log")
    cf.write_log(path, cf.make_frames([0x100, 0x20, 0x200], bytes(8), flags=[0, cf.FrameFlag.ERROR_FRAME, 0]))
    assert main(["dump", path, "--filter", "200:7FF"]) == 0
    assert [line.split()[-1].split(b"#")[0] for line in capfdbinary.readouterr().out.splitlines()] == [
        b"20000020",
        b"200",
    ]


@pytest.mark.parametrize(
    ("filter", "words"),
    [
        ("80000100:7FF", "ID of '80000100:7FF' has bit 31 (extended), which MASK does not compare: 800007FF does"),
        ("A0000100:FFFFFFFF", "ID of 'A0000100:FFFFFFFF' is A0000100, allowed 0..1FFFFFFF (hexadecimal)"),
        ("100:100000000", "MASK of '100:100000000' is 100000000, allowed 0..FFFFFFFF (hexadecimal)"),
        ("-1:7FF", "ID of '-1:7FF' is -1, allowed 0..1FFFFFFF (hexadecimal)"),
    ],
)
def test_mistakes(filter: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dump", "x.log", f"--filter={filter}"])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
