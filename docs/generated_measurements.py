"""The measurements: rows of targets.toml with the figures of measurements.json."""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from generated_markdown import escaped, table

__all__ = ["measurements"]

HERE = Path(__file__).resolve().parent
BENCHMARKS = HERE.parent / "benchmarks"


def measurements(_: str = "") -> str:
    """All rows of targets.toml with the figures of measurements.json; NOT RUN where there is none."""
    file = HERE / "measurements.json"
    runs = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    rows = tomllib.loads((BENCHMARKS / "targets.toml").read_text(encoding="utf-8"))["row"]
    names = [str(run["machine"]) for run in runs]
    out = machines(runs)
    for bench in dict.fromkeys(row["bench"] for row in rows):
        said = ast.get_docstring(ast.parse((BENCHMARKS / bench).read_text(encoding="utf-8"))) or bench
        subject = bench.removeprefix("bench_").removesuffix(".py")
        title = _TITLES.get(subject, subject.replace("_", " ").capitalize())
        out += [f"### {title}", "", escaped(said.splitlines()[0]), ""]
        lines = [
            (escaped(row["what"]), aim(row), *(figure(run, row) for run in runs or [{}]))
            for row in rows if row["bench"] == bench
        ]  # fmt: skip
        out += [table(("what", "target", *(names or ["measured"])), lines)]
    return "\n".join(out)


_TITLES = {
    "bittiming": "Bit timing", "bridge": "Host process", "dataframes": "Data frames", "lake": "Folders of Parquet",
    "log_reading": "Reading recordings", "log_writing": "Writing recordings", "logs": "Recordings",
    "python_can": "python-can", "socketcan": "SocketCAN", "wake": "Wake-up", "wire": "Bits on the wire",
}  # fmt: skip


def machines(runs: Sequence[dict[str, Any]]) -> list[str]:
    """What each machine is, and how its rows came out."""
    if not runs:
        return ["No results are stored: every row says NOT RUN.", ""]
    facts = [key for key in runs[0] if key not in ("machine", "rows")]
    rows = [(key, *(escaped(str(run[key])) for run in runs)) for key in facts]
    dates = [sorted({row["date"] for row in run["rows"].values()}) for run in runs]
    rows.append(("measured", *(" to ".join(dict.fromkeys((days[0], days[-1]))) if days else "" for days in dates)))
    return [table(("", *(str(run["machine"]) for run in runs)), rows)]


def aim(row: dict[str, Any]) -> str:
    return f"{'at least' if row['kind'] == 'at_least' else 'at most'} {row['target']:g}"


def figure(run: dict[str, Any], row: dict[str, Any]) -> str:
    """A row's figure on one machine, or in words why there is none."""
    found = run.get("rows", {}).get(row["id"])
    if found is None:
        return "NOT RUN"
    value = found["value"]
    if isinstance(value, str):
        return escaped(value if value.upper().startswith("NOT RUN") else f"NOT RUN: {value}")
    good = value >= row["target"] if row["kind"] == "at_least" else value <= row["target"]
    return f"{value:.3g}" if good else f"**{value:.3g}, missed**"
