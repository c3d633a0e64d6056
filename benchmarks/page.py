"""The table of check.py as one HTML page, with the machine it holds for: `check.py --html FILE`."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

# Verdicts are words, too: nothing is told by colour alone.
STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border-bottom: 1px solid #8886; padding: .25em .8em .25em 0; text-align: left; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.missed td { font-weight: bold; }
code { white-space: nowrap; }
"""


def page(machine: Mapping[str, object], lines: Sequence[Sequence[str]]) -> str:
    """`lines`: (id, what, measured, target, verdict) each, the first of which are the columns' names."""
    head, *rows = [[html.escape(cell) for cell in line] for line in lines]
    facts = "".join(f"<tr><th>{html.escape(key)}</th><td>{html.escape(str(machine[key]))}</td></tr>" for key in machine)
    columns = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(
        f"<tr{' class=missed' if verdict == 'MISSED' else ''}><td><code>{row}</code></td><td>{what}</td>"
        f'<td class="number">{measured}</td><td class="number">{target}</td><td>{verdict}</td></tr>\n'
        for row, what, measured, target, verdict in rows
    )
    count = f"{sum(line[4] == 'ok' for line in rows)} of {len(rows)} rows reached their target"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>canal_fast: measurements</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>\n'
        f"<h1>canal_fast: measurements</h1>\n<table>{facts}</table>\n<p>{count}. Each figure is a ratio to a peer "
        f"measured in the same run, unless its row names a unit.</p>\n"
        f'<div class="wide"><table><thead><tr>{columns}</tr></thead><tbody>\n{body}</tbody></table></div>\n'
        f"</body></html>\n"
    )


def write(path: Path, machine: Mapping[str, object], lines: Sequence[Sequence[str]]) -> None:
    """Replaces the file."""
    path.write_text(page(machine, lines), encoding="utf-8")
