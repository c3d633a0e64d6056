"""Pipes and terminals: `-`, what is there at once, a progress line that fits, no tracebacks."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fifos import opened_by

import canal_fast as cf
from canal_fast.cli.progress import fitting

pytestmark = pytest.mark.posix
COMMAND = [sys.executable, "-P", "-m", "canal_fast"]
SLOW = ["log", "--library", "virtual", "--config", "pipe;rate=100"]
SHORT = ["log", "--library", "virtual", "--config", "pipe;rate=1000;frames=50", "--frames", "50"]


def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, timeout=60, check=False, **options)


def test_pcapng_through_pipes() -> None:
    out = run(*SHORT, "-o", "-")
    assert out.returncode == 0, out.stderr
    assert out.stdout[:4] == b"\n\r\r\n"
    text = run("dump", "-", input=out.stdout)
    assert len(text.stdout.splitlines()) == 50, text.stderr
    assert b"50 frames" in run("stat", "-", input=text.stdout).stdout


@pytest.mark.parametrize("kind", ["pcapng", "text"])
def test_dump_hands_out_what_is_there(kind: str) -> None:
    with (
        subprocess.Popen([*COMMAND, *SLOW, *(["-o", "-"] if kind == "pcapng" else [])], stdout=subprocess.PIPE) as log,
        subprocess.Popen([*COMMAND, "dump", "-"], stdin=log.stdout, stdout=subprocess.PIPE) as dump,
    ):
        assert log.stdout is not None
        assert dump.stdout is not None
        log.stdout.close()
        assert dump.stdout.readline().startswith(b"(")  # long before 65,536 frames or the end
        assert log.poll() is None
        log.send_signal(signal.SIGINT)
        assert dump.wait(20) == 0


def test_a_reader_that_ended_is_not_waited_for(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command = [sys.executable, "-S", "-E", "-c", "import a_module_that_is_not_there"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as reader, pytest.raises(AssertionError, match="code 1"):
        opened_by(reader, fifo)


def test_enough_frames_end_at_once(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen([*COMMAND, "dump", str(fifo), "--frames", "2"], stdout=subprocess.PIPE) as dump:
        with opened_by(dump, fifo) as writer:
            writer.write(cf.logs.format_candump(cf.make_frames([1, 2, 3])))
            out, _ = dump.communicate(timeout=20)  # the pipe is still open
        assert len(out.splitlines()) == 2


def test_an_interrupt_is_no_traceback(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen([*COMMAND, "dump", str(fifo)], stderr=subprocess.PIPE) as dump, opened_by(dump, fifo):
        time.sleep(0.5)
        dump.send_signal(signal.SIGINT)
        _, said = dump.communicate(timeout=20)
    assert (dump.returncode, said) == (130, b"")


def test_closed_streams(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    cf.write_log(path, cf.make_frames([1, 2, 3]))
    shell = " ".join(COMMAND)
    for command in (f"{shell} dump {path} >&-", f"{shell} stat {path} >&-"):
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
        assert "bad file descriptor" in done.stderr
    for command in ("dump -", "stat -", f"convert - {tmp_path}/new.log"):
        done = subprocess.run(f"{shell} {command} <&-", shell=True, capture_output=True, text=True, check=False)
        said = f"canal-fast {command.split()[0]}: standard input: bad file descriptor\n"
        assert (done.returncode, done.stderr) == (1, said)
    out = tmp_path / "out.pcapng"
    done = subprocess.run(f"{shell} {shlex.join(SHORT)} -o {out} >&- 2>&-", shell=True, check=False)
    assert done.returncode == 0
    assert len(cf.read_log(out, strict=True)) == 50


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="NOT RUN: there is no /dev/full")
@pytest.mark.parametrize("line", ["--help", "log --help", "--version", "formats", "timing 500000"])
def test_a_full_disk_is_told(line: str) -> None:
    with open("/dev/full", "wb") as full:
        command = [*COMMAND, *line.split()]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    command_or_option = "--help" if "--help" in line else line.split()[0]
    assert (done.returncode, done.stderr) == (1, f"canal-fast {command_or_option}: no space left on device\n")


def test_help_that_nobody_reads_ends_quietly() -> None:
    with subprocess.Popen([*COMMAND, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.wait(20), process.stderr.read()) == (0, b"")


def test_a_hang_up_is_ignored_where_it_was() -> None:
    with subprocess.Popen(["nohup", *COMMAND, *SLOW, "--frames", "100"], stdout=subprocess.PIPE) as log:
        assert log.stdout is not None
        log.stdout.readline()
        log.send_signal(signal.SIGHUP)
        assert len(log.stdout.read().splitlines()) == 99


def on_terminal(columns: int, *arguments: str) -> list[str]:
    """What a terminal that wide shows on standard error, without standard output."""
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    shown = b""
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=slave) as process:
        os.close(slave)
        while True:
            try:
                part = os.read(master, 4096)
            except OSError:  # Linux tells the end so
                break
            if not part:
                break
            shown += part
        process.wait(20)
    os.close(master)
    return shown.decode().replace("\r\n", "\n").split("\n")


@pytest.mark.slow
@pytest.mark.parametrize("columns", [80, 40])
def test_the_progress_line_fits(tmp_path: Path, columns: int) -> None:
    out = tmp_path / "x.pcapng"
    config = "bus0;1000000;load=1;fifo=100000"
    lines = on_terminal(columns, "log", "--library", "virtual", "--config", config, "--duration", "2.5", "-o", str(out))
    first, *rest = lines
    pieces = [piece for piece in first.split("\r") if piece.strip()]
    assert len([piece for piece in pieces if " frames  " in piece]) >= 2
    assert max(map(len, pieces[:-1])) < columns
    assert "0 lost" in pieces[0]
    assert ("load " in pieces[0]) == (columns == 80)
    assert rest[0].startswith("no loss was counted")


def test_frames_and_progress_do_not_mix() -> None:
    """On one terminal there is no progress line between the frames."""
    import pty

    master, slave = pty.openpty()
    arguments = ["log", "--library", "virtual", "--config", "b;rate=100", "--duration", "2.2"]
    with subprocess.Popen([*COMMAND, *arguments], stdout=slave, stderr=slave) as process:
        os.close(slave)
        shown = b""
        while process.poll() is None or b"no loss" not in shown:
            try:
                shown += os.read(master, 4096)
            except OSError:  # the end
                break
    os.close(master)
    *frames, summary, loss = shown.decode().split("\r\n")[:-1]
    assert all(line.startswith("(") and "#" in line for line in frames)
    assert (summary[:7], loss[:7]) == ("stdout:", "no loss")


@pytest.mark.slow
def test_silence_is_told_once() -> None:
    done = run("log", "--library", "virtual", "--config", "silent", "--duration", "6")
    assert done.stderr.count(b"no frames for 5 s: is the bus on, the bit rate right?") == 1


def test_binary_is_not_for_terminals() -> None:
    import pty

    master, slave = pty.openpty()
    with subprocess.Popen([*COMMAND, *SLOW, "-o", "-"], stdout=slave, stderr=subprocess.PIPE) as process:
        os.close(slave)
        _, said = process.communicate(timeout=20)
    os.close(master)
    assert b"pcapng, which is no text" in said


@pytest.mark.parametrize("more", [[], ["--to", "blf"]])
def test_binary_that_is_converted_is_not_for_terminals(more: list[str], tmp_path: Path) -> None:
    import pty

    path = tmp_path / "x.log"
    cf.write_log(path, cf.make_frames([1, 2, 3]))
    for command, code in ((["convert", path, "-", *more], 1), (["convert", path, "-", "--to", "candump"], 0)):
        master, slave = pty.openpty()
        done = subprocess.run([*COMMAND, *command], stdout=slave, stderr=subprocess.PIPE, timeout=60, check=False)
        os.close(slave)
        assert done.returncode == code, done.stderr
        shown = b"" if code else os.read(master, 4096)
        os.close(master)
        assert shown.count(b"#") == (0 if code else 3)
        if code:
            name = more[-1] if more else "pcapng"
            assert f"- writes {name}, which is no text: pipe it".encode() in done.stderr
            assert done.stderr.endswith(b"or name a file\n")


def test_fitting() -> None:
    assert fitting(["12 s", "5 frames", "0 lost"], 80) == "12 s  5 frames  0 lost"
    assert fitting(["12 s", "5 frames", "0 lost"], 15) == "12 s  5 frames"
    assert fitting(["12 s"], 3) == "12"


def test_doctor_opens_as_log_does() -> None:
    done = run("doctor", "virtual", "--seconds", "0.2")
    assert done.returncode == 0, done.stdout
