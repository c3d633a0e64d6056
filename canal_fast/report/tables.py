"""Tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .text import safe

__all__ = ["Column", "boxed", "table"]


class Column(NamedTuple):
    """One column."""

    title: str
    left: bool = False
    """Left-aligned: words. Numbers are right-aligned."""
    key: str = ""
    """Column of the data that it is sorted by, where the table can be sorted."""
    first: str = "ascending"
    """Which way it is sorted at first."""
    mono: bool = False


def table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    caption: str,
    *,
    data: str = "",
    finds: Sequence[str] = (),
    sorted_by: str = "",
) -> str:
    """HTML of a table; the first cell of each row is its header.

    Parameters
    ----------
    columns : sequence of Column
    rows : iterable of sequence of str
        Cells, already safe.
    caption : str
        Already safe.
    data : str
        Which part of the page's data has the rows: then it can be sorted, and bears that name.
    finds : sequence of str
        What each row is found by, not yet safe.
    sorted_by : str
        Key of the column that it is sorted by at first.
    """
    classes = [" ".join(word for word, wanted in (("l", c.left), ("mono", c.mono)) if wanted) for c in columns]
    marks = [f' class="{words}"' if words else "" for words in classes]
    heads = []
    for column, mark in zip(columns, marks, strict=True):
        order = f' aria-sort="{column.first}"' if column.key and column.key == sorted_by else ""
        inner = safe(column.title)
        if column.key:
            inner = f'<button type="button" data-key="{column.key}" data-first="{column.first}">{inner}</button>'
        heads.append(f'<th scope="col"{mark}{order}>{inner}</th>')
    lines = []
    for place, cells in enumerate(rows):
        found = f' data-find="{safe(finds[place])}"' if finds else ""
        first, *others = zip(cells, marks, strict=True)
        line = f'<tr{found}><th scope="row"{first[1]}>{first[0]}'
        lines.append(line + "".join(f"<td{mark}>{cell}" for cell, mark in others))
    named = f' id="{data}" data-rows="{data}"' if data else ""
    body = "\n".join(lines)
    return (
        f"<table{named}><caption>{caption}</caption><thead><tr>{''.join(heads)}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def boxed(table: str, label: str = "") -> str:
    """A table that scrolls where it is wider than the page; with a label also down, by keyboard too."""
    tall = f' tall" tabindex="0" role="region" aria-label="{label}' if label else ""
    return f'<div class="wide{tall}">{table}</div>'
