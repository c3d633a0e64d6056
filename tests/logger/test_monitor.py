"""What a monitor shows, without a terminal: lines of snapshots, keys, and the screen after many differences."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from monitored import ENGINE, SECOND, Given, ids, monitor, periodic, shown
from random_frames import random_frames
from virtual_terminal import VirtualTerminal

import canal_fast as cf
from canal_fast import FrameFlag
from canal_fast.logger.ansi import COLOURED, MONOCHROME, PLAIN, Differ, clean, fit, fitting
from canal_fast.logger.feeds import FileFeed
from canal_fast.logger.lines import screen_lines, table_lines
from canal_fast.logger.monitor import Monitor
from canal_fast.logger.signal_texts import SignalTexts
from canal_fast.logger.summary import as_dict
from canal_fast.logger.view import SORTS, View
from canal_fast.signals import Message, Signal
from canal_fast.signals.database import Database


@pytest.fixture
def texts() -> SignalTexts:
    return SignalTexts(Database([ENGINE]).plan(choices="dictionary"))


def test_a_row_at_80_columns() -> None:
    watched = monitor(periodic([0x100, 0x1FF], 20))
    lines = shown(watched)
    assert len(lines) == 24
    assert lines[0].startswith("canal-fast monitor  2 ids  ")
    assert lines[1].startswith("engine  load ")
    assert lines[2].split() == ["id", "kind", "len", "count", "period", "ms", "jitter", "data"]
    assert lines[3].split() == [">", "100", "8", "10", "20.00", "0.000", *["00", "09"], *["00"] * 6]
    assert lines[4].split()[0] == "1FF"
    assert lines[-1].startswith("q quit")
    assert max(map(len, lines)) <= 79
    # every column of the header ends where its values do
    assert lines[2].index("count") + 5 == lines[3].index(" 10 ") + 3
    assert lines[2].index("data") == lines[3].index("00 09")


def test_kinds_and_long_payloads() -> None:
    frames = cf.make_frames([1, 2, 3], [b"", bytes(range(64)), b"\1"], fd=True)
    kinds = (FrameFlag.REMOTE, FrameFlag.FD | FrameFlag.BITRATE_SWITCH, FrameFlag.EXTENDED_ID | FrameFlag.TX)
    frames["flags"] = np.array(kinds, np.uint16)
    frames["dlc"][0] = 4
    watched = monitor(frames)
    view = View()
    lines = shown(watched, view)
    row = next(line for line in lines if " 002 " in line)
    assert row.split()[1:3] == ["FB", "64"]
    assert row.endswith(" +")
    assert len(row) <= 79
    assert next(line for line in lines if "00000003" in line).split()[1] == "T"
    assert next(line for line in lines if " 001 " in line).split()[2:4] == ["R", "0"]
    view.press("down")
    shown(watched, view)
    view.press("enter")
    lines = shown(watched, view)
    place = next(n for n, line in enumerate(lines) if " 002 " in line)
    assert lines[place + 1].split() == ["0:", *(f"{n:02X}" for n in range(16))]
    assert lines[place + 4].split() == ["48:", *(f"{n:02X}" for n in range(48, 64))]
    wide = shown(watched, None, 250, 24)
    assert next(line for line in wide if " 002 " in line).endswith(" 3F")


def test_changed_bytes_are_marked_until_somebody_looked() -> None:
    batches = periodic([0x100], 2), periodic([0x100], 1)
    watched = Monitor(Given(*batches))
    watched.poll()
    (row,) = [line for line in screen_lines(watched.snapshot(), View(), 80, 24, COLOURED) if " 100 " in line]
    assert row.endswith("00 \x1b[1;35m01\x1b[m 00 00 00 00 00 00")
    mono = [line for line in screen_lines(watched.snapshot(), View(), 80, 24, MONOCHROME) if " 100 " in line]
    assert mono[0].endswith("00 \x1b[1;7m01\x1b[m 00 00 00 00 00 00")
    watched.look_away()
    (row,) = [line for line in screen_lines(watched.snapshot(), View(), 80, 24, COLOURED) if " 100 " in line]
    assert row.endswith("00 01 00 00 00 00 00 00")


def test_rates_and_load_are_of_the_last_second() -> None:
    frames = periodic([0x123], 100)
    watched = Monitor(Given(frames, frames))
    watched.poll()
    assert watched.snapshot().buses[0].load is None  # nobody knows yet
    watched.feed.now = 0.5  # type: ignore[attr-defined]
    assert watched.snapshot().buses[0].frames_per_s == 200
    watched.feed.now = 1.0  # type: ignore[attr-defined]
    bus = watched.snapshot().buses[0]
    bits = int(cf.wire.frame_length_bits(frames).sum())
    assert (bus.frames_per_s, bus.load) == (100, bits / 500_000)
    watched.feed.now = 2.0  # type: ignore[attr-defined]
    bus = watched.snapshot().buses[0]
    assert (bus.frames_per_s, bus.load) == (0, 0)  # the bus is silent


def test_load_needs_the_rates() -> None:
    frames = cf.make_frames([1] * 4, bytes(64), flags=FrameFlag.FD | FrameFlag.BITRATE_SWITCH, fd=True)
    watched = monitor(frames, bitrate=None)
    watched.feed.now = 1.0  # type: ignore[attr-defined]
    assert any("no load of engine: the bit rate is not known; give --bitrate" in line for line in shown(watched))
    watched = monitor(frames)
    watched.feed.now = 1.0  # type: ignore[attr-defined]
    assert watched.snapshot().buses[0].load is None
    watched.feed.buses[0].data_bitrate = 2_000_000
    parts = cf.wire.frame_length_bits(frames, parts=True)
    expected = parts["nominal"].sum() / 500_000 + parts["data"].sum() / 2_000_000
    assert watched.snapshot().buses[0].load == pytest.approx(expected)


@pytest.mark.parametrize("sort", SORTS)
def test_orders(sort: str) -> None:
    watched = monitor(random_frames(3000, ids=30))
    snapshot = watched.snapshot()
    rows = snapshot.rows[View(sort=sort).order(snapshot)]
    values = {
        "id": lambda r: (r["channel"], r["flags"] & 1, r["arbitration_id"]),
        "count": lambda r: -r["count"],
        "period": lambda r: r["mean_ns"],
        "jitter": lambda r: -((r["square_ns2"] / (r["count"] - 1)) ** 0.5),
    }
    known = [row for row in rows if row["count"] > 1 or sort in ("id", "count")]
    keys = [values[sort](row) for row in known]
    assert keys == sorted(keys)
    assert [row["count"] for row in rows[len(known) :]] == [1] * (len(rows) - len(known))
    assert len(rows) == len(snapshot.rows) > 60
    other = snapshot.rows[View(sort=sort, reverse=True).order(snapshot)]
    assert np.array_equal(other, rows[::-1])


def test_what_has_no_period_comes_last() -> None:
    frames = np.concatenate([cf.make_frames([1]), periodic([5, 9], 40)])
    watched = monitor(frames)
    for sort in ("period", "jitter"):
        assert ids(shown(watched, View(sort=sort)))[-1] == "001"


def test_filters(texts: SignalTexts) -> None:
    frames = periodic([0x100, 0x210, 0x310], 30)
    frames["channel"][2::3] = 1
    watched = monitor(frames, texts=texts, names=("drive", "body"))
    for text, expected in (("10", ["100", "210", "310"]), ("21", ["210"]), ("eng", ["100"]), ("body", ["310"])):
        view = View()
        for key in ["/", *text, "enter"]:
            view.press(key)
        lines = shown(watched, view)
        assert ids(lines) == expected, text
        assert f"filter {text}" in lines[0]
        assert (f"{len(expected)} of 3 ids" if len(expected) < 3 else "3 ids") in lines[0]
    view.press("escape")
    assert len(ids(shown(watched, view))) == 3
    view = View(filter="zzz")
    assert any("nothing matches the filter" in line for line in shown(watched, view))


def test_typing_a_filter() -> None:
    view = View()
    for key in ["/", "q", "x", "backspace"]:
        assert view.press(key) is None
    assert (view.typing, view.filter) == (True, "q")
    assert "filter: q_" in shown(monitor(), view)[-1]
    view.press("escape")
    assert (view.typing, view.filter) == (False, "")
    assert view.press("q") == "quit"
    assert view.press("c") == "clear"


def test_the_cursor_stays_with_its_row_and_is_always_seen() -> None:
    watched = monitor(periodic(list(range(100)), 400))
    view = View()
    for key, at in (("down", 1), ("j", 2), ("k", 1), ("pagedown", 20), ("end", 99), ("up", 98), ("home", 0), ("up", 0)):
        view.press(key)
        lines = shown(watched, view)
        (row,) = [line for line in lines if line.startswith(">")]
        assert ids([row]) == [f"{at:03X}"]
        assert len(ids(lines)) == 20
    view.press("end")
    shown(watched, view)
    view.press("s")
    assert next(line for line in shown(watched, view) if line.startswith(">")).split()[1] == "063"
    view.press("enter")
    assert any("no signals: give a database with --dbc" in line for line in shown(watched, view))
    small = shown(watched, view, 80, 6)
    assert next(line for line in small if line.startswith(">")).split()[1] == "063"


def test_the_cursor_begins_in_the_first_row() -> None:
    watched, view = Monitor(Given(periodic([5], 1), periodic([3, 7], 2), periodic([1], 1))), View()
    for expected in ("005", "003"):
        watched.poll()
        assert ids([line for line in shown(watched, view) if line.startswith(">")]) == [expected]
    view.press("down")
    shown(watched, view)
    watched.poll()
    assert ids([line for line in shown(watched, view) if line.startswith(">")]) == ["005"]


def test_signals_beneath_their_row(texts: SignalTexts) -> None:
    frames = cf.make_frames([0x100, 0x101], bytes([4, 1, 3, 40, 0, 0, 0, 0]))
    watched = monitor(frames, texts=texts)
    view = View()
    lines = shown(watched, view)
    assert "Engine" in next(line for line in lines if " 100 " in line)
    view.press("d")
    lines = shown(watched, view, 100)
    place = next(n for n, line in enumerate(lines) if " 100 " in line)
    assert lines[place + 1].split()[:3] == ["Speed", "65", "rpm"]
    assert "Dri?[2Jve" in lines[place + 1]
    assert "Bad?name" in lines[place + 1] + lines[place + 2]
    assert all(line.isprintable() for line in lines)
    row = as_dict(watched.snapshot(), view, texts)["ids"][0]
    assert row["message"] == "Engine"
    assert row["signals"]["Speed"] == {"value": "65", "unit": "rpm"}
    text = list(table_lines(watched.snapshot(), view, texts))
    assert any("Speed" in line for line in text)


def test_only_seen_rows_are_decoded(texts: SignalTexts, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = monitor(periodic([*range(0x90, 0x190)], 512), texts=texts)
    view = View(all_expanded=True)
    decoded: list[int] = []
    monkeypatch.setattr(texts, "cells", lambda frames: decoded.append(len(frames)) or [[] for _ in frames])
    shown(watched, view)
    assert decoded == []
    view.cursor, view.selected = 0x70, None
    shown(watched, view)
    assert decoded == [1]


def test_j1939_names() -> None:
    message = Message("EEC1", 0x0CF00400, True, False, 8, (Signal("Speed", 24, 16),), by_pgn=True)
    texts = SignalTexts(Database([message]).plan(choices="dictionary"))
    frames = cf.make_frames([0x18F00421, 0x18F00521], bytes(8), flags=FrameFlag.EXTENDED_ID)
    watched = monitor(frames, texts=texts)
    assert watched.snapshot().names == ["EEC1", ""]
    row = as_dict(watched.snapshot(), View(), texts)["ids"][0]
    assert row["signals"]["source_address"]["value"] == "33"


def test_errors_losses_and_gaps_are_told() -> None:
    frames = periodic([1], 10)
    frames["flags"][3] |= np.uint16(FrameFlag.GAP)
    frames["flags"][5] = FrameFlag.ERROR_FRAME
    watched = monitor(frames)
    assert "errors 1  gaps 1" in shown(watched)[1]
    row = as_dict(watched.snapshot(), View())["buses"][0]
    assert (row["error_frames"], row["gaps"], row["frames"], row["lost"]) == (1, 1, 9, None)


def test_many_buses_leave_room_for_rows() -> None:
    frames = periodic([1, 2, 3], 60)
    frames["channel"] = np.arange(60) % 12
    watched = monitor(frames, names=tuple(f"bus{n}" for n in range(12)))
    lines = shown(watched)
    assert "and 6 more buses" in lines[7]
    assert len(ids(lines)) == 12


@pytest.mark.parametrize("size", [(80, 24), (20, 4), (1, 1), (40, 2), (200, 50)])
@pytest.mark.parametrize("view", [View(), View(help=True), View(typing=True), View(all_expanded=True)])
def test_any_size(size: tuple[int, int], view: View, texts: SignalTexts) -> None:
    for frames in (periodic([0x100, 0x101], 20), periodic([1], 1)[:0]):
        lines = screen_lines(monitor(frames, texts=texts).snapshot(), view, *size, PLAIN, texts)
        assert len(lines) == size[1]
        assert max(map(len, lines)) <= max(size[0] - 1, 1)


def test_the_screen_is_the_model_after_every_difference(texts: SignalTexts) -> None:
    rng = np.random.default_rng(3)
    batches = [random_frames(200, seed, fd=True, ids=40) for seed in range(60)]
    watched = Monitor(Given(*batches, names=("one", "two", "three")), texts)
    view, differ = View(), Differ()
    size = (80, 24)
    terminal = VirtualTerminal(*size)
    terminal.alternate = True
    keys = ["s", "r", "/", "1", "enter", "escape", "down", "pagedown", "end", "up", "home", "d", " ", "?", "enter"]
    for step in range(60):
        watched.poll()
        watched.feed.now = step / 4  # type: ignore[attr-defined]
        view.press(str(rng.choice(keys)))
        if step % 11 == 10:
            size = (80, 24) if size != (80, 24) else (132, 40)
            terminal.resize(*size)
        lines = screen_lines(watched.snapshot(), view, *size, COLOURED, texts)
        terminal.feed(differ.update(lines, *size))
        whole = VirtualTerminal(*size)
        whole.alternate = True
        whole.feed(Differ().update(lines, *size))
        assert terminal.cells == whole.cells
        assert terminal.styles == whole.styles
        assert terminal.text() == [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in lines]
        assert terminal.style == ""


def test_lines_that_did_not_change_are_not_sent() -> None:
    differ = Differ()
    assert differ.update(["a", "b"], 10, 3) == "\x1b[m\x1b[2J\x1b[1;1Ha\x1b[K\x1b[2;1Hb\x1b[K"
    assert differ.update(["a", "b"], 10, 3) == ""
    assert differ.update(["a", "c"], 10, 3) == "\x1b[2;1Hc\x1b[K"
    assert differ.update(["a"], 10, 3) == "\x1b[2;1H\x1b[K"
    assert differ.update(["a"], 11, 3).startswith("\x1b[m\x1b[2J")
    differ.forget()
    assert differ.update(["a"], 11, 3).startswith("\x1b[m\x1b[2J")


def test_texts_and_their_widths() -> None:
    assert clean("a\x1b[2J\x9b\n\u202eb°") == "a?[2J???b°"
    assert (fit("abc", 5), fit("abc", 5, right=True), fit("abcdef", 5), fit("abc", 0)) == (
        "abc  ",
        "  abc",
        "abcd+",
        "",
    )
    assert fit("日本語", 5) == "日本+"
    assert fit("日本語", 4) == "日+ "
    assert fit("日本", 6, right=True) == "  日本"
    assert fitting([("", "one"), ("", "two"), ("", "three")], 8, PLAIN) == "one  two"
    assert fitting([("", "longer"), ("", "two")], 4, PLAIN) == "lon+"


def test_identifiers_that_others_write_are_harmless() -> None:
    watched = monitor(periodic([1], 4), names=("\x1b]0;owned\x07",))
    watched.feed.notes.append("\x1b[31mnote")
    for lines in (shown(watched), list(table_lines(watched.snapshot(), View()))):
        assert all(line.isprintable() for line in lines)


def test_a_recording_is_paced_by_its_times(tmp_path: Path) -> None:
    frames = cf.make_frames([1, 2, 3, 4], b"1", timestamp_ns=np.array([0, 0, 600, 599]) * np.int64(SECOND))
    cf.write_log(tmp_path / "x.log", frames)
    with cf.logs.open_log(tmp_path / "x.log") as log:
        feed = FileFeed(log, speed=1.0)
        try:
            found: list[int] = []
            while len(found) < 2:
                found += [int(i) for batch in feed.take() for i in batch["arbitration_id"]]
            for _ in range(5):
                found += [int(i) for batch in feed.take() for i in batch["arbitration_id"]]
            assert found == [1, 2]
            assert not feed.ended
            feed._begin = (feed._begin or 0) - 601  # and so much later
            while not feed.ended:
                found += [int(i) for batch in feed.take() for i in batch["arbitration_id"]]
            assert found == [1, 2, 3, 4]
        finally:
            feed.stop()


def test_a_recording_that_fails_says_so_where_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    cf.write_log(path, cf.make_frames([1], b"1"))
    path.write_text(path.read_text() + "nonsense\n")
    with cf.logs.open_log(path) as log:
        feed = FileFeed(log)
        feed._thread.join()
        with pytest.raises(cf.LogFormatError, match="line 2"):
            list(feed.take())
        feed.stop()


def test_clearing_counts_from_nothing() -> None:
    watched = Monitor(Given(periodic([1, 2], 10), periodic([2], 3)))
    watched.poll()
    watched.feed.now = 5.0  # type: ignore[attr-defined]
    watched.clear()
    watched.poll()
    watched.feed.now = 6.0  # type: ignore[attr-defined]
    snapshot = watched.snapshot()
    assert snapshot.rows["count"].tolist() == [3]
    assert snapshot.buses[0].frames_per_s == 3
    assert [label.split()[0] for label in snapshot.labels] == ["002"]


def test_a_kept_snapshot_stays() -> None:
    watched = Monitor(Given(periodic([1, 2], 10), periodic([2, 3], 4)))
    watched.poll()
    kept = watched.snapshot().kept()
    before = screen_lines(kept, View(filter="00"), 80, 24, PLAIN)
    watched.poll()
    watched.snapshot()
    assert screen_lines(kept, View(filter="00"), 80, 24, PLAIN) == before
    assert list(itertools.islice(before, 3, 5)) != []
