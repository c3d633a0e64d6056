"""Every writer of recordings on records that it may not have room for, under the address sanitizer."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.unsanitized  # nothing of the extension in it
def test_writers_stay_in_their_rows(tree: Path, include_dir: Path, tmp_path: Path) -> None:
    """20,000 fixed inputs: GVRET wrote CAN FD records, which it cannot hold, past the end of its row."""
    if shutil.which("gcc") is None:
        pytest.skip("NOT RUN: no gcc")
    program = str(tmp_path / "replay")
    sources = [str(tree / "tests/fuzz" / name) for name in ("fuzz_log_writing.c", "replay.c")]
    flags = ["-std=c11", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
    command = ["gcc", *flags, "-DCF_FUZZ_REPLAY", f"-I{include_dir}", *sources, "-o", program]
    built = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if "cannot find -l" in built.stderr:
        pytest.skip("NOT RUN: gcc has no address sanitizer here")
    assert built.returncode == 0, built.stderr
    ended = subprocess.run([program, "20000", "0"], capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("20000 ")
