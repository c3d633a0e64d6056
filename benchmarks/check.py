"""Measure every row of targets.toml beside its peer and judge it: `python benchmarks/check.py [--only ID ...]`.

`--against TREE` measures another checkout, with its own environment in TREE/.venv, in turns with this one.

Exit code 0: every row reached its target or could not run; 1: a row missed; 2: the table and the
benchmarks disagree.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import statistics
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
WHAT_WIDTH = 72
KINDS = {"at_least": (">=", float.__ge__), "at_most": ("<=", float.__le__)}
Row = dict[str, Any]
Value = float | str


def load(name: str) -> ModuleType:
    """The bench module of that file name."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, HERE / name)
    if spec is None or spec.loader is None or not (HERE / name).is_file():
        raise LookupError(f"{name}: no such benchmark")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_rows(path: Path) -> list[Row]:
    rows: list[Row] = tomllib.loads(path.read_text()).get("row", [])
    ids = [row["id"] for row in rows]
    if twice := {i for i in ids if ids.count(i) > 1}:
        raise LookupError(f"listed twice: {', '.join(sorted(twice))}")
    if bad := [row["id"] for row in rows if row["kind"] not in KINDS]:
        raise LookupError(f"kind is neither at_least nor at_most: {', '.join(bad)}")
    return rows


# What another tree measures is asked of its own benchmark, in its own process.
ASK = """
import importlib.util, json, sys
path = sys.argv[1]
sys.path.insert(0, path.rpartition("/")[0])
spec = importlib.util.spec_from_file_location("bench", path)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(json.dumps(module.measure()))
"""


def ask(tree: Path, python: str, bench: str) -> dict[str, Value]:
    """What that tree's module measures; nothing where it has none."""
    path = tree / "benchmarks" / bench
    if not path.is_file():
        return {}
    done = subprocess.run([python, "-P", "-c", ASK, str(path)], capture_output=True, text=True, cwd=tree, check=False)
    if done.returncode:
        raise LookupError(f"{path}: {(done.stderr.strip().splitlines() or ['it ended'])[-1]}")
    values: dict[str, Value] = json.loads(done.stdout.splitlines()[-1])
    return values


def measure_both(bench: str, tree: Path, repeat: int) -> tuple[dict[str, Value], dict[str, Value]]:
    """Medians of this tree and that one, which take turns."""
    runs: tuple[list[dict[str, Value]], list[dict[str, Value]]] = ([], [])
    for turn in range(repeat):
        for side in (0, 1) if turn % 2 == 0 else (1, 0):
            where = (HERE.parent, sys.executable) if side == 0 else (tree, str(tree / ".venv" / "bin" / "python"))
            runs[side].append(ask(*where, bench))
    ours, theirs = ({name: middle([run[name] for run in side]) for name in side[0]} for side in runs)
    return ours, theirs


def middle(values: list[Value]) -> Value:
    """The median of the runs; a run that did not happen decides alone."""
    words = [value for value in values if isinstance(value, str)]
    return words[0] if words else statistics.median(float(value) for value in values)


def measure(bench: str, listed: set[str], repeat: int) -> dict[str, Value]:
    """What one module measures: exactly the ids listed for it."""
    module = load(bench)
    runs: list[dict[str, Value]] = [module.measure() for _ in range(repeat)]
    found = set().union(*runs)
    if found != listed:
        unlisted, missing = sorted(found - listed), sorted(listed - found)
        raise LookupError(f"{bench}: measured but not listed: {unlisted}; listed but not measured: {missing}")
    return {name: middle([run[name] for run in runs]) for name in sorted(found)}


def judge(row: Row, value: Value) -> tuple[str, str]:
    """(measured, verdict) in words."""
    if isinstance(value, str):
        return "-", value.upper()
    return f"{value:.3g}", "ok" if KINDS[row["kind"]][1](float(value), float(row["target"])) else "MISSED"


def table(lines: list[tuple[str, ...]]) -> str:
    """Aligned columns; a long `what` goes on in the next line."""
    wrapped = [(line, textwrap.wrap(line[1], WHAT_WIDTH) or [""]) for line in lines]
    widths = [max(len(line[i]) for line in lines) for i in range(5)]
    widths[1] = max(len(part) for _, parts in wrapped for part in parts)
    out = []
    for line, parts in wrapped:
        cells = (
            line[0].ljust(widths[0]),
            parts[0].ljust(widths[1]),
            line[2].rjust(widths[2]),
            line[3].rjust(widths[3]),
        )
        out.append("  ".join((*cells, line[4])).rstrip())
        out += [" " * (widths[0] + 2) + part for part in parts[1:]]
    return "\n".join(out)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure the rows of targets.toml and judge them.")
    parser.add_argument("--only", nargs="+", metavar="ID", help="judge these rows only")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="measure N times, take the median")
    parser.add_argument("--against", type=Path, metavar="TREE", help="another checkout, installed in TREE/.venv")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the figures there, as the manual shows them")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the table there as a page")
    parser.add_argument("--machine", default=platform.node(), metavar="NAME", help="this machine's name in those files")
    options = parser.parse_args(arguments)
    try:
        rows = read_rows(HERE / "targets.toml")
        wanted = options.only or [row["id"] for row in rows]
        if unknown := set(wanted) - {row["id"] for row in rows}:
            raise LookupError(f"no such row: {', '.join(sorted(unknown))}")
        measured: dict[str, Value] = {}
        before: dict[str, Value] = {}
        for bench in dict.fromkeys(row["bench"] for row in rows if row["id"] in wanted):
            print(f"-- {bench}", flush=True)
            listed = {row["id"] for row in rows if row["bench"] == bench}
            if options.against is None:
                measured |= measure(bench, listed, max(options.repeat, 1))
            else:
                both = measure_both(bench, options.against.resolve(), max(options.repeat, 1))
                measured, before = measured | both[0], before | both[1]
    except LookupError as error:
        print(f"check.py: {error.args[0]}", file=sys.stderr)
        return 2
    lines: list[tuple[str, ...]] = [("id", "what", "measured", "target", "verdict")]
    for row in (row for row in rows if row["id"] in wanted):
        target = f"{KINDS[row['kind']][0]} {row['target']:g}"
        number, verdict = judge(row, measured[row["id"]])
        if options.against is not None:
            number = f"{judge(row, before[row['id']])[0] if row['id'] in before else '-'} -> {number}"
        lines.append((row["id"], row["what"], number, target, verdict))
    print(table(lines))
    if options.html is not None:
        load("page.py").write(options.html, load("results.py").machine(options.machine), lines)
    if options.json is not None:
        load("results.py").store(options.json, options.machine, {row: measured[row] for row in wanted})
    return 1 if any(line[4] == "MISSED" for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
