"""Sections of what was on the buses: load over time, identifiers, errors and states."""

from __future__ import annotations

from typing import Any

from canal_fast.signals.description import parameter_group

from .charts import Decades, bars, line
from .tables import Column, boxed, table
from .text import bus_id, count, cut, milliseconds, moment, name, number, of_all, percent, plural, rate, safe

__all__ = ["errors", "identifiers", "load"]

Facts = dict[str, Any]
ID_COLUMNS = [
    Column("bus", True, "channel"), Column("id", False, "order", mono=True), Column("dlc", False, "dlc"),
    Column("count", False, "count", "descending"), Column("rate/s", False, "rate", "descending"),
    Column("period min, ms", False, "period_min_s"), Column("mean, ms", False, "period_mean_s"),
    Column("max, ms", False, "period_max_s", "descending"), Column("jitter, ms", False, "jitter_s", "descending"),
    Column("gaps", False, "gaps", "descending"), Column("bus %", False, "share", "descending"),
    Column("period, logarithmic", True),
]  # fmt: skip
ENDS = ("first", "last")


def load(facts: Facts, end_s: float) -> str:
    window = facts["summary"]["window_s"]
    buses = {bus["channel"]: bus for bus in facts["summary"]["channels"]}
    parts = []
    for place, row in enumerate(facts["load"]):
        is_load = row["quantity"] == "load"
        factor, unit = (100.0, "%") if is_load else (1.0, "frames/s")
        many = row["windows_in_one"]
        each = many * window
        folded = f"; each point is the mean of {many} windows, the thin line their peak" if many > 1 else ""
        bus = buses[row["channel"]]
        if is_load:
            said = f"Load {percent(bus['load'])} % in all, {percent(bus['peak_load'])} % in the fullest window."
        else:
            said = f"At most {number(max(row['peak']), 4)} frames/s in a window."
        few = " These are few: --window makes them shorter." if row["windows"] < 5 else ""
        words = f"Windows of {number(window)} s{folded}. {said}{few}"
        shown = "bus load, %" if is_load else "frames per second (bit rate not known)"
        title = f"{safe(cut(row['name']))}: {shown}"
        parts.append(line(f"load{row['channel']}", title, words, row, end_s, factor, place))
        parts.append(_as_numbers(row, factor, unit, each))
    return "".join(parts)


def _as_numbers(row: Facts, factor: float, unit: str, each: float) -> str:
    """The line as a table of at most 50 rows."""
    stride = -(-len(row["mean"]) // 50)
    rows = []
    for at in range(0, len(row["mean"]), stride):
        mean, peak = row["mean"][at : at + stride], row["peak"][at : at + stride]
        begin = max(row["start_s"] + at * row["step_s"], 0)
        rows.append([f"{begin:.3f}", rate(factor * sum(mean) / len(mean)), rate(factor * max(peak))])
    columns = [Column("from, s"), Column(f"mean, {unit}"), Column(f"peak, {unit}")]
    body = table(columns, rows, f"{safe(cut(row['name']))}: {number(each * stride)} s in each row")
    return f"<details><summary>As numbers</summary>{boxed(body, 'As numbers')}</details>"


def identifiers(facts: Facts, end_s: float) -> str:
    ids = facts["ids"]
    if not ids["rows"]:
        return "<p>There are none.</p>"
    names = {bus["channel"]: bus["name"] for bus in facts["summary"]["channels"]}
    of_database = _messages(facts)
    decades = _decades(ids)
    rows, finds = [], []
    columns = list(ID_COLUMNS)
    if of_database:
        columns.insert(2, Column("message", True))
    for values in ids["rows"]:
        row = dict(zip(ids["columns"], values, strict=True))
        dlc = row["dlc"]
        cells = [
            name(names[row["channel"]]), bus_id(row), f"{dlc[0]}" if len(dlc) == 1 else f"{dlc[0]}..{dlc[-1]}",
            count(row["count"]), rate(row["rate"]), milliseconds(row["period_min_s"]),
            milliseconds(row["period_mean_s"]), milliseconds(row["period_max_s"]), milliseconds(row["jitter_s"]),
            count(row["gaps"]), percent(row["share"]), _range(decades, row),
        ]  # fmt: skip
        message = _message(of_database, row)
        if of_database:
            cells.insert(2, name(message) if message else "")
        rows.append(cells)
        finds.append(f"{cut(names[row['channel']])} {bus_id(row)} {cut(message)}")
    left_out = (
        f" {count(ids['left_out'])} more identifiers, with {count(ids['left_out_frames'])} frames in all, are left "
        "out: those with fewest frames."
        if ids["left_out"]
        else ""
    )
    note = (
        "Periods are times between frames of one identifier, jitter their standard deviation, gaps those of at least "
        f"1.5 times the median. The picture in each row: least to greatest period, its mean, and a band of the jitter."
        f"{left_out}"
    )
    search = (
        '<p class="search" hidden><label for="find">Search</label><input type="search" id="find" data-table="ids" '
        'data-count="found" autocomplete="off" spellcheck="false" placeholder="id, bus or message">'
        '<output id="found" for="find" aria-live="polite"></output>'
        '<span class="note sorted" aria-live="polite"></span></p>'
    )
    caption = f"{count(len(rows))} identifiers, each on its bus"
    body = table(columns, rows, caption, data="ids", finds=finds, sorted_by="order")
    return f'<div><p class="note">{note}</p>{search}{boxed(body, "Identifiers")}</div>'


def _decades(ids: Facts) -> Decades | None:
    """The scale of all periods."""
    least, most = (ids["columns"].index(name) for name in ("period_min_s", "period_max_s"))
    known = [row for row in ids["rows"] if row[most] is not None and row[most] > 0]
    if not known:
        return None
    high = max(row[most] for row in known)
    low = min((row[least] for row in known if row[least] > 0), default=high)
    return Decades(max(low, high / 1e6), high)


def _range(decades: Decades | None, row: Facts) -> str:
    if decades is None or row["period_max_s"] is None:
        return ""
    return decades.range(row["period_min_s"], row["period_mean_s"], row["period_max_s"], row["jitter_s"])


def _messages(facts: Facts) -> dict[tuple[int, bool | None], str]:
    """Names by (identifier, extended), and by (parameter group number, None)."""
    signals = facts["signals"]
    return {
        (m["arbitration_id"], m["extended"]) if m["pgn"] is None else (m["pgn"], None): m["name"]
        for m in (signals["messages"] if signals else ())
    }


def _message(names: dict[tuple[int, bool | None], str], row: Facts) -> str:
    """Of an identifier; empty where the database has none."""
    exact = names.get((row["arbitration_id"], row["extended"]), "")
    return exact or (names.get((parameter_group(row["arbitration_id"]), None), "") if row["extended"] else "")


def errors(facts: Facts, end_s: float) -> str:
    errors, dated = facts["errors"], facts["clock"]["dated"]
    if not errors["error_frames"] and not errors["states_total"]:
        return "<p>No error frame and no change of a bus state was recorded.</p>"
    parts = []
    for place, row in enumerate(errors["lines"]):
        each = row["windows_in_one"] * facts["summary"]["window_s"]
        words = (
            f"{count(row['error_frames'])} error frame{plural(row['error_frames'])}; each bar counts {number(each)} s."
        )
        title = f"{safe(cut(row['name']))}: error frames"
        parts.append(bars(f"errors{row['channel']}", title, words, row, end_s, place))
    if errors["classes"]:
        columns = [Column("bus", True), Column("class", True), Column("count"), *(Column(w, True) for w in ENDS)]
        rows = [
            [name(row["name"]), safe(row["class"]), count(row["count"])]
            + [moment(row[f"{end}_ns"], dated) for end in ENDS]
            for row in errors["classes"]
        ]
        parts.append(boxed(table(columns, rows, "Error frames by class; one may be of several")))
    if errors["states"]:
        rows = [[moment(row["at_ns"], dated), name(row["name"]), safe(row["state"])] for row in errors["states"]]
        caption = f"States as they changed{of_all(len(rows), errors['states_total'])}"
        columns = [Column("at", True), Column("bus", True), Column("state", True)]
        parts.append(boxed(table(columns, rows, caption), "States"))
    return "".join(parts)
