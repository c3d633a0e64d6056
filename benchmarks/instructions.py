"""`python benchmarks/instructions.py`: instructions per frame of the C kernels, against instructions.toml.

Counted by valgrind's callgrind, so the machine's load does not matter; the compiler's version does. With the compiler
that the stored counts are of, a kernel may take 3 % more than its count, and not 3 % less either: then another path
than the named one ran, or there is a new count to be stored. A row with units is also run with other ones, which must
show.
Exit code 1 when a row misses.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
TOLERANCE, OTHER_COMPILER = 1.03, 1.15
WRONG_UNITS = 4  # exit code of wire_instructions.c
Row = dict[str, Any]


def unit_bits() -> dict[str, int]:
    """Bits of the units, from cpu.h."""
    text = (HERE.parent / "include" / "canal_fast" / "cpu.h").read_text()
    return {name: 1 << int(bit) for bit, name in re.findall(r'X\(\w+, (\d+), "(\w+)"', text)}


def total(command: list[str]) -> int | None:
    """Instructions of a run; None where valgrind's processor lacks what it asks for."""
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run([*tool, *command], capture_output=True, text=True, check=False)
    if done.returncode == WRONG_UNITS:
        return None
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(f"{' '.join(command)}: {(done.stderr.strip().splitlines() or ['it ended'])[-1]}")
    return int(found[1])


def each(folder: Path, row: Row, units: str | None) -> float | None:
    """Instructions a frame."""
    name, batch = ("instructions", 1000) if units is None else ("wire_instructions", 1024)
    bits = unit_bits()
    more = [] if units is None else [str(sum(bits[unit] for unit in units.split()))]
    many, few = (total([str(folder / name), row.get("kernel", row["id"]), str(n * batch), *more]) for n in (21, 1))
    return None if many is None or few is None else (many - few) / (20 * batch)


def judge(row: Row, count: float, other: float | None, found: dict[str, float], pinned: bool) -> tuple[str, str]:
    """(the allowed interval, the verdict)."""
    most = min(row.get("limit", float("inf")), row["count"] * (TOLERANCE if pinned else OTHER_COMPILER))
    if "than" in row:
        most = min(most, TOLERANCE * found[row["than"]])
    least = row["count"] / (TOLERANCE if pinned else OTHER_COMPILER)
    word = "ok" if least <= count <= most else "MISSED" if count > most else "LESS: another path, or a count to store"
    if other is not None and max(other, count) <= TOLERANCE * min(other, count):
        word = f"MISSED: the same with {row['not']!r}"
    return f"{least:.1f} .. {most:.1f}", word


def main() -> int:
    stored = tomllib.loads((HERE / "instructions.toml").read_text())
    missed = 0
    found: dict[str, float] = {}
    version = subprocess.run(["gcc", "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    pinned = version.split(".")[0] == stored["gcc"] and platform.machine() == "x86_64"
    if not pinned:
        print(f"gcc {version}, {platform.machine()}: the counts are of gcc {stored['gcc']} for x86_64; 15 % is allowed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        driver = HERE.parent / "canal_fast" / "drivers" / "virtual" / "virtual.c"
        flags = ["-O3", "-std=c11", f"-I{HERE.parent / 'include'}", "-pthread"]
        for source, more in (("instructions", [driver]), ("wire_instructions", [])):
            command = ["gcc", *flags, HERE / "c" / f"{source}.c", *more, "-o", folder / source, "-ldl"]
            subprocess.run(command, check=True)
        for row in stored["row"]:
            units = row.get("units")
            count = each(folder, row, units)
            if count is None:
                print(f"{row['id']:16} {row['what']:62} NOT RUN: valgrind's processor has not all of {units}")
                continue
            found[row["id"]] = count
            other = each(folder, row, row["not"]) if "not" in row else None
            interval, word = judge(row, count, other, found, pinned)
            missed += word != "ok"
            print(f"{row['id']:16} {row['what']:62} {count:8.1f} of {interval:20} {word}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
