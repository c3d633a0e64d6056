"""`python benchmarks/build.py [--against COMMIT] [--rounds N]`: CPU time of a build, and what each wing takes of it.

Each round builds fresh clones in turns, without a compiler cache: HEAD, COMMIT, and COMMIT with HEAD's setup.py, which
tells what the way of building gives, whatever has come since. User and system time of all processes, Cython's included.
Exit code 1 when the third takes more than `--limit` (0.65) of the second's time.
"""

from __future__ import annotations

import argparse
import collections
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
COMPILER = """#!/bin/bash
gcc "$@" || exit
{ echo "$*"; times; } >"$0.$$"
"""


def seconds(text: str) -> float:
    """The sum of bash's `0m1.234s 0m0.100s`."""
    return sum(60 * int(minutes) + float(rest) for minutes, rest in re.findall(r"(\d+)m([\d.]+)s", text))


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def build(commit: str, mended: bool, folder: Path) -> tuple[float, dict[str, float]]:
    """CPU time of all, and of the compiler by wing."""
    subprocess.run(["git", "clone", "-q", TREE, folder / "tree"], check=True)
    subprocess.run(["git", "checkout", "-q", commit], cwd=folder / "tree", check=True)
    if mended:
        (folder / "tree" / "setup.py").write_text((TREE / "setup.py").read_text())
    compiler = folder / "cc"
    compiler.write_text(COMPILER)
    compiler.chmod(0o755)
    environment = {**os.environ, "CC": str(compiler), "LDSHARED": f"{compiler} -shared", "CFLAGS": "", "LDFLAGS": ""}
    before = cpu()
    command = [sys.executable, "-W", "ignore", "setup.py", "-q", "build"]
    subprocess.run(command, cwd=folder / "tree", env=environment, check=True, stdout=subprocess.DEVNULL)
    total = cpu() - before
    wings: dict[str, float] = collections.Counter()
    for log in folder.glob("cc.*"):
        said, _, used = log.read_text().splitlines()
        source = re.search(r"canal_fast/(?:(\w+)/)?(?:\w+/)?\w+\.[co]\b", said)
        wings[(source and source[1]) or "ground"] += seconds(used)
    wings["Cython, setuptools"] = total - sum(wings.values())
    return total, wings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", default="0073a0f", metavar="COMMIT")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--limit", type=float, default=0.65)
    options = parser.parse_args()
    kinds = (("HEAD", False), (options.against, False), (options.against, True))
    totals: list[list[float]] = [[], [], []]
    parts: list[dict[str, float]] = [{}, {}, {}]
    for _ in range(options.rounds):
        for at, (commit, mended) in enumerate(kinds):
            with tempfile.TemporaryDirectory() as folder:
                total, parts[at] = build(commit, mended, Path(folder))
            totals[at].append(total)
    print(f"{'CPU seconds':20}" + "".join(f"{commit + ' anew' * mended:>16}" for commit, mended in kinds))
    for wing in sorted(set().union(*parts)):
        print(f"{wing:20}" + "".join(f"{part[wing]:16.1f}" if wing in part else f"{'-':>16}" for part in parts))
    head, then, anew = (statistics.median(times) for times in totals)
    word = "ok" if anew <= options.limit * then else "MISSED"
    print(f"{'all':20}{head:16.1f}{then:16.1f}{anew:16.1f}")
    print(
        f"HEAD's way of building takes {anew / then:.2f} of {options.against}'s, <= {options.limit}: {word};", end=" "
    )
    print(f"HEAD, with all that has come since, {head / then:.2f}")
    return word != "ok"


if __name__ == "__main__":
    sys.exit(main())
