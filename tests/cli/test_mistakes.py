"""One wording for one mistake: what each of these says, here and in every command."""

from __future__ import annotations

import os
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
    ("log", "which bus? --source KIND:CONFIG, such as socketcan:can0 or virtual:bus0"),
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
    ("lgo", "there is no command 'lgo'; there are log, monitor, "),
    ("covnert a b", "there is no command 'covnert': did you mean convert?"),
    ("help", "there is no command 'help': did you mean --help?"),
    ("-V", "unrecognized arguments: -V: did you mean --version?"),
    (".", "'.' is a file: a command stands before it, as in `canal-fast stat .`"),
    (
        "log can0",
        "canal-fast log: error: unrecognized arguments: can0: a bus is given as --source KIND:CONFIG, such as s",
    ),
    ("log -i socketcan -c can0", "a bus is given as --source KIND:CONFIG, such as socketcan:can0"),
    ("play x.log --source virtual:a --channel can0", "a bus is given as --source KIND:CONFIG"),
    (f"{VIRTUAL} --fremes 1", "canal-fast log: error: unrecognized arguments: --fremes 1: did you mean --frames?"),
    ("dump x.log -n 5", "unrecognized arguments: -n 5: did you mean --frames?"),
    ("stat x.log .", "stat takes one file; `canal-fast merge` makes one recording of several"),
    ("waveform x.sr .", "canal-fast waveform: error: unrecognized arguments: .: waveform takes one file"),
    ("list foo", "canal-fast list: error: unrecognized arguments: foo"),
    ("stat x.log --sort Load", "invalid choice: 'Load'"),
    ("stat x.log --sort Load", ": did you mean load?"),
    ("filters --ids 1 --controller MCP2515", ": did you mean mcp2515?"),
    (
        "timing 500000 --limits MCP2515",
        "--limits = 'MCP2515' is no known controller (did you mean 'mcp251x', Microchip MCP",
    ),
    ("log --source socketcan:can0,bitrate=500", "bitrate = 500, allowed 1000..1000000: did you mean 500000?"),
    (
        "log --source virtual:a,load=1",
        "'load=1', known are name=, bitrate=, fd, profile=, flags=; the virtual bus's own",
    ),
    ("log --source socketcan:can0,load=1", "'load=1', known are name=, bitrate=, fd, profile=, flags="),
    ("log --library .", ", which is a folder: give the file in it"),
    (f"{VIRTUAL} -o out", "and this name has no suffix; format= (--to) says what is written, too"),
    (f"{VIRTUAL} -o nowhere/out.log", "canal-fast log: nowhere: no such folder"),
    (f"{VIRTUAL} --pre 5 -o x.log", "canal-fast log: --pre = 5.0: time around triggers, of which there are none"),
    (f"{VIRTUAL} --duration 1h", "argument --duration: '1h' is not a number: did you mean 3600?"),
    (f"{VIRTUAL} --rotate-s 90min", "argument --rotate-s: '90min' is not a number: did you mean 5400?"),
    (f"{VIRTUAL} --frames 1e6", "argument --frames: '1e6' is not a whole number: did you mean 1000000?"),
    (f"{VIRTUAL} --rotate-bytes 10M", "argument --rotate-bytes: '10M' is not a whole number: did you mean 10000000?"),
    ("stat x.log --bitrate 500k", "argument --bitrate: '500k' is not a number: did you mean 500000?"),
    ("stat x.log --window 10ms", "argument --window: '10ms' is not a number: did you mean 0.01?"),
    ("stat x.log --plot x.docx", "argument --plot: 'x.docx' is the name of no picture"),
    ("stat x.log --plot nowhere/x.png", "canal-fast stat: nowhere: no such folder"),
    ("monitor x.log --source virtual:a", "give a recording, or --source KIND:CONFIG for each bus, not both"),
    ("report x.log -o x.pdf", "-o x.pdf: the page is HTML: x.html, which a browser prints as PDF"),
    ("waveform x.sr --bitrate 500k", "argument --bitrate: '500k' is not a number: did you mean 500000?"),
    ("waveform x.sr --sample-point 0.8", "0.8 is in percent of a bit: did you mean 80?"),
    ("waveform x.sr --threshold a", "argument --threshold: 'a' is not a number"),
    ("waveform x.sr --threshold 1,2,3", "'1,2,3': one or two voltages, as in 2.5 or 2.0,3.0"),
    ("waveform x.sr --sample-rate 1e6", "'1e6' is not a whole number: did you mean 1000000?"),
    ("simulate x.toml --bits 0", "argument --bits: 0 is not above 0"),
    ("timing 0.5M", "argument bitrate: '0.5M' is not a number: did you mean 500000?"),
    ("timing 500000 --bus-length 40m", "'40m' is not a number: did you mean 40?"),
    ("timing 500000 --sample-point 87.5%", "'87.5%' is not a number: did you mean 87.5?"),
    ("timing 500000 --f-clock 8MHz", "'8MHz' is not a whole number: did you mean 8000000?"),
    ("response --dbc x.dbc --bitrate 500000 --cycle A=10ms", "argument --cycle: '10ms' is not a number"),
]


UNMEANT = ["5x", "fast", "1:00", "0x1g", "1.5.2", "", "k"]


@pytest.mark.parametrize("text", UNMEANT)
def test_no_number_is_guessed_where_none_is_meant(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["stat", "x.log", "--bitrate", text])
    assert "did you mean" not in capsys.readouterr().err


def test_a_recording_is_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cantools", reason="NOT RUN: cantools is not installed")
    cf.write_log(tmp_path / "x.log", FRAME)
    assert main(["decode", str(tmp_path / "x.log"), "--dbc", str(tmp_path / "x.log")]) == 1
    assert (
        capsys.readouterr().err == f"canal-fast decode: {tmp_path / 'x.log'}: is a recording (candump), no database\n"
    )


def test_a_conversion_of_nothing_is_remarked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cf.write_log(tmp_path / "x.log", FRAME)
    assert main(["convert", str(tmp_path / "x.log"), str(tmp_path / "y.log"), "--start", "100"]) == 0
    assert "no frame is left: --start and --stop are s after the first" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "x.log"), str(tmp_path / "z.log")]) == 0
    assert "no frame is left" not in capsys.readouterr().err


def test_sources_that_become_one_recording_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder's name that is none yet is a file's: said, or the sources would be taken for lost."""
    sources = [str(tmp_path / name) for name in ("x.log", "y.log")]
    for source in sources:
        cf.write_log(source, FRAME)
    target = tmp_path / "out"
    told = f"2 sources became one recording, {target}, merged by time; a folder that is there gets one from each\n"
    assert main(["convert", *sources, str(target), "--to", "asc"]) == 0
    assert told in capsys.readouterr().err
    (tmp_path / "there").mkdir()
    for command in (
        ["convert", *sources, str(tmp_path / "there"), "--to", "asc"],
        ["merge", *sources, f"{target}.asc"],
    ):
        assert main(command) == 0
        assert "became one" not in capsys.readouterr().err


def test_a_jitter_without_end_is_refused() -> None:
    slow = cf.analysis.Message("Slow", 1, 8, period_ns=10_000_000, jitter_ns=10**16)
    with pytest.raises(ValueError, match=r"\d+ frames of one message are to be looked at, allowed 0..1000000"):
        cf.analysis.response_times([slow], 500_000)


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


def test_an_argument_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Its bytes are of another encoding than the locale's."""
    line = ["log", "--source", b"virtual:\xe4", "-o", str(tmp_path / "x.pcapng"), "--duration", "0.1"]
    if sys.platform == "win32":
        pytest.skip("NOT RUN: arguments are no bytes there")
    command = [sys.executable, "-P", "-m", "canal_fast", *line]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 1
    assert "\\udce4' is no text in the locale's encoding, utf-8: try LANG=C.UTF-8" in done.stderr


@pytest.mark.parametrize(
    "line", ["stat x.png --plot x.png", "waveform x.csv -o x.csv", "simulate x.png -o y.log --plot x.png"]
)
def test_what_is_read_is_not_replaced(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = line.split()[1]
    cf.write_log(path, cf.make_frames([1, 2, 3]), format="csv")
    before = Path(path).read_bytes()
    assert main([*line.split(), "--force"]) == 1
    assert capsys.readouterr().err.endswith(f"{path}: the file is what is read, and is not replaced\n")
    assert Path(path).read_bytes() == before
