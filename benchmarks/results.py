"""What was measured where: a file of results that the manual's page of measurements is made from."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

import canal_fast
from canal_fast.processor import available

Results = dict[str, Any]
HEAD = ("machine", "processor", "cores", "kernels", "system", "python", "numpy", "compiler", "canal_fast")


def processor() -> str:
    """The processor's name, as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def compiler() -> str:
    """The C compiler's name and version; of those who build, it is the one that built this package."""
    try:
        said = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return said.splitlines()[0]


def machine(name: str) -> Results:
    """What the figures of this run hold for."""
    values = (
        name, processor(), cores(), available()[-1], f"{platform.system()} {platform.release()} {platform.machine()}",
        f"{platform.python_implementation()} {platform.python_version()}", np.__version__, compiler(),
        canal_fast.__version__,
    )  # fmt: skip
    return dict(zip(HEAD, values, strict=True))


def rounded(value: float | str) -> float | str:
    """Four digits: the rest is noise."""
    return value if isinstance(value, str) else float(f"{value:.4g}")


def store(path: Path, name: str, measured: dict[str, float | str], today: str | None = None) -> None:
    """Put these figures into a file, whose other rows stay where they are of the same machine and versions.

    A figure is a number, or in words why there is none.
    """
    date = today or dt.datetime.now(dt.UTC).date().isoformat()
    runs: list[Results] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    here = machine(name)
    run = next((run for run in runs if all(run.get(key) == here[key] for key in HEAD)), None)
    if run is None:
        runs = [run for run in runs if run["machine"] != name]  # an older state of this machine
        runs.append(run := {**here, "rows": {}})
    run["rows"].update({row: {"value": rounded(value), "date": date} for row, value in measured.items()})
    run["rows"] = dict(sorted(run["rows"].items()))
    path.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
