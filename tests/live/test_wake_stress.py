"""Descriptor, clock, cyclic sending and reconnecting between threads, under the sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unsanitized  # nothing of the extension in it

LONG = bool(os.environ.get("CANAL_FAST_LONG"))


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
@pytest.mark.parametrize("compiler", ["gcc", "clang"] if LONG else ["gcc"])
def test_live_path_between_threads(
    compiler: str, sanitizer: str, tree: Path, include_dir: Path, tmp_path: Path
) -> None:
    def build(source: str, name: str, *flags: str) -> str:
        command = [compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-O1", f"-I{include_dir}", *flags]
        built = subprocess.run([*command, str(tree / source), "-o", str(tmp_path / name), "-pthread", "-ldl"],
                               capture_output=True, text=True)  # fmt: skip
        assert built.returncode == 0, built.stderr
        return str(tmp_path / name)

    checked = [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=undefined"]
    if (compiler, sanitizer) == ("gcc", "thread"):
        checked.append("-Wno-tsan")  # fences, which it does not model; what they order here is atomic anyway
    (tmp_path / "probe.c").write_text("int main(void) { return 0; }\n")
    probe = [compiler, *checked, str(tmp_path / "probe.c"), "-o", str(tmp_path / "probe")]
    if (
        shutil.which(compiler) is None
        or subprocess.run(probe, capture_output=True).returncode
        or subprocess.run([str(tmp_path / "probe")], capture_output=True).returncode
    ):
        pytest.skip(f"NOT RUN: {compiler} has no {sanitizer} sanitizer that runs here")
    drivers = [
        build("canal_fast/drivers/virtual/virtual.c", "canal_virtual.so", "-shared", "-fPIC", *checked),
        build("tests/c/unplugged_driver.c", "unplugged.so", "-shared", "-fPIC", "-D_GNU_SOURCE"),
    ]
    program = build("tests/c/wake_stress.c", "wake_stress", *checked)
    run = subprocess.run([program, *drivers, "30" if LONG else "3"], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
