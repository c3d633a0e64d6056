"""The ring and the whole channel between threads, under the sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.unsanitized  # nothing of the extension in it

LONG = bool(os.environ.get("CANAL_FAST_LONG"))
COMPILERS = ["gcc", "clang"] if LONG else ["gcc"]
SANITIZERS = [(compiler, sanitizer) for compiler in COMPILERS for sanitizer in ("address,undefined", "thread")]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


class Sanitized:
    """A compiler with a sanitizer; skips where there is none that runs."""

    def __init__(self, compiler: str, sanitizer: str, tree: Path, include_dir: Path, folder: Path) -> None:
        self.command = [compiler, f"-fsanitize={sanitizer}", "-fno-sanitize-recover=undefined", "-pthread"]
        self.tree, self.include_dir, self.folder = tree, include_dir, folder
        # gcc's thread sanitizer does not model fences, and says so; what they order here is atomic anyway.
        self.strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-O1"]
        if (compiler, sanitizer) == ("gcc", "thread"):
            self.strict.append("-Wno-tsan")
        probe = folder / "probe.c"
        probe.write_text("int main(void) { return 0; }\n")
        if shutil.which(compiler) is None:
            pytest.skip(f"NOT RUN: no {compiler}")
        program = folder / "probe"
        if run(*self.command, str(probe), "-o", str(program)).returncode or run(str(program)).returncode:
            pytest.skip(f"NOT RUN: {compiler} has no {sanitizer} sanitizer that runs here")

    def build(self, source: str, name: str, *flags: str) -> str:
        target = str(self.folder / name)
        files = [str(self.tree / source), "-o", target, "-ldl"]
        built = run(*self.command, *self.strict, f"-I{self.include_dir}", *flags, *files)
        assert built.returncode == 0, built.stderr
        return target


@pytest.fixture(params=SANITIZERS, ids=lambda p: "-".join(p))
def sanitized(request: pytest.FixtureRequest, tree: Path, include_dir: Path, tmp_path: Path) -> Sanitized:
    return Sanitized(*request.param, tree, include_dir, tmp_path)


def test_ring(sanitized: Sanitized) -> None:
    ended = run(sanitized.build("tests/c/ring_stress.c", "ring"), str(10_000_000 if LONG else 200_000))
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
def test_channel(sanitized: Sanitized) -> None:
    driver = sanitized.build("canal_fast/drivers/virtual/virtual.c", "canal_virtual.so", "-shared", "-fPIC")
    ended = run(sanitized.build("tests/c/channel_stress.c", "channel"), driver, "30" if LONG else "1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
