"""`canal-fast --version --verbose`: whole where much is broken, and without the user's name."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import canal_fast as cf
from canal_fast.__main__ import main
from canal_fast.cli import about


def told(text: str) -> dict[str, str]:
    first, *rest = text.splitlines()
    assert first == f"canal-fast {cf.__version__}"
    return dict(line.split(": ", 1) for line in rest)


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "canal_fast", "--version", "--verbose"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment})


def test_what_a_report_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version", "--verbose"]) == 0
    rows = told(capsys.readouterr().out)
    assert list(rows) == list(about.ROWS)
    assert not [row for row in rows.values() if row.startswith("not known")]
    assert rows["numpy"] == np.__version__
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in rows["python"]
    assert any(name in rows["compiler"] for name in ("GCC", "Clang", "clang", "MSVC"))
    assert "portable" in rows["simd"]
    assert "canal_virtual" in rows["drivers"]
    assert "missing" not in rows["drivers"]
    assert "python-can " in rows["packages"]
    assert "hypothesis" not in rows["packages"]


def test_the_version_alone_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"canal-fast {cf.__version__}\n"


def test_extras_are_those_of_the_package() -> None:
    offered = metadata.metadata("canal_fast").get_all("Provides-Extra") or []
    assert set(about.EXTRAS) == set(offered) - {"test", "programs", "bench", "dev"} - {"docs"}


def test_a_broken_numpy_is_what_it_tells(tmp_path: Path) -> None:
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy" / "__init__.py").write_text("raise ImportError('no multiarray here')")
    done = run(PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    rows = told(done.stdout)
    assert list(rows) == list(about.ROWS)
    assert rows["numpy"] == "not known: ImportError: no multiarray here"
    assert "canal_virtual" in rows["drivers"]


def test_a_wrong_variable_is_what_it_tells() -> None:
    done = run(CANAL_FAST_SIMD="sse9", CANAL_FAST_LIBRARY_PATH="somewhere")
    rows = told(done.stdout)
    assert done.returncode == 0
    assert rows["simd"].startswith("not known: CanalFastError: CANAL_FAST_SIMD = 'sse9', this machine has portable")
    assert rows["variables"] == "CANAL_FAST_SIMD=sse9, CANAL_FAST_LIBRARY_PATH=somewhere"


def test_the_users_name_is_not_told(tmp_path: Path) -> None:
    home = tmp_path / "gwendolyn"
    home.mkdir()
    names = {name: "gwendolyn" for name in ("LOGNAME", "USER", "LNAME", "USERNAME")}
    paths = os.pathsep.join([str(home / "drivers"), os.path.join(os.sep, "srv", "gwendolyn", "lib")])
    done = run(HOME=str(home), USERPROFILE=str(home), CANAL_FAST_LIBRARY_PATH=paths, **names)
    rows = told(done.stdout)
    assert "gwendolyn" not in done.stdout
    assert rows["variables"] == "CANAL_FAST_LIBRARY_PATH=" + os.pathsep.join(
        [os.path.join("~", "drivers"), os.path.join(os.sep, "srv", "USER", "lib")]
    )


def test_a_name_that_is_part_of_a_word_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "can")
    assert about.anonymous("/usr/lib/can/canal_fast /opt/canal") == "/usr/lib/USER/canal_fast /opt/canal"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ([], "COMMAND is missing; --help lists them"),
        (["--verbose"], "COMMAND is missing; --help lists them"),
        (["--verbose", "list"], "--verbose goes with --version; `canal-fast log` has one of its own"),
    ],
)
def test_mistakes(line: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
