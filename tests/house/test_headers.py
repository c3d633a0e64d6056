"""Each header compiles alone, as C and as C++, and all of them together."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from house_rules import headers

pytestmark = pytest.mark.unsanitized  # nothing of the extension in it

TREE = Path(__file__).resolve().parents[2]
NAMES = [path.relative_to(TREE / "include").as_posix() for path in headers(TREE)]
COMPILERS = {"c11": "gcc", "c++17": "g++"}


def compiled(names: list[str], language: str, include_dir: Path, tmp_path: Path) -> None:
    compiler = shutil.which(COMPILERS[language])
    if compiler is None:
        pytest.skip(f"NOT RUN: no compiler for {language}")
    source = tmp_path / ("alone.c" if language == "c11" else "alone.cpp")
    source.write_text("".join(f"#include <{name}>\n" for name in names))
    flags = ["-Wall", "-Wextra", "-Werror", "-pedantic", f"-std={language}", "-fsyntax-only", f"-I{include_dir}"]
    run = subprocess.run([compiler, *flags, str(source)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.slow
@pytest.mark.parametrize("language", COMPILERS)
@pytest.mark.parametrize("name", NAMES)
def test_header_compiles_alone(name: str, language: str, include_dir: Path, tmp_path: Path) -> None:
    compiled([name], language, include_dir, tmp_path)


@pytest.mark.parametrize("language", COMPILERS)
def test_headers_compile_together(language: str, include_dir: Path, tmp_path: Path) -> None:
    """No two headers give one name two meanings."""
    compiled(NAMES, language, include_dir, tmp_path)


def test_the_installed_headers_are_these(include_dir: Path) -> None:
    assert len(NAMES) > 60
    assert sorted(path.relative_to(include_dir).as_posix() for path in include_dir.rglob("*.h")) == sorted(NAMES)
