"""The shell's completion, by a real bash; and nothing heavy for it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from canal_fast.cli.parsers import COMMANDS, completion, names

argcomplete = pytest.importorskip("argcomplete", reason="NOT RUN: argcomplete is not installed")
BIN = Path(sys.executable).parent
BASH = shutil.which("bash")
pytestmark = [
    pytest.mark.posix,
    pytest.mark.skipif(BASH is None or not (BIN / "canal-fast").is_file(), reason="NOT RUN: no bash, or no command"),
]
REGISTER = f'eval "$({shlex.quote(sys.executable)} -m argcomplete.scripts.register_python_argcomplete canal-fast)"\n'
ASK = """
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_TYPE=9
_python_argcomplete canal-fast
printf '%s\\n' "${COMPREPLY[@]}"
"""


def offered(line: str, folder: Path) -> list[str]:
    """What bash gets for the line with the cursor at its end."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "LINE": line}
    done = subprocess.run(
        [str(BASH), "--norc", "-c", REGISTER + ASK],
        env=environment, cwd=folder, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return [word.strip() for word in done.stdout.splitlines() if word.strip()]


def test_commands(tmp_path: Path) -> None:
    assert set(COMMANDS) <= set(offered("canal-fast ", tmp_path))
    assert offered("canal-fast st", tmp_path) == ["stat"]
    assert offered("canal-fast dump --nano", tmp_path) == ["--nanoseconds"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("canal-fast stat x.log --sort ", set(names.STAT_SORTS)),
        ("canal-fast dump --format ca", {"candump", "candump-delta"}),
        ("canal-fast convert a b --to t", {"trc", "trc-1.1"}),
        ("canal-fast convert a b --to pa", {"parquet"}),
        ("canal-fast log --profile usb2can-", {"usb2can-korlan", "usb2can-winusb"}),
        ("canal-fast timing 500000 --limits mcp", {"mcp251x", "mcp251xfd"}),
        ("canal-fast filters --ids 1 --controller mcp2517", {"mcp2517fd"}),
        ("canal-fast log --source u", {"usb2can:"}),
        ("canal-fast play a.log --source lib", {"library="}),
        ("canal-fast log --source virtual:b", {"bus0"}),  # what is behind the colon is a word of its own to bash
        ("canal-fast log --library virt", {"virtual"}),
        ("canal-fast doctor virt", {"virtual"}),
        ("canal-fast log --frames ", set()),
    ],
)  # fmt: skip
def test_words(line: str, words: set[str], tmp_path: Path) -> None:
    assert set(offered(line, tmp_path)) == words


def test_files(tmp_path: Path) -> None:
    for name in ("drive.blf", "drive.asc", "car.dbc"):
        (tmp_path / name).touch()
    assert set(offered("canal-fast stat dri", tmp_path)) == {"drive.blf", "drive.asc"}
    assert offered("canal-fast decode drive.blf --dbc c", tmp_path) == ["car.dbc"]
    assert offered("canal-fast doctor dri", tmp_path) != []


def test_words_behind_a_source() -> None:
    assert completion.sources("virtual:b,f") == ["virtual:b," + word for word in completion._WORDS]
    assert "virtual:b,fd,fd" not in completion.sources("virtual:b,fd,")
    assert "usb2can:X,profile=usb2can" in completion.sources("usb2can:X,profile=us")


def test_interfaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, kind in (("can0", 280), ("eth0", 1), ("vcan1", 280)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "type").write_text(f"{kind}\n")
    monkeypatch.setattr(completion, "_NETWORK", str(tmp_path))
    assert list(completion.interfaces()) == ["can0", "vcan1"]
    assert completion.sources("")[:2] == ["socketcan:can0", "socketcan:vcan1"]
    monkeypatch.setattr(completion, "_NETWORK", str(tmp_path / "none"))
    assert list(completion.interfaces()) == []
    assert "socketcan:" in completion.sources("")


def test_a_terminal_completes(tmp_path: Path) -> None:
    """Typed into an interactive bash: the tabulator finishes command, option and word."""
    import pty
    import select

    (tmp_path / "rc").write_text(f"PS1='ready$ '\nbind 'set bell-style none'\nPATH={BIN}:$PATH\n{REGISTER}")
    pid, terminal = pty.fork()
    if pid == 0:
        words = ["bash", "--noprofile", "--rcfile", str(tmp_path / "rc"), "-i"]
        os.execve(str(BASH), words, {**os.environ, "TERM": "dumb"})
    seen = b""
    try:
        deadline = time.monotonic() + 60

        def until(words: bytes) -> None:
            nonlocal seen
            while words not in seen and time.monotonic() < deadline:
                if select.select([terminal], [], [], 0.1)[0]:
                    seen += os.read(terminal, 4096)
            assert words in seen, seen

        until(b"ready$ ")
        for typed, whole in ((b"canal-fast sta\t", b"stat "), (b"x --so\t", b"--sort "), (b"lo\t", b"load ")):
            seen = b""
            os.write(terminal, typed)
            until(whole)
        os.write(terminal, b"\x03")
    finally:
        os.write(terminal, b"\x03\nexit\n")
        os.close(terminal)
        os.waitpid(pid, 0)


def test_completion_loads_no_numpy(tmp_path: Path) -> None:
    program = """
import os, sys
def ended(code):
    print(code, sorted({"numpy", "canal_fast.logs"} & set(sys.modules)))
    sys.exit()
os._exit = ended  # argcomplete ends so
from canal_fast.__main__ import main
main([])
"""
    line = "canal-fast log --source so"
    asked = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "out"), "_ARGCOMPLETE_IFS": "\n"}
    environment = {**os.environ, **asked, "COMP_LINE": line, "COMP_POINT": str(len(line))}
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout == "0 []\n", done.stderr
    assert "socketcan:" in (tmp_path / "out").read_text()


def test_without_argcomplete_nothing_is_offered_and_nothing_is_run(tmp_path: Path) -> None:
    (tmp_path / "argcomplete.py").write_text("raise ImportError")
    environment = {**os.environ, "_ARGCOMPLETE": "1", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "canal_fast", "formats"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
