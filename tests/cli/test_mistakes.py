"""One wording for one mistake: what each of these says, here and in every command."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast import bittiming, wire
from canal_fast.__main__ import main

FRAME = cf.make_frames([1])
VIRTUAL = "log --library virtual"
ROW = {"can_id": 1, "can_mask": 2}

CALLS: list[tuple[Callable[[cf.Channel], object], type[Exception], str]] = [
    (lambda ch: cf.Channel.virtual("b", rin_frames=3), TypeError, "unexpected keyword argument 'rin_frames'"),
    (lambda ch: cf.Channel.virtual("b", ring_frames="many"), TypeError, "ring_frames must be a number, not str"),
    (lambda ch: cf.Channel.virtual("b", coalesce_ms="1"), TypeError, "coalesce_ms must be a number, not str"),
    (lambda ch: cf.Channel.virtual("b", channel=None), TypeError, "channel must be a number, not NoneType"),
    (lambda ch: cf.Channel.virtual("b", profile="x"), ValueError, "profile = 'x', allowed 'auto', "),
    (lambda ch: cf.Channel.virtual(5), TypeError, "config must be a str, not int"),
    (lambda ch: cf.Channel.virtual("b;5"), cf.DriverError, "bitrate=5 is outside 1000..1000000"),
    (lambda ch: cf.Channel("virtual", b"b"), TypeError, "config must be a str, not bytes"),
    (lambda ch: cf.Channel("virtual", "b", flags="8"), TypeError, "flags must be a number, not str"),
    (lambda ch: cf.Channel(None), TypeError, "library must be a str or a path, not NoneType"),
    (lambda ch: cf.Channel("nowhere.so"), cf.DriverNotFoundError, "no driver library called nowhere.so in "),
    (lambda ch: cf.Channel.usb2can("x"), ValueError, "serial = 'x': must have exactly eight letters and digits"),
    (lambda ch: cf.Channel.usb2can("ED000200", "fast"), TypeError, "bitrate must be a number, not str"),
    (lambda ch: ch.set_filters(["100:700"]), TypeError, "filters[0] must be a mapping with can_id and can_mask, not s"),
    (lambda ch: ch.set_filters(ROW), TypeError, "filters must be a sequence of mappings, not dict"),
    (lambda ch: ch.set_filters(5), TypeError, "filters must be a sequence of mappings, not int"),
    (lambda ch: ch.set_filters([ROW | {"can_id": "0x1"}]), TypeError, "filters[0]: can_id must be an integer"),
    (lambda ch: ch.set_filters([ROW | {"can_mask": None}]), TypeError, "filters[0]: can_mask must be an integer"),
    (lambda ch: ch.set_filters([ROW | {"mask": 1}]), ValueError, "filters[0] has ['mask']; known are can_id,"),
    (lambda ch: ch.set_filters([{"can_id": 1}]), ValueError, "filters[0] has no can_mask"),
    (lambda ch: ch.receive("5"), TypeError, "max_frames must be a number, not str"),
    (lambda ch: ch.receive(0), ValueError, "max_frames = 0, allowed 1.."),
    (lambda ch: ch.receive(5, min_frames=6), ValueError, "min_frames = 6, allowed 0..5"),
    (lambda ch: ch.receive(5, min_frames="6"), TypeError, "min_frames must be a number, not str"),
    (lambda ch: ch.receive(timeout="1"), TypeError, "timeout must be a number, not str"),
    (lambda ch: ch.receive(timeout=-1), ValueError, "timeout = -1 s, allowed 0 and above, or None to wait for ever"),
    (lambda ch: ch.drain("1"), TypeError, "timeout must be a number, not str"),
    (lambda ch: ch.drain(-1), ValueError, "timeout = -1 s, allowed 0 and above, or None to wait for ever"),
    (lambda ch: ch.send([1, 2]), TypeError, "frames must be a numpy array of FRAME_DTYPE or FD_FRAME_DTYPE, not list"),
    (lambda ch: ch.send(cf.make_frames([1], fd=True)), cf.FrameError, "frames[0] is a CAN FD frame; this channel is c"),
    (lambda ch: ch.send_periodic(FRAME, 0), ValueError, "period_s = 0, allowed 0.0001..86400"),
    (lambda ch: ch.send_periodic(FRAME, "1"), TypeError, "period_s must be a number, not str"),
    (lambda ch: ch.send_periodic(FRAME[:0], 1), ValueError, "frames is empty: there is nothing to send"),
    (lambda ch: cf.make_frames([1, 2, 3], [b"1", b"2"]), ValueError, "different lengths: arbitration_id 3, data 2;"),
    (lambda ch: cf.make_frames([0x800]), cf.FrameError, "allowed 0..0x7ff (flags=FrameFlag.EXTENDED_ID allows 29 bits"),
    (lambda ch: cf.make_frames("1"), TypeError, "arbitration_id must be an integer or an array of integers, not <U1"),
    (lambda ch: cf.make_frames(1, [1, 2]), TypeError, "data[0] must be bytes, the payload of one frame, not int"),
    (lambda ch: cf.make_frames(1, "abc"), TypeError, "data must be bytes, a sequence of bytes or a u1 array, not str"),
    (lambda ch: cf.write_log("x.foo", FRAME), ValueError, "x.foo: recordings end with .pcapng, .pcap"),
    (lambda ch: cf.write_log("x.log", FRAME, interfaces={0: "a b"}), ValueError, "interfaces[0]: name 'a b', allowed "),
    (lambda ch: cf.write_log("x.log", FRAME, interfaces={0: 5}), TypeError, "interfaces[0] must be a name, or a pair "),
    (lambda ch: bittiming.solve("500k", limits="usb_8dev"), TypeError, "bitrate must be a number, not str"),
    (lambda ch: bittiming.solve(500_000, limits="foo"), cf.BitTimingError, "limits = 'foo' is no known controller"),
    (lambda ch: wire.frame_duration_ns(FRAME, "500000"), TypeError, "bitrate must be a number, not str"),
    (lambda ch: wire.decode(np.array([0, 1, 2], np.uint8)), cf.WireError, "bits[2] = 2, allowed 0 (dominant) or 1 (re"),
]  # fmt: skip

COMMANDS = [
    ("log", "give --library PATH (or virtual), or --serial of a USB2CAN adapter"),
    (f"{VIRTUAL} --filter 1", "argument --filter: '1' is not ID:MASK in hexadecimal, as in 100:700"),
    (f"{VIRTUAL} --filter x:y", "argument --filter: 'x:y' is not ID:MASK in hexadecimal, as in 100:700"),
    ("dump x.log --filter 12", "argument --filter: '12' is not ID:MASK in hexadecimal, as in 100:700"),
    (f"{VIRTUAL} --filter 20000000:1", "ID of '20000000:1' is 20000000, allowed 0..1FFFFFFF (hexadecimal)"),
    (f"{VIRTUAL} --frames x", "argument --frames: 'x' is not a whole number"),
    ("dump x.log --frames x", "argument --frames: 'x' is not a whole number"),
    (f"{VIRTUAL} --duration 0", "argument --duration: 0 s is not above 0"),
    ("stat x.log --window 0", "argument --window: 0 s is not above 0"),
    ("doctor virtual --seconds x", "argument --seconds: 'x' is not a number"),
    (f"{VIRTUAL} --bitrate 500", "argument --bitrate: 500 bit/s, allowed 1000..1000000: did you mean 500000?"),
    ("stat x.log --bitrate 500", "argument --bitrate: 500 bit/s, allowed 1000..1000000: did you mean 500000?"),
    (f"{VIRTUAL} --flags 0xz", "argument --flags: '0xz' is not a whole number"),
    ("doctor virtual --flags 0xz", "argument --flags: '0xz' is not a whole number"),
    (f"{VIRTUAL} --config b;5", "bitrate=5 is outside 1000..1000000"),
    (f"{VIRTUAL} -o x.foo", "x.foo: recordings end with .pcapng, .pcap"),
    (f"{VIRTUAL} --json", "--json prints on standard output, and so do frames without -o FILE: give one"),
    (f"{VIRTUAL} --to blf", "--to blf is the format of -o FILE, which is missing"),
    ("log --library nowhere.so", "no driver library called nowhere.so in "),
    ("dump nowhere.log", "canal-fast dump: nowhere.log: no such file or directory"),
    ("stat nowhere.log", "canal-fast stat: nowhere.log: no such file or directory"),
    ("dump .", "canal-fast dump: .: is a directory without Parquet files"),
    ("timing fast", "argument bitrate: 'fast' is not a number, such as 500000, 87.5 or 250000/3"),
    ("timing 1/0", "argument bitrate: '1/0' is not a number, such as 500000, 87.5 or 250000/3"),
    ("timing 500000 --sample-point 0.875", "in percent: did you mean 87.5?"),
    ("timing 500000 --f-clock 16", "f_clock is in Hz, bit rates in bit/s: 16 MHz?"),
]


WRITERS = [
    "log --library virtual --frames 1 -o here.log", "decode x.log --dbc x.dbc -o here.csv",
    "decode x.log --dbc x.dbc --plot here.png", "waveform x.sr -o here.log", "waveform x.sr --plot here",
    "simulate x.toml -o here.log", "simulate x.toml --events here.csv", "simulate x.toml --plot here.png",
    "stat x.log --plot here.png", "timing 500000 --plot here",
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "words"), CALLS, ids=[row[2][:40] for row in CALLS])
def test_calls(
    call: Callable[[cf.Channel], object],
    kind: type[Exception],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with cf.Channel.virtual("mistakes") as channel, pytest.raises(kind, match=re.escape(words)):
        call(channel)


@pytest.mark.parametrize(("arguments", "words"), COMMANDS, ids=[row[0] for row in COMMANDS])
def test_commands(
    arguments: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = main(arguments.split())
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr().err
    assert code in (1, 2)
    assert words in said.splitlines()[-1]


@pytest.mark.parametrize("arguments", WRITERS)
def test_no_command_replaces_a_file(
    arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    files = [tmp_path / name for name in ("here.log", "here.csv", "here.png")]
    for file in files:
        file.write_bytes(b"kept")
    assert main(arguments.split()) == 1
    assert re.search(r"here\.\w+: the file exists; it is replaced with --force", capsys.readouterr().err)
    assert [file.read_bytes() for file in files] == [b"kept"] * 3
    assert set(tmp_path.iterdir()) == set(files)


def test_there_are_sixty() -> None:
    assert len(CALLS) + len(COMMANDS) >= 60


@pytest.mark.slow
def test_a_misspelt_option_fails_mypy(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="NOT RUN: no mypy")
    program = tmp_path / "program.py"
    program.write_text(
        "import canal_fast as cf\n"
        "cf.Channel.virtual('b', ring_frames=3)\n"
        "cf.Channel.virtual('b', rin_frames=3)\n"
        "cf.Channel.usb2can('ED000200', rin_frames=3)\n"
        "cf.Channel.socketcan('can0', rin_frames=3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path), program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert re.findall(r"program.py:(\d+): error: .*rin_frames", done.stdout) == ["3", "4", "5"], done.stdout


def test_a_channel_describes_itself() -> None:
    channel = cf.Channel.virtual("mistakes;rate=1000;frames=3")
    channel.receive(3, min_frames=3, timeout=10)
    assert re.fullmatch(
        r"<canal_fast.Channel 'mistakes;rate=1000;frames=3' of canal_virtual\.\w+, open, 3 received>", repr(channel)
    )
    channel.close()
    assert "closed, 3 received" in repr(channel)


def test_async_with() -> None:
    import asyncio

    async def use() -> cf.Channel:
        async with cf.Channel.virtual("mistakes") as channel:
            assert "open" in repr(channel)
        return channel

    assert "closed" in repr(asyncio.run(use()))


@pytest.mark.parametrize(
    ("module", "command", "words"),
    [
        ("matplotlib.figure", ["stat", "x.log", "--plot", "x.png"], "pip install 'canal_fast[plot]'"),
        ("cantools", ["decode", "x.log", "--dbc", "x.dbc"], "pip install 'canal_fast[dbc]'"),
        ("pyarrow.parquet", ["dump", "lake"], "pip install 'canal_fast[arrow]'"),
        ("asammdf", ["convert", "x.log", "x.mf4"], "pip install 'canal_fast[mf4]'"),
    ],
)
def test_an_extra_that_is_not_installed_is_named(
    module: str,
    command: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, module, None)
    Path("x.log").write_text("(1.000000) can0 123#01\n")
    Path("x.dbc").write_text('VERSION ""\n')
    Path("lake").mkdir()
    Path("lake/x.parquet").write_bytes(b"PAR1")
    assert main(command) == 1
    assert words in capsys.readouterr().err
