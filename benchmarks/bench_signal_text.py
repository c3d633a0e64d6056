"""Decoded signals as text: a recording's lines with them beside cantools, CSV beside Python's csv.

The traffic is bench_signals.py's; the peers are given a part of its frames.
"""

from __future__ import annotations

import csv
import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench_signals import DATABASE, FEW, FRAMES, Call, medians, mixed

import canal_fast as cf
from canal_fast.signals import Plan, Tables
from canal_fast.signals.lines import format_csv, format_lines


def decoded_text(plan: Plan, path: Path) -> Iterator[str]:
    """A recording as `canal-fast decode` prints it, in parts."""
    with cf.logs.open_log(path) as log:
        for frames in log.batches():
            yield from format_lines(plan.decode(frames), frames, cf.logs.format_candump(frames, log.names))


def cantools_text(database: Any, units: dict[str, str], path: Path) -> str:
    """The same by cantools, a line at a time."""
    from cantools.logreader import Parser

    lines = []
    with path.open() as file:
        for line, frame in Parser(file).iterlines(keep_unknowns=True):
            name = database.get_message_by_frame_id(frame.frame_id).name
            values = database.decode_message(frame.frame_id, frame.data)
            signals = ", ".join(f"{key}: {value}{units[key]}" for key, value in values.items())
            lines.append(f"{line} :: {name}({signals})\n")
    return "".join(lines)


def csv_text(tables: Tables) -> str:
    """A row for each value by Python's csv."""
    file = io.StringIO(newline="")
    out = csv.writer(file)
    for name, table in tables.items():
        columns = [
            (key, table.units[key], [table.texts[key][n] for n in c.tolist()] if key in table.texts else c.tolist())
            for key, c in table.columns.items()
        ]
        for place, time_ns in enumerate(table.timestamp_ns.tolist()):
            out.writerows((time_ns, name, key, values[place], unit) for key, unit, values in columns)
    return file.getvalue()


def measure() -> dict[str, float | str]:
    """{row of targets.toml: ratio}."""
    database, frames = mixed()
    plan = database.plan(choices="dictionary")
    tables, some = plan.decode(frames), plan.decode(frames[:FEW])
    assert "".join(part for table in some.values() for part in format_csv(table, long=True)) == csv_text(some)
    with tempfile.TemporaryDirectory() as folder:
        whole, part = Path(folder) / "whole.log", Path(folder) / "part.log"
        cf.write_log(whole, frames)
        cf.write_log(part, frames[:FEW])
        calls: dict[str, Call] = {
            "lines": lambda: sum(map(len, decoded_text(plan, whole))),
            "CSV": lambda: sum(len(part) for table in tables.values() for part in format_csv(table, long=True)),
            "Python's csv": lambda: csv_text(some),
        }
        try:
            import cantools

            theirs = cantools.database.load_file(DATABASE, strict=False)
            units = {s.name: f" {s.unit}" if s.unit else "" for m in theirs.messages for s in m.signals}
            calls["cantools"] = lambda: cantools_text(theirs, units, part)
            assert "".join(decoded_text(plan, part)).count(": ") == cantools_text(theirs, units, part).count(": ")
        except ImportError:
            pass
        got = medians(calls, 5)
    got = {name: value / (FRAMES if name in ("lines", "CSV") else FEW) for name, value in got.items()}
    print("   text, ns/frame:", {name: round(1e9 * value, 1) for name, value in got.items()})
    text = got["cantools"] / got["lines"] if "cantools" in got else "NOT RUN: cantools is not installed"
    return {"decode-text": text, "decode-csv": got["Python's csv"] / got["CSV"]}


@pytest.mark.parametrize("what", ["lines", "CSV"])
def test_signal_text(benchmark: Any, what: str) -> None:
    database, frames = mixed()
    tables = database.plan(choices="dictionary").decode(frames)
    own = cf.logs.format_candump(frames)
    calls: dict[str, Call] = {
        "lines": lambda: sum(map(len, format_lines(tables, frames, own))),
        "CSV": lambda: sum(len(part) for table in tables.values() for part in format_csv(table, long=True)),
    }
    benchmark(calls[what])


if __name__ == "__main__":
    for row, ratio in measure().items():
        print(f"{row:32} {ratio if isinstance(ratio, str) else f'{ratio:.2f}'}")
    sys.exit(0)
