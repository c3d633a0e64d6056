"""`python benchmarks/instructions.py`: instructions per frame of the C kernels, against instructions.toml.

Counted by valgrind's callgrind, for ARM by qemu, so the machine's load does not matter; the compiler's version does.
With the compiler that the stored counts are of, a kernel may take 3 % more than its count, and not 3 % less either:
then another path than the named one ran, or there is a new count to be stored. A row with units is also run with other
ones, which must show.
Exit code 1 when a row misses.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
TOLERANCE, OTHER_COMPILER = 1.03, 1.15
WRONG_UNITS = 4  # exit code of wire_instructions.c
ARM = "/usr/aarch64-linux-gnu"  # Debian's libc6-dev-arm64-cross
BATCHES = {"instructions": 1000, "wire_instructions": 1024}  # frames, by program
SAYS = ("fullversion", "machine")  # what a gcc is asked
Row = dict[str, Any]


def by_valgrind(command: list[str]) -> int | None:
    """Instructions of a run; None where the processor lacks what it asks for."""
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run([*tool, *command], capture_output=True, text=True, check=False)
    if done.returncode == WRONG_UNITS:
        return None
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or found is None:
        raise RuntimeError(f"{' '.join(command)}: {(done.stderr.strip().splitlines() or ['it ended'])[-1]}")
    return int(found[1])


def by_qemu(command: list[str]) -> int | None:
    """The same: qemu writes a line an instruction."""
    tool = ["qemu-aarch64-static", "-L", ARM]
    options = subprocess.run([tool[0], "-help"], capture_output=True, text=True, check=False).stdout
    tool += ["-one-insn-per-tb" if "one-insn-per-tb" in options else "-singlestep"]  # the latter until qemu 8.0
    with subprocess.Popen([*tool, "-d", "exec,nochain", "-D", "/dev/stdout", *command], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        count = sum(line.startswith(b"Trace") for line in run.stdout)
    if run.returncode == WRONG_UNITS:
        return None
    if run.returncode or not count:
        raise RuntimeError(f"{' '.join(command)}: code {run.returncode}, {count} instructions")
    return count


class Machine(NamedTuple):
    total: Callable[[list[str]], int | None]
    batches: int  # the more, the less is rounded
    compiler: str
    tool: str
    libc: str = ""


MACHINES = {
    "x86_64": Machine(by_valgrind, 20, "gcc", "valgrind"),
    "aarch64": Machine(by_qemu, 2, "aarch64-linux-gnu-gcc", "qemu-aarch64-static", f"{ARM}/lib/libc.so.6"),
}


def unit_bits() -> dict[str, int]:
    """Bits of the units, from cpu.h."""
    text = (HERE.parent / "include" / "canal_fast" / "cpu.h").read_text()
    return {name: 1 << int(bit) for bit, name in re.findall(r'X\(\w+, (\d+), "(\w+)"', text)}


def program(row: Row) -> str:
    return "wire_instructions" if "units" in row else "instructions"


def each(machine: Machine, folder: Path, row: Row, units: str | None) -> float | None:
    """Instructions a frame."""
    batch, bits = BATCHES[program(row)], unit_bits()
    more = [] if units is None else [str(sum(bits[unit] for unit in units.split()))]
    command = [str(folder / program(row)), str(row.get("kernel", row["id"]))]
    many, few = (machine.total([*command, str(n * batch), *more]) for n in (machine.batches + 1, 1))
    return None if many is None or few is None else (many - few) / (machine.batches * batch)


def judge(row: Row, count: float, other: float | None, found: dict[str, float], pinned: bool) -> tuple[str, str]:
    """(the allowed interval, the verdict)."""
    most = min(row.get("limit", float("inf")), row["count"] * (TOLERANCE if pinned else OTHER_COMPILER))
    if "than" in row:
        most = min(most, TOLERANCE * found[row["than"]])
    least = row["count"] / (TOLERANCE if pinned else OTHER_COMPILER)
    word = "ok" if least <= count <= most else "MISSED" if count > most else "LESS: another path, or a count to store"
    if other is not None and max(other, count) <= TOLERANCE * min(other, count):
        word = f"MISSED: the same with {row['not']!r}"
    elif other is not None and other < row.get("times", 0) * count:
        word = f"MISSED: {other / count:.2f} times fewer than with {row['not']!r}, of {row['times']}"
    return f"{least:.1f} .. {most:.1f}", word


def build(machine: Machine, folder: Path, names: set[str]) -> None:
    flags = ["-O3", "-std=c11", f"-I{HERE.parent / 'include'}", "-pthread"]
    more = {"instructions": [HERE.parent / "canal_fast" / "drivers" / "virtual" / "virtual.c"]}
    for name in names:
        sources = [HERE / "c" / f"{name}.c", *more.get(name, [])]
        subprocess.run([machine.compiler, *flags, *sources, "-o", folder / name, "-ldl"], check=True)


def count_rows(name: str, rows: list[Row], gcc: str) -> int:
    """Prints a machine's rows. How many missed."""
    machine = MACHINES[name]
    absent = [tool for tool in (machine.compiler, machine.tool) if not shutil.which(tool)]
    if not Path(machine.libc).exists():
        absent.append(machine.libc)
    if absent:
        print(f"{name} NOT RUN: no {', no '.join(absent)}: {', '.join(row['id'] for row in rows)}")
        return 0
    missed = 0
    found: dict[str, float] = {}
    version, target = (subprocess.check_output([machine.compiler, f"-dump{what}"], text=True).strip() for what in SAYS)
    pinned = version.split(".")[0] == gcc and target.startswith(name)
    note = "" if pinned else f", for {target}; the counts are of gcc {gcc} for {name}: 15 % is allowed"
    print(f"{name}: {machine.tool}, {machine.compiler} {version}{note}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        build(machine, folder, set(map(program, rows)))
        for row in rows:
            units = row.get("units")
            count = each(machine, folder, row, units)
            if count is None:
                print(f"{row['id']:16} {row['what']:62} NOT RUN: {machine.tool}'s processor has not all of {units}")
                continue
            found[row["id"]] = count
            other = each(machine, folder, row, row["not"]) if "not" in row else None
            interval, word = judge(row, count, other, found, pinned)
            missed += word != "ok"
            print(f"{row['id']:16} {row['what']:62} {count:8.1f} of {interval:20} {word}")
    return missed


def main() -> int:
    stored = tomllib.loads((HERE / "instructions.toml").read_text())
    rows: dict[str, list[Row]] = {name: [] for name in MACHINES}
    for row in stored["row"]:
        rows[row.get("machine", "x86_64")].append(row)
    return 1 if sum(count_rows(name, rows[name], stored["gcc"]) for name in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
