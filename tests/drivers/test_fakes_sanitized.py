"""The live path, in C alone, on every misbehaving driver at once under the sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_table import LP64, ROWS, build

pytestmark = [
    pytest.mark.skipif(not LP64, reason="NOT RUN: the fakes are built for 64-bit POSIX systems"),
    pytest.mark.unsanitized,  # it brings its own
]
SOURCE = Path(__file__).parents[1] / "c" / "fake_matrix.c"
# What the fakes are built with, too: overruns of our buffers are theirs; races within them are not ours.
# Nor are calls that never return: it is errands that give those up, and they are Python's.
RUN = [row for row in ROWS if not row.dies and not row.alone and "hang_" not in row.config]
Run = subprocess.Popen[str] | str
SANITIZERS = {"address,undefined": ("-fsanitize=address,undefined",), "thread": ()}


@pytest.fixture(scope="module")
def runs(include_dir: Path, fakes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """Both programs, at the same time; the reason where one could not be built."""
    folder = tmp_path_factory.mktemp("sanitized")
    started = {name: start(name, include_dir, fakes, folder) for name in SANITIZERS}
    yield started
    for run in started.values():
        if not isinstance(run, str):
            run.kill()
            run.communicate()


def start(sanitizer: str, include_dir: Path, fakes: Path, folder: Path) -> Run:
    compiler = shutil.which("gcc")
    if compiler is None:
        return "NOT RUN: no gcc"
    program, table = folder / sanitizer, folder / f"{sanitizer}.rows"
    # TSan knows no fences; what they order here is atomic anyway.
    flags = [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all", "-g", "-std=c11", "-Wall", "-Wextra", "-Wno-tsan"]
    command = [compiler, *flags, "-Werror", f"-I{include_dir}", str(SOURCE), "-o", str(program), "-ldl", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True)
    if "cannot find" in done.stderr:
        return f"NOT RUN: no runtime for -fsanitize={sanitizer}"
    assert done.returncode == 0, done.stderr
    lines = []
    for row in RUN:
        numbers = (row.count, row.malformed, row.statuses, int(row.sizes), int(row.opens), row.error or 0)
        library = build(row, fakes, SANITIZERS[sanitizer])
        lines.append("\t".join([str(library), row.text, row.options.get("profile", "auto"), *map(str, numbers)]))
    table.write_text("\n".join(lines) + "\n")
    # The driver that hangs in a receive keeps its thread: that is what it costs.
    environment = {**os.environ, "TSAN_OPTIONS": "report_thread_leaks=0"}
    return subprocess.Popen(
        [program, table], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


@pytest.mark.slow
@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_every_fake_is_survived(sanitizer: str, runs: dict[str, Run]) -> None:
    run = runs[sanitizer]
    if isinstance(run, str):
        pytest.skip(run)
    out, errors = run.communicate(timeout=60)
    assert run.returncode == 0, out + errors[-6000:]
    assert out.count("survived") == len(RUN), out
