"""The player's threads under the sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.unsanitized, pytest.mark.slow]  # nothing of the extension in it

ROUNDS = "100" if os.environ.get("CANAL_FAST_LONG") else "8"


@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
def test_lanes(sanitizer: str, tree: Path, include_dir: Path, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("NOT RUN: no gcc")
    program = str(tmp_path / "play_stress")
    flags = [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=undefined", "-std=c11", "-g", "-O1", "-pthread"]
    strict = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-Wno-tsan", f"-I{include_dir}"]
    source = str(tree / "tests/c/play_stress.c")
    built = subprocess.run(["gcc", *flags, *strict, source, "-o", program], capture_output=True, text=True, timeout=60)
    if "cannot find -l" in built.stderr or "libclang_rt" in built.stderr:
        pytest.skip(f"NOT RUN: gcc has no {sanitizer} sanitizer here")
    assert built.returncode == 0, built.stderr
    ended = subprocess.run([program, ROUNDS], capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stdout + ended.stderr
