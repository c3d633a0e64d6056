"""`python benchmarks/instructions.py`: instructions per frame of the C kernels, against instructions.toml.

Counted by valgrind's callgrind, so the machine's load does not matter; the compiler's version does, a
little. Exit code 1 when a kernel takes more than its limit.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent


def total(program: Path, kernel: str, count: int) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, kernel, str(count)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    return int(re.search(r"Collected : (\d+)", said)[1])


def main() -> int:
    rows = tomllib.loads((HERE / "instructions.toml").read_text())["row"]
    missed = 0
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "instructions"
        source = HERE / "c" / "instructions.c"
        driver = HERE.parent / "canal_fast" / "drivers" / "virtual" / "virtual.c"
        flags = ["-O3", "-std=c11", f"-I{HERE.parent / 'include'}", "-pthread"]
        subprocess.run(["gcc", *flags, source, driver, "-o", program, "-ldl"], check=True)
        for row in rows:
            each = (total(program, row["id"], 21_000) - total(program, row["id"], 1_000)) / 20_000
            found[row["id"]] = each
            limit = 1.03 * found[row["than"]] if "than" in row else row["limit"]
            word = "ok" if each <= limit else "MISSED"
            missed += word != "ok"
            print(f"{row['id']:14} {row['what']:58} {each:8.1f} <= {limit:6.0f}  {word}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
