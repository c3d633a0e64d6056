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
    return subprocess.run(command, capture_output=True, text=True, timeout=240 if LONG else 60)


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
def test_runs_equal_single_messages(sanitized: Sanitized) -> None:
    """What the reader does for a whole run of messages, beside what it does for each, over every odd one between."""
    program = sanitized.build("tests/c/reader_runs.c", "reader_runs")
    for seed in range(20 if LONG else 2):
        ended = run(program, "200", str(seed))
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture
def virtual(sanitized: Sanitized) -> str:
    return sanitized.build("canal_fast/drivers/virtual/virtual.c", "canal_virtual.so", "-shared", "-fPIC")


@pytest.fixture
def host(sanitized: Sanitized) -> str:
    return sanitized.build("canal_fast/canal_host.c", "canal_host")


@pytest.mark.slow
def test_channel(sanitized: Sanitized, virtual: str) -> None:
    ended = run(sanitized.build("tests/c/channel_stress.c", "channel"), virtual, "30" if LONG else "1")
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
def test_channel_in_a_host(sanitized: Sanitized, virtual: str, host: str) -> None:
    ended = run(sanitized.build("tests/c/channel_stress.c", "channel"), virtual, "30" if LONG else "1", host)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
def test_a_host_that_is_killed_at_every_request(sanitized: Sanitized, virtual: str, host: str) -> None:
    ended = run(sanitized.build("tests/c/host_kills.c", "kills"), virtual, host)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("where", ["table", "port", "host"])
def test_filters_change_while_records_come(sanitized: Sanitized, where: str, host: str) -> None:
    program = sanitized.build("tests/c/filter_changes.c", "filter_changes")
    count = ["10000000", "1000"] if LONG else ["200000", "200"]
    fake = sanitized.build("tests/fake_canal/fake_canal.c", "fake.so", "-shared", "-fPIC")
    more = {"table": ["table", *count], "port": ["port", *count, fake], "host": ["port", *count, fake, host]}[where]
    ended = run(program, *more)
    assert ended.returncode == 0, ended.stdout + ended.stderr
