"""Programs and libraries of tests/c."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import canal_fast as cf

HERE = Path(__file__).resolve().parent.parent
STRICT = ("-O1", "-Wall", "-Wextra", "-Werror", "-pthread")


def build_c(name: str, folder: Path) -> Path:
    """tests/c/NAME.c as a program or, where its name says so, as a library."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform == "win32":
        pytest.skip("NOT RUN: no C compiler")
    program = folder / name
    shared = ["-shared", "-fPIC"] if name.endswith(("_driver", "_entry")) else []
    source = HERE / "c" / f"{name}.c"
    subprocess.run(
        [compiler, *STRICT, *shared, f"-I{cf.get_include()}", str(source), "-o", str(program), "-ldl"], check=True
    )
    return program
