"""Manual pages, help and the examples in them: whole, clean and true."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from canal_fast.cli import manual
from canal_fast.cli.parsers import COMMANDS, command_line
from canal_fast.cli.parsers.examples import EXAMPLES


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("manual") / "man1"
    assert manual.main([str(found)]) == 0
    return found


def test_there_is_a_page_for_each(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"canal-fast.1", *(f"canal-fast-{name}.1" for name in COMMANDS)}


def test_pages_have_every_option(folder: Path) -> None:
    parser = command_line()
    for name, below in next(row.choices for row in parser._actions if row.dest == "command").items():  # type: ignore
        text = (folder / f"canal-fast-{name}.1").read_text(encoding="utf-8").replace("\\-", "-")
        for action in below._actions:
            assert action.help, (name, action.dest)
            for option in action.option_strings if action.help != "==SUPPRESS==" else ():
                assert f"\\fB{option}\\fR" in text, (name, option)
        assert f"canal-fast {EXAMPLES[name][0][1]}" in text


def test_pages_are_clean(folder: Path) -> None:
    """groff warns of nothing, and shows what was meant."""
    man = shutil.which("man")
    if man is None or shutil.which("groff") is None:
        pytest.skip("NOT RUN: no man or no groff")
    for path in sorted(folder.iterdir()):
        done = subprocess.run(
            [man, "--warnings", "-l", "-P", "cat", str(path)],
            capture_output=True, text=True, timeout=60,
            env={"LC_ALL": "C.UTF-8", "MANWIDTH": "100", "PATH": "/usr/bin:/bin", "MANROFFOPT": "-ww"},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), path.name
        plain = re.sub(r".\x08", "", done.stdout)
        for title in ("NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "SEE ALSO"):
            assert re.search(rf"^{title}$", plain, re.M), (path.name, title)


def test_signs_of_roff_are_escaped() -> None:
    assert manual._text(".so x") == "\\&.so x"
    assert manual._text("C:\\x -o 'a'\n'b") == "C:\\ex \\-o 'a'\n\\&'b"


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert manual.main([]) == manual.main(["--help"]) == 2
    assert "usage: python -m canal_fast.cli.manual FOLDER" in capsys.readouterr().err


def test_examples_are_lines_that_the_parser_takes() -> None:
    assert set(EXAMPLES) == set(COMMANDS)
    for name, rows in EXAMPLES.items():
        for what, line in rows:
            args = command_line().parse_args(shlex.split(line))
            assert args.command == name
            assert not what.endswith(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_the_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line().parse_args([name, "--help"])
    lines = capsys.readouterr().out.rstrip().splitlines()
    assert lines[-len(EXAMPLES[name]) :] == [f"  canal-fast {line}" for _, line in EXAMPLES[name]]
    assert lines[-len(EXAMPLES[name]) - 1] == "examples:"
