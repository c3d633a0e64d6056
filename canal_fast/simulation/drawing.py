"""A run as text and as a picture. Public as `Run.draw`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from canal_fast.plot.nodes import Track, node_levels

from .events import ERRORS, FIELDS, Event, NodeState

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .run import Run

_STUFF = 0x80
QUIET = {FIELDS.index(name) for name in ("idle", "bus_off", "integrating")}


def spans(codes: list[int]) -> list[tuple[int, int, int]]:
    """(code, begin, end) of each stretch of one field, stuff bits included."""
    spans: list[tuple[int, int, int]] = []
    for at, code in enumerate(code & ~_STUFF for code in codes):
        if spans and spans[-1][0] == code:
            spans[-1] = (code, spans[-1][1], at + 1)
        else:
            spans.append((code, at, at + 1))
    return spans


def field_names(codes: list[int]) -> str:
    """Field names in the width of their bits: as much of a name as fits, then dots."""
    out = []
    for code, begin, end in spans(codes):
        fill = " " if code in QUIET else "."
        room = end - begin
        name = "" if code in QUIET else FIELDS[code]
        out.append(("|" + name[: room - 1].ljust(room - 1, fill)) if name else fill * room)
    return "".join(out)


def sentence(run: Run, event: np.void) -> str:
    """One event in words."""
    kind = Event(event["event"]).name.lower().replace("_", " ")
    place = f"{FIELDS[event['field']]} {event['field_bit']}"
    role = "transmitter" if event["transmitter"] else "receiver"
    state = NodeState(event["state"]).name.lower().replace("_", " ")
    counters = f"TEC {event['tec']} REC {event['rec']} {state}"
    return f"bit {event['bit']}  {run.nodes[event['node']]} ({role}): {kind} at {place}, {counters}"


def text(run: Run, first: int, last: int, width: int) -> str:
    """Lines of `width` bits, each with what happened in it."""
    label = max(5, *(len(name) for name in run.nodes)) + 2
    lines: list[str] = []
    for begin in range(first, last, width):
        end = min(begin + width, last)
        part = slice(begin - run.first_bit, end - run.first_bit)
        ruler = "".join(f"{k:<10}" for k in range(begin, end, 10))[: end - begin]
        lines.append(f"{'bit':{label}}{ruler}".rstrip())
        if run.has_bits:
            lines.append(f"{'bus':{label}}{''.join(map(str, run.bits[part].tolist()))}")
        events = run.events[(run.events["bit"] >= begin) & (run.events["bit"] < end)]
        for number, name in enumerate(run.nodes):
            if run.has_levels:
                lines.append(f"{name:{label}}{''.join(map(str, run.levels[part, number].tolist()))}")
                lines.append(f"{'':{label}}{field_names(run.fields[part, number].tolist())}".rstrip())
            marks = [" "] * (end - begin)
            for event in events[events["node"] == number]:
                if event["event"] in ERRORS:
                    marks[event["bit"] - begin] = "^"
            if "^" in marks:
                lines.append(f"{'':{label}}{''.join(marks)}".rstrip())
        lines += [sentence(run, event) for event in events if event["event"] != Event.START]
        lines.append("")
    return "\n".join(lines[:-1])


def picture(run: Run, first: int, last: int, width: int) -> Figure:
    """The waveforms of the bus and of each node, fields coloured, errors marked."""
    part = slice(first - run.first_bit, last - run.first_bit)
    tracks = [Track("bus", run.bits[part])]
    for number, name in enumerate(run.nodes if run.has_levels else []):
        named = [
            (FIELDS[code], left, right)
            for code, left, right in spans(run.fields[part, number].tolist())
            if code not in QUIET
        ]
        found = run.events[(run.events["node"] == number) & np.isin(run.events["event"], list(ERRORS))]
        tracks.append(Track(name, run.levels[part, number], named, (found["bit"] - first).tolist()))
    return node_levels(tracks, first, width)
