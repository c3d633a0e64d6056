"""The bit timing headers under the sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unsanitized  # nothing of the extension in it

SOURCE = Path(__file__).parents[1] / "c" / "bittiming_random.c"
ROUNDS = "300000" if os.environ.get("CANAL_FAST_LONG") else "10000"


@pytest.mark.slow
def test_random_requests_under_sanitizers(include_dir: Path, tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("NOT RUN: no C compiler")
    program = tmp_path / "random"
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{include_dir}"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    build = subprocess.run(
        [compiler, *flags, *sanitizers, str(SOURCE), "-o", str(program)], capture_output=True, text=True
    )
    if build.returncode and "san" in build.stderr and "cannot find" in build.stderr:
        pytest.skip("NOT RUN: no sanitizer run-time libraries")
    assert build.returncode == 0, build.stderr
    run = subprocess.run([str(program), ROUNDS], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
