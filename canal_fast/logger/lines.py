"""A snapshot as lines of text: for a screen of some size, or all of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from canal_fast.analysis.traffic import frames_of, jitter_ns
from canal_fast.frames import FrameFlag, payload_length

from .ansi import PLAIN, Style, clean, fit, fitting
from .monitor import BusRow, Snapshot, identifier
from .signal_texts import Cell, Shape, SignalTexts
from .view import HELP, View

__all__ = ["screen_lines", "table_lines"]

_KINDS = ((FrameFlag.REMOTE, "R"), (FrameFlag.FD, "F"), (FrameFlag.BITRATE_SWITCH, "B"),
          (FrameFlag.ERROR_STATE_INDICATOR, "E"), (FrameFlag.TX, "T"))  # fmt: skip
_CLASSICAL_ROOM = 23  # columns of eight bytes
_BYTES_A_LINE = 16  # of a whole payload
_WIDE = 110  # from here on there is room for the last period, too
_KEYS = "q quit  s sort  / filter  Space pause  Enter details  d all  c clear  ? help"


@dataclass(frozen=True)
class _Layout:
    """Columns of the table; `room` is the payload's."""

    bus: int
    name: int
    last: bool
    room: int
    width: int


def _layout(snapshot: Snapshot, width: int | None) -> _Layout:
    names = [row.bus.name for row in snapshot.buses]
    bus = min(max(map(len, names), default=0), 8) if len(names) > 1 else 0
    longest = max(map(len, set(snapshot.names)), default=0)
    if width is None:
        return _Layout(bus, longest, True, 3 * 64, 0)
    last = width >= _WIDE
    left = width - 48 - (bus + 1 if bus else 0) - 10 * last
    name = min(longest, 24, left - _CLASSICAL_ROOM - 1)
    name = name if name >= 6 else 0
    return _Layout(bus, name, last, max(left - (name + 1 if name else 0), 0), width)


def _header(at: _Layout) -> str:
    bus = f"{'bus':<{at.bus}} " if at.bus else ""
    last = f" {'last ms':>9}" if at.last else ""
    name = f" {'message':<{at.name}}" if at.name else ""
    return f" {bus}{'id':>8} {'kind':<4} {'len':>3} {'count':>8} {'period ms':>9}{last} {'jitter':>8}{name}  data"


def _ms(ns: float, decimals: int, known: bool = True) -> str:
    if not known or math.isnan(ns):
        return "-"
    return f"{ns / 1e6:.{decimals}f}" if abs(ns) < 1e11 else f"{ns / 1e6:.3g}"


def _count(number: int) -> str:
    return str(number) if number < 100_000_000 else f"{number // 1_000_000}M"


def _payload(data: bytes, changed: int, room: int, style: Style) -> str:
    """Bytes in hexadecimal, the changed ones marked; what has no room is a +."""
    shown = min(len(data), (room + 1) // 3)
    cut = shown < len(data)
    if cut:
        shown = max((room - 1) // 3, 0)
    more = "+" if cut and room > 0 else ""
    if not changed:
        return data[:shown].hex(" ").upper() + (" " if shown and cut else "") + more
    parts = [style("changed", f"{byte:02X}") if changed >> n & 1 else f"{byte:02X}" for n, byte in enumerate(data)]
    return " ".join([*parts[:shown], *[more] * cut])


@dataclass(frozen=True)
class _Row:
    """One row of the table, read out of numpy."""

    index: int
    key: int
    name: str
    bus: str
    number: int
    flags: int
    data: bytes
    times: tuple[int, int, float, float]
    changed: int

    def line(self, at: _Layout, selected: bool, style: Style) -> str:
        count, period, mean, jitter = self.times
        kind = "".join(letter for flag, letter in _KINDS if self.flags & flag)
        more = count > 1
        bus = fit(self.bus, at.bus) + " " if at.bus else ""
        last = f" {_ms(period, 2, more):>9}" if at.last else ""
        name = " " + fit(self.name, at.name) if at.name else ""
        head = (
            f"{'>' if selected else ' '}{bus}{identifier(self.number, self.flags):>8} {kind:<4} {len(self.data):>3} "
            f"{_count(count):>8} {_ms(mean, 2, more):>9}{last} {_ms(jitter, 3, more):>8}{name}  "
        )
        if at.width and len(head) > at.width:
            return style("selected", head[: at.width]) if selected else head[: at.width]
        return (style("selected", head) if selected else head) + _payload(self.data, self.changed, at.room, style)


def _rows(snapshot: Snapshot, indexes: Any) -> list[_Row]:
    chosen = snapshot.rows[indexes]
    frames = frames_of(chosen)
    names = {row.bus.channel: clean(row.bus.name) for row in snapshot.buses}
    columns = [chosen[name].tolist() for name in ("arbitration_id", "flags", "channel", "changed")]
    times = [chosen[name].tolist() for name in ("count", "period_ns", "mean_ns")] + [jitter_ns(chosen).tolist()]
    payloads, lengths = frames["data"].tobytes(), payload_length(frames).tolist()
    found = []
    for place, (index, number, flags, channel, changed) in enumerate(zip(indexes.tolist(), *columns, strict=True)):
        data = payloads[64 * place : 64 * place + lengths[place]]
        count, period, mean, jitter = (column[place] for column in times)
        key, bus = int(snapshot.keys[index]), names.get(channel, "")
        times_of = (count, period, mean, jitter)
        found.append(_Row(index, key, snapshot.names[index], bus, number, flags, data, times_of, changed))
    return found


# -- what stands beneath a row


@dataclass(frozen=True)
class _Details:
    """How many lines the details of a row have: of the whole payload, and of signals in their columns."""

    payload: int
    signals: int
    shape: Shape | None
    note: str

    @property
    def height(self) -> int:
        return self.payload + self.signals + bool(self.note)


def _details(row: _Row, view: View, at: _Layout, texts: SignalTexts | None) -> _Details:
    asked = row.key in view.expanded
    if not asked and not view.all_expanded:
        return _Details(0, 0, None, "")
    cut = bool(at.width) and 3 * len(row.data) - 1 > at.room
    payload = -(-len(row.data) // _BYTES_A_LINE) if cut else 0
    message = texts.message(row.number, row.flags) if texts is not None else None
    if texts is None or message is None:
        note = "no signals: give a database with --dbc" if texts is None else "no signals: in no database"
        return _Details(payload, 0, None, note if asked and not payload else "")
    shape = texts.shape(message)
    return _Details(payload, -(-shape.signals // shape.columns(at.width - 4 if at.width else 100)), shape, "")


def _detail_lines(row: _Row, of: _Details, cells: list[Cell], at: _Layout, style: Style) -> Iterator[str]:
    for begin in range(0, len(row.data) if of.payload else 0, _BYTES_A_LINE):
        part = row.data[begin : begin + _BYTES_A_LINE]
        line = _payload(part, row.changed >> begin, 3 * _BYTES_A_LINE, style if at.width > 60 else PLAIN)
        yield f"    {begin:>2}: {line}"[: at.width] if at.width <= 60 else f"    {begin:>2}: {line}"
    if of.shape is not None:
        columns = of.shape.columns(at.width - 4 if at.width else 100)
        made = [of.shape.text(cell) for cell in cells]
        lines = ["  ".join(made[i : i + columns]) for i in range(0, len(made), columns)]
        for number in range(of.signals):
            text = lines[number] if number < len(lines) else ""
            yield "    " + (fit(text, at.width - 4).rstrip() if at.width else text.rstrip())
    if of.note:
        yield "    " + fit(of.note, at.width - 4)


# -- the whole


def _title(snapshot: Snapshot, view: View, shown: int) -> list[tuple[str, str]]:
    count = len(snapshot.rows)
    parts = [("title", "canal-fast monitor")]
    if view.paused:
        parts.append(("bad", "PAUSED"))
    parts.append(("", f"{count} ids" if shown == count else f"{shown} of {count} ids"))
    parts.append(("", f"{snapshot.seconds:.1f} s"))
    parts.append(("", f"by {view.sort}{' reversed' if view.reverse else ''}"))
    if view.filter:
        parts.append(("title", f"filter {clean(view.filter)}"))
    if snapshot.ended:
        parts.append(("title", "no more frames come"))
    return parts


def bus_parts(row: BusRow, width: int) -> list[tuple[str, str]]:
    """What is said of a bus, the more important first."""
    bus, counts, ledger = row.bus, row.counts, row.bus.ledger
    parts = [("title", fit(clean(bus.name), min(width, 16)))]
    load = "-" if row.load is None else f"{100 * row.load:.1f} %"
    parts.append(("", f"load {load:>7}"))
    rate = "-" if row.frames_per_s is None else f"{row.frames_per_s:.0f}"
    parts.append(("", f"{rate:>6} frames/s"))
    errors = counts["error_frames"]
    parts.append(("bad" if errors else "", f"errors {errors}"))
    if ledger is not None:
        unknown = "" if ledger.driver_overruns is not None else "+?"
        parts.append(("bad" if ledger.lost else "", f"lost {ledger.lost}{unknown}"))
    elif counts["gaps"]:
        parts.append(("bad", f"gaps {counts['gaps']}"))
    if bus.state:
        good = bus.state in ("error active", "ended", "recorded", "reading", "unknown")
        parts.append(("" if good else "bad", bus.state))
    if ledger is not None and ledger.outages:
        parts.append(("bad", f"outages {ledger.outages}"))
    if ledger is not None and counts["gaps"]:
        parts.append(("bad", f"gaps {counts['gaps']}"))
    if bus.bitrate is not None:
        parts.append(("", f"{bus.bitrate / 1000:g} kbit/s"))
    parts.append(("", f"{counts['frames']} frames"))
    return parts


def _notes(snapshot: Snapshot) -> list[str]:
    found = [f"{clean(row.bus.name)}: {clean(row.bus.trouble)}" for row in snapshot.buses if row.bus.trouble]
    found += [clean(note) for note in snapshot.notes]
    without = [clean(row.bus.name) for row in snapshot.buses if row.bus.bitrate is None]
    if without:
        found.append(f"no load of {', '.join(without)}: the bit rate is not known; give --bitrate")
    return found


def screen_lines(
    snapshot: Snapshot, view: View, columns: int, rows: int, style: Style, texts: SignalTexts | None = None
) -> list[str]:
    """The lines of a terminal of this size, each shorter than it is wide; settles the view's cursor.

    Only the signals of rows that are seen are decoded.
    """
    width = max(columns - 1, 1)
    order = view.order(snapshot)
    most = max(rows // 4, 1)
    names = max((len(clean(row.bus.name)) for row in snapshot.buses), default=0)
    top = [fitting(_title(snapshot, view, len(order)), width, style)]
    top += [fitting(bus_parts(row, names), width, style) for row in snapshot.buses[:most]]
    if len(snapshot.buses) > most:
        top.append(fit(f"and {len(snapshot.buses) - most} more buses", width))
    top += [style("bad", fit(note, width).rstrip()) for note in _notes(snapshot)[:most]]
    last = f"filter: {clean(view.filter)}_  (Enter, Esc)" if view.typing else _KEYS
    bottom = style("title" if view.typing else "", fit(last, width).rstrip())
    if view.help:
        top += ["", *(fit(line, width).rstrip() for line in HELP)]
        return [*top[: rows - 1], *[""] * (rows - 1 - len(top)), bottom][:rows]
    at = _layout(snapshot, width)
    top.append(style("head", fit(_header(at), width)))
    room = rows - len(top) - 1
    body = list(_body(snapshot, view, order, max(room, 0), at, style, texts))[: max(room, 0)]
    return [*top, *body, *[""] * (room - len(body)), bottom][:rows]


def _body(
    snapshot: Snapshot, view: View, order: Any, room: int, at: _Layout, style: Style, texts: SignalTexts | None
) -> Iterator[str]:
    view.page = max(room - 1, 1)
    if not len(order) or not room:
        if room:
            yield fit("  nothing matches the filter" if view.filter else "  no frames yet", at.width)
        return
    if view.selected is not None and view.moved:
        places = np.flatnonzero(snapshot.keys[order] == view.selected)
        view.cursor = int(places[0]) if len(places) else view.cursor
    view.cursor = min(max(view.cursor, 0), len(order) - 1)
    view.selected = int(snapshot.keys[order[view.cursor]])
    view.top = max(min(view.top, view.cursor, max(len(order) - room, 0)), view.cursor - room + 1)
    seen = _rows(snapshot, order[view.top : view.top + room])
    details = [_details(row, view, at, texts) for row in seen]
    used = sum(1 + of.height for of in details[: view.cursor - view.top + 1])
    while used > room and view.top < view.cursor:  # the cursor's row is seen, with as much beneath it as there is room
        used -= 1 + details[0].height
        seen, details, view.top = seen[1:], details[1:], view.top + 1
    yield from _table(snapshot, seen, details, view.selected, at, style, texts, room)


def _table(
    snapshot: Snapshot, rows: list[_Row], details: list[_Details], selected: int | None, at: _Layout, style: Style,
    texts: SignalTexts | None, room: int | None,
) -> Iterator[str]:  # fmt: skip
    if room is not None:
        heights = np.cumsum([0, *(1 + of.height for of in details)])
        count = int(np.searchsorted(heights, room))
        rows, details = rows[:count], details[:count]
    wanted = [number for number, of in enumerate(details) if of.shape is not None]
    cells: dict[int, list[Cell]] = {}
    if texts is not None and wanted:
        frames = frames_of(snapshot.rows[[rows[number].index for number in wanted]])
        cells = dict(zip(wanted, texts.cells(frames), strict=True))
    for number, (row, of) in enumerate(zip(rows, details, strict=True)):
        yield row.line(at, row.key == selected, style)
        yield from _detail_lines(row, of, cells.get(number, []), at, style)


def table_lines(snapshot: Snapshot, view: View, texts: SignalTexts | None = None) -> Iterator[str]:
    """Everything as plain text, lines as long as they are."""
    names = max((len(clean(row.bus.name)) for row in snapshot.buses), default=0)
    order = view.order(snapshot)
    yield "  ".join(text for _, text in _title(snapshot, view, len(order))[1:])
    yield from (fitting(bus_parts(row, names), 1 << 16, PLAIN) for row in snapshot.buses)
    yield from _notes(snapshot)
    at = _layout(snapshot, None)
    rows = _rows(snapshot, order)
    details = [_details(row, view, at, texts) for row in rows]
    yield _header(at)
    yield from (
        line.rstrip() for line in _table(snapshot, rows, details, None, at, PLAIN, texts, None)
    )  # fmt: skip
