"""Threads, clocks and atomics behave and are laid out alike in C and in C++."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unsanitized  # nothing of the extension in it


@pytest.mark.parametrize(
    ("compiler", "language", "standard"),
    [("gcc", "c", "c11"), ("g++", "c++", "c++17"), ("clang", "c", "c11"), ("clang++", "c++", "c++17")],
)
def test_threads_and_atomics(
    compiler: str, language: str, standard: str, tree: Path, include_dir: Path, tmp_path: Path
) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"NOT RUN: no {compiler}")
    program, source = tmp_path / "portability", tree / "tests" / "c" / "portability.c"
    strict = ["-Wall", "-Wextra", "-Werror", "-pedantic", f"-std={standard}", "-O2", "-pthread", f"-I{include_dir}"]
    command = [compiler, *strict, "-x", language, str(source), "-o", str(program)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    ended = subprocess.run([str(program)], capture_output=True, text=True, timeout=60)
    # Nothing wrong, the mutex was held, 200,000 turns counted three ways, offsets and size.
    assert ended.stdout == f"0 0 {200_000 << 20} 200000 200000 8 20 24\n"
    assert ended.returncode == 0
