"""Sections of the recording as a whole: summary, losses, clock."""

from __future__ import annotations

from typing import Any

from .banners import COUNTERS, frames_lost
from .tables import Column, boxed, table
from .text import (
    NONE,
    alarm,
    bytes_of,
    count,
    duration,
    milliseconds,
    moment,
    name,
    number,
    of_all,
    percent,
    plural,
    safe,
)  # fmt: skip

__all__ = ["clock", "losses", "summary"]

Facts = dict[str, Any]


def summary(facts: Facts, end_s: float) -> str:
    file, summary, clock, errors = facts["file"], facts["summary"], facts["clock"], facts["errors"]
    known = clock["first_ns"] is not None
    counted = any(key in row for row in file["interfaces"] for key, _ in COUNTERS)
    lost = frames_lost(facts)
    rows = [
        ("File", name(file["path"])),
        ("Format", safe(file["format"])),
        ("Frames", count(summary["frames"])),
        ("Duration", duration(summary["span_s"]) if known else NONE),
        ("First record", moment(clock["first_ns"], clock["dated"])),
        ("Last record", moment(clock["last_ns"], clock["dated"])),
        ("Mean rate", f"{number(summary['frames'] / summary['span_s'], 4)} frames/s" if summary["span_s"] else NONE),
        ("Identifiers", count(summary["identifiers"])),
        ("Error frames", alarm(errors["error_frames"])),
        ("Status messages", count(errors["status_messages"])),
        ("Frames lost", alarm(lost) if counted else "not known: no counters"),
        ("Gaps marked", alarm(clock["gaps_total"])),
    ]
    items = "".join(f"<div><dt>{title}</dt><dd>{text}</dd></div>" for title, text in rows)
    return f'<dl class="key">{items}</dl>{_buses(facts)}'


def _buses(facts: Facts) -> str:
    summary, file = facts["summary"], facts["file"]
    dated = facts["clock"]["dated"]
    errors = {row["channel"]: row["error_frames"] for row in facts["errors"]["lines"]}
    buses = {bus["channel"]: bus for bus in summary["channels"]}
    rows = []
    for channel in sorted({*buses, *errors, *(row["channel"] for row in file["interfaces"])}):
        here = [row for row in file["interfaces"] if row["channel"] == channel]
        bus = buses.get(channel, {})
        title = bus.get("name") or next((row["name"] for row in here if row["name"]), f"can{channel}")
        bitrate = bus["bitrate"] if bus else next((row["bitrate"] for row in here), None)
        source = {"given": " (given)", "recording": ""}.get(bus.get("bitrate_from") or "", "")
        at = bus.get("peak_at_s")
        rows.append([
            name(title), str(channel), f"{number(bitrate)}{source}" if bitrate else "not known",
            count(bus.get("frames", 0)), percent(bus.get("load")), percent(bus.get("peak_load")),
            NONE if at is None else moment(round(at * 1e9), dated, 3), alarm(errors.get(channel, 0)),
        ])  # fmt: skip
    if not rows:
        return ""
    columns = [
        Column("bus", True), Column("channel"), Column("bit/s"), Column("frames"), Column("load, %"),
        Column("peak, %"), Column("peak window begins", True), Column("error frames"),
    ]  # fmt: skip
    data = f", data phase {number(summary['data_bitrate'])} bit/s" if summary["data_bitrate"] else ""
    caption = f"Buses; peak load in windows of {number(summary['window_s'])} s{data}"
    return boxed(table(columns, rows, caption))


def losses(facts: Facts, end_s: float) -> str:
    file, clock = facts["file"], facts["clock"]
    dated = clock["dated"]
    parts = []
    counted = [row for row in file["interfaces"] if any(key in row for key, _ in COUNTERS)]
    if counted:
        columns = [Column("interface", True), Column("frames read"), *(Column(title) for _, title in COUNTERS)]
        rows = [
            [name(row["name"]), count(row["frames"]), *(count(row.get(key)) for key, _ in COUNTERS)] for row in counted
        ]
        caption = f"Account of the recorder, from its last counters; {NONE}: it could not know"
        parts.append(boxed(table(columns, rows, caption)))
    else:
        parts.append(
            "<p>The recording holds no counters of its recorder: losses before it was written are not known.</p>"
        )
    skipped = file["skipped_by_kind"].items()
    items = [f"{count(value)} \N{MULTIPLICATION SIGN} {safe(kind)}: skipped" for kind, value in skipped]
    if file["lost_bytes"]:
        items.append(f"{bytes_of(file['lost_bytes'])} passed over as damaged")
    items.append(f"{'It ends inside a block or line' if file['truncated'] else 'It ends with a whole record'}.")
    if clock["gaps_total"]:
        items.append(f"{count(clock['gaps_total'])} marks of frames lost immediately before a record")
    parts.append(f'<ul class="plain">{"".join(f"<li>{item}</li>" for item in items)}</ul>')
    if clock["gaps"]:
        rows = [
            [moment(row["at_ns"], dated), str(row["channel"]), milliseconds((row["at_ns"] - row["after_ns"]) / 1e9)]
            for row in clock["gaps"]
        ]
        caption = f"Gaps{of_all(len(rows), clock['gaps_total'])}"
        columns = [Column("first frame after", True), Column("channel"), Column("since the record before, ms")]
        parts.append(boxed(table(columns, rows, caption), "Gaps"))
    return "".join(parts)


def clock(facts: Facts, end_s: float) -> str:
    clock, file = facts["clock"], facts["file"]
    dated = clock["dated"]
    if clock["first_ns"] is None:
        return "<p>There are no time stamps.</p>"
    kind = "count from 1970, shown in UTC" if dated else "count from a start that they do not tell"
    items = [f"Time stamps {kind}: {moment(clock['first_ns'], dated, 9)} to {moment(clock['last_ns'], dated, 9)}."]
    if file["start"]:
        note = f" ({safe(file['zone_note'])})" if file["zone_note"] else ""
        items.append(f"The recording states its start as {safe(file['start'])}{note}.")
    if back := clock["backwards"]:
        most = milliseconds(clock["back_most_ns"] / 1e9)
        items.append(f"Time goes back {count(back)} time{plural(back)}, by {most} ms at most.")
    else:
        items.append("Time never goes back.")
    if clock["silence_ns"]:
        items.append(
            f"The longest time without a record is {duration(clock['silence_ns'] / 1e9)}, from "
            f"{moment(clock['silence_at_ns'], dated)} on."
        )
    total = clock["steps_total"]
    said = f"was set {count(total)} time{plural(total)}" if total else "was not set, as far as the recording says"
    items.append(f"The host&rsquo;s clock {said}.")
    html = f'<ul class="plain">{"".join(f"<li>{item}</li>" for item in items)}</ul>'
    if clock["steps"]:
        rows = [
            [moment(row["at_ns"], dated), str(row["channel"]), milliseconds((row["at_ns"] - row["after_ns"]) / 1e9)]
            for row in clock["steps"]
        ]
        columns = [Column("first record after", True), Column("channel"), Column("since the record before, ms")]
        caption = f"Steps of the clock{of_all(len(rows), total)}"
        html += boxed(table(columns, rows, caption), "Steps of the clock")
    return html
