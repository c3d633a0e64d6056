"""What begins an event, and which frames belong to it."""

from __future__ import annotations

import logging
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from oracle import event_oracle as oracle

import canal_fast as cf
from canal_fast.logger.trigger import Capture, FileTrigger, parse_rule

F = cf.FrameFlag
ID = parse_rule("id=7:7FF")


def numbered(times: list[int], hits: list[bool]) -> cf.FrameArray:
    """Frames with a number each; identifier 7 where they trigger."""
    frames = cf.make_frames(np.where(hits, 7, 1), bytes(8), timestamp_ns=np.array(times, np.int64))
    frames["data"][:, :4] = np.arange(len(times), dtype="<u4").view("u1").reshape(-1, 4)
    return frames


def numbers(frames: cf.FrameArray) -> list[int]:
    return np.ascontiguousarray(frames["data"][:, :4]).view("<u4")[:, 0].tolist()


def captured(capture: Capture, frames: cf.FrameArray, cuts: list[int]) -> list[list[int]]:
    """Numbers of the frames of each event."""
    events: list[list[int]] = []
    open_event = False
    for part in np.split(frames, cuts):
        for piece in capture.take(part, part["timestamp_ns"].astype(np.int64)):
            if piece is None:
                open_event = False
                continue
            if not open_event:
                events.append([])
            open_event = True
            events[-1] += numbers(piece)
    return events


@pytest.mark.parametrize("seed", range(40))
def test_events_as_the_oracle_has_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    times = np.cumsum(random.integers(0, 4, size=200)).tolist()
    hits = (random.random(200) < random.choice([0.01, 0.05, 0.3])).tolist()
    pre, post = (int(random.choice([0, 1, 5, 30])) for _ in range(2))
    cuts = sorted(random.integers(0, 201, size=random.integers(0, 30)).tolist())
    capture = Capture([ID], pre, post, 10_000)
    wanted = oracle.events(times, hits, pre, post)
    assert captured(capture, numbered(times, hits), cuts) == wanted
    assert capture.events == len(wanted)


def test_the_window_by_hand() -> None:
    times = [0, 10, 20, 30, 40, 50, 60, 70, 80]
    hits = [time == 40 for time in times]
    assert captured(Capture([ID], 20, 10, 100), numbered(times, hits), []) == [[2, 3, 4, 5]]
    assert captured(Capture([ID], 19, 9, 100), numbered(times, hits), [3, 4, 5]) == [[3, 4]]
    assert captured(Capture([ID], 0, 0, 100), numbered(times, hits), []) == [[4]]


def test_what_there_is_no_room_for_is_said(caplog: pytest.LogCaptureFixture) -> None:
    times, hits = list(range(100)), [i == 90 for i in range(100)]
    with caplog.at_level(logging.WARNING, "canal_fast"):
        assert captured(Capture([ID], 50, 0, 10), numbered(times, hits), list(range(0, 100, 7))) == [
            list(range(80, 91))
        ]
    assert "event 1: there was room for 10 frames only before the trigger" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, "canal_fast"):
        assert captured(Capture([ID], 5, 0, 10), numbered(times, hits), []) == [list(range(85, 91))]
    assert not caplog.text


def test_triggers_from_outside() -> None:
    frames = numbered(list(range(0, 200, 10)), [False] * 20)
    capture = Capture([parse_rule("error")], 30, 40, 100)
    assert captured(capture, frames[:10], []) == []
    (before,) = capture.trigger(95)
    assert numbers(before) == [7, 8, 9]
    assert not capture.idle(135)
    assert list(capture.trigger(110)) == []  # it goes on until 150
    later = captured(capture, frames[10:], [])
    assert later == [[10, 11, 12, 13, 14, 15]]
    assert not capture.recording
    assert list(map(numbers, capture.trigger(250))) == []  # nothing came since 190
    assert capture.idle(291)
    assert not capture.idle(1000)
    assert capture.events == 2


def test_a_trigger_ahead_of_the_frames_leaves_out_what_is_before_its_window() -> None:
    """Frames are held back for those of other buses: what a trigger's window begins with is still to come."""
    frames = numbered(list(range(0, 200, 10)), [False] * 20)
    capture = Capture([parse_rule("error")], 20, 30, 100)
    assert captured(capture, frames[:5], []) == []
    assert list(capture.trigger(100)) == []
    assert captured(capture, frames[5:], [1, 4]) == [[8, 9, 10, 11, 12, 13]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("id=123:7FF", [0, 1]),
        ("id=123", [0, 1]),
        ("id=120:7F0", [0, 1, 2]),
        ("id=0:0", [0, 1, 2, 3, 6, 7]),
        ("payload=0102", [0, 7]),
        ("payload=01 02:ff fd", [0, 7]),
        ("payload=00:80", [0, 2, 3, 7]),
        ("payload=0102030405060708", [0, 7]),
        ("payload=010203040506070809", [7]),
        ("error", [4, 5]),
        ("bus-off", [5]),
    ],
)
def test_rules(text: str, wanted: list[int]) -> None:
    frames = cf.make_frames(
        [0x123, 0x123, 0x127, 0x777, 0x20, 0x40, 0x555, 0x556],
        [bytes(range(1, 9)), b"", b"\x11\x22", b"\0", bytes(8), bytes(8), b"", bytes(range(1, 13))],
        flags=[0, F.REMOTE, F.EXTENDED_ID, 0, F.ERROR_FRAME, F.ERROR_FRAME, 0, F.FD],
        fd=True,
    )
    frames[7]["data"][0] = 1
    match = parse_rule(text).match
    assert match is not None
    assert np.flatnonzero(match(frames)).tolist() == wanted
    status = cf.make_frames([0x123], flags=F.STATUS)
    assert not match(status).any()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "trigger '', allowed id=, payload=, error, bus-off, signal, file="),
        ("ide=1", "trigger 'ide=1', allowed id="),
        ("error=1", "trigger 'error=1', allowed id="),
        ("id", "trigger 'id', allowed id="),
        ("id=", "trigger 'id=': ID '' is not hexadecimal, as in id=100:700"),
        ("id=1:x", "trigger 'id=1:x': MASK 'x' is not hexadecimal"),
        ("id=20000000:1", "trigger 'id=20000000:1': ID is 20000000, allowed 0..1FFFFFFF (hexadecimal)"),
        ("id=-1", "ID is -1, allowed"),
        ("payload=", "trigger 'payload=': 0 bytes, allowed 1..64"),
        ("payload=1", "trigger 'payload=1': not bytes in hexadecimal, as in payload=02 10:ff f0"),
        ("payload=0102:ff", "trigger 'payload=0102:ff': 2 bytes, but a mask of 1"),
        ("payload=" + "00" * 65, "65 bytes, allowed 1..64"),
        ("file=", "names no file, as in file=/run/can/trigger"),
        ("file=/nowhere/at/all", "there is no folder /nowhere/at"),
    ],
)
def test_mistakes(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_rule(text)


def test_the_signal_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGUSR1", raising=False)
    with pytest.raises(ValueError, match=r"this system has no SIGUSR1; file=PATH does"):
        parse_rule("signal")


def test_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "now"
    trigger = FileTrigger(str(path))
    assert not trigger.came()
    path.touch()
    assert trigger.came()
    assert not path.exists()
    assert not trigger.came()

    def refuse(path: str) -> None:
        raise PermissionError(13, "no", path)

    monkeypatch.setattr("os.unlink", refuse)
    path.touch()
    assert [trigger.came() for _ in range(3)] == [True, False, False]
    os.utime(path, ns=(5, 5))
    assert [trigger.came() for _ in range(3)] == [True, False, False]
