"""What a start costs: `import canal_fast` beyond numpy's, every public name of it, and `canal-fast --version`.

CPU time, ms, the median of fresh processes; `python benchmarks/bench_start.py` prints all of them.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from typing import Any

import pytest

ROUNDS = 9
IMPORTS = """
import time
begin = time.process_time()
import numpy
numpy_alone = time.process_time()
import canal_fast
beyond = time.process_time()
for name in canal_fast.__all__:
    getattr(canal_fast, name)
print(numpy_alone - begin, beyond - numpy_alone, time.process_time() - numpy_alone)
"""
COMMAND = "import sys, time; sys.argv[1:] = {0!r}\nfrom canal_fast.__main__ import main\ntry: main()\nfinally: "
COMMAND += "print(time.process_time(), file=sys.stderr)"
LINES = {"--version": ["--version"], "--help": ["--help"], "wrong usage": ["nonsense"], "log --help": ["log", "--help"]}


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)


def start_ms() -> dict[str, float]:
    """Medians: numpy alone, canal_fast beyond it, the same with every name, and each line of LINES in all."""
    seen: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        times = run(IMPORTS).stdout.split()
        for name, text in zip(("numpy alone", "beyond numpy", "with every name"), times, strict=True):
            seen.setdefault(name, []).append(float(text) * 1e3)
        for name, line in LINES.items():
            told = run(COMMAND.format(line)).stderr.splitlines()
            seen.setdefault(f"canal-fast {name}", []).append(float(told[-1]) * 1e3)
    found = {name: statistics.median(values) for name, values in seen.items()}
    for name, value in found.items():
        print(f"   {name}: {value:.1f} ms")
    return found


def measure() -> dict[str, float | str]:
    found = start_ms()
    return {
        "import-beyond-numpy": found["beyond numpy"],
        "import-every-name": found["with every name"] / found["numpy alone"],
        "start-version": found["canal-fast --version"],
    }


def test_start(benchmark: Any) -> None:
    pytest.importorskip("pytest_benchmark")
    benchmark.pedantic(lambda: run("import canal_fast"), rounds=3)


if __name__ == "__main__":
    start_ms()
